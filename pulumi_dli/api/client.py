"""The calls of the batch-job API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import NoAnswerError, ServiceError
from pulumi_dli.api.http_session import CallObserver, log_call
from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch, BatchList, BatchLog, BatchStateReply, CancelReply
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import Auth
from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.api.transport import Reply, Transport

PAGE_SIZE = 100
OVERLAP = 10
_MOST_RESTARTS = 10
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GONE_IF_NOT_LISTED = ("DLI.0001", "DLI.0007", "DLI.0999")
"""Codes that a read of a vanished job may also answer with; only the list can tell."""


class Client:
    """DLI's batch jobs in one project. Threads may share it.

    `auth` signs every request anew. `verify` is as in requests: True, False or a file of certificates.
    `observe` takes the report of each call.

    Every method raises ServiceError where the service says no, NotSentError where no connection could be made, and
    NoAnswerError where there was no usable answer.
    """

    def __init__(
        self,
        location: Location,
        auth: Auth,
        policy: RetryPolicy | None = None,
        *,
        verify: bool | str = True,
        observe: CallObserver = log_call,
    ) -> None:
        self.location = location
        self._transport = Transport(
            auth,
            policy or RetryPolicy(),
            verify=verify,
            setting="the endpoint (dli:endpoint, or made from dli:region)",
            observe=observe,
        )

    def create(self, body: dict[str, Any]) -> Batch:
        """Submit a job. `body` is in the API's spelling. A 2xx answer without an id is a NoAnswerError."""
        return self._call(Batch, "POST", "", body=body)

    def details(self, batch_id: str, *, retry: bool = True) -> Batch:
        """Describe a job. Without `retry` the call is made once."""
        return self._call(Batch, "GET", _path(batch_id), max_retries=None if retry else 0)

    def state(self, batch_id: str) -> BatchState | None:
        """Give a job's state; None for one that nobody knows."""
        return BatchState.parse(self._call(BatchStateReply, "GET", f"{_path(batch_id)}/state").state)

    def find(self, batch_id: str) -> Batch | None:
        """Describe a job; None where the service has no such job.

        Raises as `details` does, so a wrong region, a missing permission or a fault never looks like a vanished job.
        """
        try:
            return self.details(batch_id)
        except ServiceError as error:
            if error.retry is RetryClass.GONE:
                return None
            may_be_gone = error.status == 400 and error.code in _GONE_IF_NOT_LISTED and _UUID.fullmatch(batch_id)
            # The name of this filter has changed before. Where it is ignored, only the whole list can tell.
            if may_be_gone and all(batch.id != batch_id.lower() for batch in self.batches({"job-id": batch_id})):
                return None
            raise

    def page(self, filters: dict[str, str], start: int = 0) -> BatchList:
        """Give one page of the list: up to 100 jobs, from the one at `start`. Filters as the API names them."""
        return self._call(BatchList, "GET", "", query={**filters, "from": str(start), "size": str(PAGE_SIZE)})

    def batches(self, filters: dict[str, str]) -> Iterator[Batch]:
        """Go through the list of jobs to its end, page by page. Filters as the API names them.

        Pages overlap by ten jobs. Where jobs that ended meanwhile moved the list on by more than that, so that the
        last job seen is not in the overlap, it starts over: no job that is there all the time is missed. A list that
        never comes to rest is a NoAnswerError.
        """
        seen: set[str] = set()
        start, last, restarts, longest = 0, "", 0, 0
        while restarts <= _MOST_RESTARTS:
            page = self.page(filters, start)
            if last and not any(batch.id == last for batch in page.sessions):
                start, last, restarts = 0, "", restarts + 1
                continue
            for batch in page.sessions:
                if batch.id not in seen:
                    seen.add(batch.id)
                    yield batch
            count = len(page.sessions)
            longest = max(longest, count)
            overlap = min(OVERLAP, (count + 1) // 2)
            if count < longest or count == overlap or not _has_more(page, start):
                return
            start, last = start + count - overlap, page.sessions[-1].id
        raise NoAnswerError("GET …/batches: the list of jobs changes faster than it can be read")

    def live(self) -> Iterator[Batch]:
        """Go through the jobs that have not ended. One that moves on meanwhile may come twice.

        The states are listed in the order of a job's life, so that none slips through between two lists, but one that
        recovers and runs again in the meantime.
        """
        for state in LIVE_STATES:
            yield from self.batches({"state": state.value})

    def cancel(self, batch_id: str) -> None:
        """Cancel a job. The service refuses it for one that has ended."""
        self._call(CancelReply, "DELETE", _path(batch_id))

    def log(
        self, batch_id: str, *, start: int | None = None, size: int = 100, index: int = 0, retry: bool = True
    ) -> BatchLog:
        """Give lines of the driver's log: `size` lines from line `start`, by default the last ones.

        `index` counts the attempts of a job that was recovered. Without `retry` the call is made once. Not every region
        has this call any more.
        """
        query = {"type": "driver", "index": str(index), "size": str(size)}
        if start is not None:
            query["from"] = str(start)
        return self._call(BatchLog, "GET", f"{_path(batch_id)}/log", query=query, max_retries=None if retry else 0)

    def _call(
        self,
        model: type[Reply],
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        max_retries: int | None = None,
    ) -> Reply:
        url = f"{self.location.endpoint.rstrip('/')}/v2.0/{quote(self.location.project_id, safe='')}/batches{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        return self._transport.call(
            model, method, url, name=f"{method} …/batches{path}", body=body, max_retries=max_retries
        )


def _path(batch_id: str) -> str:
    return "/" + quote(batch_id, safe="")


def _has_more(page: BatchList, start: int) -> bool:
    """True where more may follow: on a full page, and where a service that gives less than asked for says so."""
    count = len(page.sessions)
    return count >= PAGE_SIZE or (isinstance(page.total, int) and start + count < page.total)
