"""The errors that this package raises. `error_codes` has the table of the service's error codes.

DliError                    its message is complete: the user needs no other text
├── SettingsError           region, project, endpoint or credentials are missing or contradictory
├── ServiceError            the service answered with an error
│   └── SignInError         IAM answered with an error, so the call was not sent
├── TransportError          there is no usable answer
│   ├── NotSentError        no connection: the service cannot have carried out the call
│   └── NoAnswerError       cut, timed out or unreadable: the service may have carried out the call
├── SubmissionError         a submission is refused, or its outcome is unknown
└── JobError                the job did not do what was asked
    ├── JobDeadError        the job ended as dead
    ├── JobWaitTimeoutError the wait timed out; the job goes on
    └── JobUnknownError     the service deleted the job's record, and the state does not have its end
"""

from __future__ import annotations

from collections.abc import Callable

from pulumi_dli.api.error_codes import RetryClass, classify


class DliError(Exception):
    """The base class of all errors of this package. `str(error)` is the complete message for the user."""


class SettingsError(DliError):
    """A setting is missing or cannot be used: region, project, endpoint, certificates or credentials."""


class NoCredentialsError(SettingsError):
    """There are no credentials in any place.

    Args:
        message: The text for the user.
        provider: The logical name of the explicit provider that has no credentials. None for all others.
    """

    def __init__(self, message: str, *, provider: str | None = None) -> None:
        super().__init__(message)
        self.provider = provider


class ServiceError(DliError):
    """The service answered a call with an error.

    Args:
        status: The HTTP status.
        code: The service's error code, or an empty string if the body has none.
        message: The service's own text.
        call: The call as the message names it, for example `POST …/batches`.
        request_id: The id that the cloud's support asks for.
        note: What this package knows about the cause, in sentences.
        name_of: Returns what a message calls a setting, by its key in the stack's configuration.
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
        name_of: Callable[[str], str] = str,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.call = call
        self.request_id = request_id
        self.note = note
        self.name_of = name_of
        self.retry_after: float | None = None
        self.row = classify(code, status)
        service_text = f": {message.rstrip(' .')}" if message else ""
        hint = f" {self.row.hint_with(name_of)}" if self.row.hint else ""
        note = f" {note}" if note else ""
        trace = f" (request id {request_id})" if request_id else ""
        super().__init__(f"{call}: {code or 'HTTP'} {status}, {self.row.meaning}{service_text}.{hint}{note}{trace}")

    @property
    def retry(self) -> RetryClass:
        """Whether and when the call may be repeated."""
        return self.row.retry


class SignInError(ServiceError):
    """IAM answered the sign-in with an error, so the call that needed it was not sent."""

    @property
    def retry(self) -> RetryClass:
        """BACKOFF if IAM itself failed. Otherwise NEVER: IAM will refuse the same credentials again."""
        may_pass = self.row.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS)
        return RetryClass.BACKOFF if may_pass else RetryClass.NEVER


class TransportError(DliError):
    """There is no usable answer to a call."""


class NotSentError(TransportError):
    """There was no connection, so the service cannot have carried out the call."""


class NoAnswerError(TransportError):
    """The connection was cut or timed out, or the answer cannot be read. The service may have carried out the call."""


def may_pass_by_itself(error: DliError) -> bool:
    """Return whether the same call may work later although nobody fixes anything."""
    if isinstance(error, ServiceError):
        return error.retry in (RetryClass.BACKOFF, RetryClass.AMBIGUOUS)
    return isinstance(error, TransportError)


class SubmissionError(DliError):
    """A submission is refused, or its outcome is unknown."""


class JobError(DliError):
    """The job did not do what was asked."""


class JobDeadError(JobError):
    """The job ended as dead."""


class JobWaitTimeoutError(JobError):
    """The wait timed out. The job goes on."""


class JobUnknownError(JobError):
    """The service deleted the job's record, and the state does not have the end of the job."""
