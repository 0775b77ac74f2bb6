"""Following a job's log: each line once, whatever the service has of it."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
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
        self.fields = {"from", "total"}
        """Which of the two numbers are in a reply."""
        self.knows_start = True
        self.refuses_attempts = False
        self._service = service
        service.answer = self._page
        service.calls.clear()
        policy = RetryPolicy(max_retries=3, clock=FakeClock())
        self.stream = LogStream(Client(service.location, TokenAuth("the-token"), policy), ID)

    def _page(self, call: Call) -> Answer:
        index, size = int(call.query["index"]), int(call.query["size"])
        if index >= len(self.attempts) and self.refuses_attempts:
            return Answer({"error_code": "DLI.0002", "error_msg": "no such index"}, 400)
        log = self.attempts[index] if index < len(self.attempts) else []
        last = max(len(log) - size, 0)
        start = int(call.query.get("from", last)) if self.knows_start else last
        numbers = {"from": start, "total": len(log)}
        known = {name: number for name, number in numbers.items() if name in self.fields}
        return Answer({"id": ID, "log": log[start : start + size]} | known)

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


FIELDS = {"both": {"from", "total"}, "from": {"from"}, "total": {"total"}, "none": set[str]()}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("knows_start", [True, False])
@settings(max_examples=30)
@given(growth=st.lists(st.integers(0, 250), min_size=1, max_size=5))
def test_no_line_comes_twice_whatever_numbers_the_service_knows(
    service: ScriptedService, fields: set[str], knows_start: bool, growth: list[int]
) -> None:
    logs, seen, total = Logs(service), list[str](), 0
    logs.fields, logs.knows_start = fields, knows_start
    for count in growth:
        logs.attempts[0] += [str(total + number) for number in range(count)]
        total += count
        seen += logs.stream.new_lines(RUNNING)
    numbers = [int(line) for line in seen if not line.startswith("…")]
    assert numbers == sorted(set(numbers))
    assert set(numbers) >= set(range(total - min(growth[-1], 100), total))


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_service_that_ignores_the_number_of_the_first_line_is_asked_once_in_a_poll(
    logs: Logs, service: ScriptedService, fields: set[str]
) -> None:
    logs.fields, logs.knows_start = fields, False
    logs.attempts[0] = [str(number) for number in range(1000)]
    logs.stream.new_lines(RUNNING)
    for number in range(3):
        service.calls.clear()
        logs.attempts[0] += [f"new {number}"]
        assert logs.stream.new_lines(RUNNING) == [f"new {number}"]
        assert len(service.calls) == 1


def test_the_lines_that_such_a_service_does_not_return_are_counted(logs: Logs) -> None:
    logs.knows_start = False
    logs.attempts[0] = [str(number) for number in range(250)]
    shown = ["… 150 earlier lines are not shown", *logs.attempts[0][150:]]
    assert logs.stream.new_lines(RUNNING) == shown
    logs.attempts[0] += [f"new {number}" for number in range(130)]
    assert logs.stream.new_lines(RUNNING) == ["… 30 lines left out", *logs.attempts[0][-100:]]


def test_an_attempt_that_the_service_refuses_has_no_log_yet(logs: Logs) -> None:
    logs.attempts, logs.refuses_attempts = [["one"]], True
    assert logs.stream.new_lines(RUNNING) == ["one"]
    assert logs.stream.new_lines(RECOVERING) == []
    logs.attempts.append(["two"])
    assert logs.stream.new_lines(RUNNING) == ["… Log of attempt 2:", "two"]


def test_an_attempt_may_begin_with_the_same_lines_as_the_one_before(logs: Logs) -> None:
    logs.fields = set()
    logs.attempts = [["one", "fails"]]
    assert logs.stream.new_lines(RECOVERING) == ["one", "fails"]
    logs.attempts.append(["one", "fails"])
    assert logs.stream.new_lines(RUNNING) == ["… Log of attempt 2:", "one", "fails"]
    logs.attempts[1] += [str(number) for number in range(150)]
    assert logs.stream.new_lines(RUNNING) == logs.attempts[1][2:]


@pytest.mark.parametrize("has_log_call", [True, False])
def test_the_last_lines_arrive_if_a_call_for_them_fails_once(logs: Logs, has_log_call: bool) -> None:
    if not has_log_call:
        logs.answer(NO_SUCH_CALL)
    logs.attempts[0] = ["one"]
    assert logs.stream.new_lines(RUNNING) == (["one"] if has_log_call else [])
    logs.attempts[0] += ["two"]
    record = Answer({"id": ID, "state": "success", "log": ["two"]})
    logs.answer(BUSY, *([] if has_log_call else [record]))
    logs.stream.retries = True
    assert logs.stream.new_lines() == ["two"]


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
    [("807", ["… 807 earlier lines are not shown", "x"]), (None, ["x"]), ("many", ["x"]), ([], ["x"])],
)
def test_the_first_line_is_a_number_or_text_or_not_there(logs: Logs, start: object, lines: list[str]) -> None:
    logs.answer(*[Answer({"from": start, "log": ["x"]})] * 2)
    assert logs.stream.new_lines(RUNNING) == lines
