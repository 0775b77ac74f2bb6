"""Which resource of this program holds which run: the one place that knows, so that no run gets two keepers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pulumi_dli.jobs.inputs import JobInputs

ResourceKey = tuple[str, str]
"""What tells the resources of all stacks apart: logical name and scope, as they are declared or stored."""


def declared_key(declared: JobInputs) -> ResourceKey:
    """Give the key of a declared job.

    Raises ValueError where the logical name or the scope is missing. The adapter passes both, so this is a defect of
    the adapter: with no key, all such jobs would be one job.
    """
    key = stored_key(declared)
    if key is None:
        raise ValueError("a declared job has no resourceName or no scope: the adapter must pass both")
    return key


def stored_key(stored: JobInputs) -> ResourceKey | None:
    """Give the key of a stored job; None where the stored outputs have none, as lost outputs (`{}`)."""
    name, scope = stored.resource_name, stored.scope
    return (str(name), str(scope)) if name and scope else None


class RunHeldError(Exception):
    """Another resource holds the run, or the run is deleted. `is_claimed` True: the other one is adopting it now."""

    def __init__(self, run: str, holder: ResourceKey | None, *, is_claimed: bool = False) -> None:
        super().__init__(f"{run} is held by {holder[0]}" if holder else f"{run} is deleted")
        self.holder = holder
        self.is_claimed = is_claimed


@dataclass
class _Run:
    """What is known of one run. `stored_key` None: the state does not say whose it is, or nothing was stored yet."""

    key: ResourceKey
    stored_key: ResourceKey | None
    is_new: bool = False
    """This process has submitted or adopted it."""
    is_adopted: bool = False
    """This process has adopted it: another resource of the state may still name it."""


class Claim:
    """The right to adopt a run, while the caller finds out whether it fits. Not kept, it ends with the block."""

    def __init__(self) -> None:
        self.is_kept = False

    def keep(self) -> None:
        """Adopt the run when the block ends."""
        self.is_kept = True


class RunRegistry:
    """Which resource of this program holds which run. Makes no call. Threads may share it; one lock guards all of it.

    Runs are named by their batch ids. A stored job without a key goes on by its id alone.
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
        """Note a resource of the program: it was checked, and is not one that the engine is about to delete."""
        with self._lock:
            self._declared.add(key)

    def is_declared(self, key: ResourceKey) -> bool:
        """Tell whether the program has declared a resource in this process."""
        with self._lock:
            return key in self._declared

    def in_state(
        self,
        run: str,
        *,
        stored_key: ResourceKey | None,
        key: ResourceKey,
    ) -> ResourceKey | None:
        """Note whose run the state says that it is. Give the other resource that this process has adopted it for.

        `key` is the resource as it is declared; after a rename with an alias `stored_key` has the old name.
        """
        with self._lock:
            known = self._runs.get(run)
            if known is not None and known.is_adopted:
                return known.key if known.key != key else None
            self._runs[run] = _Run(key, stored_key, is_new=known is not None and known.is_new)
            return None

    def holder(self, run: str, key: ResourceKey) -> ResourceKey | None:
        """Give the resource that holds a run, if it is another one than `key`."""
        with self._lock:
            return self._other_holder(run, key)

    def may_adopt(self, run: str, key: ResourceKey) -> bool:
        """Tell whether a resource may adopt a run now. Only `claim` decides; this spares calls for other runs."""
        with self._lock:
            return run not in self._deleted and self._other_holder(run, key) is None

    @contextmanager
    def claim(self, run: str, key: ResourceKey) -> Iterator[Claim]:
        """Claim a run for adoption, before any call is made for it. If it is kept, the resource then holds the run.

        Raises RunHeldError where the run is deleted, another resource of the program holds it, or is adopting it.
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
        """Note a run that this process has submitted. Raises RunHeldError where another new resource has it already."""
        with self._lock:
            known = self._runs.get(run)
            if known is not None and known.is_new and known.key != key:
                raise RunHeldError(run, known.key)
            self._runs[run] = _Run(key, key, is_new=True)

    def consume_adoption(self, key: ResourceKey, run: str) -> None:
        """Note that a resource has followed its `adoptId`: it follows each one once only."""
        with self._lock:
            self._consumed.add((key, run))

    def restore_adoption(self, key: ResourceKey, run: str) -> None:
        """Take back `consume_adoption`, where the state says that the resource never followed this `adoptId`."""
        with self._lock:
            self._consumed.discard((key, run))

    def is_adoption_consumed(self, key: ResourceKey, run: str) -> bool:
        """Tell whether a resource has followed this `adoptId` before, or the run was deleted."""
        with self._lock:
            return run in self._deleted or (key, run) in self._consumed

    def begin_delete(self, run: str, stored_key: ResourceKey | None, *, adopted_from: str | None = None) -> None:
        """Note that a run is to be cancelled; from now on nothing adopts it, nor the run that `adoptId` named.

        Raises RunHeldError where another resource holds the run, or is adopting it: then it must not be cancelled.
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
        """Note that a run was cancelled, so that a failure of the next run can name it."""
        with self._lock:
            known = self._runs.get(run)
            key = known.key if known is not None else stored_key
            if key is not None:
                self._cancelled[key] = run

    def earlier_run_of(self, key: ResourceKey) -> str | None:
        """Give the run that this process has cancelled for the next run of a resource."""
        with self._lock:
            return self._cancelled.get(key)

    def at_work(self) -> dict[str, str]:
        """Give the logical names of the jobs that this process has met in its stack, by run."""
        with self._lock:
            return {run: known.key[0] for run, known in self._runs.items()}

    def _other_holder(self, run: str, key: ResourceKey) -> ResourceKey | None:
        known = self._runs.get(run)
        if known is None or known.key == key:
            return None
        return known.key if known.is_new or known.key in self._declared else None
