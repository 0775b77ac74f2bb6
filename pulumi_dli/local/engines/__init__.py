"""What a job runs on. `spark` runs it, `timeline` plays its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.states import BatchState
from pulumi_dli.local.logs import JobLogs


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


@dataclass(frozen=True)
class WebReply:
    """What a job's web pages answer. `location` is a path, where they lead elsewhere."""

    status: int
    content_type: str | None
    location: str | None
    body: bytes


class WebUi(Protocol):
    """The web pages with which a job shows its work while it runs."""

    def get(self, target: str) -> WebReply:
        """Get what is at a path, with its query; waits for the answer. Raises OSError where there is none."""


def web_ui_path(job_id: str) -> str:
    """Give the path behind which the page shows a job's web pages."""
    return f"/jobs/{job_id}/spark"


class Engine(Protocol):
    """What a job runs on."""

    default_slots: int | None
    """How many jobs run at once unless it is set; None: all."""

    def check(self, request: BatchRequest) -> None:
        """Look at a request before it is accepted. Raises ApiError."""

    async def run(self, attempt: Attempt) -> BatchState:
        """Run a job once, to its end, and give `success` or `dead`.

        Where the task is cancelled, the job is ended with all its processes before CancelledError goes on.
        """

    def web_ui(self, job_id: str) -> WebUi | None:
        """Give the web pages of a job; None where it has none now."""

    async def kill_orphans(self, job_id: str) -> None:
        """End what is left of a job's processes from a server that was killed."""
