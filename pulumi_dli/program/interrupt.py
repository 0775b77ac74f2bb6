"""Handles ^C while a program waits: it lists the jobs that go on, and ends the program without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

_MAX_NAMED = 10
INTERRUPT_NOTE = "^C leaves jobs running, and the next `pulumi up` goes on waiting for them."
"""The effect of ^C. Pulumi may kill the program before it can tell, so the terminal shows this when a wait begins.

It names no job, so that it is still true when the `up` is over.
"""
_STDERR = 2


class AwaitedJobs:
    """The jobs that a program waits for, each with its last known state."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[str, str | None]] = {}
        self._waits: Counter[str] = Counter()

    @contextmanager
    def waiting(self, batch_id: str, job_name: str) -> Iterator[None]:
        """Add a job for the time of the block. Handle ^C while there are jobs, unless the program handles it itself."""
        if not self._jobs and _may_replace(signal.default_int_handler):
            signal.signal(signal.SIGINT, self._end_program)
        self._waits[batch_id] += 1
        self._jobs.setdefault(batch_id, (job_name, "submitted"))
        try:
            yield
        finally:
            self._waits[batch_id] -= 1
            if not self._waits[batch_id]:
                self._jobs.pop(batch_id)
            if not self._jobs and _may_replace(self._end_program):
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def record_state(self, batch_id: str, job_name: str, state: str | None) -> None:
        """Record the state of a job. Ignore a job for which the program no longer waits."""
        if batch_id in self._jobs:
            self._jobs[batch_id] = job_name, state

    def _end_program(self, number: int, frame: FrameType | None) -> NoReturn:
        # This must be fast, because Pulumi 3.259 may kill the program a millisecond after this signal.
        lines = [f"{name}: {state}, batch job {batch_id}" for batch_id, (name, state) in self._jobs.items()]
        os.write(_STDERR, interrupted_message(lines).encode())
        _end_quietly(number, frame)


@contextmanager
def ends_quietly() -> Iterator[None]:
    """End the program without a traceback if ^C comes in this block, unless the program handles it itself."""
    if not _may_replace(signal.default_int_handler):
        yield
        return
    signal.signal(signal.SIGINT, _end_quietly)
    try:
        yield
    finally:
        if _may_replace(_end_quietly):
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_quietly(_number: int, _frame: FrameType | None) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the stream may be closed, or another thread may be writing to it
            stream.flush()
    # Do not raise SystemExit: another task would show its traceback, and `__del__` would swallow it.
    os._exit(1)


def interrupted_message(jobs: Collection[str]) -> str:
    """Return the message for a user who interrupts an `up`. `jobs` has one line of text for each job."""
    lines = "".join(f"  {line}\n" for line in _limit(sorted(jobs)))
    return f"Interrupted. These jobs go on, and the next `pulumi up` goes on waiting for them:\n{lines}"


def _limit(texts: Sequence[str]) -> list[str]:
    more = len(texts) - _MAX_NAMED
    return [*texts[:_MAX_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _may_replace(handler: object) -> bool:
    """Return whether SIGINT has this handler and this thread can set another one. Only the main thread can."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) == handler
