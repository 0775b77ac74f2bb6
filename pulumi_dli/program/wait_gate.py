"""The gate in the program: an outcome is registered only once its job has ended, so that no worker of Pulumi waits.

It decides nothing: the provider reads the job and gives the verdict.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.log_stream import LogStream
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.pollers import LiveJobPoller, live_jobs
from pulumi_dli.program.interrupt import AtWork, waiting_message
from pulumi_dli.program.progress import Progress, ShownLog

_LOG_THREADS = 4


class ProgramLog:
    """Shows messages under the stack's row, through the log of the program that makes it.

    Threads may share it: it remembers the context in which Pulumi keeps the engine of the program.
    """

    def __init__(self) -> None:
        self._context = copy_context()

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message. While a program waits, everything but a debug message is a warning."""
        show = pulumi.log.debug if level is Level.DEBUG else pulumi.log.warn
        with contextlib.suppress(grpc.RpcError, ValueError):  # the engine ends before the program, after ^C
            self._context.copy().run(show, f"{resource}: {message}")


class Gate:
    """All waits of one program: one poller for each place where jobs run."""

    def __init__(self) -> None:
        values = {key: get_config(key) for key in configuration_keys()}
        given = {key: value for key, value in values.items() if value is not None}
        self._context = ProviderContext(given, ProgramLog())
        self._pollers: dict[Any, LiveJobPoller] = {}
        self._at_work = AtWork()
        self._has_told_what_an_interrupt_does = False
        # Threads of their own, made when they are needed: the listing must not wait for logs.
        self._log_threads = ThreadPoolExecutor(_LOG_THREADS)

    async def wait(
        self,
        batch_id: str,
        *,
        until: str,
        timeout: str | float | None,
        submitted_to: dict[str, Any] | None,
        job_name: str,
        row: pulumi.Resource | None,
        stream_log: bool,
        redact: Sequence[str] | None,
        end: Sequence[pulumi.Output[Any]],
    ) -> float | None:
        """Wait until a job has reached `until` or has ended.

        Gives the seconds waited if the provider has to count them against `timeout`, as it may have to go on waiting.
        Otherwise gives None. The result must not differ between two runs that find the same: it is an input of the
        resource, and an update plan holds only for equal inputs.

        Progress stands beside `row`, and so does the log with `stream_log`; `redact` are the texts to be masked in it.
        `end` are the outcome's state and duration, which the provider gives later.
        """
        try:
            if not self._may_wait(submitted_to or {}):
                return None
            client = await asyncio.to_thread(self._context.client_of, submitted_to)
            seconds = None if timeout is None else parse_duration(timeout)
            progress = Progress(job_name, row)
            log = ShownLog(LogStream(client, batch_id), self._log_threads, redact, row) if stream_log else None

            def report(batch: Batch, waited: float) -> None:
                if not self._has_told_what_an_interrupt_does:
                    pulumi.log.info(waiting_message(self._at_work.names()))
                self._has_told_what_an_interrupt_does = True
                self._at_work.note(batch_id, job_name, batch.state)
                progress.report(batch, waited)
                if log is not None:
                    log.look(batch)

            with self._at_work.waiting(batch_id, job_name):
                poller = self._poller(client)
                waited = await poller.wait(batch_id, Until(until), seconds, report)
            if log is not None:
                await log.finish()
            if progress.was_reported:
                pulumi.Output.all(*end).apply(lambda values: progress.report_end(*values))
        except (DliError, ValueError) as error:
            # The provider judges the settings and the inputs, and fails with the message for the user.
            pulumi.log.debug(f"{job_name}: the gate is open: {error}", row)
            return None
        return waited if progress.was_reported and _may_go_on(waited, seconds, poller) else None

    def _may_wait(self, submitted_to: dict[str, Any]) -> bool:
        return self._context.settings.wait and not self._context.lets_go_of(submitted_to)

    def _poller(self, client: Client) -> LiveJobPoller:
        if client.location not in self._pollers:
            self._pollers[client.location] = LiveJobPoller(
                lambda: live_jobs(client),
                longest_pause=self._context.settings.poll_interval,
                warn=pulumi.log.warn,
                now=self._context.clock.now,
            )
        return self._pollers[client.location]


def _may_go_on(waited: float, timeout: float | None, poller: LiveJobPoller) -> bool:
    """Tell whether a job that was seen live may not have ended after `waited` seconds, and its time is limited."""
    return timeout is not None and (poller.is_open or waited >= timeout)


_gates: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = weakref.WeakKeyDictionary()


async def pass_gate(batch_id: str, **wait: Any) -> float | None:
    """Wait for a job in a program, with the gate of the running event loop. Gives what `Gate.wait` gives."""
    loop = asyncio.get_running_loop()
    if loop not in _gates:
        _gates[loop] = Gate()
    return await _gates[loop].wait(batch_id, **wait)
