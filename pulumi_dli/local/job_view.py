"""What the page tells about a job: its name without fingerprints, how it ended, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.endings import Ending, ending_of
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.table import Job
from pulumi_dli.spark_logs.failure_reason import LINES_NEEDED, find_failure_reason

_FINGERPRINTS = re.compile(r"(?<=.)-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{6}\Z", re.DOTALL)
"""The end of a name that the provider makes (`pulumi_dli.jobs.naming`)."""


def display_name(job: Job) -> str:
    """Return the logical name of a job, or its id if it has no name."""
    return _FINGERPRINTS.sub("", job.name) or job.id


def status_of(job: Job) -> str:
    """Return the word for the state of a job: how it ended if it is dead, else the state."""
    return ending_of(job) or job.state


def colour_of(status: str) -> str:
    """Return the colour of a state, of the word for an ending, or of the time without an attempt."""
    if status in set(BatchState):
        return BatchState(status).facts.colour
    return "red" if status == Ending.FAILED else "grey"


@dataclass(frozen=True)
class Failure:
    """Why a job is dead.

    `text` is one line, or None if the log does not tell. `lines` are the lines of the log around it. `attempt` counts
    from 0. It is None if the job never started.
    """

    ending: Ending
    text: str | None
    lines: tuple[str, ...]
    attempt: int | None


def failure_of(job: Job, logs: JobLogs) -> Failure | None:
    """Return why a job is dead, from its last log. Return None for a job that is not dead."""
    ending = ending_of(job)
    if ending is None:
        return None
    if ending is not Ending.FAILED:
        return Failure(ending, job.log[-1], (), job.attempt)
    reason = find_failure_reason(logs.page(job.attempt, None, LINES_NEEDED).lines)
    return Failure(ending, reason.text, reason.lines, job.attempt)
