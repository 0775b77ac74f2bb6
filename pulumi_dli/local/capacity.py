"""Who may run now: a queue has CUs, the machine has slots, and who came first is served first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CapacityRequest:
    """What a job takes, and of which queue."""

    job_id: str
    queue: str
    cus: int


class Capacity:
    """The jobs that wait and those that have what they need.

    `slots` is how many jobs have it at once, `queues` the CUs of each queue; None, or a queue that is not there: no
    limit. In a queue the first is served first: where it does not fit, those behind it wait too. A job that is larger
    than its queue never fits, and holds up nobody. Which of several queues gets a slot is decided by who came first.

    That accepted jobs wait for CUs is in the guide (FAQ, "stuck in the submitting state", 2026-04), the order is not.
    """

    def __init__(self, slots: int | None, queues: Mapping[str, int | None]) -> None:
        self._slots = slots
        self._queues = queues
        self._waiting: dict[str, CapacityRequest] = {}
        self._admitted: dict[str, CapacityRequest] = {}
        self._used: Counter[str] = Counter()

    def enqueue(self, request: CapacityRequest) -> None:
        """Have a job wait, behind all others."""
        self._waiting[request.job_id] = request

    def admit_next(self) -> str | None:
        """Give the next job that may run what it needs; None where no job may."""
        if not self._has_slot():
            return None
        blocked: set[str] = set()
        for request in self._waiting.values():
            if request.queue not in blocked and self._fits(request):
                del self._waiting[request.job_id]
                self._admitted[request.job_id] = request
                self._used[request.queue] += request.cus
                return request.job_id
            if not self._is_too_large(request):
                blocked.add(request.queue)
        return None

    def release(self, job_id: str) -> None:
        """Forget a job: it waits no more, or gives back what it had."""
        self._waiting.pop(job_id, None)
        if (admitted := self._admitted.pop(job_id, None)) is not None:
            self._used[admitted.queue] -= admitted.cus

    def used(self, queue: str) -> int:
        """Give how many CUs of a queue are in use."""
        return self._used[queue]

    def waits_for(self, job_id: str) -> str | None:
        """Say what a job waits for, as in `8 CUs of queue batch`; None for a job that does not wait."""
        request = self._waiting.get(job_id)
        if request is None:
            return None
        if self._is_too_large(request):
            return f"{request.cus} CUs of queue {request.queue}, which has {self._queues[request.queue]}"
        if not self._fits(request):
            return f"{request.cus} CUs of queue {request.queue}"
        return f"its turn in queue {request.queue}" if self._has_slot() else f"one of {self._slots} slots"

    def _has_slot(self) -> bool:
        return self._slots is None or len(self._admitted) < self._slots

    def _fits(self, request: CapacityRequest) -> bool:
        total = self._queues.get(request.queue)
        return total is None or self._used[request.queue] + request.cus <= total

    def _is_too_large(self, request: CapacityRequest) -> bool:
        total = self._queues.get(request.queue)
        return total is not None and request.cus > total
