"""Reads a list of jobs to its end, page by page, while jobs end and others begin.

The API gives pages by the number of jobs to pass over (`from`), not by a cursor. So the list may move between two
pages, and services are known to give less than the page that was asked for, to count other jobs in `total`, or to leave
it out. An incomplete list must never be taken for a complete one: a run that is missing in it would be submitted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Any

from pulumi_dli.api.errors import NoAnswerError
from pulumi_dli.api.models import Batch, BatchList

PAGE_SIZE = 100
OVERLAP = 10
"""How many jobs two pages share. If the last job of a page is not in the next one, the list has moved by more."""
MAX_PAGES = 200
MAX_RESTARTS = 10


class _Next(Enum):
    END = auto()
    """The list is complete."""
    PAGE = auto()
    RESTART = auto()
    """The list has moved on by more than the overlap, so jobs may have been missed."""
    UNREADABLE = auto()
    """The service does not give the rest of the list."""


def read_to_end(read: Callable[[int], BatchList]) -> Iterator[Batch]:
    """Yield each job of a list once. `read` reads the page from the job with this number on.

    No job that is in the list all the time is missed. Raises NoAnswerError if the list cannot be read to its end, and
    what `read` raises.
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
    """One pass through the list, from its beginning."""

    def __init__(self) -> None:
        self.start = 0
        self._seen: set[str] = set()
        self._first_page: list[str] = []
        self._last = ""
        """The job that must be in the next page."""
        self._is_past_end = False
        """True if the next page begins after all jobs that were seen, so it should be empty."""

    def take(self, page: BatchList) -> _Next:
        """Decide what follows on a page, and where it begins."""
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
        self._go_on(ids, is_past_end=not has_new)
        return _Next.PAGE

    def _go_on(self, ids: list[str], *, is_past_end: bool) -> None:
        self._first_page = self._first_page or ids
        self._is_past_end = is_past_end
        overlap = 0 if is_past_end else min(OVERLAP, len(ids) // 2)
        self._last = ids[-1] if overlap else ""
        self.start += len(ids) - overlap

    def _is_complete(self, page: BatchList, *, has_new: bool) -> bool:
        """Tell whether no page has to follow this one, which has jobs. `total` is not believed on a full page."""
        is_short, total = len(page.sessions) < PAGE_SIZE, _number(page.total)
        if total is None or total < len(self._seen):
            return is_short and not has_new
        return total == len(self._seen) and (is_short or not has_new)

    def _has_shrunk(self, page: BatchList) -> bool:
        """Tell whether an empty page means that jobs have ended, so that others may have moved up unseen."""
        total = _number(page.total)
        return self._last != "" and total is not None and total < len(self._seen)


def _number(total: Any) -> int | None:
    """Read a count that the service gives as a number, or as text. None if it is neither."""
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) < 20:
        return int(total)
    if isinstance(total, float) and total.is_integer():
        return int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None
