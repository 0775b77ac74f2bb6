"""What a job runs on. `spark` runs it, `timeline` plays its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pulumi_dli.local.logs import JobLogs
from pulumi_dli.models import BatchRequest, BatchState


@dataclass(frozen=True)
class Attempt:
    """One start of a job.

    `number` counts from 0. `report` is called when the state changes.
    """

    job_id: str
    number: int
    request: BatchRequest
    logs: JobLogs
    report: Callable[[BatchState], None]


class Engine(Protocol):
    """What a job runs on."""

    default_slots: int | None
    """How many jobs run at once unless it is set; None: all."""

    def check(self, request: BatchRequest) -> None:
        """Look at a request before it is accepted. Raises Refused."""

    async def run(self, attempt: Attempt) -> BatchState:
        """Run a job once, to its end, and give `success` or `dead`.

        Where the task is cancelled, the job is ended with all its processes before CancelledError goes on.
        """

    async def end_leftover(self, job_id: str) -> None:
        """End what is left of a job's processes from a server that was killed."""
