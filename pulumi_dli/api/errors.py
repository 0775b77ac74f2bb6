"""Everything that can go wrong, and the table of the service's error codes.

    DliError                    a message that stands alone
    ├── SettingsError           region, project, endpoint or credentials missing or contradictory
    ├── ServiceError            the service answered, and said no
    │   └── SignInError         IAM said no: nobody is signed in, so the call was not sent
    ├── TransportError          no usable answer
    │   ├── NotSentError        the connection was never made: the call cannot have been carried out
    │   └── NoAnswerError       cut, timed out or unreadable: the call may have been carried out
    ├── SubmissionError         a submission that must not go on, or whose outcome is not known
    └── JobError                the job itself
        ├── JobDeadError        it ended as dead
        ├── JobWaitTimeoutError the wait ended before the job
        └── JobUnknownError     its record is gone, and its end was not seen

`classify` looks at the error code first and at the HTTP status second.
"""

from __future__ import annotations

from pulumi_dli.api.error_codes import RetryClass, classify


class DliError(Exception):
    """The base of all errors of this package. `str(error)` says all that a person needs."""


class SettingsError(DliError):
    """Region, project, endpoint or credentials are missing, incomplete or contradict each other."""


class ServiceError(DliError):
    """The service answered, and said no.

    `code` is the service's error code, empty where the body had none; `status` the HTTP status;
    `call` what was asked ("POST …/batches"); `request_id` what the cloud's support asks for; `note` what this side
    knows beyond that, in sentences.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str = "",
        message: str = "",
        call: str = "",
        request_id: str = "",
        note: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.call = call
        self.request_id = request_id
        self.note = note
        self.retry_after: float | None = None
        self.row = classify(code, status)
        said = f": {message.rstrip(' .')}" if message else ""
        hint = f" {self.row.hint}" if self.row.hint else ""
        note = f" {note}" if note else ""
        trace = f" (request id {request_id})" if request_id else ""
        super().__init__(f"{call}: {code or 'HTTP'} {status}, {self.row.meaning}{said}.{hint}{note}{trace}")

    @property
    def retry(self) -> RetryClass:
        """What may be done after this error."""
        return self.row.retry


class SignInError(ServiceError):
    """IAM answered, and said no. The call that needed the sign-in was not sent."""

    @property
    def retry(self) -> RetryClass:
        """Again, later, where IAM itself has failed; else the same credentials will be refused again."""
        may_pass = self.row.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS)
        return RetryClass.BACKOFF if may_pass else RetryClass.NEVER


class TransportError(DliError):
    """There was no usable answer."""


class NotSentError(TransportError):
    """The connection was never made, so the call cannot have been carried out."""


class NoAnswerError(TransportError):
    """The connection was cut, timed out or gave an unreadable answer: the call may have been carried out."""


def may_pass_by_itself(error: DliError) -> bool:
    """True where the same call may work later, with nothing mended."""
    if isinstance(error, ServiceError):
        return error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS)
    return isinstance(error, TransportError)


class SubmissionError(DliError):
    """A submission that must not go on, or whose outcome is not known."""


class JobError(DliError):
    """The job itself did not do what was asked."""


class JobDeadError(JobError):
    """The job ended as dead."""


class JobWaitTimeoutError(JobError):
    """The wait ended before the job. The job goes on."""


class JobUnknownError(JobError):
    """The record of the job is gone, and its end was not seen."""
