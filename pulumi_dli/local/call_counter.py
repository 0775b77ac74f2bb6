"""Counts of calls by route, so that a test can check how many calls a client makes."""

from __future__ import annotations

from collections import Counter


class CallCounter:
    """Counts calls by method and route, as in `GET /batches/{id}`. A call without an answer counts, too."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, method: str, route: str) -> None:
        self._counts[f"{method} {route}"] += 1

    def as_dict(self) -> dict[str, int]:
        return dict(sorted(self._counts.items()))

    def reset(self) -> None:
        self._counts.clear()
