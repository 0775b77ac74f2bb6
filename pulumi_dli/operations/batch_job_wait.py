"""The operations on a wait: the outcome of a job, on which other resources can depend.

A wait only reads, so it may fail, be killed and be repeated. The operations do not know the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.console import page_url
from pulumi_dli.api.errors import (
    DliError,
    JobDeadError,
    JobError,
    JobUnknownError,
    JobWaitTimeoutError,
    ServiceError,
    TransportError,
    may_pass_by_itself,
)
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import Outage, poll, poll_pause
from pulumi_dli.jobs import outputs
from pulumi_dli.jobs import wait_messages as messages
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.job_rules import Checked
from pulumi_dli.jobs.summary import JobOutcome
from pulumi_dli.jobs.validation import is_known, known
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.last_lines import reason_of
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.pollers import MAX_OUTAGE, live_jobs


class BatchJobWaits:
    """The operations on waits. Threads may share it. Every operation raises DliError with a complete message."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def check(self, declared: WaitInputs) -> Checked:
        """Check the declaration of a wait, without a call to the service."""
        if declared.until is Until.FINISHED and declared.rerun_on_failure is True:
            self._context.notify(Level.WARNING, declared.job_name, messages.finished_and_rerun_message())
        return Checked({**declared.properties}, [*declared.failures])

    def changes(self, stored: Properties, declared: WaitInputs) -> bool:
        """Return whether the wait must be updated: it has another job, another goal or other secret texts."""
        self.stored(stored)
        has_new_secrets = is_known(declared.redact) and stored.get("redact") != declared.redact
        return _has_new_goal(stored, declared) or has_new_secrets

    def stored(self, stored: Properties) -> None:
        """Record the end that a stored wait has seen. The adapter calls it before the job is deleted or replaced."""
        self._context.ends.record(stored.get("jobId"), stored.get("state"))

    def update(self, stored: Properties, declared: WaitInputs) -> dict[str, Any]:
        """Wait if the job or the goal has changed. Return the outputs."""
        if _has_new_goal(stored, declared):
            return self.wait(declared)
        verdict = {name: stored.get(name) for name in outputs.VERDICT}
        return {**declared.properties, **outputs.masked(verdict, declared.redact)}

    def wait(self, declared: WaitInputs) -> dict[str, Any]:
        """Wait until the job has reached the goal, and return the outputs.

        A failed poll does not fail the wait: it is repeated. Raises JobDeadError if the job can no longer reach the
        goal, JobUnknownError if the service has no record of the job, and JobWaitTimeoutError if the time is over.
        Raises JobError if the service refuses to read the job, or if the first poll fails for ten minutes.
        """
        name, batch_id, until = declared.job_name, known(declared.job_id), known(declared.until)
        if batch_id is None:
            raise JobError(messages.missing_job_id_message(name))
        location = known(declared.submitted_to or {})
        if self._context.is_forgotten(location):
            batch = self._with_seen_end(batch_id)
            if batch is None or not until.is_reached(batch.batch_state):
                raise JobError(messages.forgotten_wait_message(name, batch_id))
            return self._verdict(declared, batch)
        client = self._context.client_of(location)
        try:
            batch = self._poll(client, declared, batch_id)
        except JobWaitTimeoutError:
            self._context.summary.ended(
                batch_id, JobOutcome(name, "not ended", url=page_url(client.location, batch_id))
            )
            self._context.summary.write()
            raise
        if until.is_missed(batch.batch_state):
            raise JobDeadError(self._dead_message(client, declared, batch_id, batch))
        return self._verdict(declared, batch, client)

    def _poll(self, client: Client, declared: WaitInputs, batch_id: str) -> Batch:
        """Read a job until it has reached the goal or can no longer reach it, and return the job."""
        name, until, timeout = declared.job_name, known(declared.until), known(declared.timeout)
        limit = math.inf if timeout is None else timeout
        clock = self._context.clock
        started = clock.now() - declared.waited

        def pause(_polls: int = 0) -> float:
            return poll_pause(clock.now() - started, self._context.settings.poll_interval)

        def is_decided(batch: Batch | None) -> bool:
            return batch is not None and (until.is_reached(batch.batch_state) or until.is_missed(batch.batch_state))

        reader = _JobReader(client, batch_id, name, context=self._context, pause=pause)
        try:
            batch = poll(reader.read, until=is_decided, every=pause, deadline=started + limit, clock=clock)
        except JobUnknownError:
            batch = self._with_seen_end(batch_id)
            if batch is None:
                raise
        if batch is None or not is_decided(batch):
            shown = batch or reader.last_live or Batch(id=batch_id, state="not readable")
            raise JobWaitTimeoutError(messages.timeout_message(name, shown, limit))
        return batch

    def _verdict(self, declared: WaitInputs, batch: Batch, client: Client | None = None) -> dict[str, Any]:
        """Return the outputs of the wait. The client reads why a dead job failed."""
        self._context.remember(batch)
        verdict = outputs.verdict(batch, declared.redact)
        if client is not None:
            self._record_outcome(client, declared, batch)
            if batch.is_failure:
                verdict[outputs.FAILURE_REASON] = reason_of(client, batch, declared.redact).text
        return {**declared.properties, **verdict}

    def _with_seen_end(self, batch_id: str) -> Batch | None:
        """Return a job without a record at the service, with the end that was seen earlier. None if there is no end."""
        end = self._context.ends.of(batch_id)
        return Batch(id=batch_id, state=end.value) if end is not None else None

    def _dead_message(self, client: Client, declared: WaitInputs, batch_id: str, batch: Batch) -> str:
        reason = reason_of(client, batch, declared.redact)
        others = self._other_live_jobs(client, batch_id)
        self._record_outcome(client, declared, batch)
        self._context.summary.write(JobOutcome(name, state) for name, state in others.items())
        reruns, page = bool(declared.rerun_on_failure), page_url(client.location, batch_id)
        return messages.dead_message(declared.job_name, batch, reason, reruns=reruns, others=others, page=page)

    def _record_outcome(self, client: Client, declared: WaitInputs, batch: Batch) -> None:
        """Record the outcome of a wait for the closing summary."""
        duration = outputs.duration(batch)
        took = None if duration is None else duration / 1000
        outcome = JobOutcome(declared.job_name, str(batch.state), took=took, url=page_url(client.location, batch.id))
        self._context.summary.ended(batch.id, outcome)

    def _other_live_jobs(self, client: Client, batch_id: str) -> dict[str, str]:
        """Return the states of the stack's other live jobs that this process has seen, by their logical names."""
        others = self._context.runs.at_work()
        others.pop(batch_id, None)
        if not others:
            return {}
        try:
            return {others[id_]: str(batch.state) for id_, batch in live_jobs(client).items() if id_ in others}
        except DliError:  # the message about the dead job must not fail because of the other jobs
            return {}


class _JobReader:
    """Reads the job of one wait, poll by poll. A failed read does not fail the wait at once."""

    def __init__(
        self,
        client: Client,
        batch_id: str,
        job_name: str,
        *,
        context: ProviderContext,
        pause: Callable[[], float],
    ) -> None:
        self._client = client
        self._batch_id = batch_id
        self._job_name = job_name
        self._context = context
        self._pause = pause
        self._last: Batch | None = None
        self._outage = Outage()

    @property
    def last_live(self) -> Batch | None:
        """The job at the last read, or None if it had ended: a later read may find that it has recovered."""
        return None if self._last is None or self._last.is_final else self._last

    def read(self) -> Batch | None:
        """Return the job, or None if the read has failed but a later one may work.

        Raises JobUnknownError if the service has no record of the job, and JobError if a later read will hardly work.
        """
        try:
            batch = self._find()
            if batch is not None and outputs.may_recover(batch):
                # With auto_recovery the service may start a dead job again, so read it twice.
                self._context.clock.sleep(self._pause())
                batch = self._find()
        except (ServiceError, TransportError) as error:
            self._handle_failure(error)
            return None
        return batch

    def _find(self) -> Batch | None:
        batch = self._client.find(self._batch_id)
        self._outage.end()
        if batch is None:
            if self._context.young_runs.may_appear(self._client, self._batch_id, self._job_name):
                return None
            may_rerun = self._context.reruns_expired
            raise JobUnknownError(messages.unknown_message(self._job_name, self._batch_id, may_rerun=may_rerun))
        if batch.state is not None and batch.batch_state is None:
            message = messages.unknown_state_message(batch.id, batch.state)
            self._context.notify(Level.WARNING, self._job_name, message)
        self._last = batch
        return batch

    def _handle_failure(self, error: ServiceError | TransportError) -> None:
        is_first = self._outage.is_over
        is_hopeless = self._outage.fail(self._context.clock.now()) >= MAX_OUTAGE and self._last is None
        if is_hopeless or not may_pass_by_itself(error):
            project = self._client.location.project_id
            message = messages.unreadable_job_message(self._job_name, self._batch_id, project, error)
            raise JobError(message) from error
        if is_first:
            message = messages.repeated_poll_message(self._batch_id, error)
            self._context.notify(Level.WARNING, self._job_name, message)


def _has_new_goal(stored: Properties, declared: WaitInputs) -> bool:
    """Return whether the wait has another job or another goal than the stored one."""
    return any(stored.get(name) != declared.properties.get(name) for name in ("jobId", "until"))
