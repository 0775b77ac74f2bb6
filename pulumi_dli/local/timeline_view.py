"""The timelines of the page: what each job was doing, for how long, and where the page draws it."""

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
"""The shortest span in milliseconds. A shorter one would read 0.0 s."""
_GAP = 0.02
_ALL_GAPS = 0.3


@dataclass(frozen=True)
class Span:
    """What a job was doing from `start` to `end` (ms since 1970).

    `waiting` is the API's `starting` before the first attempt. `attempt` counts from 0. It is None while the job waits.
    """

    kind: Kind
    start: int
    end: int
    attempt: int | None

    @property
    def duration(self) -> int:
        """The duration in milliseconds."""
        return self.end - self.start


def spans_of(changes: Sequence[Change], now: int) -> list[Span]:
    """Return what a job was doing until its end or `now`. Spans under 50 ms are left out unless they still go on."""
    ends = [*(change.time for change in changes[1:]), max([now, *(change.time for change in changes)])]
    return [
        Span("waiting" if change.attempt is None else change.state, change.time, end, change.attempt)
        for index, (change, end) in enumerate(zip(changes, ends, strict=False))
        if not change.state.is_final and (end - change.time >= _MOMENT or index == len(changes) - 1)
    ]


class Axis:
    """A time axis from 0 to 1. A time without any job becomes a small gap."""

    def __init__(self, jobs: Iterable[Sequence[Span]]) -> None:
        """`jobs` has the spans of each job."""
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
        """Return the position of a time (ms since 1970), which must be within the spans of a job."""
        index = bisect_right(self._starts, time) - 1
        return self._places[index] + (time - self._starts[index]) * self._scale
