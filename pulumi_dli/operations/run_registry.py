"""The registry of runs: which resource of this program holds which run. No run can have two holders."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pulumi_dli.jobs.inputs import JobInputs

ResourceKey = tuple[str, str]
"""The logical name and the scope of a resource, which distinguish it from the resources of all stacks."""


def declared_key(declared: JobInputs) -> ResourceKey:
    """Return the key of a declared job.

    Raises ValueError if the logical name or the scope is missing. The adapter must pass both: without a key, all such
    jobs would count as one job.
    """
    key = stored_key(declared)
    if key is None:
        raise ValueError("a declared job has no resourceName or no scope: the adapter must pass both")
    return key


def stored_key(stored: JobInputs) -> ResourceKey | None:
    """Return the key of a stored job, or None if the stored outputs have no key, for example because they were lost."""
    name, scope = stored.resource_name, stored.scope
    return (str(name), str(scope)) if name and scope else None


class RunHeldError(Exception):
    """Another resource holds the run or is adopting it, or the run is deleted.

    Args:
        run: The id of the run.
        holder: The key of the other resource. None if the run is deleted.
        is_claimed: Whether the other resource is adopting the run right now.
    """

    def __init__(self, run: str, holder: ResourceKey | None, *, is_claimed: bool = False) -> None:
        super().__init__(
            f"another job, {holder[0]}, holds batch job {run}" if holder else f"batch job {run} is being deleted"
        )
        self.holder = holder
        self.is_claimed = is_claimed


@dataclass
class _Run:
    """The facts about one run."""

    key: ResourceKey
    """The resource that holds the run, as it is declared."""
    stored_key: ResourceKey | None
    """The resource as it is stored. None if the stored outputs have no key."""
    is_new: bool = False
    """This process has submitted or adopted the run."""
    is_adopted: bool = False
    """This process has adopted the run. Another resource in the state may still have its id."""


class Claim:
    """The exclusive right to adopt a run while the caller checks it. It ends with the block unless `keep` is called."""

    def __init__(self) -> None:
        self.is_kept = False

    def keep(self) -> None:
        """Let the resource hold the run when the block ends."""
        self.is_kept = True


class RunRegistry:
    """Knows which resource of this program holds which run. Threads may share it: one lock guards all of it.

    It makes no calls. A run is identified by its batch id.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._claims: dict[str, ResourceKey] = {}
        self._declared: set[ResourceKey] = set()
        self._deleted: set[str] = set()
        self._consumed: set[tuple[ResourceKey, str]] = set()
        self._cancelled: dict[ResourceKey, str] = {}

    def declared(self, key: ResourceKey) -> None:
        """Record a resource that the program declares. The engine checks only these, not those that it will delete."""
        with self._lock:
            self._declared.add(key)

    def is_declared(self, key: ResourceKey) -> bool:
        """Return whether this process has checked the resource, so that the program declares it."""
        with self._lock:
            return key in self._declared

    def in_state(
        self,
        run: str,
        *,
        stored_key: ResourceKey | None,
        key: ResourceKey,
    ) -> ResourceKey | None:
        """Record the holder of a run according to the state.

        Return another resource if this process has adopted the run for that resource, and None otherwise.

        Args:
            run: The id of the run.
            stored_key: The resource as it is stored. After a rename with an alias it has the old name.
            key: The resource as it is declared.
        """
        with self._lock:
            known = self._runs.get(run)
            if known is not None and known.is_adopted:
                return known.key if known.key != key else None
            self._runs[run] = _Run(key, stored_key, is_new=known is not None and known.is_new)
            return None

    def holder(self, run: str, key: ResourceKey) -> ResourceKey | None:
        """Return the resource that holds a run, or None if no resource other than `key` holds it."""
        with self._lock:
            return self._other_holder(run, key)

    def knows(self, run: str) -> bool:
        """Return whether this process has seen the run in the state, submitted it, adopted it or deleted it."""
        with self._lock:
            return run in self._runs or run in self._deleted

    def key_of(self, run: str) -> ResourceKey | None:
        """Return the resource that holds a run, as it is declared, or None if this process has not seen the run."""
        with self._lock:
            return self._runs[run].key if run in self._runs else None

    def may_adopt(self, run: str, key: ResourceKey) -> bool:
        """Return whether a resource may adopt a run now. Use it to save calls; only `claim` is safe with threads."""
        with self._lock:
            return run not in self._deleted and self._other_holder(run, key) is None

    @contextmanager
    def claim(self, run: str, key: ResourceKey) -> Iterator[Claim]:
        """Claim a run for adoption, before any call about it. After `Claim.keep` the resource holds the run.

        Raises RunHeldError if the run is deleted, or if another resource of the program holds it or is adopting it.
        """
        with self._lock:
            if run in self._claims:
                raise RunHeldError(run, self._claims[run], is_claimed=True)
            if (holder := self._other_holder(run, key)) is not None:
                raise RunHeldError(run, holder)
            if run in self._deleted:
                raise RunHeldError(run, None)
            self._claims[run] = key
        claim = Claim()
        try:
            yield claim
        finally:
            with self._lock:
                del self._claims[run]
                if claim.is_kept:
                    self._runs[run] = _Run(key, key, is_new=True, is_adopted=True)

    def created(self, run: str, key: ResourceKey) -> None:
        """Record a run that this process has submitted. Raises RunHeldError if another new resource holds it."""
        with self._lock:
            known = self._runs.get(run)
            if known is not None and known.is_new and known.key != key:
                raise RunHeldError(run, known.key)
            self._runs[run] = _Run(key, key, is_new=True)

    def consume_adoption(self, key: ResourceKey, run: str) -> None:
        """Record that a resource has used this `adoptId`. It uses each one only once."""
        with self._lock:
            self._consumed.add((key, run))

    def restore_adoption(self, key: ResourceKey, run: str) -> None:
        """Undo `consume_adoption` if the state shows that the resource never used this `adoptId`."""
        with self._lock:
            self._consumed.discard((key, run))

    def is_adoption_consumed(self, key: ResourceKey, run: str) -> bool:
        """Return whether a resource has used this `adoptId` before, or the run was deleted."""
        with self._lock:
            return run in self._deleted or (key, run) in self._consumed

    def begin_delete(self, run: str, stored_key: ResourceKey | None, *, adopted_from: str | None = None) -> None:
        """Record that a resource is about to cancel a run. From now on, no resource can adopt the run.

        Raises RunHeldError if another resource holds the run or is adopting it. The run must then not be cancelled.

        Args:
            run: The id of the run.
            stored_key: The resource as it is stored.
            adopted_from: The `adoptId` of the resource. No resource can adopt this run either.
        """
        with self._lock:
            if run in self._claims:
                raise RunHeldError(run, self._claims[run], is_claimed=True)
            known = self._runs.get(run)
            if known is not None:
                is_others = None not in (stored_key, known.stored_key) and known.stored_key != stored_key
                if known.is_adopted or is_others:
                    raise RunHeldError(run, known.stored_key)
            self._deleted.add(run)
            if adopted_from:
                self._deleted.add(adopted_from)

    def cancelled(self, run: str, stored_key: ResourceKey | None) -> None:
        """Record that a run was cancelled, so that the error of the next submission can name it."""
        with self._lock:
            known = self._runs.get(run)
            key = known.key if known is not None else stored_key
            if key is not None:
                self._cancelled[key] = run

    def earlier_run_of(self, key: ResourceKey) -> str | None:
        """Return the run of a resource that this process has cancelled, or None."""
        with self._lock:
            return self._cancelled.get(key)

    def at_work(self) -> dict[str, str]:
        """Return the logical names of the jobs that this process has seen in its stack, by the ids of their runs."""
        with self._lock:
            return {run: known.key[0] for run, known in self._runs.items()}

    def _other_holder(self, run: str, key: ResourceKey) -> ResourceKey | None:
        known = self._runs.get(run)
        if known is None or known.key == key:
            return None
        return known.key if known.is_new or known.key in self._declared else None
