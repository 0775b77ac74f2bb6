"""Reads the last lines of a job's driver log, and why it failed."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, ServiceError
from pulumi_dli.api.models import DEFAULT_MAX_RETRY_TIMES, Batch
from pulumi_dli.jobs.failure_reason import failure_reason
from pulumi_dli.operations.log_pages import PAGE_SIZE, last_attempt
from pulumi_dli.spark_logs.failure_reason import LINES_NEEDED, FailureReason


def reason_of(client: Client, batch: Batch, redact: Sequence[str] | None) -> FailureReason:
    """Return why a dead job failed, with one call for its log. `redact` has the texts to mask."""
    return failure_reason(last_lines(client, batch), redact)


def last_lines(client: Client, batch: Batch) -> list[str]:
    """Return the last 300 lines of the job's last attempt. If the service has no log, return those of its record.

    A service that refuses 300 lines in one call is asked for 100.
    """
    try:
        lines = _lines_of(client, batch.id, last_attempt(client, batch.id, _retries_of(batch)))
    except DliError:  # the message about a dead job must not fail because of its log
        lines = []
    return [*(lines or batch.log or ())]


def _lines_of(client: Client, batch_id: str, attempt: int) -> list[str]:
    try:
        return client.log(batch_id, size=LINES_NEEDED, index=attempt).log
    except ServiceError as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        return client.log(batch_id, size=PAGE_SIZE, index=attempt).log


def _retries_of(batch: Batch) -> int:
    """Return how often the service may start the job again. Only a job with auto_recovery has more than one attempt."""
    request = batch.request() or {}
    return int(request.get("maxRetryTimes") or DEFAULT_MAX_RETRY_TIMES) if request.get("autoRecovery") else 0
