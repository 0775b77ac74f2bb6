"""The messages to the user about waits for jobs. Each function returns one message as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.messages import lasted, replace_command
from pulumi_dli.spark_logs.failure_reason import FailureReason


def finished_and_rerun_message() -> str:
    """Return the warning that a wait for `finished` passes for a dead job which then runs again."""
    return (
        "until='finished' also passes for a dead job, but rerunOnFailure then runs the job again at the next "
        "`pulumi up`. Set rerunOnFailure to false."
    )


def missing_job_id_message(job_name: str) -> str:
    """Return the error for a wait without the id of a job."""
    return f"{job_name}: jobId is missing. Set it to the id of a batch job."


def repeated_poll_message(batch_id: str, error: DliError) -> str:
    """Return the warning that the provider could not read an awaited job and reads it again."""
    return f"the provider could not read batch job {batch_id}, and tries again: {error}"


def unreadable_job_message(job_name: str, batch_id: str, project_id: str, error: DliError) -> str:
    """Return the error for a wait that cannot read its job."""
    return (
        f"{job_name}: the provider cannot read batch job {batch_id} in project {project_id}: {error} If the job runs, "
        "it goes on, and the next `pulumi up` waits for it again."
    )


def listing_repeated_message(error: DliError) -> str:
    """Return the warning that the live jobs could not be listed, and are listed again."""
    return f"the jobs could not be listed, and it is tried again until it works: {error}"


def listing_abandoned_message(error: DliError) -> str:
    """Return the warning that the program no longer lists the live jobs, so that each wait reads its own job."""
    return f"the program cannot list the jobs, so each wait reads its own job: {error}"


def unknown_state_message(batch_id: str, state: str) -> str:
    """Return the warning that the service reports a state that this version does not know."""
    return (
        f"the service reports the state {state!r} for batch job {batch_id}. The provider does not know this state, so "
        "it counts the job as not ended."
    )


def timeout_message(job_name: str, batch: Batch, timeout: float) -> str:
    """Return the error for a wait that timed out after `timeout` seconds."""
    return (
        f"{job_name}: batch job {batch.id} is still {batch.state} after a wait of {format_duration(timeout)}. "
        "The job goes on, and the next `pulumi up` goes on waiting. To wait longer in one `up`, set a longer timeout "
        "or none."
    )


def unknown_message(job_name: str, batch_id: str, *, may_rerun: bool = True) -> str:
    """Return the error for a wait whose job has no record and no known end. `may_rerun`: onRecordExpired can help."""
    option = " or set onRecordExpired to rerun" if may_rerun else ""
    return (
        f"{job_name}: the service has deleted the record of batch job {batch_id}, and the stack's state does not have "
        "its end, so its outcome is unknown. Check what the job should have written. To run the job again, run "
        f"{replace_command(job_name)}{option}."
    )


def forgotten_wait_message(job_name: str, batch_id: str) -> str:
    """Return the error for a wait whose job ran in a project that dli:forget names."""
    return (
        f"{job_name}: dli:forget names the project of batch job {batch_id}, so the provider does not read how the job "
        f"ends. To run the job again, run {replace_command(job_name)}."
    )


def dead_message(
    job_name: str,
    batch: Batch,
    reason: FailureReason,
    *,
    reruns: bool,
    others: Mapping[str, str] | None = None,
    page: str | None = None,
) -> str:
    """Return the error for a dead job. Its first line is the reason, as far as the log tells.

    Args:
        job_name: The logical name of the job.
        batch: The job.
        reason: Why it failed.
        reruns: Whether the next `up` runs the job again.
        others: The states of the other jobs that still run, by their logical names.
        page: The address of the job's page.
    """
    still_running = ", ".join(f"{name} ({state})" for name, state in sorted((others or {}).items()))
    what_next = (
        "Fix the cause, then run `pulumi up`. It runs the job again."
        if reruns
        else "`pulumi up` does not run it again by itself, because rerunOnFailure is false or the job is not in this "
        f"stack. To run a job of this stack again, change its declaration or run {replace_command(job_name)}."
    )
    return "\n".join(
        [
            *_first_lines(job_name, batch, reason),
            *([f"The job's page: {page}"] if page else []),
            what_next,
            *([f"Still running: {still_running}. The next `pulumi up` waits for them."] if still_running else []),
        ]
    )


def _first_lines(job_name: str, batch: Batch, reason: FailureReason) -> list[str]:
    dead = f"batch job {batch.id} is dead{lasted(batch)}"
    lines = [f"  | {line}" for line in reason.lines]
    if reason.text is not None:
        return [f"{job_name} failed: {reason.text}", f"{dead[0].upper()}{dead[1:]}. From its log:", *lines]
    return [
        f"{job_name}: {dead}. It failed, was cancelled, or got no capacity.",
        *(_without_log(reason.lines) or ["Last lines of its log:", *lines]),
    ]


_RECORD_HEADINGS = frozenset({"stdout:", "stderr:", "YARN Diagnostics:"})
"""The lines of a job's record that only say what would follow (examples of Open Telekom Cloud's API reference)."""


def _without_log(lines: Sequence[str]) -> list[str]:
    """Return the message about a log without any line that helps, or nothing if there is one."""
    if not lines:
        return ["The service has no lines of its log."]
    if not _RECORD_HEADINGS.issuperset(line.strip() for line in lines):
        return []
    return [
        "The service returned no lines of the driver log. To read it, open the job in the DLI console under Job "
        "Management > Spark Jobs, and select Driver Logs. Or search the DLI job bucket of the project."
    ]
