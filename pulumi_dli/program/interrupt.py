"""^C while a program waits: what is said of it before, which jobs go on, and an end without a traceback."""

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

_MOST_NAMED = 10
_STDERR = 2


class AtWork:
    """The jobs that a program waits for, and how each was when it was last seen."""

    def __init__(self) -> None:
        self._jobs: dict[str, tuple[str, str | None]] = {}
        self._waits: Counter[str] = Counter()

    def names(self) -> list[str]:
        """Give the names of the jobs."""
        return sorted(job_name for job_name, _ in self._jobs.values())

    @contextmanager
    def waiting(self, batch_id: str, job_name: str) -> Iterator[None]:
        """Count a job among those at work. ^C is heeded while there is one, unless the program does so itself."""
        if not self._jobs and _may_handle(signal.default_int_handler):
            signal.signal(signal.SIGINT, self._leave)
        self._waits[batch_id] += 1
        self._jobs.setdefault(batch_id, (job_name, "submitted"))
        try:
            yield
        finally:
            self._waits[batch_id] -= 1
            if not self._waits[batch_id]:
                self._jobs.pop(batch_id)
            if not self._jobs and _may_handle(self._leave):
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def note(self, batch_id: str, job_name: str, state: str | None) -> None:
        """Note the state of a job, if it is still waited for."""
        if batch_id in self._jobs:
            self._jobs[batch_id] = job_name, state

    def _leave(self, _number: int, _frame: FrameType | None) -> NoReturn:
        # Pulumi 3.259 may kill the program a millisecond after this signal, so nothing here takes time.
        lines = [f"{name}: {state}, batch job {batch_id}" for batch_id, (name, state) in self._jobs.items()]
        os.write(_STDERR, interrupted_message(lines).encode())
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # closed, or just being written to
                stream.flush()
        # SystemExit would be raised wherever the program is: another task shows its traceback, `__del__` swallows it.
        os._exit(1)


def waiting_message(job_names: Sequence[str]) -> str:
    """Say once what is waited for, and what may be done meanwhile. This line is still there after ^C."""
    names = ", ".join(_first_of(job_names))
    return f"Waiting for {names}. ^C leaves jobs running, and the next `pulumi up` goes on waiting for them."


def interrupted_message(jobs: Collection[str]) -> str:
    """Write what the person needs who interrupts an `up`. `jobs` are the jobs at work, a line each."""
    lines = "".join(f"  {line}\n" for line in _first_of(sorted(jobs)))
    return f"Interrupted. These jobs go on, and the next `pulumi up` goes on waiting for them:\n{lines}"


def _first_of(texts: Sequence[str]) -> list[str]:
    more = len(texts) - _MOST_NAMED
    return [*texts[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _may_handle(handler: object) -> bool:
    """True where this is who handles interrupts, and another one can be set: only the main thread may."""
    return threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) == handler
