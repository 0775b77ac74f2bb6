"""The messages to the user about jobs: reads, plans and deletes. Each function returns one message as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.errors import DliError, NoCredentialsError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.job_rules import FILE_MISSING
from pulumi_dli.jobs.outputs import duration

TARGET = "**dli:BatchJob::"
"""The pattern that chooses a job of a stack for a command, without the job's name. An adapter may write another one."""


def lasted(batch: Batch) -> str:
    """Return `, <duration> after its submission`, or an empty string if the service does not report the times."""
    milliseconds = duration(batch)
    return "" if milliseconds is None else f", {format_duration(milliseconds / 1000)} after its submission"


def expired_message(batch_id: str, end: str | None) -> str:
    """Return the note of a refresh that the service has deleted a job's record. `end` is its final state or None."""
    gone = f"the service has deleted the record of batch job {batch_id}"
    if end is not None:
        return f"{gone}. Its final state was {end}."
    # The engine refreshes a job and its wait at the same time, so a refresh may not know what the wait has seen.
    return f"{gone}. The job's own outputs do not have its end. A wait for the job has it, if that wait has passed."


def waits_unread_message(job_name: str, batch_id: str) -> str:
    """Return the warning that a job does not run again although its record is deleted and onRecordExpired is rerun."""
    return (
        f"the service has deleted the record of batch job {batch_id}. onRecordExpired is rerun, but the job does not "
        "run again, because the program could not read whether its wait has seen the end. Check what the job should "
        f"have written. To run the job again, run {replace_command(job_name)}."
    )


def moved_message(
    job_name: str, batch_id: str, there: Mapping[str, Any], here: Mapping[str, Any], *, runs_again: bool
) -> str:
    """Return the warning that the settings name another location than the one where a job ran.

    Args:
        job_name: The logical name of the job.
        batch_id: The id of its last run.
        there: The region and the project where it ran.
        here: The region and the project in the settings.
        runs_again: Whether the plan runs the job again.
    """
    what_next = (
        "The new run goes there."
        if runs_again
        else f"`pulumi up` does not run the job there by itself. To run it there, run {replace_command(job_name)}."
    )
    return f"batch job {batch_id} ran in {_place(there)}. The settings now name {_place(here)}. {what_next}"


def elsewhere_message(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return the reason why a job cannot be read: the settings name another location."""
    return f"The job was submitted in {_place(there)}. The settings now name {_place(here)}."


def forget_refusal_message(project_id: str) -> str:
    """Return the error if dli:forget names the project in use."""
    return (
        f"dli:forget names project {project_id}, but this stack now submits its jobs there. Use dli:forget only for a "
        "project that no longer exists. Run `pulumi config rm dli:forget`, or remove the argument forget of an "
        "explicit provider, or DLI_FORGET from the environment."
    )


def _place(location: Mapping[str, Any]) -> str:
    region, project_id = location.get("region"), location.get("projectId")
    parts = (region and f"region {region}", project_id and f"project {project_id}")
    return ", ".join(part for part in parts if part)


def forget_advice_message(project_id: str) -> str:
    """Return the advice for a stack with jobs in a project that does not exist any more."""
    return (
        f"Use the earlier settings. If project {project_id} no longer exists, run the command again with "
        f"DLI_FORGET={project_id} in the environment. For `pulumi up`, `pulumi config set dli:forget {project_id}` "
        "does the same, or the argument forget of an explicit provider. The provider then calls nothing for the jobs "
        "of that project, and a job that still runs there goes on."
    )


def forget_message(project_id: str) -> str:
    """Return the warning that dli:forget is in effect."""
    return (
        f"dli:forget names project {project_id}. The provider calls nothing for the jobs that ran there, and a job "
        "that still runs there goes on."
    )


def replace_command(job_name: str) -> str:
    """Return the command that replaces a job."""
    return f"`pulumi up --replace '{TARGET}{job_name}'`"


def unknown_young_run_message(batch_id: str, window: float) -> str:
    """Return the note that the service does not know a run yet, and that the provider searches for `window` seconds."""
    return (
        f"the service does not know batch job {batch_id}, which is less than ten minutes old. The provider asks again "
        f"for up to {format_duration(window)}."
    )


# Plans


def duplicates_message(batch_id: str, duplicates: Sequence[Batch]) -> str:
    """Return the warning that other runs of the same submission are live."""
    listed = ", ".join(f"{batch.id} ({batch.state})" for batch in duplicates)
    return (
        f"the service has accepted the job more than once. Beside batch job {batch_id} these runs of the same "
        f"submission are live: {listed}. `pulumi up --refresh` cancels them."
    )


def must_run_again_message(reason: str, deaths: int = 0) -> str:
    """Return the note of a plan that a job must run again.

    Args:
        reason: A part of a sentence.
        deaths: How many runs in a row were dead.
    """
    in_a_row = f" The last {deaths} runs are dead." if deaths > 1 else ""
    return f"must run again, because {reason}.{in_a_row}"


def must_run_again_cancelling_message(reason: str, batch_id: str, state: str | None) -> str:
    """Return the note of a plan that a job must run again, and that the plan cancels its old run in this state."""
    return f"must run again, because {reason}. This cancels run {batch_id}, which is {state}."


def absent_file_message(batch_id: str) -> str:
    """Return the warning of a plan that `file` is absent, so that the job stays as it is."""
    return (
        "file is missing, because the resource that it comes from has failed or has no value. Batch job "
        f"{batch_id} stays as it is."
    )


def shared_run_message(batch_id: str, holder: str) -> str:
    """Return the warning that another resource has adopted the run of a job."""
    return (
        f"{holder} has adopted batch job {batch_id}. It is now the run of both jobs, and a change of either one "
        "cancels it."
    )


def unread_run_message(batch_id: str, error: DliError) -> str:
    """Return the warning of a plan that the state of the old run could not be read."""
    return f"the provider could not read whether batch job {batch_id} still runs: {error}"


def unread_run_refusal_message(job_name: str, reason: str, batch_id: str, error: DliError) -> str:
    """Return the error of a plan if whenRunning is refuse and the state of the old run could not be read."""
    return (
        f"{job_name}: the job must run again, because {reason}. But whenRunning is refuse, and the provider could not "
        f"read whether batch job {batch_id} still runs: {error}"
    )


def running_refusal_message(job_name: str, reason: str, batch_id: str, state: str | None) -> str:
    """Return the error of a plan if whenRunning is refuse and the old run still runs."""
    return (
        f"{job_name}: the job must run again, because {reason}. But whenRunning is refuse, and batch job {batch_id} is "
        f"{state}. Wait for its end, or cancel it yourself."
    )


def unread_ends_message(error: DliError) -> str:
    """Return the warning of a plan that it could not read the ends of jobs, so that they count as unchanged."""
    reason = "no credentials found" if isinstance(error, NoCredentialsError) else str(error)
    return f"the provider could not read jobs whose end it does not know. They count as unchanged: {reason}"


def too_large_message(*, needed: int, queue: str, available: int) -> str:
    """Return the warning of a plan that a job needs more CUs than its queue has."""
    return (
        f"may not fit: {needed} CUs, queue {queue} has {available}. Use fewer or smaller executors, or a larger queue."
    )


def needed_credentials_message() -> str:
    """Return the note of a plan that submits jobs but has no credentials."""
    return "no credentials found; `up` will need them to submit jobs"


# Reads, updates and deletes


def no_such_job_message(job_name: str, batch_id: str, project_id: str) -> str:
    """Return the error of `BatchJob.get` if the service has no such job."""
    return (
        f"{job_name}: there is no batch job {batch_id!r} in project {project_id}. Check the id, the region and the "
        "project. The service keeps the record of a finished job only for some hours."
    )


def update_without_file_message(job_name: str) -> str:
    """Return the error of an update if `file` is missing."""
    return f"{job_name}: {FILE_MISSING}. The provider leaves its run as it is."


def foreign_run_kept_message(batch_id: str, holder: str) -> str:
    """Return the note that a delete does not cancel a run, because another resource holds it."""
    return f"the provider does not cancel batch job {batch_id}, because it now belongs to another resource, {holder}."


_STAYS = " The job stays in the state."


def claimed_run_message(job_name: str, reason: Exception, *, is_in_state: bool = True) -> str:
    """Return the error of a delete if another resource is adopting or deleting the run right now.

    `is_in_state` is false for a cancel outside `pulumi`, which does not change the state.
    """
    return f"{job_name}: {reason} right now.{_STAYS if is_in_state else ''} Run the command again."


def run_cancelled_message(batch_id: str) -> str:
    """Return the note of a delete that has cancelled a run. The engine's plan of a `destroy` does not tell it."""
    return f"batch job {batch_id} had not ended, and was cancelled."


def unread_delete_message(
    job_name: str, batch_id: str, error: DliError, *, is_in_state: bool = True, advice: str = ""
) -> str:
    """Return the error of a delete if nobody knows whether the run has ended. `is_in_state` as in the error above."""
    stays = _STAYS if is_in_state else ""
    return f"{job_name}: batch job {batch_id} may still run: {error}{stays} {advice or 'Run the command again.'}"


def refused_cancel_message(job_name: str, batch_id: str, error: DliError) -> str:
    """Return the error of a delete if the service refuses to cancel the run."""
    return f"{job_name}: the provider could not cancel batch job {batch_id}, and the job goes on. {error}"


def unknown_state_cancel_message(
    job_name: str, batch_id: str, state: str | None, error: DliError, *, is_in_state: bool = True
) -> str:
    """Return the error of a delete if the service refuses to cancel a run whose state this version does not know."""
    word = "has no state" if state is None else f"has the state {state!r}, which the provider does not know"
    advice = f"{_STAYS} If it has ended, remove it with `pulumi state delete`." if is_in_state else ""
    return (
        f"{job_name}: the provider could not cancel batch job {batch_id}. The job {word}, so it may have ended. "
        f"{error}{advice}"
    )


def unchecked_duplicates_message(error: DliError) -> str:
    """Return the warning that the provider could not check whether a submission has created a second run."""
    return (
        "the provider could not check whether the service has accepted a job twice, because it could not list the live "
        f"jobs: {error}"
    )


def slow_cancel_message(
    job_name: str, batch_id: str, state: str | None, seconds: float, *, is_in_state: bool = True
) -> str:
    """Return the error of a delete if a cancelled run has not ended after `cancelTimeout` seconds."""
    return (
        f"{job_name}: the provider has cancelled batch job {batch_id}, but it is still {state} after "
        f"{format_duration(seconds)}.{_STAYS if is_in_state else ''} Run the command again."
    )
