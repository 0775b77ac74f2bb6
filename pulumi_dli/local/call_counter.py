"""Counting calls, so that tests can say how many a client makes."""

from __future__ import annotations

from collections import Counter


class CallCounter:
    """How often each route was called, answered or not. Keys are as in `GET /batches/{id}`."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, method: str, route: str) -> None:
        """Note one call."""
        self._counts[f"{method} {route}"] += 1

    def as_dict(self) -> dict[str, int]:
        """Give all counts."""
        return dict(sorted(self._counts.items()))

    def reset(self) -> None:
        """Start again from nothing."""
        self._counts.clear()
