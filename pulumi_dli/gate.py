"""The gate in the program: an outcome is registered only once its job has ended, so that no worker of Pulumi waits.

It shows the progress beside the job's row. It decides nothing: the provider reads the job and gives the verdict.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import get_config

from pulumi_dli.clock import format_duration, parse_duration
from pulumi_dli.credentials import configuration_keys
from pulumi_dli.errors import DliError
from pulumi_dli.lifecycle import Until
from pulumi_dli.models import Batch, BatchState
from pulumi_dli.session import Session
from pulumi_dli.watch import Watcher, live_jobs

_SHORTEST_SILENCE = 10.0
_LONGEST_SILENCE = 60.0
_NO_CAPACITY_AFTER = 600.0


class Gate:
    """All waits of one program: one watcher for each place where jobs run."""

    def __init__(self) -> None:
        values = {key: get_config(key) for key in configuration_keys()}
        given = {key: value for key, value in values.items() if value is not None}
        self._session = Session(given, lambda job_name, message: pulumi.log.warn(f"{job_name}: {message}"))
        self._watchers: dict[Any, Watcher] = {}
        self._reported: set[str] = set()

    async def wait(
        self,
        batch_id: str,
        *,
        until: str,
        timeout: str | float | None,
        submitted_to: dict[str, Any] | None,
        job_name: str,
        row: pulumi.Resource | None,
    ) -> float:
        """Wait until a job has reached `until` or has ended; give the seconds waited.

        Progress stands beside `row`: a resource that is registered already, since what is said beside another one is
        shown only when that is registered too.
        """
        try:
            if not self._session.settings.wait:
                return 0.0
            watcher = await asyncio.to_thread(self._watcher, submitted_to)
            seconds = None if timeout is None else parse_duration(timeout)
            return await watcher.wait(batch_id, Until(until), seconds, self._progress(batch_id, job_name, row))
        except (DliError, ValueError) as error:
            # The provider judges the settings and the inputs, and fails with the message for the user.
            pulumi.log.debug(f"{job_name}: the gate is open: {error}", row)
            return 0.0

    def _watcher(self, submitted_to: dict[str, Any] | None) -> Watcher:
        client = self._session.client_of(submitted_to)
        new = Watcher(
            lambda: live_jobs(client),
            longest_pause=self._session.settings.poll_interval,
            warn=pulumi.log.warn,
            now=self._session.clock.now,
        )
        return self._watchers.setdefault(client.place, new)  # many waits begin at once, in threads

    def _progress(self, batch_id: str, job_name: str, row: pulumi.Resource | None) -> Callable[[Batch, float], None]:
        """Make what tells how one wait goes: at every change of state, and else at growing intervals."""
        last_state, last_said = "", 0.0

        def report(batch: Batch, waited: float) -> None:
            nonlocal last_state, last_said
            state = batch.state or "in an unknown state"
            silence = min(max(waited / 4, _SHORTEST_SILENCE), _LONGEST_SILENCE)
            if state == last_state and waited - last_said < silence:
                return
            hint = "" if self._reported else "; ^C leaves it running, and the next `pulumi up` goes on waiting"
            last_state, last_said = state, waited
            self._reported.add(batch_id)
            pulumi.log.info(f"{job_name}: {progress_message(batch, waited)}{hint}", row, ephemeral=True)

        return report

    def report_end(
        self, batch_id: str, state: str, duration: float | None, job_name: str, row: pulumi.Resource
    ) -> None:
        """Say how a job ended whose progress was shown."""
        if batch_id in self._reported:
            lasted = "" if duration is None else f" after {format_duration(duration / 1000)}"
            pulumi.log.info(f"{job_name}: {state}{lasted}", row, ephemeral=True)


def progress_message(batch: Batch, waited: float) -> str:
    """Say how a job is: state, how long it has been waited for, queue; and why it does not start."""
    queue = batch.queue or batch.cluster_name
    on_queue = f" on queue {queue}" if queue else ""
    said = f"{batch.state}{on_queue}, waited {format_duration(waited)}"
    if batch.batch_state is BatchState.STARTING and waited >= _NO_CAPACITY_AFTER:
        said += f": no free capacity{on_queue}; the service gives up after about 3 hours"
    return said


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
