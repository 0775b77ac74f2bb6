"""The estimated cost of a run, in CU-hours: 1 CU is 1 vCPU and 4 GB."""

from __future__ import annotations

from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.api.sizes import RESOURCE_TYPES, Sizing

_MS_PER_HOUR = 3_600_000
_SIZES = {
    "driverCores": "driver_cores",
    "driverMemory": "driver_memory",
    "executorCores": "executor_cores",
    "executorMemory": "executor_memory",
    "numExecutors": "num_executors",
}


def estimated_cu_hours(listed: Batch, cus: int | None = None) -> float | None:
    """Return the CU-hours of a run, or None if they are not known.

    Only the list has how long a job has run. The time from the creation to the end would count the queue.

    Args:
        listed: The job as an item of the list.
        cus: The CUs of the job. By default those of its request, as far as the service returns it.
    """
    cus = cus if cus is not None else requested_cus(listed)
    return None if listed.duration is None or cus is None else round(cus * listed.duration / _MS_PER_HOUR, 4)


def requested_cus(batch: Batch) -> int | None:
    """Return the CUs of a job, or None if the service does not return its sizes."""
    request = batch.request() or {}
    sizes: dict[str, Any] = {argument: request.get(name) for name, argument in _SIZES.items()}
    has_type = batch.sc_type in RESOURCE_TYPES
    if not has_type and None in sizes.values():
        return None
    try:
        return Sizing.of(sc_type=batch.sc_type if has_type else None, **sizes).cus
    except (TypeError, ValueError):  # the service has answered with something else than sizes
        return None
