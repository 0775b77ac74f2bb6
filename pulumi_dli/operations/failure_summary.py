"""Writes the closing summary when the first wait fails. The program writes it if all waits pass."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from pulumi_dli.jobs.summary import JobOutcome, summary
from pulumi_dli.operations.notifier import Level, Notifier


class FailureSummary:
    """Collects the outcomes of the waits of one process. Threads may share it."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._lock = threading.Lock()
        self._outcomes: dict[str, JobOutcome] = {}
        self._is_written = False

    def ended(self, batch_id: str, outcome: JobOutcome) -> None:
        """Record the outcome of a wait."""
        with self._lock:
            self._outcomes[batch_id] = outcome

    def write(self, live: Iterable[JobOutcome] = ()) -> None:
        """Write the summary with the jobs that go on, unless an earlier failure has written it.

        The terminal shows only what is written before the failure. Without a second job the error itself says all.
        """
        with self._lock:
            outcomes = [*self._outcomes.values(), *live]
            if self._is_written or len(outcomes) < 2:
                return
            self._is_written = True
        self._notifier.notify(Level.INFO, "dli", summary(outcomes))
