import pytest

from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import ServiceError, SignInError


def test_an_error_says_what_was_asked_what_was_answered_what_it_means_and_what_to_do() -> None:
    error = ServiceError(
        status=400,
        code="DLI.0003",
        message="User has no privilege on queue batch.",
        call="POST …/batches",
        request_id="4f5e",
    )
    assert str(error) == (
        "POST …/batches: DLI.0003 400, permission denied: User has no privilege on queue batch. "
        "Ask for the SUBMIT_JOB privilege on the queue, or use another queue. (request id 4f5e)"
    )
    assert error.retry is RetryClass.NEVER


def test_an_error_without_a_code_says_its_status() -> None:
    error = ServiceError(status=503, call="GET …/batches", note="It was asked twice.")
    assert str(error) == "GET …/batches: HTTP 503, the service is not available. It was asked twice."


def test_a_status_that_is_in_no_table_is_told_by_its_class() -> None:
    assert (
        str(ServiceError(status=409, call="GET …/batches")) == "GET …/batches: HTTP 409, the service refused the call."
    )
    assert str(ServiceError(status=599, call="GET …/batches")) == "GET …/batches: HTTP 599, the service failed."


@pytest.mark.parametrize(
    ("code", "status", "retry"),
    [
        ("", 401, RetryClass.NEVER),
        ("IAM.0066", 401, RetryClass.NEVER),
        ("", 403, RetryClass.NEVER),
        ("IAM.0012", 429, RetryClass.BACKOFF),
        ("", 503, RetryClass.BACKOFF),
    ],
)
def test_after_a_refused_sign_in_only_waiting_for_iam_may_help(code: str, status: int, retry: RetryClass) -> None:
    assert SignInError(status=status, code=code).retry is retry


def test_a_hint_names_a_setting_as_it_is_told_to() -> None:
    error = ServiceError(
        status=410, code="IAM.0020", message="see dli:authUrl", call="GET …/batches", name_of=str.upper
    )
    assert str(error) == (
        "GET …/batches: IAM.0020 410, IAM has moved to another region: see dli:authUrl. "
        "Set DLI:AUTHURL to the IAM of another region."
    )
