"""Reads dead runs twice: with auto_recovery the service may start a failed job again."""

from __future__ import annotations

from pulumi_dli.api.client import Client
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs import outputs


def settled(client: Client, batch: Batch) -> Batch:
    """Return a run. Read it again if it is dead but may recover, unless its record is deleted meanwhile."""
    return (client.find(batch.id) if outputs.may_recover(batch) else None) or batch
