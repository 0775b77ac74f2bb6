"""The body of the list of queues, as far as a plan needs it. Few plans do, so the models have a module of their own."""

from __future__ import annotations

from pydantic import Field

from pulumi_dli.api.models import WireModel


class Queue(WireModel):
    """A queue: its name in lower case, and its size in CUs (1 CU is 1 vCPU and 4 GB)."""

    queue_name: str | None = None
    cu_count: int | None = None


class QueueList(WireModel):
    """The answer of `GET /v1.0/{project_id}/queues` (Open Telekom Cloud, "Viewing All Queues", 2026-04)."""

    queues: list[Queue] = Field(default_factory=list)
