"""The times of jobs, for people: what each was doing, for how long, and where that is on a drawn line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Change

Kind = Literal["waiting"] | BatchState

_MOMENT = 50
"""Milliseconds; less is shown as 0.0 s."""
_GAP = 0.02
_ALL_GAPS = 0.3


@dataclass(frozen=True)
class Span:
    """What a job was doing from `start` to `end` (ms since 1970).

    `waiting` is the API's `starting` before the first attempt. `attempt` counts from 0; None while the job waits.
    """

    kind: Kind
    start: int
    end: int
    attempt: int | None

    @property
    def duration(self) -> int:
        """How long, in milliseconds."""
        return self.end - self.start


def spans_of(changes: Sequence[Change], now: int) -> list[Span]:
    """Tell what a job was doing, up to its end or to `now`; moments are left out, unless they go on."""
    ends = [*(change.time for change in changes[1:]), max([now, *(change.time for change in changes)])]
    return [
        Span("waiting" if change.attempt is None else change.state, change.time, end, change.attempt)
        for index, (change, end) in enumerate(zip(changes, ends, strict=False))
        if not change.state.is_final and (end - change.time >= _MOMENT or index == len(changes) - 1)
    ]


class Axis:
    """A line from 0 to 1 for the times of jobs; times at which none of them was there take little of it."""

    def __init__(self, jobs: Iterable[Sequence[Span]]) -> None:
        """Take the spans of each job."""
        busy: list[tuple[int, int]] = []
        for start, end in sorted((job[0].start, job[-1].end) for job in jobs if job):
            if busy and start <= busy[-1][1]:
                busy[-1] = (busy[-1][0], max(end, busy[-1][1]))
            else:
                busy.append((start, end))
        gap = min(_GAP, _ALL_GAPS / len(busy)) if busy else 0
        self._scale = (1 - gap * (len(busy) - 1)) / max(sum(end - start for start, end in busy), 1)
        self._starts = [start for start, _ in busy]
        lengths = ((end - start) * self._scale + gap for start, end in busy)
        self._places = list(accumulate(lengths, initial=0.0))

    def position(self, time: int) -> float:
        """Give where a time of one of the jobs is."""
        index = bisect_right(self._starts, time) - 1
        return self._places[index] + (time - self._starts[index]) * self._scale
