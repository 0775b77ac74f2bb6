"""Admission of jobs: each queue has CUs, the machine has slots, and the oldest job goes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class CapacityRequest:
    """The CUs that a job needs from its queue."""

    job_id: str
    queue: str
    cus: int


class Capacity:
    """The waiting jobs and the admitted jobs.

    Each queue is first in, first out: if its oldest job does not fit, the younger ones wait, too. A job that is larger
    than its queue never fits and blocks no other job. A free slot goes to the oldest job of all queues that fits.

    The user guide says that accepted jobs wait for CUs (FAQ, "stuck in the submitting state", 2026-04). It does not
    say in which order.

    Args:
        slots: The number of jobs that are admitted at once. None means no limit.
        queues: The CUs of each queue. None, or a queue without an entry, means no limit.
    """

    def __init__(self, slots: int | None, queues: Mapping[str, int | None]) -> None:
        self._slots = slots
        self._queues = queues
        self._waiting: dict[str, CapacityRequest] = {}
        self._admitted: dict[str, CapacityRequest] = {}
        self._used: Counter[str] = Counter()

    def enqueue(self, request: CapacityRequest) -> None:
        self._waiting[request.job_id] = request

    def admit_at_once(self, request: CapacityRequest) -> bool:
        """Admit a new job if nothing has to wait for it. Return whether it is admitted."""
        if self._waiting or not (self._has_slot() and self._fits(request)):
            return False
        self._admit(request)
        return True

    def admit_next(self) -> str | None:
        """Admit the oldest job that fits and return its id. Return None if no job fits."""
        if not self._has_slot():
            return None
        blocked: set[str] = set()
        for request in self._waiting.values():
            if request.queue not in blocked and self._fits(request):
                del self._waiting[request.job_id]
                self._admit(request)
                return request.job_id
            if not self._is_too_large(request):
                blocked.add(request.queue)
        return None

    def release(self, job_id: str) -> None:
        """Remove a job. Its slot and CUs are free again if it was admitted."""
        self._waiting.pop(job_id, None)
        if (admitted := self._admitted.pop(job_id, None)) is not None:
            self._used[admitted.queue] -= admitted.cus

    def used(self, queue: str) -> int:
        """Return the number of CUs in use."""
        return self._used[queue]

    def waits_for(self, job_id: str) -> str | None:
        """Describe what a job waits for, as in `8 CUs of queue batch`. Return None for a job that does not wait."""
        request = self._waiting.get(job_id)
        if request is None:
            return None
        if self._is_too_large(request):
            return f"{request.cus} CUs of queue {request.queue}, which has {self._queues[request.queue]}"
        if not self._fits(request):
            return f"{request.cus} CUs of queue {request.queue}"
        return f"its turn in queue {request.queue}" if self._has_slot() else f"one of {self._slots} slots"

    def standings(self) -> dict[str, str]:
        """Describe how each waiting job stands, by its id: `third in queue batch, waits for 8 CUs`."""
        count: Counter[str] = Counter()
        found = {}
        for request in self._waiting.values():
            count[request.queue] += 1
            position = _ordinal(count[request.queue])
            found[request.job_id] = f"{position} in queue {request.queue}, waits for {self._missing(request)}"
        return found

    def _admit(self, request: CapacityRequest) -> None:
        self._admitted[request.job_id] = request
        self._used[request.queue] += request.cus

    def _missing(self, request: CapacityRequest) -> str:
        if self._is_too_large(request):
            return f"{request.cus} CUs, and the queue has {self._queues[request.queue]}"
        if not self._fits(request):
            return f"{request.cus} CUs"
        return "its turn" if self._has_slot() else f"one of {self._slots} slots"

    def _has_slot(self) -> bool:
        return self._slots is None or len(self._admitted) < self._slots

    def _fits(self, request: CapacityRequest) -> bool:
        total = self._queues.get(request.queue)
        return total is None or self._used[request.queue] + request.cus <= total

    def _is_too_large(self, request: CapacityRequest) -> bool:
        total = self._queues.get(request.queue)
        return total is not None and request.cus > total


def _ordinal(number: int) -> str:
    """Return `first` for 1, `third` for 3 and `21st` for 21."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    return f"{number}{'th' if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, 'th')}"
