"""The command `show`: prints the facts about one job from the service and from the stack."""

from __future__ import annotations

from pulumi_dli.cli.job_view import view_of
from pulumi_dli.cli.reader import JobReader
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.terminal import print_json, print_lines


def show_job(session: Session, text: str) -> None:
    """Print the details of the job with this logical name or id. Raises CliError and DliError."""
    target = session.target(text)
    reader = JobReader(session.context_of(target))
    known = reader.known(target) if reader.is_forgotten(target) else None
    reading = known or reader.with_reason(target, reader.existing(target))
    view = view_of(target, reading, details=True)
    if session.options.json:
        print_json(view.to_json())
    else:
        print_lines(view.lines())
