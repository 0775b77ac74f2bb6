"""The engines: `spark` runs a job, `timeline` only plays its states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.states import BatchState
from pulumi_dli.local.logs import JobLogs


@dataclass(frozen=True)
class Attempt:
    """One start of a job. `number` counts from 0. The engine calls `report` when the state changes."""

    job_id: str
    number: int
    request: BatchRequest
    logs: JobLogs
    report: Callable[[BatchState], None]


@dataclass(frozen=True)
class WebReply:
    """An answer of a job's web pages. `location` is the path of a redirect, else None."""

    status: int
    content_type: str | None
    location: str | None
    body: bytes


class WebUi(Protocol):
    """The web pages of a job, while it runs or about an attempt that has ended."""

    def get(self, target: str, path: str) -> WebReply:
        """Get a path with its query, and wait for the answer. Raises OSError if there is no answer.

        The page shows the answer under `path`, with which its links begin.
        """


class Engine(Protocol):
    """Runs jobs."""

    default_slots: int | None
    """The default for the number of jobs that run at once. None means no limit."""
    description: str
    """What the engine does with jobs, and with which versions of Spark and Java."""
    has_metadata: bool
    """Whether jobs can use DLI's metadata."""

    def check(self, request: BatchRequest) -> None:
        """Check a request before it is accepted. Raises ApiError."""

    async def run(self, attempt: Attempt) -> BatchState:
        """Run one attempt to its end. Return `success` or `dead`.

        If the task is cancelled, the engine ends all processes of the job before it raises CancelledError.
        """

    def web_ui(self, job_id: str) -> WebUi | None:
        """Return the web pages of a job. Return None if it has none now."""

    def history(self, event_log: Path) -> WebUi | None:
        """Return the web pages about an event log of Spark. They may start late."""

    async def kill_orphans(self, job_id: str) -> None:
        """End the processes of a job that a killed server left running."""

    def close(self) -> None:
        """End what serves all jobs. No job runs any more."""
