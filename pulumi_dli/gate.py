"""The gate in the program: an outcome is registered only once its job has ended, so that no worker of Pulumi waits.

It decides nothing: the provider reads the job and gives the verdict.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
from pulumi.runtime import get_config

from pulumi_dli.client import Client
from pulumi_dli.clock import format_duration, parse_duration
from pulumi_dli.credentials import configuration_keys
from pulumi_dli.errors import DliError
from pulumi_dli.interrupt import AtWork, waiting_message
from pulumi_dli.lifecycle import Until
from pulumi_dli.log_stream import LogStream
from pulumi_dli.models import Batch
from pulumi_dli.progress import Progress, ShownLog
from pulumi_dli.session import Session
from pulumi_dli.watch import Watcher, live_jobs

_LOG_THREADS = 4


class Gate:
    """All waits of one program: one watcher for each place where jobs run."""

    def __init__(self) -> None:
        values = {key: get_config(key) for key in configuration_keys()}
        given = {key: value for key, value in values.items() if value is not None}
        self._session = Session(given, lambda job_name, message: pulumi.log.warn(f"{job_name}: {message}"))
        self._watchers: dict[Any, Watcher] = {}
        self._at_work = AtWork()
        self._reported: set[str] = set()
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
    ) -> float:
        """Wait until a job has reached `until` or has ended; give the seconds waited.

        Progress stands beside `row`, and so does the log with `stream_log`; `redact` are the texts to be masked in it.
        """
        try:
            if not self._session.settings.wait:
                return 0.0
            client = await asyncio.to_thread(self._session.client_of, submitted_to)
            seconds = None if timeout is None else parse_duration(timeout)
            progress = Progress(job_name, row)
            log = ShownLog(LogStream(client, batch_id), self._log_threads, redact, row) if stream_log else None

            def report(batch: Batch, waited: float) -> None:
                if not self._reported:
                    pulumi.log.info(waiting_message(self._at_work.names()))
                self._reported.add(batch_id)
                self._at_work.note(batch_id, job_name, batch.state)
                progress.report(batch, waited)
                if log is not None:
                    log.look(batch)

            with self._at_work.waiting(batch_id, job_name):
                waited = await self._watcher(client).wait(batch_id, Until(until), seconds, report)
            if log is not None:
                await log.finish()
        except (DliError, ValueError) as error:
            # The provider judges the settings and the inputs, and fails with the message for the user.
            pulumi.log.debug(f"{job_name}: the gate is open: {error}", row)
            return 0.0
        return waited

    def _watcher(self, client: Client) -> Watcher:
        if client.place not in self._watchers:
            self._watchers[client.place] = Watcher(
                lambda: live_jobs(client),
                longest_pause=self._session.settings.poll_interval,
                warn=pulumi.log.warn,
                now=self._session.clock.now,
            )
        return self._watchers[client.place]

    def report_end(
        self, batch_id: str, state: str, duration: float | None, job_name: str, row: pulumi.Resource
    ) -> None:
        """Say how a job ended whose progress was shown."""
        if batch_id in self._reported:
            lasted = "" if duration is None else f" after {format_duration(duration / 1000)}"
            pulumi.log.info(f"{job_name}: {state}{lasted}", row, ephemeral=True)


_gates: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = weakref.WeakKeyDictionary()


def report_end(batch_id: str, state: str, duration: float | None, job_name: str, row: pulumi.Resource) -> None:
    """Say how a job ended, if this program has waited for it."""
    gate = _gates.get(asyncio.get_running_loop())
    if gate is not None:
        gate.report_end(batch_id, state, duration, job_name, row)


async def pass_gate(batch_id: str, **wait: Any) -> tuple[str, float]:
    """Wait for a job in a program, with the gate of the running event loop; give its id and the seconds waited."""
    if pulumi.runtime.is_dry_run():
        return batch_id, 0.0
    gate = _gates.setdefault(asyncio.get_running_loop(), Gate())
    return batch_id, await gate.wait(batch_id, **wait)
