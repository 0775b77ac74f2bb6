"""The messages to the user about jobs. Each function returns one message as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.outputs import duration


def lasted(batch: Batch) -> str:
    """Return ` after <duration>`, or an empty string if the service does not report the duration."""
    milliseconds = duration(batch)
    return "" if milliseconds is None else f" after {format_duration(milliseconds / 1000)}"


def dead_message(
    job_name: str, batch: Batch, log: Sequence[str], *, reruns: bool, others: Mapping[str, str] | None = None
) -> str:
    """Return the error for a dead job.

    Args:
        job_name: The logical name of the job.
        batch: The job.
        log: The last lines of its log.
        reruns: Whether the next `up` runs the job again.
        others: The states of the other jobs that still run, by their logical names.
    """
    lines = [line.rstrip() for line in log if line.strip()]
    at_work = ", ".join(f"{name} ({state})" for name, state in sorted((others or {}).items()))
    last_words = "\n".join(["Last lines of its log:", *(f"  | {line}" for line in lines)])
    what_next = (
        "Mend the cause, then run `pulumi up`: it runs the job again."
        if reruns
        else "`pulumi up` does not run it again by itself: rerunOnFailure is false, or the job is not of this stack. "
        f"For a job of this stack: change its declaration, or {_replace(job_name)}."
    )
    return "\n".join(
        [
            f"{job_name}: batch job {batch.id} is dead{lasted(batch)}: it failed, was cancelled, or got no resources.",
            last_words if lines else "The service has no log lines of it.",
            what_next,
            *([f"Still at work: {at_work}. The next `pulumi up` goes on waiting for them."] if at_work else []),
        ]
    )


def unknown_message(job_name: str, batch_id: str) -> str:
    """Return the error for a wait whose job has no record and no known end."""
    return (
        f"{job_name}: the service has deleted the record of batch job {batch_id}, and the job's state does not say how "
        "the job ended: its outcome is unknown. Check what the job should have written. If it must run again: "
        f"{_replace(job_name)}, or set onRecordExpired to rerun."
    )


def expired_message(batch_id: str, end: str | None) -> str:
    """Return the note of a refresh that the service has deleted a job's record. `end` is its final state or None."""
    gone = f"the service has deleted the record of batch job {batch_id}"
    if end is not None:
        return f"{gone}. Its end was seen: {end}"
    # The engine refreshes a job and its wait at the same time, so a refresh may not know what the wait has seen.
    return f"{gone}. The job's own outputs do not say how it ended. If a wait of the job is in the state, it says that"


def waits_unread_message(job_name: str, batch_id: str) -> str:
    """Return the warning that a job does not run again although its record is deleted and onRecordExpired is rerun."""
    return (
        f"the service has deleted the record of batch job {batch_id}. onRecordExpired is rerun, but the job does not "
        "run again, because the program could not read whether its wait has seen the end. Check what the job should "
        f"have written. If it must run again: {_replace(job_name)}"
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
        "The new run goes there"
        if runs_again
        else f"`pulumi up` does not run the job there by itself. To run it there: {_replace(job_name)}"
    )
    return f"batch job {batch_id} ran in {_place(there)}. The settings now name {_place(here)}. {what_next}"


def elsewhere_message(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return the reason why a job cannot be read: the settings name another location."""
    return f"The job was submitted in {_place(there)}. The settings now name {_place(here)}."


def forget_refusal_message(project_id: str) -> str:
    """Return the error if dli:forget names the project in use."""
    return (
        f"dli:forget names project {project_id}, where the jobs of this stack are submitted now. It is only for a "
        "project that is gone. Remove it: `pulumi config rm dli:forget`, or DLI_FORGET (environment)"
    )


def forgotten_wait_message(job_name: str, batch_id: str) -> str:
    """Return the error for a wait whose job ran in a project that dli:forget names."""
    return (
        f"{job_name}: dli:forget names the project of batch job {batch_id}, so the provider does not read how the job "
        f"ends. To run the job anew: {_replace(job_name)}."
    )


def _place(location: Mapping[str, Any]) -> str:
    region, project_id = location.get("region"), location.get("projectId")
    parts = (region and f"region {region}", project_id and f"project {project_id}")
    return ", ".join(part for part in parts if part)


def forget_advice_message(project_id: str) -> str:
    """Return the advice for a stack with jobs in a project that does not exist any more."""
    return (
        f"If project {project_id} is gone for good, run the command again with DLI_FORGET={project_id} in the "
        f"environment. `pulumi up` also reads the setting: `pulumi config set dli:forget {project_id}`. The provider "
        "then calls nothing for the jobs of that project, and a job that still runs there goes on."
    )


def forget_message(project_id: str) -> str:
    """Return the warning that dli:forget is in effect."""
    return (
        f"dli:forget names project {project_id}. The provider calls nothing for the jobs that ran there, and a job "
        "that still runs there goes on"
    )


def _replace(job_name: str) -> str:
    return f"`pulumi up --replace '**dli:BatchJob::{job_name}'`"


def timeout_message(job_name: str, batch: Batch, timeout: float) -> str:
    """Return the error for a wait that timed out after `timeout` seconds."""
    return (
        f"{job_name}: batch job {batch.id} is still {batch.state} after a wait of {format_duration(timeout)}. "
        "It goes on; the next `pulumi up` goes on waiting. A longer timeout, or none, waits longer."
    )


def listing_repeated_message(error: DliError) -> str:
    """Return the warning that the program could not list the live jobs and lists them again."""
    return f"the program could not list the jobs, and tries again until it works: {error}"


def listing_abandoned_message(error: DliError) -> str:
    """Return the warning that the program no longer lists the live jobs, so that each wait reads its own job."""
    return f"the program cannot list the jobs, so each wait reads its own job: {error}"
