"""The one place for pauses: a retry policy for calls, a backoff, and a poll. All of them take the clock as an argument.

We do not use tenacity: it measures time with its own clock, which tests cannot move, so we would still need our own
deadlines. We do not use urllib3's Retry: it decides by the HTTP status only, without the service's error code.
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

_MAX_PAUSE = 30.0
_MAX_RETRY_AFTER = 300.0
_MIN_POLL_PAUSE = 1.0


def backoff(attempt: int, first: float, longest: float, *, jitter: float = 1.0) -> float:
    """Return the seconds before the next attempt: `first` after attempt 0, then twice as long each time.

    The result is at most `longest`. `jitter` is a random factor close to 1, so that many programs do not call at the
    same time.
    """
    return min(first * 2.0 ** min(attempt, 64) * jitter, longest)


def poll_pause(waited: float, longest: float, *, jitter: float = 1.0) -> float:
    """Return the seconds before the next poll: a tenth of the seconds `waited`, at least 1 and at most `longest`."""
    return min(max(waited / 10, _MIN_POLL_PAUSE), longest) * jitter


def steps(*seconds: float) -> Callable[[int], float]:
    """Return the argument `every` of `poll` for these pauses, in their order. The last one repeats."""
    return lambda tries: seconds[min(tries, len(seconds) - 1)]


LOOKUP_PAUSES = steps(1.0, 2.0, 5.0, 10.0)
"""Pauses between two searches for a job that the service may know later."""


def poll(
    fetch: Callable[[], Result],
    *,
    until: Callable[[Result], object] = bool,
    every: Callable[[int], float],
    deadline: float,
    clock: Clock,
    tolerate: tuple[type[Exception], ...] = (),
) -> Result:
    """Call `fetch` until its result is the expected one or the deadline has passed. Return the last result.

    The last call begins at the deadline or later, so that the poll sees everything that happened before the deadline.

    Args:
        fetch: Makes one call and returns its result.
        until: Returns whether a result ends the poll. By default every true result does.
        every: Returns the seconds to pause after a call. It gets the number of the calls before that one.
        deadline: The time of the last call on `clock`, in seconds; `math.inf` for no deadline.
        clock: Measures the time and sleeps.
        tolerate: Errors of `fetch` that do not end the poll. After the deadline, `poll` raises them.
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
    """Measures for how long all calls have failed."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def is_over(self) -> bool:
        """True if the last call worked, or if there was no call."""
        return self._since is None

    def fail(self, now: float) -> float:
        """Record a failed call. Return the seconds since the first failed call after the last good one."""
        self._since = now if self._since is None else self._since
        return now - self._since

    def end(self) -> None:
        """Record a call that worked."""
        self._since = None


_attempt: ContextVar[int] = ContextVar("attempt", default=1)


def current_attempt() -> int:
    """Return the number of the attempt that this thread makes now. The first attempt is 1."""
    return _attempt.get()


@contextmanager
def _set_current_attempt(attempt: int) -> Iterator[None]:
    before = _attempt.set(attempt)
    try:
        yield
    finally:
        _attempt.reset(before)


@dataclass(frozen=True)
class RetryPolicy:
    """How long a call may take, and how often and when it is repeated.

    Args:
        timeout: Seconds for which the service may send nothing before a call fails.
        max_retries: How often a call is repeated at most.
        retry_pause: Seconds before the first repetition. Each further pause is twice as long, up to 30 s.
        clock: Sleeps between the attempts.
    """

    timeout: float = 60.0
    max_retries: int = 5
    retry_pause: float = 0.5
    clock: Clock = field(default_factory=SystemClock)

    def repeat(self, call: Callable[[], Result], *, submits: bool = False, max_retries: int | None = None) -> Result:
        """Make a call, repeat it as long as its errors allow it, and return its result. Raise its last error.

        Args:
            call: Makes the call once.
            submits: Whether the call submits a job, which must not run twice.
            max_retries: How often to repeat this call at most, instead of the policy's number.
        """
        limit = self.max_retries if max_retries is None else max_retries
        attempt = 0
        while True:
            try:
                with _set_current_attempt(attempt + 1):
                    return call()
            except (ServiceError, TransportError) as error:
                pause = self._pause(attempt, error)
                if attempt >= limit or pause is None or not may_repeat(error, submits=submits):
                    raise
            self.clock.sleep(pause)
            attempt += 1

    def _pause(self, attempt: int, error: ServiceError | TransportError) -> float | None:
        """Return the seconds before the next attempt: the service's Retry-After, or else the backoff with jitter.

        None if the Retry-After is longer than 300 s: then the call fails at once.
        """
        retry_after = error.retry_after if isinstance(error, ServiceError) else None
        if retry_after is not None:
            return retry_after if retry_after <= _MAX_RETRY_AFTER else None
        jitter = random.uniform(0.75, 1.25)  # noqa: S311
        return backoff(attempt, self.retry_pause, _MAX_PAUSE, jitter=jitter)


def may_repeat(error: ServiceError | TransportError, *, submits: bool) -> bool:
    """Return whether a failed call may be repeated. A call that `submits` must never run a job twice."""
    if isinstance(error, ServiceError):
        if error.retry is RetryClass.BACKOFF:
            return not submits or error.status == 429 or isinstance(error, SignInError)
        return error.retry is RetryClass.AMBIGUOUS and not submits
    return isinstance(error, NotSentError) or not submits
