"""How runs have ended, as far as this process knows: from the service, from stored jobs and from stored waits."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_dli.api.states import BatchState
from pulumi_dli.operations.run_registry import ResourceKey


class SeenEnds:
    """The final states of runs, by batch id. Threads may share it.

    The service deletes the record of a job some hours after its end. What a wait of the stack has stored then still
    tells the end, and so it does where the service that ran the job cannot be reached.
    """

    def __init__(self) -> None:
        self._states: dict[str, BatchState] = {}
        self._unread: set[ResourceKey] = set()

    def take(self, key: ResourceKey, ends: Mapping[str, str], *, is_unread: bool) -> None:
        """Take over what the program has read from the stack's state for a job, and whether it could not read it."""
        for batch_id, state in ends.items():
            self.record(batch_id, state)
        (self._unread.add if is_unread else self._unread.discard)(key)

    def is_unread(self, key: ResourceKey) -> bool:
        """Tell whether a wait of this job may have seen an end that the program could not read."""
        return key in self._unread

    def record(self, batch_id: str | None, state: str | BatchState | None) -> None:
        """Record the state of a run, if it is a final one. `state` may be the text that is stored."""
        known = BatchState.parse(state) if isinstance(state, str) else state
        if batch_id and known is not None and known.is_final:
            self._states[batch_id] = known

    def of(self, batch_id: str) -> BatchState | None:
        """Return the final state of a run, or None if its end is not known here."""
        return self._states.get(batch_id)
