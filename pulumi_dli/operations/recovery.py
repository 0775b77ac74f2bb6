"""Dead runs that may come back: with auto_recovery the service starts a failed job again."""

from __future__ import annotations

from pulumi_dli.api.client import Client
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs import outputs


def settled(client: Client, batch: Batch) -> Batch:
    """Read a dead run again that may be about to recover. Its last reply counts if its record has gone meanwhile."""
    return (client.find(batch.id) if outputs.may_recover(batch) else None) or batch
