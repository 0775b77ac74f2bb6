"""Reads the last lines of a job's driver log, and why it failed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.failure_reason import LINES_NEEDED, FailureReason, failure_reason

_DEFAULT_RETRIES = 20


def reason_of(client: Client, batch: Batch, redact: Sequence[str] | None) -> FailureReason:
    """Return why a dead job failed, with one call for its log. `redact` has the texts to mask."""
    return failure_reason(last_lines(client, batch), redact)


def last_lines(client: Client, batch: Batch) -> list[str]:
    """Return the last 300 lines of the job's last attempt. If the service has no log, return those of its record."""
    try:
        lines = client.log(batch.id, size=LINES_NEEDED, index=_last_attempt(client, batch)).log
    except DliError:  # the message about a dead job must not fail because of its log
        lines = []
    return [*(lines or batch.log or ())]


def _last_attempt(client: Client, batch: Batch) -> int:
    """Return the number of the last attempt that has a log, from 0. Only a job with auto_recovery has more than one."""
    request = batch.request() or {}
    if not request.get("autoRecovery"):
        return 0
    attempts = range(1, int(request.get("maxRetryTimes") or _DEFAULT_RETRIES) + 1)
    return bisect_left(attempts, True, key=lambda index: not client.log(batch.id, size=1, index=index).log)
