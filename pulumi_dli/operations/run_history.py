"""The earlier runs of a resource, handed from the delete of a replacement to its create within one process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from pulumi_dli.operations.run_registry import ResourceKey

MAX_RUNS = 10

Run = Mapping[str, Any]


class RunHistory:
    """Stores the last ten runs of each resource that is being replaced. Threads may share it.

    If the replacement is interrupted between its two halves, the history is lost.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[ResourceKey, str] = {}
        self._runs: dict[ResourceKey, list[Run]] = {}

    def will_be_replaced(self, key: ResourceKey, reason: str) -> None:
        """Record why a resource will be replaced."""
        with self._lock:
            self._reasons[key] = reason

    def ended(self, key: ResourceKey, run: Run, earlier: Any) -> None:
        """Record a run that is deleted.

        Args:
            key: The key of the resource as it is declared.
            run: The id, the state and the times of the run.
            earlier: The stored earlier runs, oldest first. Anything but a list counts as none.
        """
        with self._lock:
            runs = [*(earlier if isinstance(earlier, list) else []), {**run, "replacedBecause": self._reasons.get(key)}]
            self._runs[key] = runs[-MAX_RUNS:]

    def of(self, key: ResourceKey) -> list[Run] | None:
        """Return the earlier runs of a resource, oldest first, or None if there are none."""
        with self._lock:
            return self._runs.get(key)
