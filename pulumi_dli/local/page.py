"""The page shows jobs, logs and queues in a browser. The browser signs in with a link that works once.

Besides the session's cookie, three things keep other pages out. `Host` must be a name of this machine, which prevents
DNS rebinding. Each form contains a token, because cookies and `SameSite` do not tell the ports of 127.0.0.1 apart. The
Content-Security-Policy allows only content from this server.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.local.durations import format_duration
from pulumi_dli.local.engines import WebUi, history_path, web_ui_path
from pulumi_dli.local.errors import ApiError, not_found
from pulumi_dli.local.job_view import colour_of, display_name, failure_of, status_of
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.log_view import LogQuery, read_attempt, truncate, view_of
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
_HERE = Path(__file__).parent
_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.ASCII | re.IGNORECASE)
_PATHS = re.compile(r"/|/sign-in|/sign-out|/(jobs|static)/.*", re.DOTALL)
_MIN_BAR_WIDTH = 4
_MAX_FORM = 4096
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
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
    """The ASGI application of the page. It passes all other calls on to `api`.

    `queues` has the CUs of each queue, None for no limit. A browser has one set of cookies for all ports, so the name
    of the cookie contains `port`.
    """

    def __init__(
        self, api: ASGIApp, *, jobs: Jobs, queues: Mapping[str, int | None], links: SignInLinks, port: int
    ) -> None:
        self._api = api
        self._jobs = jobs
        self._queues = queues
        self._links = links
        self._cookie = f"local-dli-{port}"
        # Web pages of jobs have their own threads: logs and jobs must not wait for a driver that does not answer.
        self._web_ui_threads = ThreadPoolExecutor(_WEB_UI_THREADS)
        self._templates = Jinja2Templates(env=_environment())
        self._inner = Starlette(
            routes=[
                Route("/", self._show_jobs),
                Route("/jobs/{id}", self._show_job),
                Route("/jobs/{id}/cancel", self._ask_before_cancel),
                Route("/jobs/{id}/cancel", self._cancel, methods=["POST"]),
                Route("/jobs/{id}/logs/{log}", self._download_log),
                Route(f"{web_ui_path('{id}')}/{{rest:path}}", self._show_web_ui),
                Route(f"{history_path('{id}', '{attempt}')}/{{rest:path}}", self._show_history),
                Route("/sign-in", self._sign_in),
                Route("/sign-out", self._sign_out, methods=["POST"]),
                Mount("/static", StaticFiles(directory=_HERE / "static")),
            ],
            exception_handlers={HTTPException: self._http_error, ApiError: self._api_error},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _PATHS.fullmatch(scope["path"]):
            await self._api(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        application = self._guard(Request(scope)) or self._inner
        with suppress(ClientDisconnect):
            await application(scope, receive, send_with_headers)

    def _guard(self, request: Request) -> ASGIApp | None:
        """Return an application that refuses the call. Return None if the call may pass."""
        request.state.session = None
        if not _LOCAL_HOST.fullmatch(request.headers.get("host", "")):
            text = "This page works only at 127.0.0.1 and localhost, not at the name in the address bar."
            return self._message(request, 421, "Wrong address", text)
        request.state.session = self._links.session(request.cookies.get(self._cookie, ""))
        path = request.scope["path"]
        if request.state.session is not None or path == "/sign-in" or path.startswith("/static/"):
            return None
        return self._message(request, 401, "Sign in", "You are not signed in.", shows_sign_in_help=True)

    async def _sign_in(self, request: Request) -> Response:
        """Sign a browser in with a link.

        A page loads the jobs, not a redirect. A terminal may be a page of another site. After a link there, a browser
        sends no `Strict` cookie to the target of a redirect.
        """
        session = self._links.sign_in(request.query_params.get("code", ""))
        if session is None and request.state.session is None:
            text = "The link was used before, or it has expired, or the local DLI was restarted."
            return self._message(request, 401, "The link does not work", text, shows_sign_in_help=True)
        response = self._message(request, 200, "Signed in", "You are signed in.", redirects_home=True)
        if session is not None:
            response.set_cookie(self._cookie, session.cookie, httponly=True, samesite="strict")
        return response

    async def _sign_out(self, request: Request) -> Response:
        await _check_form(request)
        self._links.sign_out(request.state.session)
        request.state.session = None
        return self._message(request, 200, "Signed out", "You are signed out.", shows_sign_in_help=True)

    async def _show_jobs(self, request: Request) -> Response:
        selection = replace(read_selection(request.query_params), size=JOBS_PER_PAGE)
        total, jobs = self._jobs.select(selection)
        rows = self._rows(jobs)
        filters = {key: value for key, value in request.query_params.items() if value and key != "from"}
        start = selection.offset
        context = {
            "rows": rows,
            "total": total,
            "start": start,
            "newer": _url("/", filters, max(start - JOBS_PER_PAGE, 0) or None) if start else None,
            "older": _url("/", filters, start + JOBS_PER_PAGE) if start + len(jobs) < total else None,
            "queues": [self._queue_usage(name) for name in self._queues],
            "states": list(BatchState),
            "filters": filters,
        }
        return self._render(request, "jobs.html", 200, context)

    async def _show_job(self, request: Request) -> Response:
        return await self._job_page(request, 200, None)

    async def _ask_before_cancel(self, request: Request) -> Response:
        job = self._jobs.get(request.path_params["id"])
        if job.state.is_final:
            return RedirectResponse(f"/jobs/{job.id}", 303)
        [row] = self._rows([job])
        return self._render(request, "cancel.html", 200, {"job": job, "row": row})

    async def _cancel(self, request: Request) -> Response:
        await _check_form(request)
        job = self._jobs.get(request.path_params["id"])
        try:
            await self._jobs.cancel(job.id)
        except ApiError as error:
            return await self._job_page(request, 409, error.message)
        return RedirectResponse(f"/jobs/{job.id}", 303)

    async def _download_log(self, request: Request) -> Response:
        """Send a whole log as a file."""
        job = self._jobs.get(request.path_params["id"])
        name = request.path_params["log"]
        attempt, logs = read_attempt(name, None), self._jobs.logs(job.id)
        size = logs.size(attempt)
        if size is None:
            return self._message(request, 404, "No log", "This attempt has no log.")
        headers = {
            "Content-Disposition": f"attachment; filename*=utf-8''{quote(display_name(job), safe='')}-{name}.log",
            "Content-Length": str(size),
        }
        return StreamingResponse(logs.content(attempt, size), 200, headers, "text/plain")

    async def _show_web_ui(self, request: Request) -> Response:
        """Show the web pages of a job that runs. When it has ended, lead to its history."""
        job = self._jobs.get(request.path_params["id"])
        if (web_ui := self._jobs.web_ui(job.id)) is not None:
            return await self._forward(request, web_ui)
        if histories := self._jobs.histories(job):
            return RedirectResponse(f"{history_path(job.id, histories[-1] + 1)}/", 302)
        text = "This job has no Spark UI: it has not started Spark, or it switches the UI or the event log off."
        return self._message(request, 404, "No Spark UI", text)

    async def _show_history(self, request: Request) -> Response:
        """Show the web pages of an attempt that has ended."""
        job = self._jobs.get(request.path_params["id"])
        attempt = read_attempt(request.path_params["attempt"], None)
        web_ui = None if attempt is None else self._jobs.history(job, attempt)
        if web_ui is None:
            return self._message(request, 404, "No Spark UI", "This attempt has no event log of Spark.")
        return await self._forward(request, web_ui)

    async def _forward(self, request: Request, web_ui: WebUi) -> Response:
        """Show a page of Spark. No headers pass between it and the browser."""
        target = f"/{quote(request.path_params['rest'])}?{request.url.query}"
        try:
            loop = asyncio.get_running_loop()
            reply = await loop.run_in_executor(self._web_ui_threads, web_ui.get, target)
        except OSError:
            text = "The Spark UI does not answer. The job may have ended. Load the page again in a moment."
            return self._message(request, 502, "No answer", text)
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
        log = await asyncio.to_thread(view_of, logs, query, f"/jobs/{job.id}")
        [row] = self._rows([job])
        context = {
            "job": job,
            "row": row,
            "failure": await asyncio.to_thread(failure_of, job, logs),
            "active_jobs": self._active_while_waiting(row),
            "max_active_shown": MAX_ACTIVE_SHOWN,
            "log": log,
            "web_ui": web_ui_path(job.id) if self._jobs.web_ui(job.id) else None,
            "histories": {attempt + 1: history_path(job.id, attempt + 1) for attempt in self._jobs.histories(job)},
            "follows": query.start is None and not query.is_search and not job.state.is_final,
            "request_body": truncate(_pretty_json(job.req_body), REQUEST_LENGTH),
            "error": error,
        }
        return self._render(request, "job.html", status, context)

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

    def _http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these
        return self._message(request, error.status_code, error.detail, "The local DLI cannot do this.")

    def _api_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)  # noqa: S101  it is registered for these
        if error.code == not_found("").code:
            text = f"{error.message} The local DLI removes the record of a job some time after its end."
            return self._message(request, 404, "Not found", text)
        return self._message(request, 400, "The page cannot show this", error.message)

    def _message(
        self,
        request: Request,
        status: int,
        title: str,
        text: str,
        *,
        shows_sign_in_help: bool = False,
        redirects_home: bool = False,
    ) -> Response:
        context = {
            "title": title,
            "text": text,
            "shows_sign_in_help": shows_sign_in_help,
            "redirects_home": redirects_home,
        }
        return self._render(request, "message.html", status, context)

    def _render(self, request: Request, template: str, status: int, context: Mapping[str, object]) -> Response:
        return self._templates.TemplateResponse(
            request, template, {**context, "session": request.state.session}, status
        )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "clock": lambda time: _local(time).strftime("%Y-%m-%d %H:%M:%S"),
        "iso": lambda time: _local(time).isoformat(timespec="milliseconds"),
        "duration": lambda milliseconds: format_duration(milliseconds / 1000),
        "colour": colour_of,
        "status": status_of,
        "display_name": display_name,
        "past": lambda kind: (kind.facts.past or kind) if isinstance(kind, BatchState) else "waited",
    }
    environment.globals["drawn"] = ("waiting", *LIVE_STATES)
    return environment


def _local(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000).astimezone()


def _bar(axis: Axis, span: Span) -> tuple[str, float, float]:
    start = 1000 * axis.position(span.start)
    return span.kind, round(start, 1), round(max(1000 * axis.position(span.end) - start, _MIN_BAR_WIDTH), 1)


async def _check_form(request: Request) -> None:
    """Read a form and check its token. Raises HTTPException."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise HTTPException(413)
    token = dict(parse_qsl(body.decode("latin-1"))).get("token", "")
    if not secrets.compare_digest(token.encode(), request.state.session.form_token.encode()):
        raise HTTPException(403)


def _url(path: str, query: Mapping[str, str], start: int | None) -> str:
    parameters = urlencode({**query, **({} if start is None else {"from": start})})
    return f"{path}?{parameters}" if parameters else path


def _pretty_json(document: str) -> str:
    """Indent a JSON document, unless it is too long to show as a whole."""
    if len(document) > REQUEST_LENGTH:
        return document
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
