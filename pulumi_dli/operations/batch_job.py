"""The operations on a batch job: check, plan, create, read, update and delete.

They do not know the engine: the adapter parses the engine's properties into `JobInputs` and `StoredJob`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.console import console_url
from pulumi_dli.api.errors import DliError, JobError, ServiceError, SettingsError, SubmissionError
from pulumi_dli.api.models import Batch, normal_id
from pulumi_dli.jobs import diff, job_rules, messages, outputs, submission_messages
from pulumi_dli.jobs.diff import Action, Decision
from pulumi_dli.jobs.exact_numbers import large_numbers
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs
from pulumi_dli.jobs.job_rules import FILE_MISSING, Checked
from pulumi_dli.jobs.naming import logical_names, resource_fingerprint_of
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.request import (
    equal_fingerprints,
    fingerprint,
    left_out,
    request_body,
    similar_fingerprints,
    sizes_of,
    sizing,
    texts_of_arguments,
    told_values,
)
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.auto_recovery import settled
from pulumi_dli.operations.cancellation import Cancellation
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.last_lines import reason_of
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.planning import Planner
from pulumi_dli.operations.run_cost import cost_of
from pulumi_dli.operations.run_registry import RunHeldError, declared_key, stored_key
from pulumi_dli.operations.stored_jobs import StoredJobs, name_of
from pulumi_dli.operations.submission_request import SubmissionRequest


class BatchJobs:
    """The operations on batch jobs. Threads may share it. Every operation raises DliError with a complete message.

    Args:
        context: The context of the process.
        is_in_state: Whether `delete` is that of a resource, which stays in the state if the delete fails.
    """

    def __init__(self, context: ProviderContext, *, is_in_state: bool = True) -> None:
        self._context = context
        self._is_in_state = is_in_state
        self._jobs = StoredJobs(context)
        self._planner = Planner(context, self._jobs)
        self._cancellation = Cancellation(context, self._jobs, is_in_state=is_in_state)

    def check(self, declared: JobInputs, *, last_adopt_id: str | None = None, is_new: bool = False) -> Checked:
        """Check and normalise a declaration, without a call.

        Args:
            declared: The declaration.
            last_adopt_id: The `adoptId` of the last `up`.
            is_new: Whether the state has no such job.
        """
        runs, key = self._context.runs, declared_key(declared)
        if last_adopt_id:
            # The engine does not call diff for a replacement trigger, so check must remember the adopted id. If the
            # engine calls diff, `plan` corrects this.
            runs.consume_adoption(key, last_adopt_id)
        # With --continue-on-error, the output of a failed resource is absent. The engine then skips the job. A failure
        # here would end the whole `up`.
        checked = job_rules.check(declared, self._default_region(), needs_file=False)
        if declared.unknown:
            self._context.is_preview = True
        for warning in checked.warnings:
            self._context.notify(Level.WARNING, name_of(declared), warning)
        for name, argument in ARGUMENTS.items():
            if argument.is_transient:
                checked.properties.pop(name, None)
        if not checked.failures:
            if is_new:
                self._announce(declared)
            runs.declared(key)
            ends_seen = declared.ends_seen if isinstance(declared.ends_seen, Mapping) else {}
            self._context.ends.record_all(key, ends_seen, is_unread=declared.waits_unread is True)
            checked.properties["sizing"] = sizing(declared)
        return checked

    def _announce(self, declared: JobInputs) -> None:
        """Tell in a plan what the creation of a job will need or do."""
        adopt_id, key = declared.adopt_id, declared_key(declared)
        adopts = isinstance(adopt_id, str) and not self._context.runs.is_adoption_consumed(key, adopt_id)
        if adopts:
            message = submission_messages.adoption_planned_message(str(adopt_id))
            self._context.notify(Level.INFO, name_of(declared), message)
        if not self._context.has_credentials():
            self._context.notify(Level.INFO, "dli", messages.needed_credentials_message())
        elif not adopts:
            self._context.queue_sizes.warn_if_too_large(name_of(declared), declared)

    def _default_region(self) -> str | None:
        try:
            return self._context.settings.region
        except SettingsError:  # the first call to the service raises it again
            return None

    def plan(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> Decision:
        """Decide what to do with a job. If it must run again, tell the user why.

        It calls the service only for a job whose end nobody has seen. If the service does not answer, the job counts as
        unchanged.
        """
        return self._planner.plan(normal_id(batch_id), stored, declared)

    def create(self, declared: JobInputs) -> tuple[str, dict[str, Any]]:
        """Submit a job or adopt a run, and return its id and its outputs. It does not wait for the end of the job.

        Raises SubmissionError if no job was submitted, or if nobody knows whether a job runs. The message tells which.
        """
        name = name_of(declared)
        try:
            if not declared.file:
                raise SettingsError(FILE_MISSING)
            client = self._context.client(known(declared.region), known(declared.project_id))
            batch = self._adopt(client, declared) or self._submit(client, declared)
        except DliError as error:
            is_complete = isinstance(error, SubmissionError)
            is_refusal = isinstance(error, ServiceError) and error.call.startswith("POST …/batches")
            sent = told_values(declared, str(error)) if is_refusal else {}
            message = str(error) if is_complete else submission_messages.not_submitted_message(name, error, sent)
            cancelled = self._context.runs.earlier_run_of(declared_key(declared))
            earlier = f" {submission_messages.cancelled_run_message(cancelled)}" if cancelled else ""
            raise SubmissionError(f"{message}{earlier}") from error
        # From here on nothing may raise: the job runs, and its id gets into the state only if this function returns.
        if not batch.is_described:
            try:
                described = client.details(batch.id, retry=False)
                batch = described.model_copy(update={"id": batch.id})
            except DliError as error:
                message = submission_messages.unread_submission_message(batch.id, error)
                self._context.notify(Level.WARNING, name, message)
        self._context.young_runs.submitted(batch.id)
        self._context.remember(batch)
        found = {
            "submittedTo": outputs.submitted_to(client.location),
            outputs.CONSOLE_URL: console_url(client.location, batch.id),
            outputs.PREVIOUS_RUNS: self._context.history.of(declared_key(declared)),
        }
        return batch.id, outputs.of_job(declared, batch, found)

    def _submit(self, client: Client, declared: JobInputs) -> Batch:
        # Make the whole request before it is sent, so that a failure here means that nothing runs.
        # The name is public, so a secret number must not be guessed from it.
        hidden = left_out(declared.properties)
        numbers = large_numbers({name: value for name, value in declared.properties.items() if name not in hidden})
        request = SubmissionRequest(
            key=declared_key(declared),
            resource_fingerprint=resource_fingerprint_of(declared.scope, self._context.settings.scope),
            request_fingerprint=fingerprint(declared.properties),
            fixed_name=known(declared.name),
            body=lambda name: request_body(declared, name),
            redact=(*(declared.redact or ()), *texts_of_arguments(declared)),
            logical_names=logical_names(name_of(declared), numbers),
            equal_fingerprints=lambda: equal_fingerprints(declared),
            similar_fingerprints=lambda: similar_fingerprints(declared),
        )
        return self._context.submitter(client).submit(request)

    def _adopt(self, client: Client, declared: JobInputs) -> Batch | None:
        """Adopt the run that `adoptId` names and return it, or return None if a new run must be submitted.

        Raises SubmissionError if the run cannot be adopted.
        """
        name, key, runs = name_of(declared), declared_key(declared), self._context.runs
        batch_id = known(declared.adopt_id)
        if batch_id is None:
            return None
        if runs.holder(batch_id, key) is None and runs.is_adoption_consumed(key, batch_id):
            self._context.notify(Level.WARNING, name, submission_messages.used_adopt_id_message())
            return None
        try:
            # Claim the run before the first call, because two resources may have the same adoptId.
            with runs.claim(batch_id, key) as claim:
                batch = self._read_adoptable(client, batch_id, declared)
                if batch is not None:
                    claim.keep()
                    self._context.notify(Level.INFO, name, submission_messages.adopted_message(batch))
                return batch
        except RunHeldError as error:
            if error.holder is None:  # another thread has just deleted the run
                self._context.notify(Level.WARNING, name, submission_messages.used_adopt_id_message())
                return None
            message = submission_messages.held_adopt_id_message(name, batch_id, holder=error.holder[0])
            raise SubmissionError(message) from error

    def _read_adoptable(self, client: Client, batch_id: str, declared: JobInputs) -> Batch | None:
        """Return the run that `adoptId` names, or None if it is dead and the job must run again.

        Raises SubmissionError if the service has no such job, or if that job has another file or main class.
        """
        name = name_of(declared)
        batch = client.find(batch_id)
        if batch is None:
            raise SubmissionError(submission_messages.unknown_adopt_id_message(name, batch_id))
        request = batch.request() or {}
        for field in ("file", "className"):
            theirs, ours = request.get(field), declared.properties.get(field) or ""
            if theirs is not None and theirs != ours:
                raise SubmissionError(submission_messages.different_adopt_id_message(name, batch_id, field))
        batch = settled(client, batch)
        rerun = diff.outcome(declared, batch_id, batch.batch_state, expired=False)
        if rerun.action is Action.REPLACE:
            self._context.notify(Level.WARNING, name, submission_messages.dead_adopt_id_message(batch_id))
            return None
        return batch

    def read(self, batch_id: str, stored: StoredJob) -> dict[str, Any]:
        """Return the refreshed outputs of a job. `recordExpired` becomes true if the service has deleted its record."""
        if self._context.is_forgotten(stored.location):
            return {**stored.properties}
        try:
            batch = self._jobs.read(batch_id, stored)
        except DliError as error:
            message = f"{error} {self._jobs.forget_advice(stored, error)}".rstrip()
            if stored.end() is None:
                raise JobError(f"{name_of(stored.inputs)}: {message}") from error
            # The end is stored, so the service can tell nothing new but that it has deleted the record.
            self._context.notify(Level.WARNING, name_of(stored.inputs), message)
            return {**stored.properties}
        if batch is None:
            end = self._jobs.end_of(batch_id, stored)
            level = Level.WARNING if end is None else Level.INFO
            self._context.notify(level, name_of(stored.inputs), messages.expired_message(batch_id, end))
        elif not batch.is_final and self._jobs.is_young(batch_id, stored):
            # The service creates a duplicate together with the run, so an old run needs no listing.
            duplicates = self._jobs.listed_duplicates(batch_id, stored)
            if duplicates:
                message = messages.duplicates_message(batch_id, duplicates)
                self._context.notify(Level.WARNING, name_of(stored.inputs), message)
        found = {} if batch is None else self._found(self._jobs.client_of(stored), batch, stored)
        return outputs.refreshed(stored, batch, found)

    def _found(self, client: Client, batch: Batch, stored: StoredJob) -> dict[str, Any]:
        """Return the outputs that are not in the reply about a job. What is stored of an end needs no call."""
        found: dict[str, Any] = {outputs.CONSOLE_URL: console_url(client.location, batch.id)}
        if not batch.is_final:
            return found
        if batch.batch_state is stored.state:
            kept = (outputs.FAILURE_REASON, outputs.ESTIMATED_CU_HOURS)
            return found | {name: stored.properties.get(name) for name in kept}
        if batch.is_failure:
            found[outputs.FAILURE_REASON] = reason_of(client, batch, stored.inputs.redact).text
        sizes = sizes_of(stored.inputs) if stored.is_ours else None
        return found | {outputs.ESTIMATED_CU_HOURS: cost_of(client, batch, sizes.cus if sizes else None)}

    def get(self, batch_id: str, stored: StoredJob) -> dict[str, Any]:
        """Return the outputs of a job that this stack does not manage. Raises JobError if there is no such job."""
        declared = stored.inputs
        client = self._context.client(known(declared.region), known(declared.project_id))
        batch = client.find(batch_id) if batch_id.strip() else None
        if batch is None:
            raise JobError(
                messages.no_such_job_message(name_of(declared), batch_id, project_id=client.location.project_id)
            )
        found = self._found(client, batch, stored) | {"submittedTo": outputs.submitted_to(client.location)}
        return outputs.refreshed(stored, batch, found)

    def update(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> dict[str, Any]:
        """Return the outputs with new options of the provider. Cancel the duplicates that the plan has found.

        Raises JobError if `file` is missing or if a duplicate cannot be cancelled.
        """
        name = name_of(declared, stored.inputs)
        if not declared.file:
            raise JobError(messages.update_without_file_message(name))
        try:
            if self._jobs.may_go_on(batch_id, stored):
                self._cancellation.end_duplicates(
                    batch_id, stored, self._jobs.duplicates(batch_id, stored, may_list=False)
                )
        except JobError:
            raise
        except DliError as error:
            raise JobError(messages.unread_delete_message(name, batch_id, error)) from error
        return outputs.updated(stored, declared)

    def delete(self, batch_id: str, stored: StoredJob) -> None:
        """Cancel a job if it still runs, and wait for its end. Do nothing if another resource holds the run.

        Raises JobError if the job has not ended in time or if nobody knows whether it has. It then stays in the state.
        """
        batch_id = normal_id(batch_id)
        name, adopted_from = name_of(stored.inputs), known(stored.inputs.adopt_id)
        try:
            self._context.runs.begin_delete(batch_id, stored_key(stored.inputs), adopted_from=adopted_from)
        except RunHeldError as error:
            if error.holder is None or error.is_claimed:
                raise JobError(messages.claimed_run_message(name, error, is_in_state=self._is_in_state)) from error
            if self._context.may_create_first and error.holder == stored_key(stored.inputs):
                # The engine has created the replacement first, and that has adopted the live run.
                message = submission_messages.not_run_again_message(batch_id)
                self._context.notify(Level.WARNING, name, message)
                return
            # After a rename with a fixed name or with adoptId, the new resource holds the run of the old one.
            message = messages.foreign_run_kept_message(batch_id, holder=error.holder[0])
            self._context.notify(Level.INFO, name, message)
            return
        try:
            if self._jobs.may_go_on(batch_id, stored):
                self._cancellation.end(batch_id, stored)
        except JobError:
            raise
        except DliError as error:
            advice = self._jobs.forget_advice(stored, error)
            raise JobError(
                messages.unread_delete_message(name, batch_id, error, is_in_state=self._is_in_state, advice=advice)
            ) from error
        self._record_run(batch_id, stored)

    def _record_run(self, batch_id: str, stored: StoredJob) -> None:
        """Record the run that is deleted, because the resource may be created anew."""
        key = self._context.runs.key_of(batch_id) or stored_key(stored.inputs)
        if key is None:
            return
        recent = self._context.recent(batch_id)
        seen = {**stored.properties, **(outputs.observed(recent, None) if recent is not None else {})}
        state = self._jobs.end_of(batch_id, stored) or seen.get("state")
        was_cancelled = self._context.runs.earlier_run_of(key) == batch_id
        run: dict[str, Any] = {"id": batch_id, "state": "cancelled" if was_cancelled else state}
        run |= {name: seen.get(name) for name in ("createTime", "updateTime", "duration")}
        self._context.history.ended(key, run, stored.properties.get(outputs.PREVIOUS_RUNS))
