"""Ends waits when the user interrupts a command: the engine then calls `Cancel`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi_dli.api.clock import SystemClock
from pulumi_dli.api.errors import DliError


class CommandInterruptedError(DliError):
    """The user has interrupted the command."""

    def __init__(self) -> None:
        super().__init__("The command was interrupted.")


class InterruptibleClock(SystemClock):
    """A clock whose sleeps end with CommandInterruptedError when the command is interrupted. Threads may share it."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()
        self._thread = threading.local()

    @property
    def is_interrupted(self) -> bool:
        """True if the command is interrupted."""
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """End all sleeps. The engine may call this several times, and also at the end of a command that worked."""
        self._interrupted.set()

    def reset(self) -> None:
        """Begin a new command."""
        self._interrupted.clear()

    @contextmanager
    def completing(self) -> Iterator[None]:
        """Do not interrupt the sleeps of this thread in this block: a submission must not end half done."""
        self._thread.is_completing = True
        try:
            yield
        finally:
            self._thread.is_completing = False

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for this many seconds. Raises CommandInterruptedError."""
        if getattr(self._thread, "is_completing", False):
            super().sleep(seconds)
        elif self._interrupted.wait(seconds):
            raise CommandInterruptedError
