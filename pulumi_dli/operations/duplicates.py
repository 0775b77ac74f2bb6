"""Duplicates: second runs that the service has created from one submission.

The service creates them if it accepts a repeated request, or if the network delivers a request twice. The first run
stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs import submission_messages as messages
from pulumi_dli.jobs.naming import submission_of


def runs_by_submission(runs: Iterable[Batch]) -> dict[str, list[Batch]]:
    """Return the runs of each submission, in the order of acceptance, without the runs whose names prove nothing.

    The keys are those of `submission_of`.
    """
    groups: dict[str | None, list[Batch]] = {}
    for run in in_order_of_acceptance(runs):
        groups.setdefault(submission_of(run.name), []).append(run)
    return {submission: group for submission, group in groups.items() if submission is not None}


def in_order_of_acceptance(runs: Iterable[Batch]) -> list[Batch]:
    """Return runs in the order in which the service has accepted them."""
    return sorted(runs, key=lambda run: (run.create_time or math.inf, run.id))


def cancel_duplicates(client: Client, kept: str, duplicates: Iterable[Batch], warn: Callable[[str], None]) -> None:
    """Cancel the duplicates of the run `kept`, and tell the user. Never raise DliError, because a job runs now."""
    for batch in duplicates:
        if batch.is_final:
            warn(messages.ran_twice_message(kept, batch))
            continue
        try:
            client.cancel(batch.id)
            warn(messages.duplicate_cancelled_message(kept, batch.id))
        except DliError as error:
            warn(messages.duplicate_runs_message(kept, batch.id, error))
