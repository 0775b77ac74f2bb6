"""The final states of runs that this process knows: from the service, from stored jobs and from stored waits."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_dli.api.models import normal_id
from pulumi_dli.api.states import BatchState
from pulumi_dli.operations.run_registry import ResourceKey


class SeenEnds:
    """Stores the final states of runs, by batch id. Threads may share it.

    The service deletes the record of a job some hours after its end, and a stack may no longer reach the service that
    ran a job. A wait in the state may still have the end of the job.
    """

    def __init__(self) -> None:
        self._states: dict[str, BatchState] = {}
        self._unread: set[ResourceKey] = set()

    def record_all(self, key: ResourceKey, ends: Mapping[str, str], *, is_unread: bool) -> None:
        """Record the states that the program has read from the stack's state for a job.

        Args:
            key: The key of the job.
            ends: The states by batch id.
            is_unread: Whether the job has a wait, but the program could not read the state.
        """
        for batch_id, state in ends.items():
            self.record(batch_id, state)
        (self._unread.add if is_unread else self._unread.discard)(key)

    def is_unread(self, key: ResourceKey) -> bool:
        """Return whether a wait of this job may have seen an end that the program could not read."""
        return key in self._unread

    def record(self, batch_id: str | None, state: str | BatchState | None) -> None:
        """Record the state of a run if it is final. `state` may be the text in the state of the stack."""
        known = BatchState.parse(state)  # a BatchState is its own text
        if batch_id and known is not None and known.is_final:
            self._states[normal_id(batch_id)] = known

    def of(self, batch_id: str) -> BatchState | None:
        """Return the final state of a run, or None if this process does not know it."""
        return self._states.get(normal_id(batch_id))
