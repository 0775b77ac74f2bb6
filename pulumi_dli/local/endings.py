"""How jobs end, beyond the service's word `dead`: the lines that the local DLI writes, and what they tell."""

from __future__ import annotations

from enum import StrEnum

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Job

CANCELLED = "The job was cancelled."
CANCELLED_BEFORE_START = "The job was cancelled before it was started."
INTERRUPTED = "The local DLI was stopped while this job ran."
INTERNAL_ERROR = "An internal error of the local DLI ended this job. See its own log."
GAVE_UP = "The local DLI gives it up."
"""The end of the line about a job that got no capacity."""


class Ending(StrEnum):
    """How a dead job ended. The value is the word on the page."""

    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    NO_CAPACITY = "no capacity"


_LINES = {
    CANCELLED: Ending.CANCELLED,
    CANCELLED_BEFORE_START: Ending.CANCELLED,
    INTERRUPTED: Ending.INTERRUPTED,
    GAVE_UP: Ending.NO_CAPACITY,
}


def ending_of(job: Job) -> Ending | None:
    """Return how a dead job ended, by the last line of its log. Return None for a job that is not dead.

    The local DLI writes the last line of the log. A job may have left its own last line open.
    """
    if job.state is not BatchState.DEAD:
        return None
    last = job.log[-1] if job.log else ""
    return next((ending for line, ending in _LINES.items() if last.endswith(line)), Ending.FAILED)
