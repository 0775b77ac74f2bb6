"""The one way to wait for something that is not there yet: a policy, a backoff, a poll. A clock is an argument.

tenacity is not used: it measures time with a clock of its own, which no test can move, so each deadline would stay
ours. urllib3's Retry sleeps by itself too, and decides by the status alone, without the service's error code.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from pulumi_dli.api.clock import Clock, SystemClock
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import NotSentError, ServiceError, SignInError, TransportError

Result = TypeVar("Result")

_LONGEST_PAUSE = 30.0
_LONGEST_RETRY_AFTER = 300.0
_SHORTEST_POLL_PAUSE = 1.0


def backoff(attempt: int, first: float, longest: float, *, jitter: float = 1.0) -> float:
    """Give the seconds before the next attempt: `first` after attempt 0, then twice as long each time.

    `jitter` is a factor close to 1, by which many programs do not call at the same time.
    """
    return min(first * 2.0 ** min(attempt, 64) * jitter, longest)


def poll_pause(waited: float, longest: float, *, jitter: float = 1.0) -> float:
    """Give the seconds before the next poll: a tenth of the seconds `waited`, at least 1 and at most `longest`."""
    return min(max(waited / 10, _SHORTEST_POLL_PAUSE), longest) * jitter


def steps(*seconds: float) -> Callable[[int], float]:
    """Make pauses for `poll`: one after the other. The last one repeats."""
    return lambda tries: seconds[min(tries, len(seconds) - 1)]


def poll(
    fetch: Callable[[], Result],
    *,
    until: Callable[[Result], object] = bool,
    every: Callable[[int], float],
    deadline: float,
    clock: Clock,
    tolerate: tuple[type[Exception], ...] = (),
) -> Result:
    """Call `fetch` until its result is the one that is waited for, or the deadline has passed. Give the last result.

    The last call begins at the deadline or later, so what happened before the deadline is seen.

    Args:
        fetch: Asks once.
        until: Tells whether a result ends the poll. By default any true one does.
        every: Gives the seconds to pause after so many calls before this one.
        deadline: The clock's time of the last call; `math.inf` for none.
        clock: Tells the time, and pauses.
        tolerate: Errors of `fetch` that do not end the poll. The last call raises them.
    """
    calls = 0
    while True:
        is_last = clock.now() >= deadline
        try:
            result = fetch()
            if is_last or until(result):
                return result
        except tolerate:
            if is_last:
                raise
        pause = min(every(calls), deadline - clock.now())
        if pause > 0:
            clock.sleep(pause)
        calls += 1


class Outage:
    """Tells how long calls have failed in a row."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def is_over(self) -> bool:
        """True where the last call has worked, or there was none."""
        return self._since is None

    def fail(self, now: float) -> float:
        """Note a call that failed; give the seconds since the first one of the row."""
        self._since = now if self._since is None else self._since
        return now - self._since

    def end(self) -> None:
        """Note a call that worked."""
        self._since = None


_attempt: ContextVar[int] = ContextVar("attempt", default=1)


def current_attempt() -> int:
    """Give the number of the attempt in which this thread makes a call; the first is 1."""
    return _attempt.get()


@contextmanager
def _counted(attempt: int) -> Iterator[None]:
    before = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(before)


@dataclass(frozen=True)
class RetryPolicy:
    """How long a call may take, and how often it is made again.

    `timeout` is the seconds for which the service may be silent during a call; `max_retries` how often a call that may
    be repeated is repeated, `retry_pause` the seconds before the first time, which double from then on.
    """

    timeout: float = 60.0
    max_retries: int = 5
    retry_pause: float = 0.5
    clock: Clock = field(default_factory=SystemClock)

    def repeat(self, call: Callable[[], Result], *, submits: bool = False, max_retries: int | None = None) -> Result:
        """Make a call, and make it again as its error allows. Not more than `max_retries` times, if that is given."""
        most = self.max_retries if max_retries is None else max_retries
        attempt = 0
        while True:
            try:
                with _counted(attempt + 1):
                    return call()
            except (ServiceError, TransportError) as error:
                pause = self._pause(attempt, error)
                if attempt >= most or pause is None or not may_repeat(error, submits=submits):
                    raise
            self.clock.sleep(pause)
            attempt += 1

    def _pause(self, attempt: int, error: ServiceError | TransportError) -> float | None:
        """Give the seconds before the next attempt: what the service asks for, else ever longer ones, with jitter.

        None where the service asks for more than a caller would wait in one call.
        """
        asked = error.retry_after if isinstance(error, ServiceError) else None
        if asked is not None:
            return asked if asked <= _LONGEST_RETRY_AFTER else None
        jitter = random.uniform(0.75, 1.25)  # noqa: S311
        return backoff(attempt, self.retry_pause, _LONGEST_PAUSE, jitter=jitter)


def may_repeat(error: ServiceError | TransportError, *, submits: bool) -> bool:
    """Tell whether a call that has failed may be made again. One that `submits` must not run a job twice."""
    if isinstance(error, ServiceError):
        if error.retry is RetryClass.BACKOFF:
            return not submits or error.status == 429 or isinstance(error, SignInError)
        return error.retry is RetryClass.AMBIGUOUS and not submits
    return isinstance(error, NotSentError) or not submits
