"""Ends the live run of a job whose replacement the engine creates first, without a plan.

Pulumi's engine replaces a resource for `replacementTrigger` and `replaceWith` without asking the provider. Unless the
option `deleteBeforeReplace` is set, it creates the replacement first. Two runs would then run at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import JobError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs import messages, outputs, submission_messages
from pulumi_dli.jobs.inputs import JobInputs, WhenRunning
from pulumi_dli.jobs.naming import SubmissionName, resource_fingerprint_of
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.run_registry import declared_key
from pulumi_dli.operations.stored_jobs import name_of

_REASON = "its options ask for a replacement"


class ForcedReplacement:
    """Ends the live run of a job before its replacement is submitted. Threads may share it."""

    def __init__(self, context: ProviderContext, jobs: BatchJobs) -> None:
        self._context = context
        self._jobs = jobs

    def end_live_run(self, earlier: JobInputs, declared: JobInputs) -> None:
        """Cancel the live run of a job and wait for its end. Do nothing if no run of the job is live.

        The engine does not tell which run is in the state, so the run is found by its name: a submission's name has the
        fingerprint of the resource. Raises JobError if the run must not be cancelled or does not end, SubmissionError
        if a run with the job's fixed name is live, and the errors of a listing.

        Args:
            earlier: The declaration of the last `up`.
            declared: Today's declaration.
        """
        client = self._context.client(known(earlier.region), known(earlier.project_id))
        for batch in self._live_runs(client, earlier):
            name = name_of(declared)
            if declared.when_running is WhenRunning.REFUSE:
                raise JobError(messages.running_refusal_message(name, _REASON, batch.id, batch.state))
            message = messages.must_run_again_cancelling_message(_REASON, batch.id, batch.state)
            self._context.notify(Level.INFO, name, message)
            self._jobs.delete(batch.id, _as_stored(client, earlier, batch))

    def _live_runs(self, client: Client, earlier: JobInputs) -> Iterator[Batch]:
        """Yield the live runs of the job's resource. Raises SubmissionError if a run only has the job's fixed name."""
        resource = resource_fingerprint_of(earlier.scope, self._context.settings.scope)
        for batch in [*self._context.live_listing(client).jobs(0.0).values()]:
            if not self._context.runs.may_adopt(batch.id, declared_key(earlier)):
                continue
            name = SubmissionName.parse(batch.name)
            if (name is not None and name.resource_fingerprint == resource) or batch.id == earlier.adopt_id:
                yield batch
            elif earlier.name is not None and batch.name == earlier.name:
                # Another stack may run a job with this name, so it must not be cancelled.
                raise SubmissionError(submission_messages.fixed_name_replacement_message(name_of(earlier), batch))


def _as_stored(client: Client, earlier: JobInputs, batch: Batch) -> StoredJob:
    """Return the stored job as far as it can be known without the state."""
    observed: dict[str, Any] = {"createTime": batch.create_time, "submittedName": batch.name, "state": batch.state}
    return StoredJob.parse({**earlier.properties, **observed, "submittedTo": outputs.submitted_to(client.location)})
