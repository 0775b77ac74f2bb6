"""Ends the live run of a job whose replacement the engine creates first, without a plan.

Pulumi's engine replaces a resource for `replacementTrigger` and `replaceWith` without asking the provider. Unless the
option `deleteBeforeReplace` is set, it creates the replacement first. Two runs would then run at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
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


@dataclass(frozen=True)
class RunMarks:
    """What distinguishes the run in the state from other runs, if its id is not known."""

    fingerprint: str | None = None
    """The fingerprint of the resource in the name of the run. None if it was not stored."""
    adopted: str | None = None
    """The id of the run if the resource has adopted or imported it."""


class ForcedReplacement:
    """Ends the live run of a job before its replacement is submitted. Threads may share it."""

    def __init__(self, context: ProviderContext, jobs: BatchJobs) -> None:
        self._context = context
        self._jobs = jobs

    def end_live_run(self, earlier: JobInputs, declared: JobInputs, marks: RunMarks | None = None) -> None:
        """Cancel the live run of a job and wait for its end. Do nothing if no run of the job is live.

        The engine does not tell which run is in the state, so the run is found by its marks. Raises JobError if the run
        must not be cancelled or does not end, SubmissionError if a live run may be the job's, and the errors of a
        listing.

        Args:
            earlier: The declaration of the last `up`.
            declared: Today's declaration. After a rename with an alias it has another fingerprint than the run.
            marks: The marks of the run in the state, as far as they are stored.
        """
        client = self._context.client(known(earlier.region), known(earlier.project_id))
        # Raise about a doubtful run before another run is cancelled.
        for batch in [*self._live_runs(client, earlier, declared, marks or RunMarks())]:
            name = name_of(declared)
            if declared.when_running is WhenRunning.REFUSE:
                raise JobError(messages.running_refusal_message(name, _REASON, batch.id, batch.state))
            message = messages.must_run_again_cancelling_message(_REASON, batch.id, batch.state)
            self._context.notify(Level.INFO, name, message)
            self._jobs.delete(batch.id, _as_stored(client, earlier, batch))

    def _live_runs(self, client: Client, earlier: JobInputs, declared: JobInputs, marks: RunMarks) -> Iterator[Batch]:
        """Yield the live runs of the job's resource. Raises SubmissionError if a run is only perhaps the job's."""
        own = {resource_fingerprint_of(one.scope, self._context.settings.scope) for one in (earlier, declared)}
        is_renamed = marks.fingerprint is not None and marks.fingerprint not in own
        # A new job may have the old name, and another job that is renamed too may have had the new one.
        doubtful: Set[str | None] = own | {marks.fingerprint} if is_renamed else set()
        for batch in [*self._context.live_listing(client).jobs(0.0).values()]:
            if not self._context.runs.may_adopt(batch.id, declared_key(declared)):
                continue
            if batch.id == marks.adopted or _fingerprint_of(batch) in own - doubtful:
                yield batch
            elif (message := _doubt(batch, earlier, doubtful)) is not None:
                raise SubmissionError(message(name_of(declared), batch))


def _fingerprint_of(batch: Batch) -> str | None:
    name = SubmissionName.parse(batch.name)
    return name.resource_fingerprint if name is not None else None


def _doubt(batch: Batch, earlier: JobInputs, doubtful: Set[str | None]) -> Callable[[str, Batch], str] | None:
    """Return the error about a run that is perhaps the job's, or None if it is another's. It must not be cancelled."""
    if _fingerprint_of(batch) in doubtful:
        return submission_messages.renamed_replacement_message
    if earlier.name is not None and batch.name == earlier.name:
        return submission_messages.fixed_name_replacement_message  # another stack may run a job with this name
    if batch.id == earlier.adopt_id:
        return submission_messages.adopt_id_replacement_message  # the program may name it only since the last run
    return None


def _as_stored(client: Client, earlier: JobInputs, batch: Batch) -> StoredJob:
    """Return the stored job as far as it can be known without the state."""
    observed: dict[str, Any] = {"createTime": batch.create_time, "submittedName": batch.name, "state": batch.state}
    return StoredJob.parse({**earlier.properties, **observed, "submittedTo": outputs.submitted_to(client.location)})
