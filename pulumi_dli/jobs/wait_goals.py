"""The goals of a wait, and the states that reach them."""

from __future__ import annotations

from enum import StrEnum

from pulumi_dli.api.states import BatchState


class Until(StrEnum):
    """The goal of a wait."""

    SUCCESS = "success"
    RUNNING = "running"
    FINISHED = "finished"

    def is_reached(self, state: BatchState | None) -> bool:
        """Return whether a job in this state has reached the goal."""
        return state is not None and self in state.facts.reaches

    def is_missed(self, state: BatchState | None) -> bool:
        """Return whether a job in this state can no longer reach the goal."""
        return state is not None and state.is_final and self not in state.facts.reaches
