"""The closing summary of an `up`: one block of text with a line for each job that was awaited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.states import BatchState

MAX_LINES = 20


@dataclass(frozen=True)
class JobOutcome:
    """How the wait for a job ended."""

    name: str
    """The logical name of the job."""
    state: str
    """The state of the job."""
    waited: float | None = None
    """How long this `up` waited, in seconds. None if it is not known."""
    took: float | None = None
    """The time from the submission of the job to its end, in seconds. None if it is not known."""
    ran: float | None = None
    """How long the job has run, in seconds, without the wait for capacity. None if it is not known."""
    cu_hours: float | None = None
    """The estimated cost in CU-hours. None if it is not known."""
    url: str | None = None
    """The page of the job."""

    def ended(self, state: str, took: float | None) -> JobOutcome:
        """Return the outcome of a job that has ended in `state`, `took` seconds after its submission.

        `ran` goes on to the moment in which the end was seen, so it may be up to a poll too long.
        """
        outcome = replace(self, state=state, took=took)
        if took is None or self.ran is None or self.ran <= took:
            return outcome
        cu_hours = None if self.cu_hours is None else self.cu_hours * took / self.ran
        return replace(outcome, ran=took, cu_hours=cu_hours)

    @property
    def facts(self) -> str:
        """What is known of the wait and of the run, in words."""
        facts = [
            *([] if self.waited is None else [f"waited {format_duration(self.waited)}"]),
            *([] if self.took is None else [f"took {format_duration(self.took)}"]),
            *([] if self.ran is None else [f"ran {format_duration(self.ran)}"]),
            *([] if self.cu_hours is None else [f"about {self.cu_hours:.2g} CU-hours"]),
        ]
        return ", ".join(facts)


def summary(outcomes: Iterable[JobOutcome]) -> str:
    """Return the block: failed jobs first, then those that go on, then the others. It has 20 lines at most."""
    ordered = sorted(outcomes, key=lambda one: (_rank(one.state), one.name))
    shown = ordered if len(ordered) < MAX_LINES else ordered[: MAX_LINES - 2]
    rest = ordered[len(shown) :]
    counts = ", ".join(_counts(ordered))
    title = f"{len(ordered)} {'job' if len(ordered) == 1 else 'jobs'}: {counts}"
    return "\n".join([title, *_table(shown), *([f"  and {', '.join(_counts(rest))} more"] if rest else [])])


def _table(outcomes: Sequence[JobOutcome]) -> list[str]:
    cells = [(one.name, one.state, one.facts, one.url or "") for one in outcomes]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)] if cells else []
    rows = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells)
    return [f"  {row}".rstrip() for row in rows]


def _counts(outcomes: Sequence[JobOutcome]) -> list[str]:
    return [f"{count} {state}" for state, count in Counter(one.state for one in outcomes).items()]


def _rank(state: str) -> int:
    known = BatchState.parse(state)
    if known is not None and known.is_failure:
        return 0
    return 1 if known is None or not known.is_final else 2
