"""The messages to the user about the submission of a job and about orphaned runs. Each function returns one message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch

_CAUSES = "an interrupted `up`, a rename or retain_on_delete"


def described(batch: Batch) -> str:
    """Return the description of a job by which a user can find it: id, name, state, owner and time."""
    created = ""
    if batch.create_time:
        with contextlib.suppress(ValueError, OverflowError, OSError):  # the time is outside the range of datetime
            time = datetime.fromtimestamp(batch.create_time / 1000, UTC)
            created = time.strftime(", submitted %Y-%m-%d %H:%M:%S UTC")
    owner = f", owner {batch.owner}" if batch.owner else ""
    return f"batch job {batch.id} ({batch.name}, {batch.state}{owner}{created})"


def accepted_message(batch: Batch) -> str:
    """Return the note that a submission without an answer was found."""
    return f"was accepted: {described(batch)}"


def lookup_message(error: DliError, submitted_name: str) -> str:
    """Return the warning that a submission got no usable answer and that the provider searches for the job."""
    return f"{_sentence(error)} Looking for the job by its name, {submitted_name}"


def outcome_unknown_message(job_name: str, submitted_name: str, what: str, *, next_up_adopts: bool) -> str:
    """Return the error for a submission of which nobody knows whether a job runs.

    Args:
        job_name: The logical name of the job.
        submitted_name: The name of the submission.
        what: What happened, in sentences.
        next_up_adopts: Whether the next `up` adopts the job if it runs.
    """
    what_next = (
        "The next `pulumi up` takes the job over while it runs."
        if next_up_adopts
        else "Look for it in the console before the next `pulumi up`; adoptId takes it over."
    )
    return f"{job_name}: a job may run, submitted as {submitted_name}. {what} {what_next}"


def never_listed_message(attempts: int) -> str:
    """Return what happened if the service gave no usable answer to any attempt and does not list the job."""
    return f"The service gave no usable answer {attempts} times, and lists no such job."


def failed_repetition_message(error: DliError) -> str:
    """Return what happened if a repeated request failed and no job is listed."""
    return f"There was no usable answer; it was sent again, and then: {_sentence(error)}"


def failed_lookup_message(error: DliError) -> str:
    """Return what happened if the search for a submission failed."""
    return f"There was no usable answer, and the jobs cannot be listed: {_sentence(error)}"


def foreign_run_message(error: Exception) -> str:
    """Return what happened if the service answered with a run that another resource holds."""
    return f"The service answered with another job's run: {error}."


def unchecked_duplicates_message(run: str, error: DliError) -> str:
    """Return the warning that an earlier request may have been accepted as well."""
    return f"submitted as {run} in the end. Whether an earlier request was accepted too could not be asked: {error}"


def possible_duplicates_message(run: str, others: Iterable[Batch]) -> str:
    """Return the warning about new jobs with the same fixed name, which earlier requests may have created."""
    return (
        f"submitted as {run}; new jobs of the same name are there too, and may be the same request: {_ids(others)}. "
        "Cancel them if nobody else submitted them"
    )


def ambiguous_name_message(job_name: str, submitted_name: str, found: Iterable[Batch]) -> str:
    """Return the error if several new jobs have the fixed name of a submission without an answer."""
    return (
        f"{job_name}: submitted as {submitted_name} without a usable answer, and several new jobs have that name: "
        f"{_ids(found)}. Cancel all but one, and give that one as adoptId."
    )


def ran_twice_message(kept: str, other: Batch) -> str:
    """Return the warning that the service accepted two requests and that both jobs have run."""
    return f"{_accepted_twice(kept)}, but {other.id} is {other.state} already: the job has run twice"


def duplicate_cancelled_message(kept: str, other: str) -> str:
    """Return the warning that the service accepted two requests and that the provider cancelled one job."""
    return f"{_accepted_twice(kept)}, cancelled {other}"


def duplicate_runs_message(kept: str, other: str, error: DliError) -> str:
    """Return the warning that the service accepted two requests and that the second job could not be cancelled."""
    return f"{_accepted_twice(kept)}, and {other} could not be cancelled: {error}"


def adopted_orphan_message(batch: Batch) -> str:
    """Return the warning that a job adopted its orphaned run."""
    return f"adopted {described(batch)}, which {_CAUSES} had left"


def ended_orphan_message(batch: Batch) -> str:
    """Return the warning that an orphaned run has ended, so that the job runs again."""
    return f"{described(batch)}, which {_CAUSES} had left, has ended. The job runs again"


def outdated_orphan_message(batch: Batch) -> str:
    """Return the warning about an orphaned run of an earlier declaration of the job."""
    return (
        f"an earlier run with another declaration still goes on: {described(batch)}, which {_CAUSES} had left. Cancel "
        "it in the console if it must not run beside the new one"
    )


def several_orphans_message(job_name: str, runs: Sequence[Batch]) -> str:
    """Return the error if a job has several orphaned runs."""
    listed = "; ".join(described(batch) for batch in runs)
    return (
        f"{job_name}: nothing was submitted. {len(runs)} runs of this job go on that no state knows: {listed}. Cancel "
        "all but one of them, and run `pulumi up` again: it adopts the last one."
    )


def claimed_orphan_message(job_name: str, run: str, holder: str) -> str:
    """Return the error if another resource is adopting the orphaned run of a job right now."""
    return (
        f"{job_name}: nothing was submitted. Batch job {run} is a run of this job that no state knows, and {holder} "
        "names it as its adoptId. Remove that adoptId, and run `pulumi up` again."
    )


def forbidden_listing_message(job_name: str, error: DliError) -> str:
    """Return the error if the account has no permission to list jobs."""
    return (
        f"{job_name}: nothing was submitted. {error} Before a job is submitted, the jobs that run are listed (IAM "
        "action dli:jobs:list), so that none runs twice after an interrupted `up`. Without that permission set "
        "dli:adopt to false."
    )


def _accepted_twice(kept: str) -> str:
    return f"was accepted more than once; kept {kept}"


def _sentence(error: DliError) -> str:
    return f"{str(error).rstrip('.')}."


def _ids(batches: Iterable[Batch]) -> str:
    return ", ".join(batch.id for batch in batches)
