"""Shows an awaited job on the terminal: its progress and its log, both on the job's row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

import pulumi

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.cost import estimated_cu_hours
from pulumi_dli.jobs.progress import ProgressTimer, progress_message
from pulumi_dli.jobs.screen import shown_lines, shown_text
from pulumi_dli.jobs.summary import JobOutcome
from pulumi_dli.operations.log_stream import LogStream
from pulumi_dli.spark_logs.framework_lines import JobLines


class Progress:
    """Shows the progress of one wait: at every change of state, and otherwise every 10 to 60 seconds.

    Args:
        job_name: The logical name of the job.
        row: The resource on whose row the progress appears. It must be registered already: Pulumi holds messages back
            until their resource is registered.
        page: The address of the job's page, or None.
    """

    def __init__(self, job_name: str, row: pulumi.Resource | None, page: str | None = None) -> None:
        self._job_name = job_name
        self._row = row
        self._page = page
        self._timer = ProgressTimer()
        self._last: tuple[Batch, float] | None = None

    def report(self, batch: Batch, waited: float) -> None:
        """Show the state of the job after `waited` seconds, if it is new or the last message is old."""
        if self._last is None and self._page is not None:
            self._show(self._page)
        self._last = batch, waited
        if self._timer.is_due(batch.state or "in an unknown state", waited):
            self._show(progress_message(batch, waited))

    @property
    def was_reported(self) -> bool:
        """True if at least one message was shown."""
        return self._last is not None

    def report_end(self, state: str, duration: float | None) -> None:
        """Show the state in which the wait ended, and the duration of the job, which is given in milliseconds."""
        self._show(state if duration is None else f"{state}, took {format_duration(duration / 1000)}")

    def outcome(self, waited: float) -> JobOutcome:
        """Return what is known when a wait of `waited` seconds is over, before the provider has read the job.

        The list has how long the job had run at the last poll. It may have ended soon after, or just now.
        """
        if self._last is None:
            return JobOutcome(self._job_name, "", waited, url=self._page)
        batch, waited_then = self._last
        state = batch.batch_state
        since = 0 if state is None or state.facts.needs_capacity else (waited - waited_then) * 1000
        duration = None if batch.duration is None else round(batch.duration + since)
        return JobOutcome(
            self._job_name,
            batch.state or "",
            waited,
            ran=None if duration is None else duration / 1000,
            cu_hours=estimated_cu_hours(batch.model_copy(update={"duration": duration})),
            url=self._page,
        )

    def _show(self, message: str) -> None:
        pulumi.log.info(shown_text(f"{self._job_name}: {message}"), self._row, ephemeral=True)


class LogDisplay:
    """Shows new lines of a job's log on its row, with secret texts masked. It belongs to one event loop.

    Args:
        stream: Reads the new lines.
        executor: Runs the reads in its threads.
        redact: The secret texts.
        row: The resource on whose row the lines appear.
        shows_framework: Whether the lines of Spark and its libraries are shown too.
    """

    def __init__(
        self,
        stream: LogStream,
        executor: Executor,
        redact: Sequence[str] | None,
        row: pulumi.Resource | None,
        *,
        shows_framework: bool,
    ) -> None:
        self._stream = stream
        self._executor = executor
        self._redact = redact
        self._row = row
        self._job_lines = None if shows_framework else JobLines()
        self._reading: asyncio.Future[None] | None = None

    def poll(self, batch: Batch) -> None:
        """Start to read and show the new lines, unless the last poll is still reading. `batch` is the listed job."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._show_new_lines(batch))

    async def finish(self, *, is_new: bool) -> None:
        """Show the last lines. If the job is not new and was never polled, an earlier `up` has shown them.

        A failed call is repeated, because no later poll reads these lines.
        """
        if self._reading is not None:
            await self._reading
        self._stream.retries = True
        if self._reading is not None or is_new:
            await self._show_new_lines(None)

    async def _show_new_lines(self, batch: Batch | None) -> None:
        loop = asyncio.get_running_loop()
        lines = await loop.run_in_executor(self._executor, self._stream.new_lines, batch)
        shown = shown_lines(lines, self._redact)  # before lines are left out: a secret may have several lines
        if self._job_lines is not None:
            shown = [text for line, text in zip(lines, shown, strict=True) if self._job_lines.is_of_job(line)]
        for text in ("\n".join(shown[:-1]), *shown[-1:]):  # the row shows the first line of the last message
            if text:
                pulumi.log.info(text, self._row)
