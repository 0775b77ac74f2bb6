"""The operations on a wait: the outcome of a job, as a thing that others can depend on.

A wait only reads, so it may fail, be killed and be repeated. They know nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import parse_duration
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
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages, outputs
from pulumi_dli.jobs.properties import Checked, Properties
from pulumi_dli.jobs.redaction import masked_lines
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.operations.context import Session
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.pollers import LONGEST_OUTAGE, live_jobs

DECLARED: tuple[str, ...] = (
    *("jobId", "until", "timeout", "jobName", "submittedTo", "rerunOnFailure"),
    "redact",  # the secret texts to be masked in the job's log
    "waited",  # the seconds that the gate in the program has already waited
)
"""What is declared of a wait."""

VERDICT: tuple[str, ...] = ("state", "appId", "log", "createTime", "updateTime", "duration")
"""The outputs of a wait: the job as it was when the wait ended, by the names of the job's own outputs."""

_LOG_LINES = 20


class BatchJobWaits:
    """The operations on waits. Threads may share it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def check(self, declared: Properties) -> Checked:
        """Judge what is declared, without the cloud."""
        given = {name: value for name, value in declared.items() if value is not None}
        checked = Checked({"until": Until.SUCCESS.value, **given})
        until, timeout = checked.properties["until"], checked.properties.get("timeout")
        if until is not UNKNOWN and until not in list(Until):
            checked.failures.append(f"until: must be one of {', '.join(Until)}")
        if timeout not in (None, UNKNOWN):
            try:
                parse_duration(timeout)
            except ValueError as error:
                checked.failures.append(f"timeout: {error}")
        # In an `up` with --continue-on-error the id of a job that failed is absent, and the engine skips its wait.
        job_id = given.get("jobId", UNKNOWN)
        if job_id is not UNKNOWN and not (isinstance(job_id, str) and job_id.strip()):
            checked.failures.append("jobId: must be the id of a batch job")
        place = given.get("submittedTo", {})
        if place is not UNKNOWN and not (isinstance(place, Mapping) and set(place) <= {"region", "projectId"}):
            checked.failures.append("submittedTo: must be a map with region and projectId, and nothing else")
        if until == Until.FINISHED and declared.get("rerunOnFailure", True) is True:
            self._session.notify(
                Level.WARNING,
                _name_of(declared),
                "until='finished' passes for a dead job too, but rerunOnFailure then runs the job again at the next "
                "`pulumi up`; set rerunOnFailure to false",
            )
        return checked

    def changes(self, stored: Properties, declared: Properties) -> bool:
        """True where there is something new to wait for, or to be kept secret."""
        return _is_for_another(stored, declared) or stored.get("redact") != declared.get("redact")

    def update(self, stored: Properties, declared: Properties) -> dict[str, Any]:
        """Wait where the wait is for another job, or for something else, than the stored one; give the outputs."""
        if _is_for_another(stored, declared):
            return self.wait(declared)
        verdict = {name: stored.get(name) for name in VERDICT}
        return {**declared, **verdict, "log": masked_lines(stored.get("log"), declared.get("redact"))}

    def wait(self, declared: Properties) -> dict[str, Any]:
        """Wait until the job has reached what is waited for, and give the outputs.

        Raises JobDeadError where it can no longer be reached, JobUnknownError where the service has no record of the
        job, JobWaitTimeoutError when the time is over. A look that fails is not a failed job: it is repeated. Where
        none has worked for ten minutes it may never, which is a JobError.
        """
        name, batch_id = _name_of(declared), declared.get("jobId")
        if batch_id is None:
            raise JobError(f"{name}: jobId is missing; give the id of a batch job")
        until = Until(declared["until"])
        timeout = parse_duration(declared["timeout"]) if declared.get("timeout") is not None else None
        clock, client = self._session.clock, self._session.client_of(declared.get("submittedTo"))
        started = clock.now() - (declared.get("waited") or 0.0)
        seen: Batch | None = None
        is_dead = False
        failing_since: float | None = None
        while True:
            try:
                batch = client.find(batch_id)
            except (ServiceError, TransportError) as error:
                is_first = failing_since is None
                failing_since = clock.now() if failing_since is None else failing_since
                is_hopeless = seen is None and clock.now() - failing_since >= LONGEST_OUTAGE
                if is_hopeless or not may_pass_by_itself(error):
                    raise JobError(
                        f"{name}: batch job {batch_id} in project {client.place.project_id} cannot be read: {error} "
                        "It goes on if it runs; the next `pulumi up` waits again."
                    ) from None
                if is_first:
                    self._session.notify(
                        Level.WARNING, name, f"a look at batch job {batch_id} failed, and is repeated: {error}"
                    )
                batch = None if is_dead else seen
                is_dead = False
            else:
                if batch is None:
                    raise JobUnknownError(messages.unknown_message(name, batch_id))
                # With auto_recovery a dead job may come back, so it is read twice.
                is_sure = is_dead or not outputs.may_recover(batch)
                seen, state = batch, batch.batch_state
                is_dead, failing_since = state is BatchState.DEAD, None
                if is_sure and until.is_reached(state):
                    return self._verdict(declared, batch)
                if is_sure and until.is_missed(state):
                    reruns = declared.get("rerunOnFailure", True) is not False
                    log = masked_lines(_log_tail(client, batch), declared.get("redact")) or []
                    others = self._others_at_work(client, batch_id)
                    raise JobDeadError(messages.dead_message(name, batch, log, reruns=reruns, others=others))
            waited = clock.now() - started
            if timeout is not None and waited >= timeout and not is_dead:
                shown = batch or Batch(id=batch_id, state="not readable")
                raise JobWaitTimeoutError(messages.timeout_message(name, shown, timeout))
            pause = min(max(waited / 10, 1.0), self._session.settings.poll_interval)
            clock.sleep(pause if timeout is None or is_dead else min(pause, timeout - waited))

    def _others_at_work(self, client: Client, batch_id: str) -> dict[str, str]:
        """Give the states of the stack's other jobs that go on, by name, as far as this process has met them."""
        others = self._session.runs.at_work()
        others.pop(batch_id, None)
        if not others:
            return {}
        try:
            return {others[id_]: str(batch.state) for id_, batch in live_jobs(client).items() if id_ in others}
        except DliError:  # the dead job is what matters, and its message must not fail for the others
            return {}

    def _verdict(self, declared: Properties, batch: Batch) -> dict[str, Any]:
        observed = outputs.observed(batch, {}, declared.get("redact"))
        return {**declared, **{name: observed[name] for name in VERDICT}}


def _is_for_another(stored: Properties, declared: Properties) -> bool:
    return any(stored.get(name) != declared.get(name) for name in ("jobId", "until"))


def _log_tail(client: Client, batch: Batch) -> list[str]:
    """Give the last lines of a job's log; where the service has no log call, those of its record."""
    try:
        lines = client.log(batch.id, size=_LOG_LINES).log
    except DliError:  # the record is the documented fallback, and the verdict must not fail for the log
        lines = []
    return (lines or batch.log or [])[-_LOG_LINES:]


def _name_of(declared: Properties) -> str:
    return str(declared.get("jobName") or "batch job")
