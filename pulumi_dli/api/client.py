"""The client of DLI's batch-job API: one method for each call, and lists that read page after page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import NoAnswerError, ServiceError
from pulumi_dli.api.http_session import CallObserver, log_call
from pulumi_dli.api.listing import PAGE_SIZE, read_to_end
from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch, BatchList, BatchLog, BatchStateReply, CancelReply, is_uuid, normal_id
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import Auth
from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.api.transport import Reply, Transport

AboutJob = TypeVar("AboutJob", Batch, BatchStateReply)

_GONE_IF_NOT_LISTED = ("DLI.0001", "DLI.0007", "DLI.0999")
"""Error codes with status 400 that may mean that the job does not exist. Only the list of jobs can confirm it."""


class Client:
    """Calls DLI's batch-job API for one project. Threads may share a client.

    Every method raises ServiceError if the service refuses the call, SignInError if IAM refuses the sign-in,
    NotSentError if there is no connection, and NoAnswerError if there is no usable answer.

    Args:
        location: The address of DLI and the id of the project.
        auth: Signs each request, also when it is sent again.
        policy: How long a call may take, and how often it is repeated.
        verify: As in requests: True, False or the path of a file with certificates.
        observe: Receives the report of each call.
        name_of: Returns what a message calls a setting, by its key in the stack's configuration.
    """

    def __init__(
        self,
        location: Location,
        auth: Auth,
        policy: RetryPolicy | None = None,
        *,
        verify: bool | str = True,
        observe: CallObserver = log_call,
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.location = location
        self._transport = Transport(
            auth,
            policy or RetryPolicy(),
            verify=verify,
            setting=f"the endpoint ({name_of('dli:endpoint')}, or made from {name_of('dli:region')})",
            observe=observe,
            name_of=name_of,
        )

    def age_of(self, create_time: int | None) -> float | None:
        """Return the age of a job in seconds at the last answer, or None if it is unknown.

        Only the clock of the service counts: its `Date` and its `create_time`, in milliseconds since 1970.
        """
        now = self._transport.service_time
        return None if now is None or create_time is None else now - create_time / 1000

    def create(self, body: dict[str, Any]) -> Batch:
        """Submit a job and return it. `body` has the API's own names. A 2xx answer without an id is a NoAnswerError."""
        return self._call(Batch, "POST", "", body=body)

    def details(self, batch_id: str, *, retry: bool = True) -> Batch:
        """Return a job as the service describes it. If `retry` is false, the call is made only once."""
        return self._read(Batch, batch_id, max_retries=None if retry else 0)

    def state(self, batch_id: str) -> BatchState | None:
        """Return a job's state, or None if the service answers with an unknown state."""
        return BatchState.parse(self._read(BatchStateReply, batch_id, "/state").state)

    def find(self, batch_id: str) -> Batch | None:
        """Return a job, or None if the service has no such job.

        Raises what `details` raises. So a wrong region, a missing permission or a fault of the service never looks
        like a job that does not exist.
        """
        try:
            return self.details(batch_id)
        except ServiceError as error:
            if error.retry is RetryClass.GONE:
                return None
            may_be_gone = error.status == 400 and error.code in _GONE_IF_NOT_LISTED and is_uuid(batch_id)
            # The service may ignore this filter, because its name has changed before. So compare the ids as well.
            if may_be_gone and all(batch.id != normal_id(batch_id) for batch in self.batches({"job-id": batch_id})):
                return None
            raise

    def page(self, filters: dict[str, str], start: int = 0) -> BatchList:
        """Return one page of the list: up to 100 jobs, from position `start` on. Filters have the API's own names."""
        return self._call(BatchList, "GET", "", query={**filters, "from": str(start), "size": str(PAGE_SIZE)})

    def batches(self, filters: dict[str, str]) -> Iterator[Batch]:
        """Iterate over the list of jobs to its end, each job once. Filters have the API's own names.

        The service may ignore a filter, so check each job against it. Raises NoAnswerError if the list cannot be read
        to its end.
        """
        return read_to_end(lambda start: self.page(filters, start))

    def live(self) -> Iterator[Batch]:
        """Iterate over the jobs that have not ended. A job that changes its state meanwhile may come twice.

        The states are listed in the order of a job's life, so that a job is not missed between two lists. The only
        exception is a job that goes back from recovering to running in between. A job with an unknown state is live.
        """
        for state in LIVE_STATES:
            yield from (batch for batch in self.batches({"state": state.value}) if not batch.is_final)

    def cancel(self, batch_id: str) -> None:
        """Cancel a job. The service refuses to cancel a job that has ended."""
        self._call(CancelReply, "DELETE", _path(batch_id))

    def log(
        self, batch_id: str, *, start: int | None = None, size: int = 100, index: int = 0, retry: bool = True
    ) -> BatchLog:
        """Return `size` lines of the driver's log, from line `start` on; by default the last lines.

        Some regions do not have this call any more.

        Args:
            batch_id: The id of the job.
            start: The number of the first line. None for the last lines.
            size: How many lines to return at most.
            index: The attempt of a job with `auto_recovery`; the first is 0.
            retry: If false, the call is made only once.
        """
        query = {"type": "driver", "index": str(index), "size": str(size)}
        if start is not None:
            query["from"] = str(start)
        return self._call(BatchLog, "GET", f"{_path(batch_id)}/log", query=query, max_retries=None if retry else 0)

    def queue_sizes(self) -> dict[str, int]:
        """Return the CUs of each general-purpose queue, by name in lower case. The call is made only once."""
        from pulumi_dli.api.queue_models import QueueList  # noqa: PLC0415  few plans need the models

        # Without a type the service lists only queues for SQL.
        url = f"{self._project_url('v1.0')}/queues?queue_type=general"
        reply = self._transport.call(QueueList, "GET", url, name="GET …/queues", max_retries=0)
        return {one.queue_name.lower(): one.cu_count for one in reply.queues if one.queue_name and one.cu_count}

    def _read(
        self, model: type[AboutJob], batch_id: str, part: str = "", *, max_retries: int | None = None
    ) -> AboutJob:
        """Read a job, or a part of it. Raises NoAnswerError if the service answers with another job."""
        path = _path(batch_id) + part
        reply = self._call(model, "GET", path, max_retries=max_retries)
        if reply.id is not None and reply.id.lower() != batch_id.lower():
            raise NoAnswerError(f"GET …/batches{path}: the service has answered with another job, {reply.id}")
        return reply

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
        url = f"{self._project_url('v2.0')}/batches{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        return self._transport.call(
            model, method, url, name=f"{method} …/batches{path}", body=body, max_retries=max_retries
        )

    def _project_url(self, version: str) -> str:
        return f"{self.location.endpoint.rstrip('/')}/{version}/{quote(self.location.project_id, safe='')}"


def _path(batch_id: str) -> str:
    return "/" + quote(batch_id, safe="")
