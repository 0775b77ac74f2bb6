"""A local DLI that lies: its answers do not fit the question, lag behind or lack something.

A lie changes what a call reads of its question, or what it answers. What the service does and records stays true, so
the campaign can judge by it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.replies import details
from pulumi_dli.local.routes import BatchApi
from pulumi_dli.local.table import Selection
from pulumi_dli.local.testing import Service
from tests.campaign.schedules import LAG

Document = dict[str, Any]


class Lie(StrEnum):
    """What is wrong with the answers."""

    STATE_IGNORED = "lists ignore the filter state"
    FROM_IGNORED = "lists ignore from, and always give the first page"
    SHORT_PAGES = "lists have at most two jobs a page"
    NO_TOTAL = "lists have no total"
    SMALL_TOTAL = "the total of a list is the number of the jobs in the page"
    TEXT_TOTAL = "the total of a list is text"
    NO_SESSIONS = "an empty list is null"
    UPPER_IDS = "lists give ids in upper case"
    FOREIGN_POST = "the answer to a submission is about another job"
    RENAMED_POST = "the answer to a submission has the name in upper case"
    NAMELESS_POST = "the answer to a submission has no name"
    FOREIGN_DETAILS = "the details are those of another job"
    YOUNG_UNKNOWN = "for a short time after its submission a job is unknown to all calls but lists"
    UNKNOWN_STATE = "live jobs are in a state that no document names"


class LyingService(Service):
    """A local DLI that tells the lies in `lies`."""

    def __init__(self, data: Path, **options: Any) -> None:
        super().__init__(data, **options)
        self.lies: Collection[Lie] = ()

    def __enter__(self) -> Self:
        service = self

        class LyingApi(BatchApi):
            def routes(self) -> list[Route]:
                return [service._lying_route(self, route) for route in super().routes()]

        with patch("pulumi_dli.local.server.BatchApi", LyingApi):
            return super().__enter__()

    def _lying_route(self, api: BatchApi, route: Route) -> Route:
        methods = [method for method in route.methods or () if method != "HEAD"]
        return Route(route.path, partial(self._answer, api, route), methods=methods, name=route.name)

    async def _answer(self, api: BatchApi, route: Route, request: Request) -> Response:
        work: Callable[[Request], Awaitable[Response]] = route.endpoint
        if not self.lies:
            return await work(request)
        call = f"{request.method} {route.name}"
        if call == "GET /batches":
            return JSONResponse(_changed_list(_content(await work(_misread(request, self.lies))), self.lies))
        if call == "POST /batches":
            return JSONResponse(self._changed_post(api, _content(await work(request))))
        if route.name.startswith("/batches/{id}") and Lie.YOUNG_UNKNOWN in self.lies:
            _refuse_young(api, request.path_params["id"])
        if call == "GET /batches/{id}":
            return JSONResponse(self._changed_details(api, _content(await work(request))))
        return await work(request)

    def _changed_post(self, api: BatchApi, document: Document) -> Document:
        if Lie.FOREIGN_POST in self.lies:
            return _another(api, document)
        if Lie.RENAMED_POST in self.lies:
            document["name"] = document["name"].upper()
        if Lie.NAMELESS_POST in self.lies:
            del document["name"]
        return _in_unknown_state(document, self.lies)

    def _changed_details(self, api: BatchApi, document: Document) -> Document:
        return _in_unknown_state(_another(api, document) if Lie.FOREIGN_DETAILS in self.lies else document, self.lies)


def tell_lies(service: Service, lies: Iterable[str]) -> None:
    """Have a service tell these lies, members of `Lie`. Raises TypeError for a service that cannot lie."""
    if isinstance(service, LyingService):
        service.lies = frozenset(map(Lie, lies))
    elif lies:
        raise TypeError(f"{service} cannot lie")


def _content(response: Response) -> Document:
    document: Document = json.loads(bytes(response.body))
    return document


def _misread(request: Request, lies: Collection[Lie]) -> Request:
    ignored = {"state": Lie.STATE_IGNORED, "from": Lie.FROM_IGNORED}
    query = {key: value for key, value in request.query_params.items() if ignored.get(key) not in lies}
    if Lie.SHORT_PAGES in lies:
        query["size"] = "2"
    return Request({**request.scope, "query_string": urlencode(query).encode()})


def _changed_list(document: Document, lies: Collection[Lie]) -> Document:
    jobs = [_in_unknown_state(job, lies) for job in document["sessions"]]
    if Lie.UPPER_IDS in lies:
        jobs = [job | {"id": job["id"].upper()} for job in jobs]
    document["sessions"] = jobs or (None if Lie.NO_SESSIONS in lies else [])
    if Lie.NO_TOTAL in lies:
        del document["total"]
    elif Lie.SMALL_TOTAL in lies:
        document["total"] = len(jobs)
    elif Lie.TEXT_TOTAL in lies:
        document["total"] = str(document["total"])
    return document


def _in_unknown_state(job: Document, lies: Collection[Lie]) -> Document:
    state = BatchState.parse(job.get("state"))
    is_live = state is not None and not state.is_final
    return job | {"state": "resting"} if is_live and Lie.UNKNOWN_STATE in lies else job


def _another(api: BatchApi, document: Document) -> Document:
    """Give the details of the latest other job, or the document itself where there is no other job."""
    _, jobs = api.jobs.select(Selection(order="CREATE_TIME_DESC", size=2), frozenset())
    return next((details(job) for job in jobs if job.id != document["id"]), document)


def _refuse_young(api: BatchApi, job_id: str) -> None:
    if time.time() - api.jobs.get(job_id.lower()).create_time / 1000 < LAG:
        raise ApiError("DLI.0002", "The object does not exist.")
