"""The page shows jobs, logs and queues in a signed-in browser. All its addresses begin with the session's path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.local.engines import WebUi
from pulumi_dli.local.errors import ApiError, not_found
from pulumi_dli.local.job_view import display_name, failure_of
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.log_view import LogQuery, read_attempt, truncate, view_of
from pulumi_dli.local.page_access import check_form
from pulumi_dli.local.page_templates import http_error, render, render_message, session_path
from pulumi_dli.local.routes import read_selection
from pulumi_dli.local.sign_in_links import SignInLinks
from pulumi_dli.local.table import Job, Selection
from pulumi_dli.local.timeline_view import Axis, Span, spans_of

JOBS_PER_PAGE = 50
MAX_ACTIVE_SHOWN = 5
"""The maximum number of jobs in "Running while it waited"."""
REQUEST_LENGTH = 100_000
"""The maximum number of characters that the page shows of a request."""

_WEB_UI_THREADS = 4
_MIN_BAR_WIDTH = 4
_WEB_UI_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Spark's pages contain inline scripts. They may run, because the job itself can do all that they can."""


@dataclass(frozen=True)
class QueueUsage:
    """A queue with its CUs (None: no limit), the CUs in use, and the number of its jobs in each state."""

    name: str
    cus: int | None
    used_cus: int
    jobs: dict[BatchState, int]


@dataclass(frozen=True)
class Row:
    """A row of the table. `bars` has the kind, position and width of each bar, from 0 to 1000.

    `standing` is the position of a waiting job in its queue, and what it waits for.
    """

    job: Job
    waits_for: str | None
    standing: str | None
    spans: list[Span]
    bars: list[tuple[str, float, float]]


class Page:
    """The ASGI application of the page. Its calls have a session, whose path is their `root_path`.

    `queues` has the CUs of each queue, None for no limit.
    """

    def __init__(self, jobs: Jobs, queues: Mapping[str, int | None], links: SignInLinks) -> None:
        self._jobs = jobs
        self._queues = queues
        self._links = links
        # Web pages of jobs have their own threads: logs and jobs must not wait for a driver that does not answer.
        self._web_ui_threads = ThreadPoolExecutor(_WEB_UI_THREADS)
        self._application = Starlette(
            routes=[
                Route("/", self._show_jobs),
                Route("/jobs/{id}", self._show_job),
                Route("/jobs/{id}/cancel", self._ask_before_cancel),
                Route("/jobs/{id}/cancel", self._cancel, methods=["POST"]),
                Route("/jobs/{id}/logs/{log}", self._download_log),
                Route("/jobs/{id}/spark/{rest:path}", self._show_web_ui),
                Route("/jobs/{id}/attempts/{attempt}/spark/{rest:path}", self._show_history),
                Route("/sign-out", self._sign_out, methods=["POST"]),
            ],
            exception_handlers={HTTPException: http_error, ApiError: _api_error},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)

    async def _sign_out(self, request: Request) -> Response:
        await check_form(request)
        self._links.sign_out(request.state.session)
        request.state.session = None
        return render_message(request, 200, "Signed out", "You are signed out.", shows_sign_in_help=True)

    async def _show_jobs(self, request: Request) -> Response:
        selection = replace(read_selection(request.query_params), size=JOBS_PER_PAGE)
        total, jobs = self._jobs.select(selection)
        rows = self._rows(jobs)
        filters = {key: value for key, value in request.query_params.items() if value and key != "from"}
        start, home = selection.offset, f"{session_path(request)}/"
        context = {
            "rows": rows,
            "total": total,
            "start": start,
            "newer": _url(home, filters, max(start - JOBS_PER_PAGE, 0) or None) if start else None,
            "older": _url(home, filters, start + JOBS_PER_PAGE) if start + len(jobs) < total else None,
            "queues": [self._queue_usage(name) for name in self._queues],
            "states": list(BatchState),
            "filters": filters,
        }
        return render(request, "jobs.html", 200, context)

    async def _show_job(self, request: Request) -> Response:
        return await self._job_page(request, 200, None)

    async def _ask_before_cancel(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["id"])
        if job.state.is_final:
            return RedirectResponse(_job_path(request, job), 303)
        [row] = self._rows([job])
        return render(request, "cancel.html", 200, {"job": job, "row": row})

    async def _cancel(self, request: Request) -> Response:
        await check_form(request)
        job = self._jobs.get(request.path_params["id"])
        try:
            await self._jobs.cancel(job.id)
        except ApiError as error:
            return await self._job_page(request, 409, error.message)
        return RedirectResponse(_job_path(request, job), 303)

    async def _download_log(self, request: Request) -> Response:
        """Send a whole log as a file."""
        job = self._jobs.get(request.path_params["id"])
        name = request.path_params["log"]
        attempt, logs = read_attempt(name, None), self._jobs.logs(job.id)
        size = logs.size(attempt)
        if size is None:
            return render_message(request, 404, "No log", "This attempt has no log.")
        headers = {
            "Content-Disposition": f"attachment; filename*=utf-8''{quote(display_name(job), safe='')}-{name}.log",
            "Content-Length": str(size),
        }
        return StreamingResponse(logs.content(attempt, size), 200, headers, "text/plain")

    async def _show_web_ui(self, request: Request) -> Response:
        """Show the web pages of a job that runs. When it has ended, lead to its history."""
        job = self._jobs.get(request.path_params["id"])
        if (web_ui := self._jobs.web_ui(job.id)) is not None:
            return await self._forward(request, web_ui, _web_ui_path(request, job))
        if histories := self._jobs.histories(job):
            return RedirectResponse(f"{_history_path(request, job, histories[-1])}/", 302)
        text = "This job has no Spark UI: it has not started Spark, or it switches the UI or the event log off."
        return render_message(request, 404, "No Spark UI", text)

    async def _show_history(self, request: Request) -> Response:
        """Show the web pages of an attempt that has ended."""
        job = self._jobs.get(request.path_params["id"])
        attempt = read_attempt(request.path_params["attempt"], None)
        web_ui = None if attempt is None else self._jobs.history(job, attempt)
        if attempt is None or web_ui is None:
            return render_message(request, 404, "No Spark UI", "This attempt has no event log of Spark.")
        return await self._forward(request, web_ui, _history_path(request, job, attempt))

    async def _forward(self, request: Request, web_ui: WebUi, path: str) -> Response:
        """Show a page of Spark, whose links begin with `path`. No headers pass between it and the browser."""
        target = f"/{quote(request.path_params['rest'])}?{request.url.query}"
        try:
            loop = asyncio.get_running_loop()
            reply = await loop.run_in_executor(self._web_ui_threads, web_ui.get, target, path)
        except OSError:
            text = "The Spark UI does not answer. The job may have ended. Load the page again in a moment."
            return render_message(request, 502, "No answer", text)
        headers = {
            "Content-Security-Policy": _WEB_UI_POLICY,
            "Content-Type": reply.content_type,
            "Location": reply.location,
        }
        return Response(reply.body, reply.status, {name: value for name, value in headers.items() if value})

    async def _job_page(self, request: Request, status: int, error: str | None) -> Response:
        job = self._jobs.get(request.path_params["id"])
        query = LogQuery.read(request.query_params, job.attempt)
        logs = self._jobs.logs(job.id)
        log = await asyncio.to_thread(view_of, logs, query, _job_path(request, job))
        [row] = self._rows([job])
        context = {
            "job": job,
            "row": row,
            "failure": await asyncio.to_thread(failure_of, job, logs),
            "active_jobs": self._active_while_waiting(row),
            "max_active_shown": MAX_ACTIVE_SHOWN,
            "log": log,
            "web_ui": _web_ui_path(request, job) if self._jobs.web_ui(job.id) else None,
            "histories": {attempt + 1: _history_path(request, job, attempt) for attempt in self._jobs.histories(job)},
            "follows": query.start is None and not query.is_search and not job.state.is_final,
            "request_body": truncate(_pretty_json(job.req_body), REQUEST_LENGTH),
            "error": error,
        }
        return render(request, "job.html", status, context)

    def _rows(self, jobs: Sequence[Job]) -> list[Row]:
        changes = self._jobs.changes(jobs)
        spans = {job.id: spans_of(changes[job.id], self._jobs.now()) for job in jobs}
        axis = Axis(spans.values())
        standings = self._jobs.standings()
        return [
            Row(
                job,
                self._jobs.waits_for(job.id),
                standings.get(job.id),
                spans[job.id],
                [_bar(axis, span) for span in spans[job.id]],
            )
            for job in jobs
        ]

    def _active_while_waiting(self, row: Row) -> list[Job]:
        """Return the jobs that were admitted while this one waited: at most one more than the page shows."""
        waits = [span for span in row.spans if span.kind == "waiting"]
        return [job for span in waits for job in self._jobs.active_between(span.start, span.end, MAX_ACTIVE_SHOWN + 1)]

    def _queue_usage(self, queue: str) -> QueueUsage:
        at_work_first = sorted(LIVE_STATES, key=lambda state: state.facts.needs_capacity)
        jobs = {state: self._jobs.select(Selection(queue=queue, state=state, size=0))[0] for state in at_work_first}
        return QueueUsage(queue, self._queues[queue], self._jobs.used_cus(queue), jobs)


def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  it is registered for these
    if error.code == not_found("").code:
        text = f"{error.message} The local DLI removes the record of a job some time after its end."
        return render_message(request, 404, "Not found", text)
    return render_message(request, 400, "The page cannot show this", error.message)


def _job_path(request: Request, job: Job) -> str:
    return f"{session_path(request)}/jobs/{job.id}"


def _web_ui_path(request: Request, job: Job) -> str:
    return f"{_job_path(request, job)}/spark"


def _history_path(request: Request, job: Job, attempt: int) -> str:
    """Return the path of the history of an attempt. `attempt` counts from 0, the path from 1."""
    return f"{_job_path(request, job)}/attempts/{attempt + 1}/spark"


def _bar(axis: Axis, span: Span) -> tuple[str, float, float]:
    start = 1000 * axis.position(span.start)
    return span.kind, round(start, 1), round(max(1000 * axis.position(span.end) - start, _MIN_BAR_WIDTH), 1)


def _url(path: str, query: Mapping[str, str], start: int | None) -> str:
    parameters = urlencode({**query, **({} if start is None else {"from": start})})
    return f"{path}?{parameters}" if parameters else path


def _pretty_json(document: str) -> str:
    """Indent a JSON document, unless it is too long to show as a whole."""
    if len(document) > REQUEST_LENGTH:
        return document
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
