"""Reads what a run cost."""

from __future__ import annotations

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.cost import estimated_cu_hours


def cost_of(client: Client, batch: Batch, cus: int | None) -> float | None:
    """Return the estimated CU-hours of a run that has ended, or None, with one call for the item of the list.

    `cus` are the CUs of the job, if they are declared.
    """
    if not batch.name:
        return None
    try:
        listed = next((one for one in client.page({"job_name": batch.name}).sessions if one.id == batch.id), batch)
    except DliError:  # a refresh must not fail because the cost is unknown
        return None
    return estimated_cu_hours(listed, cus)
