"""The log of a job: each line once, from the first or from the last ones, whatever the service has of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import ServiceError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.cli.followed_log import FollowedLog
from tests.cli.states import ID
from tests.fakes import Answer, Call, FakeClock, ScriptedService

RUNNING = Batch(id=ID, state="running")
NO_SUCH_CALL = Answer({"error_code": "APIG.0101", "error_msg": "The API does not exist"}, 404)
BUSY = Answer(b"", 503)


class Logs:
    """A service that has the logs of attempts, and answers as dli_02_0128 says."""

    def __init__(self, service: ScriptedService) -> None:
        self.attempts: list[list[str]] = [[]]
        self.says_where = True
        self.knows_start = True
        service.answer = self._page
        service.calls.clear()
        self._service = service

    def open(self, *, from_start: bool = False, recovers: bool = False) -> FollowedLog:
        client = Client(self._service.location, TokenAuth("the-token"), RetryPolicy(max_retries=0, clock=FakeClock()))
        return FollowedLog(client, ID, from_start=from_start, recovers=recovers)

    def _page(self, call: Call) -> Answer:
        index, size = int(call.query["index"]), int(call.query["size"])
        if index >= len(self.attempts) + 3:
            return Answer({"error_code": "DLI.0002", "error_msg": "no such index"}, 400)
        log = self.attempts[index] if index < len(self.attempts) else []
        last = max(len(log) - size, 0)
        start = int(call.query.get("from", last)) if self.knows_start else last
        where = {"from": start, "total": len(log)} if self.says_where else {}
        return Answer({"id": ID, "log": log[start : start + size]} | where)


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with ScriptedService() as service:
        yield service


@pytest.fixture
def logs(service: ScriptedService) -> Logs:
    return Logs(service)


def numbers(count: int, first: int = 0) -> list[str]:
    return [str(number) for number in range(first, first + count)]


def read(log: FollowedLog, batch: Batch = RUNNING) -> list[str]:
    return [line for part in log.new_lines(batch) for line in part.lines]


@given(
    from_start=st.booleans(),
    says_where=st.booleans(),
    counts=st.lists(st.integers(0, 250), min_size=1, max_size=5),
)
def test_each_line_comes_once_and_in_its_order_however_the_log_grows(
    service: ScriptedService, from_start: bool, says_where: bool, counts: list[int]
) -> None:
    logs = Logs(service)
    # Without the number of the first line, nobody can know where the last lines are.
    logs.says_where = says_where or not from_start
    log, seen = logs.open(from_start=from_start), []
    for count in counts:
        logs.attempts[0] += numbers(count, len(logs.attempts[0]))
        seen += read(log)
    left_out = 0 if from_start else max(counts[0] - 100, 0)
    assert seen == logs.attempts[0][left_out:]
    assert log.hidden == left_out


def test_a_service_that_does_not_say_where_the_lines_are_gives_all_of_them(logs: Logs) -> None:
    logs.says_where = False
    logs.attempts = [numbers(250)]
    assert read(logs.open(from_start=True)) == logs.attempts[0]


def test_the_number_of_all_lines_tells_where_the_last_lines_are(logs: Logs, service: ScriptedService) -> None:
    logs.attempts = [numbers(150)]
    answer = service.answer
    service.answer = lambda call: Answer({**answer(call).body, "from": None})
    log = logs.open()
    assert read(log) == numbers(100, 50)
    logs.attempts[0].append("more")
    assert (read(log), log.hidden) == (["more"], 50)


@pytest.mark.parametrize("from_start", [True, False])
@pytest.mark.parametrize("fields", [("from", "total"), ("from",), ("total",), ()], ids="-".join)
@pytest.mark.parametrize("knows_start", [True, False])
@settings(max_examples=30)
@given(counts=st.lists(st.integers(0, 250), min_size=1, max_size=5))
def test_no_line_comes_twice_whatever_numbers_the_service_knows(
    service: ScriptedService, from_start: bool, fields: tuple[str, ...], knows_start: bool, counts: list[int]
) -> None:
    logs = Logs(service)
    logs.knows_start = knows_start
    answer = service.answer
    service.answer = lambda call: Answer(
        {name: value for name, value in answer(call).body.items() if name in {"id", "log", *fields}}
    )
    log, seen = logs.open(from_start=from_start), list[int]()
    for count in counts:
        logs.attempts[0] += numbers(count, len(logs.attempts[0]))
        seen += map(int, read(log))
    assert seen == sorted(set(seen))
    total = len(logs.attempts[0])
    assert set(seen) >= set(range(total - min(counts[-1], 100), total))


def test_the_lines_that_the_service_does_not_return_are_counted(logs: Logs) -> None:
    logs.knows_start = False
    logs.attempts = [numbers(250)]
    log = logs.open(from_start=True)
    assert [(part.left_out, len(part.lines)) for part in log.new_lines(RUNNING)] == [(150, 100)]
    logs.attempts[0] += numbers(130, 250)
    assert [(part.left_out, len(part.lines)) for part in log.new_lines(RUNNING)] == [(30, 100)]


@pytest.mark.parametrize("says_where", [True, False])
def test_a_service_that_ignores_the_number_of_the_first_line_is_not_asked_for_ever(
    logs: Logs, service: ScriptedService, says_where: bool
) -> None:
    logs.knows_start, logs.says_where = False, says_where
    logs.attempts = [numbers(250)]
    read(logs.open(from_start=True))
    assert len(service.calls) <= 3


def test_a_line_that_was_incomplete_comes_again(logs: Logs) -> None:
    log = logs.open()
    logs.attempts = [["a", "hal"]]
    assert read(log) == ["a", "hal"]
    logs.attempts = [["a", "half", "b"]]
    assert read(log) == ["half", "b"]
    assert read(log) == []


def test_all_attempts_of_a_job_that_recovers_come_one_after_the_other(logs: Logs) -> None:
    logs.attempts = [numbers(150), ["second"], ["third"]]
    parts = list(logs.open(from_start=True, recovers=True).new_lines(RUNNING))
    assert [(part.attempt, len(part.lines)) for part in parts] == [(0, 100), (0, 50), (1, 1), (2, 1)]


def test_the_last_lines_are_those_of_the_last_attempt(logs: Logs) -> None:
    logs.attempts = [numbers(150), numbers(120)]
    log = logs.open(recovers=True)
    assert read(log) == numbers(100, 20)
    assert log.hidden == 20
    logs.attempts.append(["third"])
    assert [(part.attempt, part.lines) for part in log.new_lines(RUNNING)] == [(2, ["third"])]


def test_a_job_that_does_not_recover_is_asked_for_one_attempt(logs: Logs, service: ScriptedService) -> None:
    logs.attempts = [["first"], ["second"]]
    assert read(logs.open()) == ["first"]
    assert {call.query["index"] for call in service.calls} == {"0"}


def test_the_service_may_refuse_an_attempt_that_it_does_not_know(logs: Logs, service: ScriptedService) -> None:
    logs.attempts = [["first"]]
    answer = service.answer
    service.answer = lambda call: NO_SUCH_CALL if call.query["index"] != "0" else answer(call)
    assert read(logs.open(recovers=True)) == ["first"]


def test_without_a_log_call_the_lines_are_those_of_the_record(logs: Logs, service: ScriptedService) -> None:
    service.answer = lambda _call: NO_SUCH_CALL
    log = logs.open()
    assert read(log, Batch(id=ID, log=["a", "b"])) == ["a", "b"]
    assert log.refusal is not None
    assert read(log, Batch(id=ID, log=["b", "c"])) == ["c"]
    assert read(log, Batch(id=ID, log=["b", "c"])) == []
    assert read(log, Batch(id=ID)) == []
    assert len(service.calls) == 1


def test_a_call_that_fails_for_now_is_an_error_and_the_next_one_goes_on(logs: Logs, service: ScriptedService) -> None:
    logs.attempts = [numbers(3)]
    log, answer = logs.open(), service.answer
    for _ in range(2):
        service.answer = lambda _call: BUSY
        with pytest.raises(ServiceError):
            read(log)
        service.answer = answer
        logs.attempts[0].append("more")
        assert "more" in read(log)
    assert log.refusal is None


def test_a_refusal_after_the_first_lines_is_an_error(logs: Logs, service: ScriptedService) -> None:
    log = logs.open()
    read(log)
    service.answer = lambda _call: NO_SUCH_CALL
    with pytest.raises(ServiceError):
        read(log)
