"""The calls of the batch-job API, over HTTP, with the repetition that each call allows.

A call that only reads, or cancels, is repeated after whatever may pass. A call that submits is sent once; it is
repeated only where it cannot have been carried out: the connection was never made, or the gateway said 429.
"""

from __future__ import annotations

import json
import random
import re
import ssl
from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import requests
from pydantic import ValidationError
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from pulumi_dli.clock import Clock, SystemClock
from pulumi_dli.errors import DliError, NoAnswerError, NotSentError, RetryClass, ServiceError, TransportError
from pulumi_dli.models import (
    LIVE_STATES,
    Batch,
    BatchList,
    BatchLog,
    BatchState,
    BatchStateReply,
    CancelReply,
    WireModel,
)
from pulumi_dli.settings import Place

Reply = TypeVar("Reply", bound=WireModel)

PAGE_SIZE = 100
OVERLAP = 10
_MOST_RESTARTS = 10
_LONGEST_PAUSE = 30.0
_LONGEST_RETRY_AFTER = 300.0
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_GONE_IF_NOT_LISTED = ("DLI.0001", "DLI.0007", "DLI.0999")
"""Codes that a read of a vanished job may also answer with; only the list can tell."""


class Client:
    """DLI's batch jobs in one project. Threads may share it.

    `auth` signs every request anew. `timeout` is the seconds for which the service may be silent during a call;
    `max_retries` how often a call that may be repeated is repeated, `retry_pause` the seconds before the first time,
    which double from then on; `verify` as in requests: True, False or a file of certificates.

    Every method raises ServiceError where the service says no, NotSentError where no connection could be made, and
    NoAnswerError where there was no usable answer.
    """

    def __init__(
        self,
        place: Place,
        auth: AuthBase,
        *,
        timeout: float = 60.0,
        max_retries: int = 5,
        retry_pause: float = 0.5,
        verify: bool | str = True,
        clock: Clock | None = None,
    ) -> None:
        self.place = place
        self._auth = auth
        self._timeout = timeout
        self._max_retries = max_retries
        self._retry_pause = retry_pause
        self._clock = clock or SystemClock()
        self._verify = verify
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=16))

    def create(self, body: dict[str, Any]) -> Batch:
        """Submit a job. `body` is in the API's spelling. A 2xx answer without an id is a NoAnswerError."""
        return self._call(Batch, "POST", "", body=body)

    def details(self, batch_id: str, *, patient: bool = True) -> Batch:
        """Describe a job. Not `patient`: one try."""
        return self._call(Batch, "GET", _path(batch_id), max_retries=None if patient else 0)

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

        The states are listed in the order of a job's life, so that none slips through between two lists.
        """
        for state in LIVE_STATES:
            yield from self.batches({"state": state.value})

    def cancel(self, batch_id: str) -> None:
        """Cancel a job. The service refuses it for one that has ended."""
        self._call(CancelReply, "DELETE", _path(batch_id))

    def log(self, batch_id: str, *, start: int | None = None, size: int = 100, index: int = 0) -> list[str]:
        """Give lines of the driver's log: `size` lines from line `start`, by default the last ones.

        `index` counts the attempts of a job that was recovered. Not every region has this call any more.
        """
        query = {"type": "driver", "index": str(index), "size": str(size)}
        if start is not None:
            query["from"] = str(start)
        return self._call(BatchLog, "GET", f"{_path(batch_id)}/log", query=query).log

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
        """Make a call, repeating it as its method and the error allow."""
        most = self._max_retries if max_retries is None else max_retries
        attempt = 0
        while True:
            try:
                return self._send(model, method, path, query=query, body=body)
            except (ServiceError, TransportError) as error:
                pause = self._pause(attempt, error)
                if attempt >= most or pause is None or not _may_repeat(method, error):
                    raise
            self._clock.sleep(pause)
            attempt += 1

    def _pause(self, attempt: int, error: ServiceError | TransportError) -> float | None:
        """Give the seconds before the next attempt: what the service asks for, else ever longer ones, with jitter.

        None where it asks for more than anybody wants to wait in one call.
        """
        asked = error.retry_after if isinstance(error, ServiceError) else None
        if asked is not None:
            return asked if asked <= _LONGEST_RETRY_AFTER else None
        jitter = random.uniform(0.75, 1.25)  # noqa: S311
        return min(self._retry_pause * 2.0 ** min(attempt, 10) * jitter, _LONGEST_PAUSE)

    def _send(
        self,
        model: type[Reply],
        method: str,
        path: str,
        *,
        query: dict[str, str] | None,
        body: dict[str, Any] | None,
    ) -> Reply:
        call = f"{method} …/batches{path}"
        url = f"{self.place.endpoint.rstrip('/')}/v2.0/{quote(self.place.project_id, safe='')}/batches{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        try:
            response = self._session.request(
                method,
                url,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json", "X-Language": "en-us"},
                auth=self._auth,
                timeout=self._timeout,
                verify=self._verify,  # given here, since of a session REQUESTS_CA_BUNDLE would come before it
                allow_redirects=False,
            )
        except requests.RequestException as error:
            host = urlsplit(url).netloc
            if _was_never_sent(error):
                raise NotSentError(
                    f"{call}: no connection to {host}: {_cause(error)}. Check the endpoint (dli:endpoint, or made from "
                    "dli:region) and the network."
                ) from None
            raise NoAnswerError(f"{call}: no answer from {host}: {_cause(error)}") from None
        document = _json_of(response)
        if document is None and method == "DELETE" and not response.content:
            document = {}
        if not 200 <= response.status_code < 300:
            raise _service_error(call, response, document)
        try:
            return model.model_validate(document)
        except ValidationError:
            raise NoAnswerError(f"{call}: {response.status_code} with an answer that cannot be read") from None


def _path(batch_id: str) -> str:
    return "/" + quote(batch_id, safe="")


def _has_more(page: BatchList, start: int) -> bool:
    """True where more may follow: on a full page, and where a service that gives less than asked for says so."""
    count = len(page.sessions)
    return count >= PAGE_SIZE or (isinstance(page.total, int) and start + count < page.total)


def _may_repeat(method: str, error: ServiceError | TransportError) -> bool:
    if isinstance(error, ServiceError):
        if error.retry is RetryClass.BACKOFF:
            return method != "POST" or error.status == 429
        return error.retry is RetryClass.AMBIGUOUS and method != "POST"
    return isinstance(error, NotSentError) or method != "POST"


def _was_never_sent(error: requests.RequestException) -> bool:
    """True where the failure came before the first byte of the request could leave."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | requests.exceptions.ProxyError):
        return True
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(error, requests.exceptions.SSLError):
        return bool(getattr(reason, "args", ())) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _cause(error: BaseException) -> str:
    """Say in a few words what lies under the layers of the HTTP client."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        if isinstance(inner, DliError):
            break  # an earlier failure, during whose handling this call was made
        seen = inner
    return str(seen) or type(seen).__name__


def _json_of(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _service_error(call: str, response: requests.Response, document: Any) -> ServiceError:
    code, message, request_id = _read_error(document)
    error = ServiceError(
        status=response.status_code,
        code="" if code == str(response.status_code) else code,
        message=message or (" ".join(response.text.split())[:200] if document is None else ""),
        call=call,
        request_id=request_id or response.headers.get("X-Request-Id", ""),
    )
    error.retry_after = _seconds(response.headers.get("Retry-After"))
    return error


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After of seconds; one that is a date is not used by these services."""
    return float(text) if text is not None and text.isdecimal() else None


_ERROR_KEYS = (("error_code", "error_msg"), ("errorCode", "errorMsg"), ("code", "message"))


def _read_error(document: Any) -> tuple[str, str, str]:
    """Find code, message and request id in an error body: DLI's, the gateway's, IAM's, or one inside another."""
    if not isinstance(document, dict):
        return "", "", ""
    request_id = str(document.get("request_id") or "")
    for code_key, message_key in _ERROR_KEYS:
        code, message = document.get(code_key), document.get(message_key)
        if code is not None and (message is not None or code_key != "code"):
            return str(code), str(message or ""), request_id
    for value in document.values():
        if isinstance(value, dict):
            code, message, inner_id = _read_error(value)
            if code or message:
                return code, message, request_id or inner_id
    return "", str(document.get("message") or ""), request_id
