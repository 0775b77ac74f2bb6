"""Knows whether the engine replaces a resource without having asked the provider for a plan."""

from __future__ import annotations

import threading

from pulumi_dli.plugin.properties import Properties


class Replacements:
    """Follows the engine's requests about each resource. Threads may share it.

    A stored resource is checked with its stored inputs. If neither a diff nor a delete follows before its create, the
    engine creates a replacement first, and deletes the stored resource later (source of 3.259: `replacementTrigger` and
    `replaceWith` do so). For `--replace` the engine does not pass the stored inputs, so this class cannot know of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unplanned: dict[str, Properties] = {}

    def checked(self, urn: str, stored: Properties) -> None:
        """Record a check with these stored inputs. They are empty for a new resource and in the check before create."""
        if stored.values:
            with self._lock:
                self._unplanned[urn] = stored

    def planned(self, urn: str) -> None:
        """Record that the engine has asked for a diff or a delete, or that the old run has been ended."""
        with self._lock:
            self._unplanned.pop(urn, None)

    def stored_inputs(self, urn: str) -> Properties | None:
        """Return the stored inputs of a resource that is replaced without a plan, or None."""
        with self._lock:
            return self._unplanned.get(urn)
