"""The life cycle of jobs: starting, running, recovering, and the end as success or dead."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pulumi_dli.api.states import BatchState
from pulumi_dli.local import replies
from pulumi_dli.local.capacity import Capacity, CapacityRequest
from pulumi_dli.local.durations import format_duration
from pulumi_dli.local.endings import CANCELLED, CANCELLED_BEFORE_START, GAVE_UP, INTERNAL_ERROR, INTERRUPTED
from pulumi_dli.local.engines import Attempt, Engine, WebUi
from pulumi_dli.local.errors import ApiError, not_found
from pulumi_dli.local.job_changes import JobChanges
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.submissions import Submission, ignored_parameters, resolve_submission
from pulumi_dli.local.table import Change, Job, JobTable, Selection

STOP_TIMEOUT = 30.0
"""The seconds that jobs get to end when the server stops."""

_NOT_STORED = "The local DLI cannot store a change of this job yet, and tries again. This is the last stored state."

logger = logging.getLogger(__name__)


@dataclass
class _Run:
    """A job that runs. `job` has also the changes that are not stored yet."""

    job: Job
    submission: Submission

    def change(self, **columns: Any) -> dict[str, Any]:
        """Change columns of the job, and return them."""
        self.job = replace(self.job, **columns)
        return columns


class Jobs:
    """All jobs. One event loop calls every method.

    Args:
        table: The stored jobs.
        engine: Runs the jobs.
        directory: The directory with the logs of all jobs.
        slots: The number of jobs that run at once, or None for the default of the engine.
        queues: The CUs of each queue, or None for no limit (see `Capacity`).
        starve_after: The seconds after which a job that still waits ends as dead. A restart of the server resets them.
        keep_finished: The seconds for which the record of an ended job is kept.
        now: Returns the seconds since 1970.
    """

    def __init__(
        self,
        *,
        table: JobTable,
        engine: Engine,
        directory: Path,
        slots: int | None,
        queues: Mapping[str, int | None],
        starve_after: float,
        keep_finished: float,
        now: Callable[[], float],
    ) -> None:
        self._table = table
        self._changes = JobChanges(table)
        self._engine = engine
        self._directory = directory
        self._capacity = Capacity(engine.default_slots if slots is None else slots, queues)
        self._starve_after = starve_after
        self._keep_finished = keep_finished
        self._now = now
        self._starve_timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_begun: set[str] = set()
        """The ids of jobs whose task has not had a turn of the event loop yet."""
        self._cancelled: set[str] = set()
        self._hidden: set[str] = set()
        """The ids of jobs that have or may get a row, but are not accepted yet, were refused, or have expired."""

    async def start(self) -> None:
        """Resume the jobs of an earlier server: waiting jobs wait again, running jobs end as dead."""
        interrupted = 0
        for job in self._table.live():
            if job.attempt is None:
                self._wait(CapacityRequest(job.id, job.queue, job.batch_request.sizing.cus))
                continue
            await self._engine.kill_orphans(job.id)
            self.logs(job.id).remove_run_files()
            self._end(job.id, BatchState.DEAD, INTERRUPTED)
            interrupted += 1
        with suppress(TimeoutError):  # the log of the local DLI says that they are not stored yet
            await self._changes.flush()
        if interrupted:
            logger.warning("jobs that ran when the local DLI stopped and are dead now: %d", interrupted)
        self._start_admitted()

    async def stop(self) -> None:
        """End all running jobs. Their rows do not change, so that `start` of the next server finds them."""
        for job_id in list(self._starve_timers):
            self._stop_waiting(job_id)
        tasks = list(self._tasks.values())
        for _ in range(2):  # after the first cancel a job may go on for a while, as after a user's cancel
            for task in tasks:
                task.cancel()
            await asyncio.sleep(0)
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=STOP_TIMEOUT)
            if left:
                logger.error("jobs that could not be ended: %s", ", ".join(task.get_name() for task in left))
        await self._changes.finish()

    async def submit(self, submission: Submission, owner: str) -> Job:
        """Accept a job. Raises ApiError if the engine cannot run it."""
        self._engine.check(submission.request)
        now = self.now()
        job = Job(
            id=str(uuid.uuid4()),
            name=submission.request.name or "",
            owner=owner,
            queue=submission.queue,
            sc_type=submission.sc_type,
            request=submission.request.model_dump_json(by_alias=True, exclude_unset=True),
            req_body=replies.req_body(submission),
            state=BatchState.STARTING,
            create_time=now,
            update_time=now,
        )
        names = ignored_parameters(submission.request, has_metadata=self._engine.has_metadata)

        def note_ignored() -> None:
            if names:
                self.logs(job.id).write(None, f"Accepted, but without effect here: {', '.join(names)}.")

        request = CapacityRequest(job.id, job.queue, submission.request.sizing.cus)
        if is_admitted := self._capacity.admit_at_once(request):
            job = replace(job, attempt=0)  # stored before it starts, so that no crash lets it start twice
        self._hidden.add(job.id)
        try:
            await self._changes.add_job(job, note_ignored)
        except BaseException as error:
            self._capacity.release(job.id)
            self._start_admitted()
            if not isinstance(error, (OSError, sqlite3.OperationalError)):
                raise
            # A disk is full or hangs, or the table is locked.
            logger.error("cannot store a new job: %s", str(error) or "the disk does not answer")  # noqa: TRY400
            raise ApiError("DLI.0999", "The local DLI cannot store the job. See its own log.", status=503) from error
        self._hidden.remove(job.id)
        # The reply always says `starting`, because the job starts in a later turn of the event loop.
        if is_admitted:
            self._start(job.id, _Run(job, submission))
        else:
            self._wait(request)
            self._start_admitted()
        return job

    def get(self, job_id: str) -> Job:
        """Return a job. Raises ApiError if it does not exist."""
        job = None if job_id in self._absent() else self._table.get(job_id)
        if job is None:
            raise not_found("The job does not exist.")
        return self._with_current_log(job)

    def select(self, selection: Selection, hidden: frozenset[str] = frozenset()) -> tuple[int, list[Job]]:
        """Return the number of jobs that match, and one page of them. Jobs in `hidden` do not match."""
        total, jobs = self._table.select(selection, now=self.now(), hidden=hidden | self._absent())
        return total, [self._with_current_log(job) for job in jobs]

    def changes(self, jobs: Sequence[Job]) -> dict[str, list[Change]]:
        """Return the changes of these jobs by their ids, the oldest change first."""
        return self._table.changes([job.id for job in jobs])

    def active_between(self, start: int, end: int, limit: int) -> list[Job]:
        """Return the oldest jobs that were admitted at some time between two times (ms since 1970)."""
        return self._table.active_between(start, end, limit)

    async def cancel(self, job_id: str) -> None:
        """Cancel a job. It is dead as soon as its processes are gone. Raises ApiError if it has ended.

        A job that has not begun is dead when this returns. Raises ApiError if that cannot be stored.

        The page says that an ended job cannot be cancelled (dli_02_0129, 2026-04). The error code is a guess.
        """
        stored = self.get(job_id)
        job = self._changes.latest(stored)
        if job.state.is_final:
            raise ApiError("DLI.0007", f"The job cannot be canceled: it is in state {job.state}.")
        task = self._tasks.get(job_id)
        if job_id in self._starve_timers:
            self._give_up(job_id, CANCELLED_BEFORE_START)
        elif task is None:
            raise ApiError("DLI.0007", "The job cannot be canceled: it has just ended.")
        elif job_id in self._not_begun:
            task.cancel()
            self._end(job_id, BatchState.DEAD, CANCELLED_BEFORE_START)
        elif job_id not in self._cancelled:
            self._cancelled.add(job_id)
            task.cancel()
        if stored.attempt is None or job_id in self._not_begun:  # if this server is killed, the job must not wait again
            await self._flush()

    async def cancel_and_wait(self, job_id: str) -> None:
        """End a job, and return when it is dead. Raises ApiError for one that has ended."""
        await self.cancel(job_id)
        if task := self._tasks.get(job_id):
            await asyncio.wait([task])
        await self._flush()

    def logs(self, job_id: str) -> JobLogs:
        return JobLogs(self._directory / job_id)

    def web_ui(self, job_id: str) -> WebUi | None:
        """Return the web pages of a job. Return None if it has none now."""
        return self._engine.web_ui(job_id)

    def histories(self, job: Job) -> list[int]:
        """Return the attempts with an event log, from 0. The current attempt of a job that has not ended has none."""
        ended = -1 if job.attempt is None else job.attempt + (1 if job.state.is_final else 0)
        logs = self.logs(job.id)
        return [attempt for attempt in range(ended) if logs.event_log(attempt) is not None]

    def history(self, job: Job, attempt: int) -> WebUi | None:
        """Return the web pages about an attempt that has ended. Return None if there is nothing to show."""
        event_log = self.logs(job.id).event_log(attempt) if attempt in self.histories(job) else None
        return None if event_log is None else self._engine.history(event_log)

    def waits_for(self, job_id: str) -> str | None:
        """Describe what a job waits for, as in `8 CUs of queue batch`. Return None for a job that does not wait."""
        return self._capacity.waits_for(job_id)

    def standings(self) -> dict[str, str]:
        """Describe how each waiting job stands, by its id: `third in queue batch, waits for 8 CUs`."""
        return self._capacity.standings()

    def used_cus(self, queue: str) -> int:
        """Return the number of CUs of a queue that are in use."""
        return self._capacity.used(queue)

    def now(self) -> int:
        """Return the current time in milliseconds since 1970."""
        return round(self._now() * 1000)

    async def _flush(self) -> None:
        """Wait until the changes of jobs are stored. Raises ApiError if the disk is full or hangs."""
        try:
            await self._changes.flush()
        except TimeoutError as error:
            message = "The job is cancelled, but the local DLI cannot store this yet. See its own log."
            raise ApiError("DLI.0999", message, status=503) from error

    def _wait(self, request: CapacityRequest) -> None:
        self._capacity.enqueue(request)
        timer = asyncio.get_running_loop().call_later(self._starve_after, self._starve, request.job_id)
        self._starve_timers[request.job_id] = timer

    def _stop_waiting(self, job_id: str) -> None:
        self._starve_timers.pop(job_id).cancel()
        self._capacity.release(job_id)

    def _starve(self, job_id: str) -> None:
        """End a job that got no capacity. The page says after "about 3 hours" (dli_02_0124, 2026-04)."""
        waited = format_duration(self._starve_after)
        self._give_up(job_id, f"The job waited {waited} for {self.waits_for(job_id)}. {GAVE_UP}")

    def _give_up(self, job_id: str, line: str) -> None:
        """End a waiting job. The jobs behind it may fit now."""
        self._stop_waiting(job_id)
        self._end(job_id, BatchState.DEAD, line)
        self._start_admitted()

    def _start_admitted(self) -> None:
        while (job_id := self._capacity.admit_next()) is not None:
            self._starve_timers.pop(job_id).cancel()
            self._start(job_id, None)

    def _start(self, job_id: str, run: _Run | None) -> None:
        task = asyncio.get_running_loop().create_task(self._run(job_id, run), name=job_id)
        self._tasks[job_id] = task
        self._not_begun.add(job_id)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        job_id = task.get_name()
        del self._tasks[job_id]
        self._not_begun.discard(job_id)
        self._capacity.release(job_id)
        if task.cancelled():
            if job_id in self._cancelled:  # otherwise the server stops
                self._end(job_id, BatchState.DEAD, CANCELLED)
        elif (error := task.exception()) is not None:
            logger.error("job %s: internal error", job_id, exc_info=error)
            self._end(job_id, BatchState.DEAD, INTERNAL_ERROR)
        self._cancelled.discard(job_id)
        self._start_admitted()

    async def _run(self, job_id: str, run: _Run | None) -> None:
        self._not_begun.remove(job_id)
        run = run or self._read_run(job_id)
        for number in range(run.submission.retries + 1):
            if number:
                self._changes.add(job_id, **run.change(state=BatchState.RECOVERING, update_time=self.now()))
                await asyncio.sleep(run.submission.recovery_delay_ms / 1000)
            state = await self._engine.run(await self._attempt(run, number))
            if state is BatchState.SUCCESS:
                break
        self._store_end(run.job, state, None)

    def _read_run(self, job_id: str) -> _Run:
        job = self._table.get(job_id)
        assert job is not None  # noqa: S101  only ended jobs are removed
        return _Run(job, resolve_submission(job.batch_request, job.queue))

    async def _attempt(self, run: _Run, number: int) -> Attempt:
        """Make an attempt. Its number is stored before it starts, so that no crash lets it start twice."""
        job_id = run.job.id
        if run.job.attempt != number:
            await self._changes.add_and_wait(job_id, **run.change(attempt=number, update_time=self.now()))
        return Attempt(
            job_id=job_id,
            number=number,
            request=run.submission.request,
            logs=self.logs(job_id),
            report=lambda state: self._report(run, state),
        )

    def _report(self, run: _Run, state: BatchState) -> None:
        """Store the state that the engine reports. A job that is started again stays `recovering` until it runs."""
        job = run.job
        if job.state is state or (state is BatchState.STARTING and job.attempt):
            return
        changes: dict[str, Any] = {"state": state, "update_time": self.now()}
        if state is BatchState.RUNNING and job.start_time is None:
            # The form is that of the sample in huaweicloudsdkdli 3.1.219 (show_spark_job_response.py).
            changes |= {"start_time": changes["update_time"], "app_id": f"batch-session-{job.id}:30663"}
        self._changes.add(job.id, **run.change(**changes))

    def _end(self, job_id: str, state: BatchState, line: str | None) -> None:
        if (job := self._table.get(job_id)) is not None:
            self._store_end(self._changes.latest(job), state, line)

    def _store_end(self, job: Job, state: BatchState, line: str | None) -> None:
        now = self.now()
        self._changes.add(
            job.id,
            lambda: {"log": self._write_last_line(job, line)},
            state=state,
            update_time=now,
            end_time=now,
        )

    def _write_last_line(self, job: Job, line: str | None) -> tuple[str, ...]:
        """Write a last line to a job's log, and return the tail of the log."""
        logs = self.logs(job.id)
        try:
            if line is not None:
                logs.write(job.attempt, line)
            return tuple(logs.tail(job.attempt))
        except OSError as error:
            logger.error("job %s: cannot use its log: %s", job.id, error)  # noqa: TRY400  a traceback adds nothing
            return () if line is None else (line,)

    def _with_current_log(self, job: Job) -> Job:
        """Fill in the current tail of the log of a job that may still write to it."""
        if job.state.is_final:
            return job
        log = job.log if job.attempt is None else self.logs(job.id).tail(job.attempt)
        return replace(job, log=(*log, _NOT_STORED) if self._changes.is_late(job.id) else log)

    def _absent(self) -> frozenset[str]:
        """Return the ids that have a row but count as absent. Begin to remove the records of jobs that have expired."""
        expired = self._table.ended_before(round(self.now() - self._keep_finished * 1000))
        if new := set(expired) - self._hidden:
            self._hidden |= new
            self._changes.run(lambda: self._remove(new), lambda: self._hidden.difference_update(new))
        return frozenset(self._hidden)

    def _remove(self, job_ids: set[str]) -> None:
        for job_id in job_ids:  # the logs first: nothing would find them again if only the rows were gone
            self.logs(job_id).remove()
        self._table.remove(job_ids)
