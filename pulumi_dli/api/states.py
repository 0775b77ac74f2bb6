"""The states of a batch job."""

from __future__ import annotations

from enum import StrEnum


class BatchState(StrEnum):
    """A state of a batch job (table 7 of the page)."""

    STARTING = "starting"
    """Accepted, and being started; also while the queue has no free capacity."""
    RUNNING = "running"
    """At work."""
    RECOVERING = "recovering"
    """Failed once, and being started again (`auto_recovery`)."""
    SUCCESS = "success"
    """Ended well. Final."""
    DEAD = "dead"
    """Exited: failed, cancelled, or given up for want of resources after about three hours. Final."""

    @property
    def is_final(self) -> bool:
        """True where the job has ended."""
        return self in (BatchState.SUCCESS, BatchState.DEAD)

    @classmethod
    def parse(cls, text: str | None) -> BatchState | None:
        """Read a state as the service writes it; None for one that nobody knows.

        The page of the state call shows `Success` with a capital letter. `error`, `killed` and `failed` come from
        Livy, of which this API is a relative; they are taken as dead.
        """
        word = (text or "").strip().lower()
        if word in ("error", "killed", "failed"):
            return cls.DEAD
        return cls(word) if word in cls._value2member_map_ else None


LIVE_STATES = (BatchState.STARTING, BatchState.RUNNING, BatchState.RECOVERING)
"""The states of a job that has not ended, in the order of a job's life."""
