"""The routes of the API: each maps a call to the function that answers it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_dli.api.states import BatchState
from pulumi_dli.local import logs, replies
from pulumi_dli.local.call_counter import CallCounter
from pulumi_dli.local.errors import bad_parameter
from pulumi_dli.local.faults import Faults
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.queues import Queues
from pulumi_dli.local.sign_in_links import SignInLinks
from pulumi_dli.local.submissions import read_json, read_submission
from pulumi_dli.local.table import ORDERS, Job, Selection

MAX_PAGE = 100
"""The maximum number of jobs in a list. The page has no number; the vendor's client says that 100 is the default."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class BatchApi:
    """The calls for batch jobs and queues."""

    jobs: Jobs
    queues: Queues
    faults: Faults
    owner: str

    def routes(self) -> list[Route]:
        """Return the routes. The name of a route is its name in `GET /local/calls`."""
        batches = "/v2.0/{project_id}/batches"
        return [
            Route(batches, self.create, methods=["POST"], name="/batches"),
            Route(batches, self.list, methods=["GET"], name="/batches"),
            Route(f"{batches}/{{id}}", self.details, methods=["GET"], name="/batches/{id}"),
            Route(f"{batches}/{{id}}", self.cancel, methods=["DELETE"], name="/batches/{id}"),
            Route(f"{batches}/{{id}}/state", self.state, methods=["GET"], name="/batches/{id}/state"),
            Route(f"{batches}/{{id}}/log", self.log, methods=["GET"], name="/batches/{id}/log"),
            Route("/v1.0/{project_id}/queues", self.list_queues, methods=["GET"], name="/queues"),
            Route("/v1.0/{project_id}/queues/{name}", self.show_queue, methods=["GET"], name="/queues/{name}"),
        ]

    async def create(self, request: Request) -> Response:
        """Accept a job (dli_02_0124)."""
        return JSONResponse(replies.created(await self.submit(await request.body())))

    async def submit(self, body: bytes) -> Job:
        """Accept the job in the body of a create call. Raises ApiError if the body is invalid."""
        job = await self.jobs.submit(read_submission(read_json(body), self.queues), self.owner)
        self.faults.hidden_jobs.accepted(job.id)
        return job

    async def list(self, request: Request) -> Response:
        """List jobs (dli_02_0125)."""
        selection = read_selection(request.query_params)
        total, jobs = self.jobs.select(selection, self.faults.hidden_jobs.on_list_call())
        return JSONResponse(replies.job_list(jobs, start=selection.offset, total=total, now=self.jobs.now()))

    async def details(self, request: Request) -> Response:
        """Describe a job (dli_02_0126)."""
        return JSONResponse(replies.details(self._job(request)))

    async def state(self, request: Request) -> Response:
        """Show the state of a job (dli_02_0127)."""
        return JSONResponse(replies.state(self._job(request)))

    async def cancel(self, request: Request) -> Response:
        """Cancel a job (dli_02_0129). The record stays, but the reply says "deleted"."""
        await self.jobs.cancel(self._job(request).id)
        return JSONResponse({"msg": "deleted"})

    async def log(self, request: Request) -> Response:
        """Show lines of a log (dli_02_0128). `index` without `type` means the driver log."""
        job = self._job(request)
        query = request.query_params
        index = _integer(query, "index", 0)
        wants_driver = query.get("type") == "driver" or (index is not None and not query.get("type"))
        attempt = (index or 0) if wants_driver else None
        start, size = _integer(query, "from", 0), _integer(query, "size", 1) or logs.PAGE
        page = await asyncio.to_thread(self.jobs.logs(job.id).page, attempt, start, size)
        return JSONResponse(replies.log(job.id, page))

    async def list_queues(self, request: Request) -> Response:
        return JSONResponse(self.queues.listed(request.query_params.get("queue_type")))

    async def show_queue(self, request: Request) -> Response:
        return JSONResponse(self.queues.details(request.path_params["name"]))

    def _job(self, request: Request) -> Job:
        job_id = request.path_params["id"]
        if not _UUID.fullmatch(job_id):
            raise bad_parameter("Parameter batch_id is invalid: it must be a UUID.")
        return self.jobs.get(job_id.lower())


def read_selection(query: Mapping[str, str]) -> Selection:
    """Read the query of a list call. Raises ApiError.

    The parameters are those of the page (2023 and 2026) and of huaweicloudsdkdli 3.1.219. The job's id is `job_id` in
    the page of 2023 and `job-id` in that of 2026. `start`, `end` and `order` come from the client.
    """
    order, state = _order(query), _state(query)
    queue, job_id = _text(query, "queue_name", "cluster_name"), _text(query, "job-id", "job_id")
    return Selection(
        queue=queue.strip().lower() if queue else None,
        name_part=_text(query, "job_name"),
        id=job_id.lower() if job_id else None,
        state=state,
        owner=_text(query, "owner"),
        created_from=_integer(query, "start", 0),
        created_to=_integer(query, "end", 0),
        order=order,
        offset=_integer(query, "from", 0) or 0,
        size=min(_integer(query, "size", 1) or MAX_PAGE, MAX_PAGE),
    )


def _text(query: Mapping[str, str], *names: str) -> str | None:
    """Return the first of these parameters that is not empty."""
    return next((text for name in names if (text := query.get(name))), None)


def _state(query: Mapping[str, str]) -> BatchState | None:
    state = _text(query, "state")
    if state is None:
        return None
    if state.lower() not in set(BatchState):
        raise bad_parameter(f"Parameter state is invalid: it must be one of {', '.join(BatchState)}.")
    return BatchState(state.lower())


def _order(query: Mapping[str, str]) -> str:
    order = _text(query, "order") or "CREATE_TIME_DESC"
    if order not in ORDERS:
        raise bad_parameter(f"Parameter order is invalid: it must be one of {', '.join(ORDERS)}.")
    return order


def _integer(query: Mapping[str, str], name: str, minimum: int) -> int | None:
    text = _text(query, name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < minimum:
        raise bad_parameter(f"Parameter {name} is invalid: it must be an integer, at least {minimum}.")
    return int(text)


@dataclass(frozen=True)
class SignInApi:
    """The call that makes a sign-in link to the page."""

    links: SignInLinks

    def routes(self) -> list[Route]:
        return [Route("/local/sign-in-links", self.create, methods=["POST"], name="/local/sign-in-links")]

    async def create(self, _request: Request) -> Response:
        return JSONResponse({"url": self.links.new_link()}, 201)


@dataclass(frozen=True)
class TestApi:
    """The calls for tests, which only the local DLI has: call counts and faults."""

    call_counter: CallCounter
    faults: Faults

    def routes(self) -> list[Route]:
        return [
            Route("/local/calls", self.show_calls, methods=["GET"], name="/local/calls"),
            Route("/local/calls", self.reset_calls, methods=["DELETE"], name="/local/calls"),
            Route("/local/faults", self.set_faults, methods=["PUT"], name="/local/faults"),
        ]

    async def show_calls(self, _request: Request) -> Response:
        """Show the counts by method and route."""
        return JSONResponse(self.call_counter.as_dict())

    async def reset_calls(self, _request: Request) -> Response:
        self.call_counter.reset()
        return Response(status_code=204)

    async def set_faults(self, request: Request) -> Response:
        """Replace all fault rules."""
        self.faults.set(read_json(await request.body()))
        return Response(status_code=204)
