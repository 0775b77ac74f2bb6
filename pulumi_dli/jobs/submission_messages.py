"""The messages to the user about the submission of a job and about orphaned runs. Each function returns one message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from pulumi_dli.api.errors import DliError, ServiceError
from pulumi_dli.api.models import Batch

_CAUSES = "An interrupted `up`, a rename or the option retainOnDelete"
_SET_DELETE_FIRST = (
    "If you want to replace the job, set its option deleteBeforeReplace to true: the provider then cancels the old run "
    "first."
)


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
    return f"the service has accepted the job: {described(batch)}."


def lookup_message(error: DliError, submitted_name: str) -> str:
    """Return the warning that a submission got no usable answer and that the provider searches for the job."""
    return f"{_sentence(error)} The provider searches for the job by its name, {submitted_name}."


def outcome_unknown_message(job_name: str, submitted_name: str, what: str, *, next_up_adopts: bool) -> str:
    """Return the error for a submission of which nobody knows whether a job runs.

    Args:
        job_name: The logical name of the job.
        submitted_name: The name of the submission.
        what: What happened, in sentences.
        next_up_adopts: Whether the next `up` adopts the job if it runs.
    """
    what_next = (
        "The next `pulumi up` adopts the job if it still runs."
        if next_up_adopts
        else "Search for it in the console before the next `pulumi up`. To adopt it, set adoptId to its id."
    )
    return f"{job_name}: a job may run, submitted as {submitted_name}. {what} {what_next}"


def never_listed_message(attempts: int) -> str:
    """Return what happened if the service gave no usable answer to any attempt and does not list the job."""
    return f"The service gave no usable answer to {_requests(attempts)}, and it does not list the job."


def lagging_list_message(attempts: int) -> str:
    """Return what happened if no job is listed, but the list may lag behind, so that the request is not repeated."""
    return (
        f"The service gave no usable answer to {_requests(attempts)}, and it does not list the job yet. The provider "
        "does not send the request again, because the list may not be up to date."
    )


def _requests(count: int) -> str:
    return "the request" if count == 1 else f"{count} requests"


def changed_name_message(answered: str, submitted: str) -> str:
    """Return the note that the service has stored the job under another name than the submitted one."""
    return f"the service names the job {answered}. It was submitted as {submitted}."


def foreign_answer_message(answered: Batch) -> str:
    """Return what happened if the service answered with another job, and does not list the submitted one."""
    return f"The service answered with another job: {described(answered)}. It does not list the submitted job."


def failed_repetition_message(error: DliError) -> str:
    """Return what happened if a repeated request failed and no job is listed."""
    return f"The request got no usable answer. The provider sent it again, and that failed: {_sentence(error)}"


def failed_lookup_message(error: DliError) -> str:
    """Return what happened if the search for a submission failed."""
    return f"The request got no usable answer, and the provider cannot list the jobs: {_sentence(error)}"


def foreign_run_message(error: Exception) -> str:
    """Return what happened if the service answered with a run that another resource holds."""
    return f"The service answered with a run of another job: {error}."


def unchecked_duplicates_message(run: str, error: DliError) -> str:
    """Return the warning that an earlier request may have been accepted as well."""
    return (
        f"the service accepted a repeated request as batch job {run}. The provider could not check whether the service "
        f"has accepted an earlier request too: {error}"
    )


def possible_duplicates_message(run: str, others: Iterable[Batch]) -> str:
    """Return the warning about new jobs with the same fixed name, which earlier requests may have created."""
    return (
        f"the service accepted a repeated request as batch job {run}. Earlier requests may have created other new jobs "
        f"with the same name: {_ids(others)}. Cancel them if nobody else submitted them."
    )


def ambiguous_name_message(job_name: str, submitted_name: str, found: Iterable[Batch]) -> str:
    """Return the error if several new jobs have the fixed name of a submission without an answer."""
    return (
        f"{job_name}: the submission as {submitted_name} got no usable answer, and several new jobs have that name: "
        f"{_ids(found)}. Cancel all of them but one. Then set adoptId to the id of that one."
    )


def ran_twice_message(kept: str, other: Batch) -> str:
    """Return the warning that the service accepted two requests and that both jobs have run."""
    return f"{_accepted_twice(kept)} The job has run twice: batch job {other.id} has already ended as {other.state}."


def duplicate_cancelled_message(kept: str, other: str) -> str:
    """Return the warning that the service accepted two requests and that the provider cancelled one job."""
    return f"{_accepted_twice(kept)} It cancelled batch job {other}."


def duplicate_runs_message(kept: str, other: str, error: DliError) -> str:
    """Return the warning that the service accepted two requests and that the second job could not be cancelled."""
    return f"{_accepted_twice(kept)} It could not cancel batch job {other}: {error}"


def not_submitted_message(job_name: str, error: DliError, sent: Mapping[str, str]) -> str:
    """Return the error if a job was not submitted and nothing runs.

    Args:
        job_name: The logical name of the job.
        error: Why it was not submitted.
        sent: The sent values that the service may have refused, by their names.
    """
    values = ", ".join(f"{name} {value}" for name, value in sent.items())
    request = f" The request had {values}." if values else ""
    return f"{job_name}: the job was not submitted, and nothing runs. {_capitalized(_sentence(error))}{request}"


def cancelled_run_message(run: str) -> str:
    """Return the sentence about the old run that was cancelled for a failed submission."""
    return f"Before this, the provider cancelled the earlier run, {run}."


def unread_submission_message(run: str, error: DliError) -> str:
    """Return the warning that a job is submitted, but that the provider could not read its outputs."""
    return f"batch job {run} is submitted, but the provider could not read it yet: {error}"


def adoption_planned_message(run: str) -> str:
    """Return the note in a plan that the job adopts the run that adoptId names."""
    return f"adopts batch job {run}, which adoptId names, if the service has it, in place of a new run."


def adopted_message(batch: Batch) -> str:
    """Return the note that the job has adopted the run that adoptId names."""
    return f"adopted {described(batch)}, which adoptId names."


def used_adopt_id_message() -> str:
    """Return the warning that the job has used its adoptId before, so that a new run is submitted."""
    return "the job has already used its adoptId, so the provider submits a new run. Remove adoptId."


def dead_adopt_id_message(run: str) -> str:
    """Return the warning that adoptId names a dead run, so that a new run is submitted."""
    return f"adoptId names batch job {run}, which is dead, so the provider submits a new run."


def held_adopt_id_message(job_name: str, run: str, holder: str) -> str:
    """Return the error if adoptId names the run of another resource of the program."""
    return (
        f"{job_name}: adoptId names batch job {run}, the run of {holder}, which the program still declares. Nothing "
        f"was adopted, and nothing was submitted. Remove {holder} or this adoptId."
    )


def unknown_adopt_id_message(job_name: str, run: str) -> str:
    """Return the error if adoptId names a job that the service does not have."""
    return (
        f"{job_name}: adoptId names batch job {run}, but the service has no such job. Nothing was submitted. Correct "
        "adoptId, or remove it."
    )


def different_adopt_id_message(job_name: str, run: str, field: str) -> str:
    """Return the error if adoptId names a job with another file or main class."""
    return (
        f"{job_name}: adoptId names batch job {run}, but that job has another {field}. Nothing was adopted, and "
        f"nothing was submitted. Declare the {field} of that job, or remove adoptId."
    )


def adopted_orphan_message(batch: Batch) -> str:
    """Return the warning that a job adopted its orphaned run."""
    return f"adopted {described(batch)}. {_CAUSES} left this run."


def ended_orphan_message(batch: Batch) -> str:
    """Return the warning that an orphaned run has ended, so that the job runs again."""
    return f"{described(batch)} has ended. {_CAUSES} left this run. The job runs again."


def incomparable_orphan_message(job_name: str, batch: Batch, properties: Iterable[str]) -> str:
    """Return the error if an orphaned run may have other secret values than the job, and nobody can tell."""
    return (
        f"{job_name}: nothing was submitted, because {described(batch)} may be the same run. {_CAUSES} left it. The "
        f"provider cannot compare the secret values of {' and '.join(properties)}: the service does not show them. To "
        f"keep this run, set adoptId to {batch.id}. To run the job with its values of now, cancel this run with "
        f"`pulumi-dli cancel {batch.id}`. Then run `pulumi up` again."
    )


def outdated_orphan_message(batch: Batch) -> str:
    """Return the warning about an orphaned run of an earlier declaration of the job."""
    return (
        f"an earlier run with another declaration still runs: {described(batch)}. {_CAUSES} left this run. Cancel it "
        "in the console if it must not run beside the new one."
    )


def unplanned_replacement_message(job_name: str, batch: Batch) -> str:
    """Return the error if an earlier run of a job still runs, and the engine has not said that it replaces the job."""
    return (
        f"{job_name}: nothing was submitted, because an earlier run with another declaration still runs: "
        f"{described(batch)}. The new run would run beside it. {_SET_DELETE_FIRST} Otherwise, wait for its end or "
        "cancel it in the console. Then run `pulumi up` again."
    )


def not_run_again_message(batch_id: str) -> str:
    """Return the warning that a job was to be replaced, but has kept its live run."""
    return (
        f"the job has not run again. Batch job {batch_id} still runs and stays the run of the job. {_SET_DELETE_FIRST} "
        "To run it again when this run has ended, run the command then."
    )


def twice_in_state_message(batch_id: str) -> str:
    """Return the warning that a replacement has adopted the live run, and did not come to its end."""
    return (
        f"the state had batch job {batch_id} twice, because an `up` that replaced the job was stopped before its end. "
        f"The provider leaves the run to the job, which has not run again. {_SET_DELETE_FIRST}"
    )


def fixed_name_replacement_message(job_name: str, batch: Batch) -> str:
    """Return the error if a live run has the fixed name of a job that is replaced, so that it may be its old run."""
    return (
        f"{job_name}: nothing was submitted. {described(batch)} has the fixed name of this job, and may be its old "
        f"run. The new run would run beside it. {_SET_DELETE_FIRST} Or leave name out."
    )


def renamed_replacement_message(job_name: str, batch: Batch) -> str:
    """Return the error if a live run has the name of a job before or after a rename, so that it may be its old run."""
    return (
        f"{job_name}: nothing was submitted. This job had another name or another dli:scope before, and "
        f"{described(batch)} has the old or the new name. It may be a run of this job, and the new run would run "
        f"beside it. {_SET_DELETE_FIRST}"
    )


def adopt_id_replacement_message(job_name: str, batch: Batch) -> str:
    """Return the error if the adoptId of a job that is replaced names a live run, which may be its old run."""
    return (
        f"{job_name}: nothing was submitted. adoptId names {described(batch)}, which may be the old run of this job. "
        f"The new run would run beside it. {_SET_DELETE_FIRST} If it is not the old run, remove adoptId."
    )


def live_run_message(job_name: str, batch: Batch) -> str:
    """Return the error if a run of a job is live that is not planned to be replaced, and dli:adopt is false."""
    return (
        f"{job_name}: nothing was submitted, because a run of this job is live: {described(batch)}. The new run would "
        f"run beside it. {_SET_DELETE_FIRST} If an interrupted `up` left the run, set adoptId to {batch.id} to keep "
        "it, or cancel it. dli:adopt is false, so the provider does not adopt it by itself."
    )


def several_orphans_message(job_name: str, runs: Sequence[Batch]) -> str:
    """Return the error if a job has several orphaned runs."""
    listed = "; ".join(described(batch) for batch in runs)
    return (
        f"{job_name}: nothing was submitted. {len(runs)} runs of this job go on, but no state knows them: {listed}. "
        f"{_CAUSES} left them. Cancel all of them but one. Then run `pulumi up` again. It adopts that one."
    )


def claimed_orphan_message(job_name: str, run: str, holder: str) -> str:
    """Return the error if another resource is adopting the orphaned run of a job right now."""
    return (
        f"{job_name}: nothing was submitted. Batch job {run} is a run of this job that no state knows, and the adoptId "
        f"of {holder} names it. Remove that adoptId, and run `pulumi up` again."
    )


def forbidden_listing_message(job_name: str, error: ServiceError) -> str:
    """Return the error if the account has no permission to list jobs."""
    return (
        f"{job_name}: nothing was submitted. {error} Before a submission, the provider lists the live jobs, so that no "
        "job runs twice after an interrupted `up`. This needs the IAM action dli:jobs:list. Ask for this permission, "
        f"or set {error.name_of('dli:adopt')} to false."
    )


def _accepted_twice(kept: str) -> str:
    return f"the service has accepted the job more than once. The provider keeps batch job {kept}."


def _sentence(error: DliError) -> str:
    return f"{str(error).rstrip('.')}."


def _ids(batches: Iterable[Batch]) -> str:
    return ", ".join(batch.id for batch in batches)


def _capitalized(sentence: str) -> str:
    """Return a sentence with a capital letter, unless it begins with a name such as `dli:region`."""
    return sentence[:1].upper() + sentence[1:] if sentence.partition(" ")[0].isalpha() else sentence
