"""Writes the closing summary of an `up` when all waits of the program have passed."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from pulumi_dli.jobs.summary import JobOutcome


class ClosingSummary:
    """Collects the outcomes of all waits of one program, and writes them when the last one has passed.

    If a wait fails, the outcome never comes. Then the provider has written the summary, because the terminal does not
    show what a program writes after a failure.
    """

    def __init__(self) -> None:
        self._open = 0
        self._outcomes: dict[str, JobOutcome] = {}

    def expect(self) -> None:
        """Add a wait that the program declares."""
        self._open += 1

    def waited(self, batch_id: str, outcome: JobOutcome) -> None:
        """Record how long this `up` has waited for a job, and what else is known before the provider has read it."""
        self._outcomes[batch_id] = outcome

    def passed(self, batch_id: str, state: str | None, duration: float | None) -> None:
        """Record the outcome of a wait; `duration` is in milliseconds. Write the summary if it is the last wait."""
        self._open -= 1
        if (outcome := self._outcomes.get(batch_id)) is not None:
            took = None if duration is None else duration / 1000
            self._outcomes[batch_id] = outcome.ended(state or outcome.state, took)
        if not self._open and self._outcomes:
            # Import late, because most programs wait for nothing.
            from pulumi_dli.jobs.screen import shown_text  # noqa: PLC0415
            from pulumi_dli.jobs.summary import summary  # noqa: PLC0415

            pulumi.log.info(shown_text(summary(self._outcomes.values())))
            self._outcomes.clear()


_summaries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, ClosingSummary] = weakref.WeakKeyDictionary()


def closing_summary() -> ClosingSummary:
    """Return the summary of the program that runs in this event loop."""
    return _summaries.setdefault(asyncio.get_event_loop(), ClosingSummary())
