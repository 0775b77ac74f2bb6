"""The operations on a batch job that an engine asks for: check, plan, create, read, update, delete.

They know nothing of the engine: the adapter parses its properties into `JobInputs` and `StoredJob`.
"""

from __future__ import annotations

from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.errors import DliError, JobError, ServiceError, SettingsError, SubmissionError, TransportError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import poll, steps
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import diff, job_rules, messages, outputs
from pulumi_dli.jobs.diff import Action, Decision
from pulumi_dli.jobs.inputs import JobInputs, OnRecordExpired, WhenRunning
from pulumi_dli.jobs.job_rules import FILE_MISSING, Checked
from pulumi_dli.jobs.naming import request_fingerprint_of, resource_fingerprint_of
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.request import canonical, request_body, sizing
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.recovery import settled
from pulumi_dli.operations.run_registry import RunHeldError, declared_key, stored_key
from pulumi_dli.operations.submission_request import SubmissionRequest

_CANCEL_PAUSES = steps(0.2, 0.5, 1.0, 2.0, 5.0)


class BatchJobs:
    """The operations on batch jobs. Threads may share it.

    All raise DliError, with a message that stands alone, for what a user can cause.
    """

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def check(self, declared: JobInputs, *, last_adopt_id: str | None = None) -> Checked:
        """Judge and normalise what is declared, without the cloud. `last_adopt_id` was declared the last time."""
        runs, key = self._context.runs, declared_key(declared)
        if last_adopt_id:
            # The engine does not call diff for a replacement trigger. Where it does, `plan` corrects this.
            runs.consume_adoption(key, last_adopt_id)
        # In an `up` with --continue-on-error, what comes from a resource that failed is absent; a failure here would
        # end the whole `up`, where the engine skips the job.
        checked = job_rules.check(declared, self._default_region(), needs_file=False)
        if declared.unknown:
            self._context.is_preview = True
        for warning in checked.warnings:
            self._context.notify(Level.WARNING, _name_of(declared), warning)
        if not checked.failures:
            runs.declared(key)
            checked.properties["sizing"] = sizing(declared)
        return checked

    def _default_region(self) -> str | None:
        try:
            return self._context.settings.region
        except SettingsError:  # the first call to the service says it
            return None

    def plan(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> Decision:
        """Decide what is to be done with a job, and tell the user why, if it runs again.

        Asks the service only where the answer matters: for the state of a job whose end was not seen, and of one that
        is to be replaced. No answer is no change.
        """
        name = _name_of(declared, stored.inputs)
        self._note(name, batch_id, stored, declared)
        if declared.file is None:
            gone = "file: there is none; what it comes from has failed, or gave nothing"
            self._context.notify(Level.WARNING, name, f"{gone}. Batch job {batch_id} is left alone")
            # `update` refuses it, so that no run is cancelled for it.
            return Decision(Action.UPDATE, FILE_MISSING, ("file",))
        decision = diff.compare(stored, declared, preview=self._context.is_preview)
        if decision.action is Action.REPLACE:
            return self._plan_replacement(name, batch_id, stored, declared, decision)
        if declared.unknown:
            return decision
        expired, state = stored.is_expired, stored.state
        if not stored.is_final:
            expired, state = (True, state) if expired else self._look(batch_id, stored, declared)
            if expired and declared.rerun_on_failure:
                state = None  # dead, it may have come back under auto_recovery; else neither end is a reason to run it
        rerun = diff.outcome(declared, batch_id, state, expired=expired)
        if rerun.action is Action.REPLACE:
            self._context.notify(Level.INFO, name, f"must run again: {rerun.reason}")
            return rerun
        return decision

    def _note(self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs) -> None:
        """Note whose a job is."""
        runs, key = self._context.runs, declared_key(declared)
        if stored.inputs.adopt_id:
            runs.consume_adoption(key, str(stored.inputs.adopt_id))
        elif stored.properties:  # it came after the job
            runs.restore_adoption(key, str(declared.adopt_id))
        holder = runs.in_state(batch_id, stored_key=stored_key(stored.inputs), key=key)
        if holder is not None:
            self._context.notify(
                Level.WARNING,
                name,
                f"batch job {batch_id} was adopted by {holder[0]}: now it is the run of both, and a change of "
                "either cancels it",
            )

    def _plan_replacement(
        self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs, decision: Decision
    ) -> Decision:
        consequence = ""
        if not stored.is_final:
            try:
                batch = self._read(batch_id, stored)
            except DliError as error:
                unasked = f"whether batch job {batch_id} still runs could not be asked"
                if declared.when_running is WhenRunning.REFUSE and not isinstance(error, SettingsError):
                    raise JobError(
                        f"{name}: {decision.reason}, so the job would run again, but {unasked}, and whenRunning is "
                        f"refuse. {error}"
                    ) from error
                self._context.notify(Level.WARNING, name, f"{unasked}: {error}")
                batch = None
            if batch is not None and not batch.is_final:
                if declared.when_running is WhenRunning.REFUSE:
                    raise JobError(
                        f"{name}: {decision.reason}, so the job would run again, but batch job {batch_id} is "
                        f"{batch.state}, and whenRunning is refuse. Wait for its end, or cancel it yourself."
                    )
                consequence = f"; cancels run {batch_id}, {batch.state}"
        self._context.notify(Level.INFO, name, f"must run again: {decision.reason}{consequence}")
        return decision

    def _look(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> tuple[bool, BatchState | None]:
        """Find out how a job ended whose end was not seen: whether its record is gone, and its state."""
        try:
            batch = self._context.recent(batch_id)
            if batch is None and declared.on_record_expired is OnRecordExpired.RERUN:
                batch = self._read(batch_id, stored)
                if batch is None:
                    return True, stored.state
            if batch is not None:
                return False, batch.batch_state
            state = self._listed_state(batch_id, stored, declared)
        except DliError as error:  # said once, not for each of many jobs
            self._context.notify(Level.WARNING, "dli", f"jobs whose end was not seen are taken as unchanged: {error}")
        else:
            return False, state
        return False, None

    def _listed_state(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> BatchState | None:
        """Give the state of a job that is listed as dead, or None."""
        state = self._context.dead_job_listing(self._client_of(stored)).state_of(batch_id)
        if state is not None and state.is_failure and declared.auto_recovery:
            batch = self._read(batch_id, stored)  # it may be about to recover
            return batch.batch_state if batch is not None else state
        return state

    def create(self, declared: JobInputs) -> tuple[str, dict[str, Any]]:
        """Submit a job, and give its id and its outputs. Does not wait for it."""
        name = _name_of(declared)
        try:
            if not declared.file:
                raise SettingsError(FILE_MISSING)
            client = self._context.client(known(declared.region), known(declared.project_id))
            batch = self._adopt(client, declared) or self._submit(client, declared)
        except DliError as error:
            said = str(error) if isinstance(error, SubmissionError) else f"{name}: not submitted, nothing runs. {error}"
            cancelled = self._context.runs.earlier_run_of(declared_key(declared))
            earlier = f" The earlier run, {cancelled}, was cancelled for this one." if cancelled else ""
            raise SubmissionError(f"{said}{earlier}") from error
        # From here on nothing may raise: the job runs, and only the return of this function keeps its id.
        if not batch.is_described:
            try:
                described = client.details(batch.id, retry=False)
                batch = described.model_copy(update={"id": batch.id})
            except DliError as error:
                self._context.notify(
                    Level.WARNING, name, f"batch job {batch.id} is submitted, but could not be read yet: {error}"
                )
        self._context.remember(batch)
        return batch.id, outputs.of_job(declared, batch, _submitted_to(client))

    def _submit(self, client: Client, declared: JobInputs) -> Batch:
        # Whatever can fail in making the request fails here, before it is sent.
        request_fingerprint = request_fingerprint_of(
            canonical(declared.properties), declared.triggers, declared.replacement_trigger
        )
        request = SubmissionRequest(
            key=declared_key(declared),
            resource_fingerprint=resource_fingerprint_of(declared.scope, self._context.settings.scope),
            request_fingerprint=request_fingerprint,
            fixed_name=known(declared.name),
            body=lambda name: request_body(declared, name),
            redact=declared.redact or (),
        )
        return self._context.submitter(client).submit(request)

    def _adopt(self, client: Client, declared: JobInputs) -> Batch | None:
        """Adopt the run that `adoptId` names instead of submitting one; None where the job is to run again."""
        name, key, runs = _name_of(declared), declared_key(declared), self._context.runs
        batch_id = known(declared.adopt_id)
        if batch_id is None:
            return None
        followed_before = "adoptId was followed before, so a new run is submitted; remove it"
        if runs.holder(batch_id, key) is None and runs.is_adoption_consumed(key, batch_id):
            self._context.notify(Level.WARNING, name, followed_before)
            return None
        try:
            # The claim comes before the first call: two resources with one adoptId must not both find it free.
            with runs.claim(batch_id, key) as claim:
                batch = self._adoptable(client, batch_id, declared)
                if batch is not None:
                    claim.keep()
                return batch
        except RunHeldError as error:
            if error.holder is None:  # deleted a moment ago
                self._context.notify(Level.WARNING, name, followed_before)
                return None
            raise SubmissionError(
                f"{name}: adoptId names {batch_id}, the run of {error.holder[0]}, which the program still declares. "
                f"Nothing was adopted and nothing was submitted. Remove {error.holder[0]}, or this adoptId."
            ) from error

    def _adoptable(self, client: Client, batch_id: str, declared: JobInputs) -> Batch | None:
        """Read the run that `adoptId` names; None where it is dead and the job is to run again.

        Raises SubmissionError where the service has no such job, or where that job runs something else.
        """
        name = _name_of(declared)
        batch = client.find(batch_id)
        if batch is None:
            raise SubmissionError(f"{name}: adoptId names {batch_id}, but the service has no such job.")
        request = batch.request() or {}
        for field in ("file", "className"):
            there, here = request.get(field), declared.properties.get(field) or ""
            if there is not None and there != here:
                raise SubmissionError(
                    f"{name}: adoptId names {batch_id}, but that job has another {field}. Nothing was adopted and "
                    "nothing was submitted."
                )
        batch = settled(client, batch)
        rerun = diff.outcome(declared, batch_id, batch.batch_state, expired=False)
        if rerun.action is Action.REPLACE:
            self._context.notify(
                Level.WARNING, name, f"adoptId names {batch_id}, which is dead: a new run is submitted"
            )
            return None
        return batch

    def read(self, batch_id: str, stored: StoredJob) -> dict[str, Any]:
        """Refresh the outputs of a job. One whose record the service has deleted stays, with `recordExpired` true."""
        batch = self._read(batch_id, stored)
        if batch is None:
            name = _name_of(stored.inputs)
            if stored.is_final:
                self._context.notify(
                    Level.INFO, name, f"the service has deleted the record of batch job {batch_id}; its end was seen"
                )
            else:
                self._context.notify(Level.WARNING, name, messages.unknown_message(name, batch_id))
        return outputs.refreshed(stored, batch)

    def get(self, batch_id: str, stored: StoredJob) -> dict[str, Any]:
        """Describe a job that this stack does not manage. Raises JobError where the service has no such job."""
        declared = stored.inputs
        client = self._context.client(known(declared.region), known(declared.project_id))
        batch = client.find(batch_id) if batch_id.strip() else None
        if batch is None:
            raise JobError(
                f"{_name_of(declared)}: there is no batch job {batch_id!r} in project {client.location.project_id}. "
                "The service keeps the record of a finished job for some hours only."
            )
        return {**outputs.refreshed(stored, batch), "submittedTo": _submitted_to(client)}

    def update(self, stored: StoredJob, declared: JobInputs) -> dict[str, Any]:
        """Take over new options. No call: nothing that the service knows has changed.

        Raises JobError where there is no file.
        """
        if not declared.file:
            raise JobError(f"{_name_of(declared, stored.inputs)}: {FILE_MISSING}. Its run is left alone.")
        return outputs.updated(stored, declared)

    def delete(self, batch_id: str, stored: StoredJob) -> None:
        """Cancel a job that still runs, and wait for its end; leave one that has ended alone.

        Raises JobError where the job has not ended in time, or the service does not say: it then stays in the state.
        """
        name, adopted_from = _name_of(stored.inputs), known(stored.inputs.adopt_id)
        try:
            self._context.runs.begin_delete(batch_id, stored_key(stored.inputs), adopted_from=adopted_from)
        except RunHeldError as error:
            if error.holder is None or error.is_claimed:
                raise JobError(f"{name}: {error} just now. It stays in the state; run the command again.") from error
            # After a rename with a fixed name, or with adoptId, the new resource has the run of the old one.
            self._context.notify(
                Level.INFO,
                name,
                f"batch job {batch_id} is left alone: it belongs to another resource now, {error.holder[0]}",
            )
            return
        if stored.is_final:
            return
        try:
            batch = self._read(batch_id, stored)
            if batch is not None and (not batch.is_final or outputs.may_recover(batch)):
                self._cancel(batch_id, stored)
        except JobError:
            raise
        except DliError as error:
            raise JobError(
                f"{name}: batch job {batch_id} may go on: {error} It stays in the state; run the command again."
            ) from error

    def _cancel(self, batch_id: str, stored: StoredJob) -> None:
        name, client = _name_of(stored.inputs), self._client_of(stored)
        try:
            client.cancel(batch_id)
        except ServiceError as error:
            batch = client.find(batch_id)  # refused: it may have ended meanwhile
            if batch is not None and not batch.is_final:
                raise JobError(f"{name}: batch job {batch_id} could not be cancelled, and goes on. {error}") from error
            return
        self._context.runs.cancelled(batch_id, stored_key(stored.inputs))
        self._await_end(client, name, batch_id, known(stored.inputs.cancel_timeout))

    def _await_end(self, client: Client, name: str, batch_id: str, seconds: float) -> None:
        if not seconds:
            return
        clock = self._context.clock
        # Pulumi's host deletes four at a time: asking for each takes no more calls than a listing for all.
        batch = poll(
            lambda: client.find(batch_id),
            until=_has_ended,
            every=_CANCEL_PAUSES,
            deadline=clock.now() + seconds,
            clock=clock,
        )
        if batch is not None and not batch.is_final:
            raise JobError(
                f"{name}: batch job {batch_id} was cancelled, but is still {batch.state} after "
                f"{format_duration(seconds)}. It stays in the state; run the command again."
            )

    def _client_of(self, stored: StoredJob) -> Client:
        return self._context.client_of(stored.location)

    def _read(self, batch_id: str, stored: StoredJob) -> Batch | None:
        """Read a job where it was submitted. A refusal there names the place if the credentials are for another one."""
        client = self._client_of(stored)
        try:
            batch = client.find(batch_id)
        except (ServiceError, TransportError) as error:
            own_project = self._context.own_project_id(may_ask=isinstance(error, ServiceError))
            if own_project in (None, client.location.project_id):
                raise
            raise DliError(
                f"{error} The job was submitted to project {client.location.project_id}; the credentials in use are "
                f"for {own_project}."
            ) from error
        if batch is not None:
            batch = settled(client, batch)
            self._context.remember(batch)
        return batch


def _has_ended(batch: Batch | None) -> bool:
    return batch is None or batch.is_final


def _submitted_to(client: Client) -> dict[str, str | None]:
    return {"region": client.location.region, "projectId": client.location.project_id}


def _name_of(*sources: JobInputs) -> str:
    """Give the logical name of a job, by which the user knows it."""
    return next((str(source.resource_name) for source in sources if source.resource_name), "batch job")
