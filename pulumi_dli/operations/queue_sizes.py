"""Compares the size of a job with the size of its queue, so that a plan can warn."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from pulumi_dli.api.errors import DliError
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.messages import too_large_message
from pulumi_dli.jobs.request import sizes_of
from pulumi_dli.operations.notifier import Level

if TYPE_CHECKING:
    from pulumi_dli.operations.context import ProviderContext

_SMALLEST_QUEUE = 16
"""The CUs of the smallest queue (Open Telekom Cloud, "Creating a Queue", 2026-04). A job of this size fits each."""


class QueueSizes:
    """The sizes of the queues, which a process asks for once at most. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._sizes: dict[str, int] | None = None

    def warn_if_too_large(self, name: str, job: JobInputs) -> None:
        """Warn if a job that will be submitted needs more than its queue has.

        Say nothing if the sizes are unknown, or if the job goes to another location than that of the settings.
        """
        queue, sizes = job.queue or job.cluster_name, sizes_of(job)
        is_elsewhere = job.region is not None or job.project_id is not None
        if not isinstance(queue, str) or is_elsewhere or sizes is None or sizes.cus <= _SMALLEST_QUEUE:
            return
        available = self._read_once().get(queue.lower())
        if available is not None and sizes.cus > available:
            message = too_large_message(needed=sizes.cus, queue=queue, available=available)
            self._context.notify(Level.WARNING, name, message)

    def _read_once(self) -> dict[str, int]:
        with self._lock:
            if self._sizes is None:
                self._sizes = {}
                # This is only a hint: the account may not list queues, and a plan must not wait for IAM.
                with suppress(DliError):
                    if self._context.sign_in.known_project_id(self._context.sign_in.region) is not None:
                        self._sizes = self._context.client().queue_sizes()
            return self._sizes
