"""The last lines of a log: of the last attempt, and of the record where there is no log."""

import json

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import ServiceError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.last_lines import last_lines
from pulumi_dli.operations.log_pages import last_attempt
from tests.fakes import Answer, Call, FakeClock, ScriptedService

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
RECORD = ["from the record"]


def lines_of(
    service: ScriptedService, attempts: int, *, max_size: int = 300, refuses_attempts: bool = False, **request: object
) -> list[str]:
    """Return the last lines of a job of which the service has the logs of so many attempts."""

    def answer(call: Call) -> Answer:
        index = int(call.query["index"])
        if int(call.query["size"]) > max_size or (index >= attempts and refuses_attempts):
            return Answer({"error_code": "DLI.0002", "error_msg": "a wrong parameter"}, 400)
        return Answer({"id": ID, "log": [f"attempt {index}"] if index < attempts else []})

    service.answer = answer
    service.calls.clear()
    client = Client(service.location, TokenAuth("the-token"), RetryPolicy(max_retries=0, clock=FakeClock()))
    batch = Batch.model_validate({"id": ID, "state": "dead", "log": RECORD, "req_body": json.dumps(request)})
    return last_lines(client, batch)


def test_a_job_of_one_attempt_costs_one_call(service: ScriptedService) -> None:
    assert lines_of(service, 1) == ["attempt 0"]
    assert [call.query["size"] for call in service.calls] == ["300"]


@pytest.mark.parametrize("attempts", [1, 2, 7, 21])
def test_with_auto_recovery_the_last_attempt_tells(service: ScriptedService, attempts: int) -> None:
    assert lines_of(service, attempts, autoRecovery=True) == [f"attempt {attempts - 1}"]
    assert len(service.calls) <= 6


def test_the_limit_of_attempts_is_the_jobs_own(service: ScriptedService) -> None:
    assert lines_of(service, 3, autoRecovery=True, maxRetryTimes=2) == ["attempt 2"]
    assert len(service.calls) <= 3


def test_the_record_tells_where_there_is_no_log(service: ScriptedService) -> None:
    assert lines_of(service, 0) == RECORD
    assert lines_of(service, 0, autoRecovery=True) == RECORD


@pytest.mark.parametrize("attempts", [1, 2, 7])
def test_an_attempt_that_the_service_refuses_has_no_log(service: ScriptedService, attempts: int) -> None:
    lines = lines_of(service, attempts, refuses_attempts=True, autoRecovery=True)
    assert lines == [f"attempt {attempts - 1}"]


def test_a_service_that_refuses_so_many_lines_is_asked_for_100(service: ScriptedService) -> None:
    assert lines_of(service, 1, max_size=100) == ["attempt 0"]
    assert [call.query["size"] for call in service.calls] == ["300", "100"]


@pytest.mark.parametrize(
    "refusal", [Answer({"error_code": "APIG.0301"}, 401), Answer(b"", 503)], ids=["unauthorized", "busy"]
)
def test_an_error_that_is_not_about_the_attempt_ends_the_search(service: ScriptedService, refusal: Answer) -> None:
    service.answer = lambda _call: refusal
    service.calls.clear()
    client = Client(service.location, TokenAuth("the-token"), RetryPolicy(max_retries=0, clock=FakeClock()))
    with pytest.raises(ServiceError):
        last_attempt(client, ID, 20)
    assert len(service.calls) == 1
