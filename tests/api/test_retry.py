"""How to wait: what the pauses are, when a poll ends, and what may be sent again. No test sleeps."""

import math
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.errors import NoAnswerError, NotSentError, ServiceError, SignInError, TransportError
from pulumi_dli.api.retry import Outage, RetryPolicy, backoff, may_repeat, poll, poll_pause, steps
from tests.fakes import FakeClock


def test_a_backoff_doubles_up_to_the_longest_pause() -> None:
    assert [backoff(attempt, 0.5, 30) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(0, 10**9), st.floats(0.001, 10), st.floats(0.75, 1.25))
def test_a_backoff_is_never_longer_than_the_longest_pause(attempt: int, first: float, jitter: float) -> None:
    assert 0 < backoff(attempt, first, 30, jitter=jitter) <= 30


@pytest.mark.parametrize(("waited", "pause"), [(0, 1), (10, 1), (25, 2.5), (99, 9.9), (100, 10), (5000, 10)])
def test_a_poll_pauses_for_a_tenth_of_the_time_waited(waited: float, pause: float) -> None:
    assert poll_pause(waited, longest=10) == pause
    assert poll_pause(waited, longest=10, jitter=1.1) == pytest.approx(1.1 * pause)


def test_the_longest_pause_counts_before_the_shortest() -> None:
    assert poll_pause(0, longest=0.1) == 0.1


def test_the_last_of_the_steps_repeats() -> None:
    pauses = steps(0.2, 0.5, 1)
    assert [pauses(tries) for tries in range(5)] == [0.2, 0.5, 1, 1, 1]


class Looks:
    """Gives one result after the other, or raises it, and keeps the time of each look."""

    def __init__(self, clock: FakeClock, *results: object, each_takes: float = 0) -> None:
        self._clock = clock
        self._results: Iterator[object] = iter(results)
        self._each_takes = each_takes
        self._began = clock.now()
        self.times: list[float] = []

    def __call__(self) -> object:
        self.times.append(self._clock.now() - self._began)
        if self._each_takes:
            self._clock.sleep(self._each_takes)
        result = next(self._results, None)
        if isinstance(result, Exception):
            raise result
        return result


def run_poll(looks: Looks, clock: FakeClock, *, seconds: float, tolerate: tuple[type[Exception], ...] = ()) -> object:
    return poll(looks, every=steps(1, 2, 4), deadline=clock.now() + seconds, clock=clock, tolerate=tolerate)


def test_a_poll_ends_with_the_first_result_that_is_true() -> None:
    clock = FakeClock()
    looks = Looks(clock, None, [], "found", "later")
    assert run_poll(looks, clock, seconds=math.inf) == "found"
    assert looks.times == [0, 1, 3]


def test_a_poll_ends_with_the_result_that_the_caller_waits_for() -> None:
    clock = FakeClock()
    looks = Looks(clock, 1, 2, 3, 4)
    assert poll(looks, until=lambda result: result == 3, every=steps(1), deadline=math.inf, clock=clock) == 3


def test_the_last_look_is_at_the_deadline_and_gives_what_there_is() -> None:
    clock = FakeClock()
    looks = Looks(clock, 1, 2, 3, 4, 5, 6)
    assert poll(looks, until=lambda _: False, every=steps(1, 2, 4), deadline=clock.now() + 10, clock=clock) == 5
    assert looks.times == [0, 1, 3, 7, 10]


@pytest.mark.parametrize("seconds", [0, -5])
def test_after_the_deadline_there_is_one_look(seconds: float) -> None:
    clock = FakeClock()
    looks = Looks(clock)
    assert run_poll(looks, clock, seconds=seconds) is None
    assert looks.times == [0]
    assert clock.slept == []


def test_a_look_that_began_before_the_deadline_is_not_the_last() -> None:
    """What came to be while a slow look was under way must be seen: a submission could be sent twice otherwise."""
    clock = FakeClock()
    looks = Looks(clock, None, None, "found", each_takes=6)
    assert run_poll(looks, clock, seconds=10) == "found"
    assert looks.times == [0, 7, 13]


def test_a_tolerated_error_is_raised_by_the_last_look_only() -> None:
    clock = FakeClock()
    looks = Looks(clock, NoAnswerError("cut"), None, NoAnswerError("cut"), "found")
    assert run_poll(looks, clock, seconds=60, tolerate=(TransportError,)) == "found"

    looks = Looks(clock, *[NoAnswerError("cut")] * 9)
    with pytest.raises(NoAnswerError):
        run_poll(looks, clock, seconds=10, tolerate=(TransportError,))
    assert looks.times == [0, 1, 3, 7, 10]


def test_any_other_error_ends_a_poll_at_once() -> None:
    clock = FakeClock()
    with pytest.raises(ServiceError):
        run_poll(Looks(clock, ServiceError(status=403)), clock, seconds=60, tolerate=(TransportError,))
    assert clock.slept == []


@given(
    st.lists(st.floats(1, 100), min_size=1, max_size=5),
    st.floats(-10, 500),
    st.lists(st.sampled_from([None, NoAnswerError("cut")]), max_size=30),
)
def test_a_poll_looks_at_least_once_and_last_at_the_deadline(
    pauses: list[float], seconds: float, results: list[object]
) -> None:
    clock = FakeClock()
    looks = Looks(clock, *results)
    with suppress(NoAnswerError):
        poll(looks, every=steps(*pauses), deadline=clock.now() + seconds, clock=clock, tolerate=(TransportError,))
    assert looks.times[-1] == pytest.approx(max(seconds, 0))
    assert all(0 < pause <= max(pauses) for pause in clock.slept)


def test_an_outage_lasts_from_the_first_failure_to_the_next_success() -> None:
    outage = Outage()
    assert outage.is_over
    assert [outage.fail(100), outage.fail(130)] == [0, 30]
    assert not outage.is_over
    outage.end()
    assert outage.is_over
    assert outage.fail(500) == 0


MAY_REPEAT = [
    (NotSentError("no connection"), True, True),
    (NoAnswerError("cut"), True, False),
    (ServiceError(status=429), True, True),
    (ServiceError(status=503), True, False),
    (ServiceError(status=400, code="DLI.0012"), True, False),
    (SignInError(status=503), True, True),
    (SignInError(status=401), False, False),
    (ServiceError(status=403), False, False),
]


@pytest.mark.parametrize(("error", "read", "submission"), MAY_REPEAT)
def test_a_submission_is_sent_again_only_where_it_cannot_have_been_carried_out(
    error: ServiceError | TransportError, *, read: bool, submission: bool
) -> None:
    assert may_repeat(error, submits=False) is read
    assert may_repeat(error, submits=True) is submission


def test_a_policy_gives_the_result_of_the_first_call_that_works() -> None:
    clock = FakeClock()
    looks = Looks(clock, NoAnswerError("cut"), NoAnswerError("cut"), "reply")
    assert RetryPolicy(clock=clock, max_retries=2).repeat(looks) == "reply"
    assert len(clock.slept) == 2
    with pytest.raises(NoAnswerError):
        RetryPolicy(clock=clock, max_retries=2).repeat(Looks(clock, *[NoAnswerError("cut")] * 3))
