"""Following a job's log: each line once, whatever the service has of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.client import Client
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.log_stream import LogStream
from tests.fakes import CUT, Answer, Call, FakeClock, ScriptedService

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
RUNNING, RECOVERING = Batch(id=ID, state="running"), Batch(id=ID, state="recovering")
NO_SUCH_CALL = Answer({"error_code": "APIG.0101", "error_msg": "The API does not exist"}, 404)
BUSY = Answer(b"", 503)


class Logs:
    """A service that has logs of attempts, and answers as dli_02_0128 says."""

    def __init__(self, service: ScriptedService) -> None:
        self.attempts: list[list[str]] = [[]]
        self._service = service
        service.answer = self._page
        service.calls.clear()
        policy = RetryPolicy(max_retries=3, clock=FakeClock())
        self.stream = LogStream(Client(service.location, TokenAuth("the-token"), policy), ID)

    def _page(self, call: Call) -> Answer:
        index, size = int(call.query["index"]), int(call.query["size"])
        log = self.attempts[index] if index < len(self.attempts) else []
        start = int(call.query.get("from", max(len(log) - size, 0)))
        return Answer({"id": ID, "from": start, "total": len(log), "log": log[start : start + size]})

    def answer(self, *answers: Answer) -> None:
        """Have the next calls answered so; after them the service answers again."""
        left = iter(answers)
        self._service.answer = lambda call: next(left, None) or self._page(call)


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with ScriptedService() as service:
        yield service


@pytest.fixture
def logs(service: ScriptedService) -> Logs:
    return Logs(service)


@given(before=st.integers(0, 1250), growth=st.lists(st.integers(0, 800), max_size=5))
def test_each_line_comes_once_and_in_its_order_however_the_log_grows(
    service: ScriptedService, before: int, growth: list[int]
) -> None:
    logs, seen = Logs(service), []
    for count in [before, *growth]:
        logs.attempts[0] += [str(len(logs.attempts[0]) + number) for number in range(count)]
        seen += logs.stream.new_lines(RUNNING)
    left_out = max(before - 900, 0)
    assert seen == [f"… {left_out} earlier lines are not shown"][: bool(left_out)] + logs.attempts[0][left_out:]


@given(growth=st.lists(st.integers(0, 3000), min_size=1, max_size=4))
def test_where_too_many_lines_came_the_first_and_the_last_are_shown_and_the_others_counted(
    service: ScriptedService, growth: list[int]
) -> None:
    logs, total = Logs(service), 0
    logs.stream.new_lines(RUNNING)
    for count in growth:
        logs.attempts[0] += [str(total + number) for number in range(count)]
        service.calls.clear()
        lines = logs.stream.new_lines(RUNNING)
        assert len(service.calls) <= 10
        at = total
        for line in lines:
            if line.startswith("…"):
                at += int(line.split()[1])
            else:
                assert line == str(at)
                at += 1
        total += count
        assert at == total
        assert len(lines) <= 1001


def test_a_page_that_fails_loses_no_line_of_the_pages_before_it(logs: Logs) -> None:
    logs.stream.new_lines(RUNNING)
    logs.attempts[0] = [str(number) for number in range(250)]
    logs.answer(Answer({"id": ID, "from": 0, "total": 250, "log": logs.attempts[0][:100]}), BUSY)
    assert logs.stream.new_lines(RUNNING) == []
    assert logs.stream.new_lines(RUNNING) == logs.attempts[0]


def test_a_line_that_was_half_written_comes_again_as_a_whole(logs: Logs) -> None:
    logs.attempts[0] = ["reading", "read 10"]
    assert logs.stream.new_lines(RUNNING) == ["reading", "read 10"]
    logs.attempts[0] = ["reading", "read 1000 lines", "writing"]
    assert logs.stream.new_lines(RUNNING) == ["read 1000 lines", "writing"]


def test_the_log_of_the_next_attempt_follows_when_a_job_recovers(logs: Logs, service: ScriptedService) -> None:
    logs.attempts = [["one", "fails"]]
    assert logs.stream.new_lines(RUNNING) == ["one", "fails"]
    assert logs.stream.new_lines(RECOVERING) == []
    logs.attempts.append(["one"])
    assert logs.stream.new_lines(RUNNING) == ["… Log of attempt 2:", "one"]
    logs.attempts[1].append("two")
    assert logs.stream.new_lines(RUNNING) == ["two"]
    service.calls.clear()
    assert logs.stream.new_lines(RUNNING) == []
    assert len(service.calls) == 1  # it looks for a third attempt only when the job recovers again


@pytest.mark.parametrize("fault", [CUT, BUSY], ids=["cut", "busy"])
def test_a_look_that_fails_gives_nothing_and_the_next_one_goes_on(
    logs: Logs, service: ScriptedService, fault: Answer
) -> None:
    logs.attempts[0] = ["one"]
    assert logs.stream.new_lines(RUNNING) == ["one"]
    logs.attempts[0] += ["two"]
    service.calls.clear()
    logs.answer(fault)
    assert logs.stream.new_lines(RUNNING) == []
    assert len(service.calls) == 1
    assert logs.stream.new_lines(RUNNING) == ["two"]


def test_where_there_is_no_log_call_the_new_lines_of_the_record_are_given(logs: Logs, service: ScriptedService) -> None:
    logs.answer(NO_SUCH_CALL, Answer({"id": ID, "state": "success", "log": ["c", "d", "e"]}))
    records = [None, ["a"], ["a", "b", "b"], ["b", "b", "c"], ["b", "b", "c"]]
    seen = [logs.stream.new_lines(Batch(id=ID, state="running", log=record)) for record in records]
    assert seen == [[], ["a"], ["b", "b"], ["c"], []]
    assert logs.stream.new_lines() == ["d", "e"]
    assert service.asked() == [f"GET /{ID}/log", f"GET /{ID}"]


@pytest.mark.parametrize(
    ("start", "lines"),
    [("807", ["… 7 earlier lines are not shown", "x"]), (None, ["x"]), ("many", ["x"]), ([], ["x"])],
)
def test_the_first_line_is_a_number_or_text_or_not_there(logs: Logs, start: object, lines: list[str]) -> None:
    logs.answer(*[Answer({"from": start, "log": ["x"]})] * 2)
    assert logs.stream.new_lines(RUNNING) == lines
