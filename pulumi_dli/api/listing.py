"""Reads a list of jobs to its end, page by page, while jobs start and end.

A page begins after a number of jobs (`from`), not at a cursor. So the list may move between two pages. Some services
also return shorter pages than requested, count other jobs in `total`, or omit it. An incomplete list must never count
as complete, because the provider would submit a missing run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Any

from pulumi_dli.api.errors import NoAnswerError
from pulumi_dli.api.models import Batch, BatchList

PAGE_SIZE = 100
OVERLAP = 10
"""The number of jobs that two pages share. If the last job of a page is not in the next, the list has moved by more."""
MAX_PAGES = 200
MAX_RESTARTS = 10


class _Next(Enum):
    END = auto()
    """The list is complete."""
    PAGE = auto()
    RESTART = auto()
    """The list has moved by more than the overlap, so jobs may be missing."""
    UNREADABLE = auto()
    """The service does not return the rest of the list."""


def read_to_end(read: Callable[[int], BatchList]) -> Iterator[Batch]:
    """Yield each job of a list once. A job that is in the list during the whole iteration is never missed.

    Raises NoAnswerError if the list cannot be read to its end, and what `read` raises.

    Args:
        read: Returns the page that begins at this position of the list.
    """
    known: set[str] = set()
    restarts, current = 0, _Pass()
    for _ in range(MAX_PAGES):
        page = read(current.start)
        for batch in page.sessions:
            if batch.id not in known:
                known.add(batch.id)
                yield batch
        match current.take(page):
            case _Next.END:
                return
            case _Next.UNREADABLE:
                break
            case _Next.RESTART:
                restarts, current = restarts + 1, _Pass()
                if restarts > MAX_RESTARTS:
                    break
    raise NoAnswerError("GET …/batches: the list of jobs cannot be read to its end")


class _Pass:
    """The progress of one pass through the list, from its beginning."""

    def __init__(self) -> None:
        self.start = 0
        self._seen: set[str] = set()
        self._first_page: list[str] = []
        self._last = ""
        """The job that must be in the next page."""
        self._is_past_end = False
        """True if the next page begins after all known jobs, so that it should be empty."""

    def take(self, page: BatchList) -> _Next:
        """Add a page, and return the next step. For a next page, set `start`."""
        ids = [batch.id for batch in page.sessions]
        if not ids:
            return _Next.RESTART if self._has_shrunk(page) else _Next.END
        if self._last and self._last not in ids:
            return _Next.RESTART
        has_new = not self._seen.issuperset(ids)
        self._seen.update(ids)
        if self._is_complete(page, has_new=has_new):
            return _Next.END
        if ids == self._first_page:
            return _Next.UNREADABLE  # the service ignores `from`
        if self._is_past_end and not has_new:
            return _Next.RESTART  # the page should have been empty
        self._set_next_start(ids, is_past_end=not has_new)
        return _Next.PAGE

    def _set_next_start(self, ids: list[str], *, is_past_end: bool) -> None:
        self._first_page = self._first_page or ids
        self._is_past_end = is_past_end
        overlap = 0 if is_past_end else min(OVERLAP, len(ids) // 2)
        self._last = ids[-1] if overlap else ""
        self.start += len(ids) - overlap

    def _is_complete(self, page: BatchList, *, has_new: bool) -> bool:
        """Return whether the list ends with this page, which has jobs. After a full page, `total` alone is no proof.

        Nor is it where the page does not reach the end: jobs that have ended meanwhile can be as many as the unseen.
        """
        is_short, total = len(page.sessions) < PAGE_SIZE, _number(page.total)
        if total is None or total < len(self._seen):
            return is_short and not has_new
        reaches_end = self.start + len(page.sessions) >= total
        return total == len(self._seen) and reaches_end and (is_short or not has_new)

    def _has_shrunk(self, page: BatchList) -> bool:
        """Return whether jobs have ended before this empty page, so that other jobs may have moved out of sight."""
        total = _number(page.total)
        return self._last != "" and total is not None and total < len(self._seen)


def _number(total: Any) -> int | None:
    """Return a count, which the service may write as a number or as text, or None if it is neither."""
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 20:
        return int(total)
    if isinstance(total, float) and total.is_integer():
        return int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None
