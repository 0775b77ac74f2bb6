"""The wait gate: it holds back the registration of a wait until the job has ended.

So no worker of Pulumi is busy with waiting: Pulumi has only four for dynamic resources. The gate does not decide about
the outcome. The provider reads the job and decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import grpc
import pulumi
from pulumi.runtime import get_config

from pulumi_dli.account.credentials import configuration_keys
from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import parse_duration
from pulumi_dli.api.console import page_url
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.engine_log import ancestor_command_lines
from pulumi_dli.jobs.exact_numbers import is_number
from pulumi_dli.jobs.screen import shown_text
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.log_stream import LogStream
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.pollers import LiveJobPoller, live_jobs
from pulumi_dli.program.closing_summary import closing_summary
from pulumi_dli.program.command_line import may_create
from pulumi_dli.program.interrupt import INTERRUPT_NOTE, AwaitedJobs
from pulumi_dli.program.progress import LogDisplay, Progress
from pulumi_dli.program.types import StreamLog

_LOG_THREADS = 4


class ProgramLog:
    """Shows messages under the stack's row, through the log of the running Pulumi program.

    Threads may share it. It copies the context of its creator, because Pulumi stores the engine in that context.
    """

    def __init__(self) -> None:
        self._context = copy_context()

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a debug message as such, and every other message as a warning."""
        show = pulumi.log.debug if level is Level.DEBUG else pulumi.log.warn
        with contextlib.suppress(grpc.RpcError, ValueError):  # after ^C the engine ends before the program
            self._context.copy().run(show, shown_text(f"{resource}: {message}"))


class WaitGate:
    """Holds all waits of one program. It has one poller for each location where jobs run."""

    def __init__(self) -> None:
        values = {key: get_config(key) for key in configuration_keys()}
        configuration = {key: value for key, value in values.items() if value is not None}
        self._context = ProviderContext(configuration, ProgramLog())
        self._pollers: dict[Any, LiveJobPoller] = {}
        self._awaited = AwaitedJobs()
        self._has_explained_interrupt = False
        self._command_lines = [*ancestor_command_lines()]
        self._parent = os.getppid()
        # The logs have their own threads, so that the listing of jobs never waits for logs.
        self._log_threads = ThreadPoolExecutor(_LOG_THREADS)

    async def wait(
        self,
        batch_id: str,
        *,
        wait_name: str,
        until: str,
        timeout: str | float | None,
        submitted_to: dict[str, Any] | None,
        job_name: str,
        row: pulumi.Resource | None,
        stream_log: StreamLog,
        created: int | None,
        declared_at: float,
        redact: Sequence[str] | None,
        outcome: Sequence[pulumi.Output[Any]],
    ) -> float | None:
        """Wait until a job has reached its goal, has ended, or the time is over.

        Return the seconds waited if the provider must subtract them from `timeout`, because it may go on waiting.
        Otherwise return None. Two runs of a program on the same state must get the same result: the result is an input
        of the resource, and an update plan allows only equal inputs.

        Args:
            batch_id: The id of the job.
            wait_name: The logical name of the wait.
            until: The goal.
            timeout: How long to wait at most, as text or in seconds. None for no limit.
            submitted_to: The region and the project where the job runs.
            job_name: The logical name of the job.
            row: The resource on whose row the terminal shows the progress and the log.
            stream_log: Whether to show the log: that of the job, or "all".
            created: When the service created the job, in milliseconds since 1970, or None if it is unknown.
            declared_at: When the program declared the wait, in seconds of the monotonic clock.
            redact: The texts to mask in the log.
            outcome: The state and the duration in the wait's outputs. The provider resolves them later.
        """
        try:
            if not self._may_wait(submitted_to or {}, {wait_name, job_name}):
                return None
            client = await asyncio.to_thread(self._context.client_of, submitted_to)
            seconds = None if timeout is None else parse_duration(timeout)
            page = page_url(client.location, batch_id)
            progress = Progress(job_name, row, page)
            log = self._log_display(client, batch_id, stream_log, redact, row) if stream_log else None

            def report(batch: Batch, waited: float) -> None:
                if os.getppid() != self._parent:
                    os._exit(1)  # the engine and Pulumi's language host have gone, so nobody waits for this program
                if not self._has_explained_interrupt:
                    pulumi.log.info(INTERRUPT_NOTE)
                self._has_explained_interrupt = True
                self._awaited.record_state(batch_id, job_name, batch.state)
                progress.report(batch, waited)
                if log is not None:
                    log.poll(batch)

            with self._awaited.waiting(batch_id, job_name):
                poller = self._poller(client)
                waited = await poller.wait(batch_id, Until(until), seconds, report)
            is_new = self._is_new(client, created, declared_at)
            if log is not None:
                await log.finish(is_new=is_new)
            self._report_end(batch_id, progress, waited, is_new=is_new, outcome=outcome)
        except (DliError, ValueError) as error:
            # Do not fail here: the provider validates the settings and the inputs, and has the message for the user.
            pulumi.log.debug(f"{job_name}: the program does not wait for this job: {error}", row)
            return None
        return waited if progress.was_reported and _may_go_on(waited, seconds, poller) else None

    @staticmethod
    def _report_end(
        batch_id: str, progress: Progress, waited: float, *, is_new: bool, outcome: Sequence[pulumi.Output[Any]]
    ) -> None:
        if is_new or progress.was_reported:
            closing_summary().waited(batch_id, progress.outcome(waited))
        if progress.was_reported:
            pulumi.Output.all(*outcome).apply(lambda values: progress.report_end(*values))

    def _may_wait(self, submitted_to: dict[str, Any], names: set[str]) -> bool:
        is_wanted = self._context.settings.wait and may_create(self._command_lines, names)
        return is_wanted and not self._context.is_forgotten(submitted_to)

    def _log_display(
        self,
        client: Client,
        batch_id: str,
        stream_log: StreamLog,
        redact: Sequence[str] | None,
        row: pulumi.Resource | None,
    ) -> LogDisplay:
        stream, shows_framework = LogStream(client, batch_id), stream_log == "all"
        return LogDisplay(stream, self._log_threads, redact, row, shows_framework=shows_framework)

    def _is_new(self, client: Client, created: int | None, declared_at: float) -> bool:
        """Return whether a job was created since the program declared the wait, so that this `up` has submitted it."""
        age = client.age_of(int(created)) if is_number(created) and math.isfinite(created) else None
        return age is not None and age <= self._context.clock.now() - declared_at

    def _poller(self, client: Client) -> LiveJobPoller:
        if client.location not in self._pollers:
            self._pollers[client.location] = LiveJobPoller(
                lambda: live_jobs(client),
                longest_pause=self._context.settings.poll_interval,
                warn=lambda message: pulumi.log.warn(shown_text(message)),
                now=self._context.clock.now,
            )
        return self._pollers[client.location]


def _may_go_on(waited: float, timeout: float | None, poller: LiveJobPoller) -> bool:
    """Return whether the provider may have to go on waiting with a limit, because the job may not have ended."""
    return timeout is not None and (poller.has_given_up or waited >= timeout)


_gates: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, WaitGate] = weakref.WeakKeyDictionary()


async def wait_at_gate(batch_id: str, **wait: Any) -> float | None:
    """Wait for a job at the wait gate of the running event loop. See `WaitGate.wait`."""
    loop = asyncio.get_running_loop()
    if loop not in _gates:
        _gates[loop] = WaitGate()
    return await _gates[loop].wait(batch_id, **wait)
