"""What a wait waits for, and which states reach it."""

from __future__ import annotations

from enum import StrEnum

from pulumi_dli.api.states import BatchState


class Until(StrEnum):
    """What a wait waits for."""

    SUCCESS = "success"
    RUNNING = "running"
    FINISHED = "finished"

    def is_reached(self, state: BatchState | None) -> bool:
        """True where a job in this state has reached what is waited for."""
        return state is not None and self in state.facts.reaches

    def is_missed(self, state: BatchState | None) -> bool:
        """True where a job in this state can no longer reach what is waited for."""
        return state is not None and state.is_final and self not in state.facts.reaches
