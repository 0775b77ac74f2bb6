"""Who may run now: a queue has CUs, the machine has slots, and who came first is served first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
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
        self._waiting: dict[str, Demand] = {}
        self._served: dict[str, Demand] = {}
        self._used: Counter[str] = Counter()

    def join(self, demand: Demand) -> None:
        """Have a job wait, behind all others."""
        self._waiting[demand.job_id] = demand

    def serve_next(self) -> str | None:
        """Give the next job that may run what it needs; None where no job may."""
        if not self._has_slot():
            return None
        held_up: set[str] = set()
        for demand in self._waiting.values():
            if demand.queue not in held_up and self._fits(demand):
                del self._waiting[demand.job_id]
                self._served[demand.job_id] = demand
                self._used[demand.queue] += demand.cus
                return demand.job_id
            if not self._is_too_large(demand):
                held_up.add(demand.queue)
        return None

    def leave(self, job_id: str) -> None:
        """Forget a job: it waits no more, or gives back what it had."""
        self._waiting.pop(job_id, None)
        if (served := self._served.pop(job_id, None)) is not None:
            self._used[served.queue] -= served.cus

    def used(self, queue: str) -> int:
        """Give how many CUs of a queue are in use."""
        return self._used[queue]

    def waits_for(self, job_id: str) -> str | None:
        """Say what a job waits for, as in `8 CUs of queue batch`; None for a job that does not wait."""
        demand = self._waiting.get(job_id)
        if demand is None:
            return None
        if self._is_too_large(demand):
            return f"{demand.cus} CUs of queue {demand.queue}, which has {self._queues[demand.queue]}"
        if not self._fits(demand):
            return f"{demand.cus} CUs of queue {demand.queue}"
        return f"its turn in queue {demand.queue}" if self._has_slot() else f"one of {self._slots} slots"

    def _has_slot(self) -> bool:
        return self._slots is None or len(self._served) < self._slots

    def _fits(self, demand: Demand) -> bool:
        total = self._queues.get(demand.queue)
        return total is None or self._used[demand.queue] + demand.cus <= total

    def _is_too_large(self, demand: Demand) -> bool:
        total = self._queues.get(demand.queue)
        return total is not None and demand.cus > total
