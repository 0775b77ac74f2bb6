"""Knows from the engine's requests what the engine does with a resource that it does not tell the provider."""

from __future__ import annotations

import threading

from pulumi_dli.plugin.properties import Properties


class Replacements:
    """Follows the engine's requests about each resource. Threads may share it.

    A stored resource is checked with its stored inputs. If neither a diff nor a delete follows before its create, the
    engine creates a replacement first, and deletes the stored resource later (source of 3.259: `replacementTrigger` and
    `replaceWith` do so). For `--replace` the engine does not pass the stored inputs, so this class cannot know of it.

    If a plan keeps a resource, and a delete of the same run follows, the state has two resources with one run. An `up`
    with `--replace` leaves them if the replacement has adopted the run, and something else has failed before the
    delete. The engine repeats the delete in the next `up`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unplanned: dict[str, Properties] = {}
        self._checked: set[str] = set()
        self._kept: dict[str, str] = {}

    def checked(self, urn: str, stored: Properties) -> None:
        """Record a check with these stored inputs. They are empty for a new resource and in the check before create."""
        with self._lock:
            if stored.values:
                self._unplanned[urn] = stored
                self._checked.add(urn)
            else:
                self._kept.pop(urn, None)

    def planned(self, urn: str) -> None:
        """Record that the engine has asked for a diff or a delete, or that the old run has been ended."""
        with self._lock:
            self._unplanned.pop(urn, None)

    def decided(self, urn: str, kept: str | None) -> None:
        """Record a plan that keeps a resource with this run, or replaces it (None).

        A plan before the check counts for nothing: it is that of a refresh.
        """
        with self._lock:
            if kept is None:
                self._kept.pop(urn, None)
            elif urn in self._checked:
                self._kept[urn] = kept

    def stored_inputs(self, urn: str) -> Properties | None:
        """Return the stored inputs of a resource that is replaced without a plan, or None."""
        with self._lock:
            return self._unplanned.get(urn)

    def keeper(self, run: str) -> str | None:
        """Return the URN of the resource that stays in the state with this run, or None if no plan keeps it."""
        with self._lock:
            return next((urn for urn, kept in self._kept.items() if kept == run), None)
