"""The wait gate of the native provider: it holds back the decision about a wait until the job has ended.

One listing serves all waits of a location. The gate does not decide about the outcome: the operations read the job.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from pulumi_dli.api.errors import JobError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.progress import ProgressTimer, progress_message
from pulumi_dli.jobs.validation import known
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.pollers import LiveJobPoller, live_jobs
from pulumi_dli.plugin.session import Session


class WaitGate:
    """Holds all waits of one process. It belongs to one event loop.

    Args:
        session: The session of the provider.
        executor: Runs calls to the service and to the engine in its threads.
    """

    def __init__(self, session: Session, executor: Executor) -> None:
        self._session = session
        self._executor = executor
        self._pollers: dict[Any, LiveJobPoller] = {}
        self._waiting: set[asyncio.Future[float]] = set()

    def interrupt(self) -> None:
        """End all waits."""
        for wait in self._waiting:
            wait.cancel()

    async def wait(self, urn: str, declared: WaitInputs) -> float:
        """Wait until a job has reached its goal, has ended, or the time is over. Return the seconds waited.

        Raises JobError if the command is interrupted, and SettingsError if the location of the job is unknown.
        """
        location = known(declared.submitted_to) or {}
        context = self._session.context
        if declared.job_id is None or await self._run(context.is_forgotten, location):
            return 0.0
        poller = await self._poller(location)
        wait = asyncio.ensure_future(self._wait(poller, urn, declared))
        self._waiting.add(wait)
        try:
            return await self._unless_interrupted(wait, declared)
        finally:
            self._waiting.discard(wait)
            wait.cancel()

    async def _unless_interrupted(self, wait: asyncio.Future[float], declared: WaitInputs) -> float:
        if self._session.clock.is_interrupted:
            raise interrupted(declared)
        await asyncio.wait([wait])
        if wait.cancelled():
            raise interrupted(declared)
        return wait.result()

    async def _wait(self, poller: LiveJobPoller, urn: str, declared: WaitInputs) -> float:
        timer = ProgressTimer()

        def report(batch: Batch, waited: float) -> None:
            if timer.is_due(batch.state, waited):
                text = f"{declared.job_name}: {progress_message(batch, waited)}"
                self._in_background(self._session.rows.show_progress, urn, text)

        timeout = known(declared.timeout)
        return await poller.wait(str(declared.job_id), known(declared.until), timeout, report)

    async def _poller(self, location: Any) -> LiveJobPoller:
        context = self._session.context
        client = await self._run(context.client_of, location)
        if client.location not in self._pollers:
            self._pollers[client.location] = LiveJobPoller(
                lambda: live_jobs(client),
                longest_pause=context.settings.poll_interval,
                warn=self._warn,
                now=self._session.clock.now,
            )
        return self._pollers[client.location]

    def _warn(self, message: str) -> None:
        self._in_background(self._session.rows.notify, Level.WARNING, "dli", message)

    def _in_background(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call the engine in a thread. It may answer late, and the event loop must not wait for it."""
        with contextlib.suppress(RuntimeError):  # the process ends
            self._executor.submit(function, *arguments)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)


def interruption_text(declared: WaitInputs) -> str:
    """Return what an interruption of the command means for a wait."""
    return (
        "the wait ended early, because of ^C or because another resource failed. Batch job "
        f"{declared.job_id} goes on, and the next `pulumi up` goes on waiting for it."
    )


def interrupted(declared: WaitInputs) -> JobError:
    """Return the error of a wait that the user has interrupted."""
    return JobError(f"{declared.job_name}: {interruption_text(declared)}")
