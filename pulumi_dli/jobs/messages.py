"""What the user reads about a job that failed, vanished or took too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.outputs import duration


def lasted(batch: Batch) -> str:
    """Say how long a job has lasted, as far as the service tells; an empty string where it does not."""
    milliseconds = duration(batch)
    return "" if milliseconds is None else f" after {format_duration(milliseconds / 1000)}"


def dead_message(
    job_name: str, batch: Batch, log: Sequence[str], *, reruns: bool, others: Mapping[str, str] | None = None
) -> str:
    """Write what the person needs who finds a dead job: which, how long, its last words, what to do.

    `others` are the states of the jobs that go on meanwhile, by name.
    """
    lines = [line.rstrip() for line in log if line.strip()]
    at_work = ", ".join(f"{name} ({state})" for name, state in sorted((others or {}).items()))
    last_words = "\n".join(["Last lines of its log:", *(f"  | {line}" for line in lines)])
    what_next = (
        "Mend the cause, then run `pulumi up`: it runs the job again."
        if reruns
        else "`pulumi up` does not run it again by itself: rerunOnFailure is false, or the job is not of this stack. "
        f"For a job of this stack: change its declaration, or `pulumi up --replace '**dli:BatchJob::{job_name}'`."
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
    """Write what the person needs whose job's record the service has deleted before anybody saw how it ended."""
    return (
        f"{job_name}: the service has no record of batch job {batch_id} any more, and nobody saw how it ended: outcome "
        "unknown. Look at what the job should have written. To run it again: "
        f"`pulumi up --replace '**dli:BatchJob::{job_name}'`, or set onRecordExpired to rerun."
    )


def timeout_message(job_name: str, batch: Batch, timeout: float) -> str:
    """Write what the person needs whose wait ended before the job."""
    return (
        f"{job_name}: batch job {batch.id} is still {batch.state} after a wait of {format_duration(timeout)}. "
        "It goes on; the next `pulumi up` goes on waiting. A longer timeout, or none, waits longer."
    )
