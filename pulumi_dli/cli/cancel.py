"""The command `cancel`: cancels a job, waits for its end, and prints the effect on the next `pulumi up`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from pulumi_dli.api.errors import JobError
from pulumi_dli.api.models import Batch
from pulumi_dli.cli.errors import CliError, one_line
from pulumi_dli.cli.job_view import Reading
from pulumi_dli.cli.reader import JobReader
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.targets import Target
from pulumi_dli.cli.terminal import print_json, print_lines
from pulumi_dli.jobs.messages import lasted
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.spelling import in_python
from pulumi_dli.operations.batch_job import BatchJobs

_CANCEL_TIMEOUT = 300
"""Seconds to wait for the end of the job if its own `cancelTimeout` is 0."""


def cancel_job(session: Session, text: str, *, is_confirmed: bool) -> None:
    """Cancel the job with this logical name or id, unless it has ended. Raises CliError and DliError.

    Args:
        session: The session.
        text: The name or the id.
        is_confirmed: Whether the user has already confirmed it.
    """
    target = session.target(text)
    context = session.context_of(target)
    reader = JobReader(context)
    reading = reader.existing(target)
    if reading.has_ended or reading.batch is None:
        _report(session, target, _known_end(target, reading), is_cancelled=False)
        return
    session.record_other_jobs(target)
    if not is_confirmed:
        _confirm(question(target, reading.batch, reader.duplicates(target)))
    try:
        BatchJobs(context, is_in_state=False).delete(target.batch_id, _to_cancel(target))
    except JobError as error:
        raise CliError(str(error)) from error
    batch = reader.read(target).batch
    _report(session, target, batch, is_cancelled=batch is None or batch.is_failure)


def _known_end(target: Target, reading: Reading) -> Batch:
    """Return a job that has ended. Raises CliError if its outcome is unknown."""
    if reading.batch is not None:
        return reading.batch
    end = target.verdict.get("state") or target.stored.end()
    if end is None:
        raise CliError(
            f"{target.words}: the service has deleted its record, so there is nothing to cancel. Its outcome is "
            "unknown."
        )
    return Batch(id=target.batch_id, state=str(end))


def question(target: Target, batch: Batch, duplicates: Sequence[str]) -> str:
    """Return the question before a cancel. It names the duplicates, which are cancelled too, by their ids."""
    asked = f"Cancel {target.words}, which is {batch.state}?"
    if target.is_read_only:
        return f"The stack only reads this job. It does not manage it. {asked}"
    if not duplicates:
        return asked
    word = "duplicate" if len(duplicates) == 1 else "duplicates"
    ids = " and ".join(duplicates)
    return f"The service has accepted the job more than once. The command also cancels the {word} {ids}. {asked}"


def _confirm(asked: str) -> None:
    """Ask the user. Raises CliError if the answer is not yes, and click.Abort after ^C."""
    try:
        is_yes = click.confirm(one_line(asked), err=True)
    except click.Abort as error:
        click.echo(err=True)
        if sys.stdin.isatty():
            raise
        raise CliError("nothing was cancelled, because nobody answered. Use --yes.") from error
    if not is_yes:
        raise CliError("nothing was cancelled.")


def _to_cancel(target: Target) -> StoredJob:
    """Return the job with a limit for the wait for its end.

    A job that the stack only reads has no scope then, so that its duplicates are not cancelled. Another stack may have
    adopted them.
    """
    properties = {**target.stored.properties}
    properties["cancelTimeout"] = target.stored.inputs.cancel_timeout or _CANCEL_TIMEOUT
    return StoredJob.parse({**properties, "scope": None} if target.is_read_only else properties)


def _report(session: Session, target: Target, batch: Batch | None, *, is_cancelled: bool) -> None:
    runs_again = is_cancelled and target.is_managed and bool(target.stored.inputs.rerun_on_failure)
    state = batch.state if batch is not None else None
    if session.options.json:
        facts = {"name": target.name or None, "id": target.batch_id, "state": state}
        print_json({**facts, "cancelled": is_cancelled, "runsAgain": runs_again})
    elif not is_cancelled:
        duration = lasted(batch) if batch is not None else ""
        print_lines([one_line(f"{target.words} has ended ({state}){duration}. Nothing was cancelled.")])
    else:
        print_lines(map(one_line, cancelled_messages(target)))


def cancelled_messages(target: Target) -> list[str]:
    """Return the lines after a cancel: the cancelled job, and the effect on the next `pulumi up`."""
    lines = [f"{target.words} is cancelled."]
    if not target.is_managed:
        return lines
    if target.stored.inputs.rerun_on_failure:
        advice = (
            "The next `pulumi up` runs the job again. To avoid that, set rerunOnFailure to false in its declaration "
            "first, or remove the job from the program."
        )
    else:
        advice = "`pulumi up` does not run the job again, because its rerunOnFailure is false."
    is_in_camel_case = target.is_native or target.stored.inputs.from_configuration is True
    return [*lines, advice if is_in_camel_case else in_python(advice)]
