"""The command `jobs`: lists the jobs of a stack, or those of the project at the service."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.errors import DliError
from pulumi_dli.cli.job_view import JobView, newest_first, table, unread_view, view_of
from pulumi_dli.cli.reader import read_project_jobs, read_stack_jobs
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.targets import Target, targets_in
from pulumi_dli.cli.terminal import print_json, print_lines, print_message


def list_jobs(session: Session, *, with_ended: bool) -> int:
    """Print the jobs, and return the exit code: 1 if a job of the stack could not be read.

    Args:
        session: The session.
        with_ended: Whether to list the jobs of the project that have ended. A stack's jobs are always listed.
    """
    failure = ""
    if session.has_project:
        targets = targets_in(session.stack)
        readings = read_stack_jobs(session, targets)
        views = [
            unread_view(target) if isinstance(reading, DliError) else view_of(target, reading)
            for target, reading in zip(targets, readings, strict=True)
        ]
        failure = unread_message(targets, readings)
        nothing = f"{session.stack.words} has no batch jobs."
    else:
        jobs = read_project_jobs(session, with_ended=with_ended)
        views = newest_first(view_of(target, reading) for target, reading in jobs)
        nothing = "the project has no live jobs. `pulumi-dli jobs --all` also lists the jobs that have ended."
        nothing = "the service has no jobs of the project." if with_ended else nothing
    _print(session, views, nothing)
    if failure:
        print_message(failure)
    return int(bool(failure))


def _print(session: Session, views: Sequence[JobView], nothing: str) -> None:
    if session.options.json:
        print_json([view.to_json() for view in views])
    elif views:
        print_lines(table(views))
    else:
        print_message(nothing)


def unread_message(targets: Sequence[Target], readings: Sequence[object]) -> str:
    """Return the message about the jobs that could not be read, with the first reason. Empty if there are none."""
    failed = [(one.name, error) for one, error in zip(targets, readings, strict=True) if isinstance(error, DliError)]
    if not failed:
        return ""
    others = f" {len(failed) - 1} more could not be read either." if failed[1:] else ""
    return f"{failed[0][0]} could not be read: {failed[0][1]}{others}"
