"""Everything that can go wrong, and the table of the service's error codes.

    DliError                    a message that stands alone
    ├── SettingsError           region, project, endpoint or credentials missing or contradictory
    ├── ServiceError            the service answered, and said no
    ├── TransportError          no usable answer
    │   ├── NotSentError        the connection was never made: the call cannot have been carried out
    │   └── NoAnswerError       cut, timed out or unreadable: the call may have been carried out
    ├── SubmissionError         a submission that must not go on, or whose outcome is not known
    └── JobError                the job itself
        ├── JobDeadError        it ended as dead
        ├── JobWaitTimeoutError the wait ended before the job
        └── JobUnknownError     its record is gone and nobody saw its end

`classify` looks at the error code first and at the HTTP status second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class RetryClass(StrEnum):
    """What may be done after an error."""

    NEVER = "never"
    """The same call will be refused again."""
    AFTER_REAUTH = "after_reauth"
    """Once more, with a new token."""
    BACKOFF = "backoff"
    """Again, later. The call was not carried out."""
    AMBIGUOUS = "ambiguous"
    """Again, later, if the call only reads. One that submits may have been carried out."""
    GONE = "gone"
    """What was asked for does not exist."""


@dataclass(frozen=True)
class ErrorCode:
    """One row of the error table."""

    code: str
    status: int
    """The HTTP status that the documentation gives."""
    meaning: str
    hint: str
    """What the person can do, or an empty string."""
    retry: RetryClass
    source: str


_CODES_PAGE = "DLI API reference, Error Codes (dli_02_0056), 2026-04"
_GATEWAY_PAGE = "API Gateway user guide, Error Codes, 2026-04"
_SIGNING_PAGE = "Huawei Cloud API signing guide, Error Codes"

_NEVER = RetryClass.NEVER
_REAUTH = RetryClass.AFTER_REAUTH
_BACKOFF = RetryClass.BACKOFF
_AMBIGUOUS = RetryClass.AMBIGUOUS
_GONE = RetryClass.GONE

_PERMISSION_HINT = "Ask for the SUBMIT_JOB privilege on the queue, or use another queue."
_CREDENTIALS_HINT = "Check the credentials and that they belong to this cloud, region and project."

ERROR_CODES: dict[str, ErrorCode] = {
    row.code: row
    for row in (
        ErrorCode(
            "DLI.0001",
            400,
            "the service refused a parameter",
            "The service also uses this code for a missing OBS agency (executionAgencyUrn) and for a queue "
            "that has no capacity to sell.",
            _NEVER,
            _CODES_PAGE,
        ),
        ErrorCode(
            "DLI.0002",
            400,
            "an object that the call names does not exist",
            "Check the queue, the packages and the project.",
            _GONE,
            _CODES_PAGE,
        ),
        ErrorCode("DLI.0003", 400, "permission denied", _PERMISSION_HINT, _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0004", 400, "SQL syntax error", "", _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0005", 400, "SQL semantic error", "", _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0006", 400, "the object exists already", "", _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0007", 400, "the operation is not supported", "", _NEVER, _CODES_PAGE),
        ErrorCode(
            "DLI.0008",
            400,
            "metadata error",
            "Check that the queue exists in this project.",
            _NEVER,
            _CODES_PAGE,
        ),
        ErrorCode("DLI.0009", 400, "a limit of the system is reached", "", _NEVER, _CODES_PAGE),
        ErrorCode(
            "DLI.0011",
            400,
            "a file may not be read",
            "Check that the file exists and that DLI may read its bucket (agency, bucket policy).",
            _NEVER,
            _CODES_PAGE,
        ),
        ErrorCode(
            "DLI.0012",
            400,
            "resources are not available",
            "Try again when the queue has capacity.",
            _BACKOFF,
            _CODES_PAGE,
        ),
        ErrorCode("DLI.0013", 401, "the user could not be authenticated", _CREDENTIALS_HINT, _REAUTH, _CODES_PAGE),
        ErrorCode("DLI.0014", 401, "the service could not be authenticated", _CREDENTIALS_HINT, _REAUTH, _CODES_PAGE),
        ErrorCode("DLI.0015", 400, "the token could not be read", _CREDENTIALS_HINT, _REAUTH, _CODES_PAGE),
        ErrorCode(
            "DLI.0016",
            400,
            "the role does not allow this",
            "Ask for a role that may use DLI in this project.",
            _NEVER,
            _CODES_PAGE,
        ),
        ErrorCode("DLI.0018", 400, "data could not be converted", "", _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0019", 400, "the task timed out inside the service", "", _AMBIGUOUS, _CODES_PAGE),
        ErrorCode("DLI.0023", 404, "a related resource does not exist", "", _GONE, _CODES_PAGE),
        ErrorCode("DLI.0100", 400, "the result has expired", "", _NEVER, _CODES_PAGE),
        ErrorCode("DLI.0999", 400, "an error inside the service", "", _AMBIGUOUS, _CODES_PAGE),
        ErrorCode("DLI.1028", 400, "the quota is used up", "Ask for more quota.", _NEVER, _CODES_PAGE),
        ErrorCode(
            "DLI.12004",
            400,
            "the job does not exist",
            "",
            _GONE,
            "DLI API reference, Modifying a Global Variable, 2026-04",
        ),
        ErrorCode(
            "APIGW.0101",
            404,
            "the gateway knows no such API",
            "Check region and endpoint: DLI may not be offered there.",
            _NEVER,
            _SIGNING_PAGE,
        ),
        ErrorCode("APIGW.0301", 401, "wrong credentials or signature", _CREDENTIALS_HINT, _NEVER, _SIGNING_PAGE),
        ErrorCode(
            "APIGW.0302",
            403,
            "the user may not call this API",
            "Ask for the IAM permission.",
            _NEVER,
            _SIGNING_PAGE,
        ),
        ErrorCode(
            "APIGW.0306",
            403,
            "the API may not be called",
            "Ask for the IAM permission.",
            _NEVER,
            _SIGNING_PAGE,
        ),
        ErrorCode("APIGW.0307", 401, "the token has expired", "Get a new token.", _REAUTH, _SIGNING_PAGE),
        ErrorCode("APIGW.0308", 429, "too many calls", "Wait a little.", _BACKOFF, _SIGNING_PAGE),
        ErrorCode(
            "APIG.0101",
            404,
            "the gateway knows no such API",
            "Check region and endpoint: DLI may not be offered there.",
            _NEVER,
            _GATEWAY_PAGE,
        ),
        ErrorCode("APIG.0201", 502, "the gateway got no answer from the service", "", _AMBIGUOUS, _GATEWAY_PAGE),
        ErrorCode("APIG.0203", 504, "the service took too long behind the gateway", "", _AMBIGUOUS, _GATEWAY_PAGE),
        ErrorCode("APIG.0301", 401, "wrong credentials or signature", _CREDENTIALS_HINT, _NEVER, _GATEWAY_PAGE),
        ErrorCode(
            "APIG.0302",
            403,
            "the user may not call this API",
            "Ask for the IAM permission.",
            _NEVER,
            _GATEWAY_PAGE,
        ),
        ErrorCode("APIG.0307", 401, "the token has expired", "Get a new token.", _REAUTH, _GATEWAY_PAGE),
        ErrorCode("APIG.0308", 429, "too many calls", "Wait a little.", _BACKOFF, _GATEWAY_PAGE),
    )
}
"""Every documented DLI code and the gateway codes met so far, by code."""


def _by_status(status: int) -> ErrorCode:
    def row(meaning: str, hint: str, retry: RetryClass) -> ErrorCode:
        return ErrorCode("", status, meaning, hint, retry, "RFC 9110")

    if status == 401:
        return row("not authenticated", _CREDENTIALS_HINT, _REAUTH)
    if status == 403:
        return row("not allowed", "Ask for the permission, or use other credentials.", _NEVER)
    if status == 404:
        return row("there is nothing at this address", "Check region and endpoint.", _NEVER)
    if status == 429:
        return row("too many calls", "Wait a little.", _BACKOFF)
    if status == 408 or status >= 500:
        return row("the service failed", "", _AMBIGUOUS)
    return row("the service refused the call", "", _NEVER)


def classify(code: str, status: int) -> ErrorCode:
    """Find the row for an error: by its code, and where the code is unknown, by its HTTP status.

    Three statuses say more than any code about what may be done. After a 5xx nobody knows what the service did; a 429
    did nothing; a 404 of the service itself (`DLI.…`) means that the thing is gone, while any other 404 is a wrong
    address. And only at 400 does a code alone mean that: a thing that may not be seen is not gone.
    """
    by_status = _by_status(status)
    row = ERROR_CODES.get(code, by_status)
    if status == 429 or status >= 500:
        return replace(row, retry=by_status.retry)
    if status == 404 and code.startswith("DLI."):
        known = row if code in ERROR_CODES else ErrorCode(code, status, "it does not exist", "", _GONE, _CODES_PAGE)
        return replace(known, retry=_GONE)
    if row.retry is _GONE and status != 400:
        return replace(row, retry=by_status.retry)
    return row


class DliError(Exception):
    """The base of all errors of this package. `str(error)` says all that a person needs."""


class SettingsError(DliError):
    """Region, project, endpoint or credentials are missing, incomplete or contradict each other."""


class ServiceError(DliError):
    """The service answered, and said no.

    `code` is the service's error code, empty where the body had none; `status` the HTTP status;
    `call` what was asked ("POST …/batches"); `request_id` what the cloud's support asks for.
    """

    def __init__(self, *, status: int, code: str = "", message: str = "", call: str = "", request_id: str = "") -> None:
        self.status = status
        self.code = code
        self.message = message
        self.call = call
        self.request_id = request_id
        self.retry_after: float | None = None
        self.row = classify(code, status)
        said = f": {message.rstrip(' .')}" if message else ""
        hint = f" {self.row.hint}" if self.row.hint else ""
        trace = f" (request id {request_id})" if request_id else ""
        super().__init__(f"{call}: {code or 'HTTP'} {status}, {self.row.meaning}{said}.{hint}{trace}")

    @property
    def retry(self) -> RetryClass:
        """What may be done after this error."""
        return self.row.retry


class TransportError(DliError):
    """There was no usable answer."""


class NotSentError(TransportError):
    """The connection was never made, so the call cannot have been carried out."""


class NoAnswerError(TransportError):
    """The connection was cut, timed out or gave an unreadable answer: the call may have been carried out."""


class SubmissionError(DliError):
    """A submission that must not go on, or whose outcome is not known."""


class JobError(DliError):
    """The job itself did not do what was asked."""


class JobDeadError(JobError):
    """The job ended as dead."""


class JobWaitTimeoutError(JobError):
    """The wait ended before the job. The job goes on."""


class JobUnknownError(JobError):
    """The job's record is gone and nobody saw how it ended."""
