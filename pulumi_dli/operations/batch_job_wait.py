"""The operations on a wait: the outcome of a job, as a thing that others can depend on.

A wait only reads, so it may fail, be killed and be repeated. They know nothing of the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
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
from pulumi_dli.jobs import messages, outputs
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.job_rules import Checked
from pulumi_dli.jobs.redaction import masked_lines
from pulumi_dli.jobs.validation import known
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.pollers import MAX_OUTAGE, live_jobs

_LOG_LINES = 20


class BatchJobWaits:
    """The operations on waits. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def check(self, declared: WaitInputs) -> Checked:
        """Judge what is declared, without the cloud."""
        if declared.until is Until.FINISHED and declared.rerun_on_failure is True:
            self._context.notify(
                Level.WARNING,
                declared.job_name,
                "until='finished' passes for a dead job too, but rerunOnFailure then runs the job again at the next "
                "`pulumi up`; set rerunOnFailure to false",
            )
        return Checked({**declared.properties}, [*declared.failures])

    def changes(self, stored: Properties, declared: WaitInputs) -> bool:
        """True where there is something new to wait for, or to be kept secret."""
        self.stored(stored)
        return _is_for_another(stored, declared) or stored.get("redact") != declared.redact

    def stored(self, stored: Properties) -> None:
        """Record the end that a stored wait has seen. The engine calls it before the job is deleted or replaced."""
        self._context.ends.record(stored.get("jobId"), stored.get("state"))

    def update(self, stored: Properties, declared: WaitInputs) -> dict[str, Any]:
        """Wait where the wait is for another job, or for something else, than the stored one; give the outputs."""
        if _is_for_another(stored, declared):
            return self.wait(declared)
        verdict = {name: stored.get(name) for name in outputs.VERDICT}
        return {**declared.properties, **verdict, "log": masked_lines(stored.get("log"), declared.redact)}

    def wait(self, declared: WaitInputs) -> dict[str, Any]:
        """Wait until the job has reached what is waited for, and give the outputs.

        Raises JobDeadError where it can no longer be reached, JobUnknownError where the service has no record of the
        job, JobWaitTimeoutError when the time is over. A look that fails is not a failed job: it is repeated. Where
        none has worked for ten minutes it may never, which is a JobError.
        """
        name, batch_id, until = declared.job_name, known(declared.job_id), known(declared.until)
        if batch_id is None:
            raise JobError(f"{name}: jobId is missing; give the id of a batch job")
        place = known(declared.submitted_to or {})
        if self._context.lets_go_of(place):
            batch = self._seen(batch_id)
            if batch is None or not until.is_reached(batch.batch_state):
                raise JobError(messages.let_go_wait_message(name, batch_id))
            return self._verdict(declared, batch)
        client = self._context.client_of(place)
        batch = self._poll(client, declared, batch_id)
        if until.is_missed(batch.batch_state):
            raise JobDeadError(self._dead_message(client, declared, batch_id, batch))
        return self._verdict(declared, batch)

    def _poll(self, client: Client, declared: WaitInputs, batch_id: str) -> Batch:
        """Read a job until the wait is decided, and return the job."""
        name, until, timeout = declared.job_name, known(declared.until), known(declared.timeout)
        limit = math.inf if timeout is None else timeout
        clock = self._context.clock
        started = clock.now() - declared.waited

        def pause(_polls: int = 0) -> float:
            return poll_pause(clock.now() - started, self._context.settings.poll_interval)

        def is_decided(batch: Batch | None) -> bool:
            return batch is not None and (until.is_reached(batch.batch_state) or until.is_missed(batch.batch_state))

        reader = _JobReader(client, batch_id, name, clock=clock, pause=pause, notifier=self._context)
        try:
            batch = poll(reader.read, until=is_decided, every=pause, deadline=started + limit, clock=clock)
        except JobUnknownError:
            batch = self._seen(batch_id)
            if batch is None:
                raise
        if batch is None or not is_decided(batch):
            shown = batch or reader.last_live or Batch(id=batch_id, state="not readable")
            raise JobWaitTimeoutError(messages.timeout_message(name, shown, limit))
        return batch

    def _verdict(self, declared: WaitInputs, batch: Batch) -> dict[str, Any]:
        self._context.remember(batch)
        return {**declared.properties, **outputs.verdict(batch, declared.redact)}

    def _seen(self, batch_id: str) -> Batch | None:
        """Return a job of which the service has no record any more, with the end that was seen before."""
        end = self._context.ends.of(batch_id)
        return Batch(id=batch_id, state=end.value) if end is not None else None

    def _dead_message(self, client: Client, declared: WaitInputs, batch_id: str, batch: Batch) -> str:
        log = masked_lines(_log_tail(client, batch), declared.redact) or []
        others = self._others_at_work(client, batch_id)
        reruns = bool(declared.rerun_on_failure)
        return messages.dead_message(declared.job_name, batch, log, reruns=reruns, others=others)

    def _others_at_work(self, client: Client, batch_id: str) -> dict[str, str]:
        """Give the states of the stack's other jobs that go on, by name, as far as this process has met them."""
        others = self._context.runs.at_work()
        others.pop(batch_id, None)
        if not others:
            return {}
        try:
            return {others[id_]: str(batch.state) for id_, batch in live_jobs(client).items() if id_ in others}
        except DliError:  # the dead job is what matters, and its message must not fail for the others
            return {}


class _JobReader:
    """Reads the job of one wait, again and again. A read that fails is not a failed job."""

    def __init__(
        self,
        client: Client,
        batch_id: str,
        job_name: str,
        *,
        clock: Clock,
        pause: Callable[[], float],
        notifier: Notifier,
    ) -> None:
        self._client = client
        self._batch_id = batch_id
        self._job_name = job_name
        self._clock = clock
        self._pause = pause
        self._notifier = notifier
        self._last: Batch | None = None
        self._outage = Outage()

    @property
    def last_live(self) -> Batch | None:
        """The job as it was read last, unless it was dead then: its end is for the next read to tell."""
        return None if self._last is None or self._last.is_final else self._last

    def read(self) -> Batch | None:
        """Read the job; None where that has failed, and may work later.

        Raises JobUnknownError where the service has no record of the job, and JobError where no read is likely to work.
        """
        try:
            batch = self._find()
            if outputs.may_recover(batch):
                # With auto_recovery a dead job may come back, so it is read twice.
                self._clock.sleep(self._pause())
                batch = self._find()
        except (ServiceError, TransportError) as error:
            self._take_failure(error)
            return None
        return batch

    def _find(self) -> Batch:
        batch = self._client.find(self._batch_id)
        if batch is None:
            raise JobUnknownError(messages.unknown_message(self._job_name, self._batch_id))
        self._last = batch
        self._outage.end()
        return batch

    def _take_failure(self, error: ServiceError | TransportError) -> None:
        is_first = self._outage.is_over
        is_hopeless = self._outage.fail(self._clock.now()) >= MAX_OUTAGE and self._last is None
        if is_hopeless or not may_pass_by_itself(error):
            project = self._client.location.project_id
            raise JobError(
                f"{self._job_name}: batch job {self._batch_id} in project {project} cannot be read: {error} It goes on "
                "if it runs; the next `pulumi up` waits again."
            ) from error
        if is_first:
            self._notifier.notify(
                Level.WARNING,
                self._job_name,
                f"a look at batch job {self._batch_id} failed, and is repeated: {error}",
            )


def _is_for_another(stored: Properties, declared: WaitInputs) -> bool:
    return any(stored.get(name) != declared.properties.get(name) for name in ("jobId", "until"))


def _log_tail(client: Client, batch: Batch) -> list[str]:
    """Give the last lines of a job's log; where the service has no log call, those of its record."""
    try:
        lines = client.log(batch.id, size=_LOG_LINES).log
    except DliError:  # the record is the documented fallback, and the verdict must not fail for the log
        lines = []
    return (lines or batch.log or [])[-_LOG_LINES:]
