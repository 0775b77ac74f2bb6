"""What the person at the terminal sees of a job that is waited for: its progress beside its row, and its log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

import pulumi

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.operations.log_stream import LogStream

_SHORTEST_SILENCE = 10.0
_LONGEST_SILENCE = 60.0
_NO_CAPACITY_AFTER = 600.0
_LONGEST_LINE = 2000


class Progress:
    """Tells how one wait goes: at every change of state, and else at growing intervals.

    It stands beside `row`: a resource that is registered already, since what is said beside another one is shown only
    when that is registered too.
    """

    def __init__(self, job_name: str, row: pulumi.Resource | None) -> None:
        self._job_name = job_name
        self._row = row
        self._last_state = ""
        self._last_said = 0.0

    def report(self, batch: Batch, waited: float) -> None:
        """Take note of how the job is after `waited` seconds."""
        state = batch.state or "in an unknown state"
        silence = min(max(waited / 4, _SHORTEST_SILENCE), _LONGEST_SILENCE)
        if state == self._last_state and waited - self._last_said < silence:
            return
        self._last_state, self._last_said = state, waited
        self._say(progress_message(batch, waited))

    @property
    def was_reported(self) -> bool:
        """True once something was said."""
        return self._last_state != ""

    def report_end(self, state: str, duration: float | None) -> None:
        """Say in which state the wait ended, and how many milliseconds the job has run."""
        self._say(state if duration is None else f"{state} after {format_duration(duration / 1000)}")

    def _say(self, message: str) -> None:
        pulumi.log.info(f"{self._job_name}: {message}", self._row, ephemeral=True)


def progress_message(batch: Batch, waited: float) -> str:
    """Say how a job is: state, how long it has been waited for, queue; and why it does not start."""
    queue = batch.queue or batch.cluster_name
    on_queue = f" on queue {queue}" if queue else ""
    said = f"{batch.state}{on_queue}, waited {format_duration(waited)}"
    state = batch.batch_state
    if state is not None and state.facts.needs_capacity and waited >= _NO_CAPACITY_AFTER:
        said += f": no free capacity{on_queue}; the service gives up after about 3 hours"
    return said


class ShownLog:
    """Shows the log of a job beside its row as it comes, with secret texts masked.

    It belongs to one event loop, and reads in the threads of `executor`.
    """

    def __init__(
        self, stream: LogStream, executor: Executor, redact: Sequence[str] | None, row: pulumi.Resource | None
    ) -> None:
        self._stream = stream
        self._executor = executor
        self._redact = redact
        self._row = row
        self._reading: asyncio.Future[None] | None = None

    def look(self, batch: Batch) -> None:
        """Begin to read what is new, unless that is going on. `batch` is the job as just listed."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._show(batch))

    async def finish(self) -> None:
        """Show what came last of a job that was seen at work: of another one all was shown by an earlier `up`."""
        if self._reading is not None:
            await self._reading
            await self._show(None)

    async def _show(self, batch: Batch | None) -> None:
        loop = asyncio.get_running_loop()
        lines = await loop.run_in_executor(self._executor, self._stream.new_lines, batch)
        shown = [shown_line(line, self._redact) for line in lines]
        for text in ("\n".join(shown[:-1]), *shown[-1:]):  # the row shows the first line of what was said last
            if text:
                pulumi.log.info(text, self._row)


def shown_line(line: str, redact: Sequence[str] | None) -> str:
    """Write a line of a log as it is shown: secret texts masked, control characters gone, the end of a long one cut."""
    text = "".join(character for character in masked(line, redact) if character.isprintable() or character == "\t")
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"
