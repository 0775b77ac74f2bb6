from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Change
from pulumi_dli.local.timeline_view import Axis, Span, spans_of

STARTING, RUNNING, RECOVERING, SUCCESS, DEAD = (
    BatchState.STARTING,
    BatchState.RUNNING,
    BatchState.RECOVERING,
    BatchState.SUCCESS,
    BatchState.DEAD,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], []),
        ([(1000, STARTING, None)], [("waiting", 1000, 9000, None)]),
        ([(9000, STARTING, None)], [("waiting", 9000, 9000, None)]),
        ([(9500, STARTING, None)], [("waiting", 9500, 9500, None)]),
        (
            [(1000, STARTING, None), (3000, STARTING, 0), (4000, RUNNING, 0)],
            [("waiting", 1000, 3000, None), ("starting", 3000, 4000, 0), ("running", 4000, 9000, 0)],
        ),
        (
            [(1000, STARTING, None), (1049, STARTING, 0), (2000, RUNNING, 0), (2050, SUCCESS, 0)],
            [("starting", 1049, 2000, 0), ("running", 2000, 2050, 0)],
        ),
        (
            [(1000, RUNNING, 0), (2000, RECOVERING, 0), (3000, RECOVERING, 1), (4000, RUNNING, 1), (5000, DEAD, 1)],
            [
                ("running", 1000, 2000, 0),
                ("recovering", 2000, 3000, 0),
                ("recovering", 3000, 4000, 1),
                ("running", 4000, 5000, 1),
            ],
        ),
        ([(1000, STARTING, None), (4000, DEAD, None)], [("waiting", 1000, 4000, None)]),
        ([(1000, STARTING, None), (1001, STARTING, 0), (1002, RUNNING, 0), (1003, SUCCESS, 0)], []),
    ],
    ids=[
        "of nothing",
        "a job that waits",
        "a job that begins to wait",
        "a clock that was set back",
        "a job that runs",
        "moments",
        "attempts",
        "a job that was given up",
        "nothing but moments",
    ],
)
def test_what_a_job_was_doing(
    changes: list[tuple[int, BatchState, int | None]], expected: list[tuple[str, int, int, int | None]]
) -> None:
    told = spans_of([Change(*change) for change in changes], now=9000)
    assert [(span.kind, span.start, span.end, span.attempt) for span in told] == expected


def ran(start: int, end: int) -> list[Span]:
    return [Span("running", start, end, 0)]


def test_a_line_has_the_times_in_proportion() -> None:
    axis = Axis([ran(1000, 3000), [], ran(2000, 5000)])
    assert [axis.position(time) for time in (1000, 2000, 5000)] == pytest.approx([0, 0.25, 1])


def test_a_line_leaves_out_the_time_without_jobs() -> None:
    axis = Axis([ran(0, 1000), ran(1_000_000, 1_001_000)])
    assert [axis.position(time) for time in (0, 1000, 1_000_000, 1_001_000)] == pytest.approx([0, 0.49, 0.51, 1])


@given(st.lists(st.tuples(st.integers(0, 10**7), st.lists(st.integers(0, 10**5), min_size=1, max_size=4)), max_size=60))
def test_every_time_of_a_job_is_on_the_line_and_in_order(jobs: list[tuple[int, list[int]]]) -> None:
    times = [list(accumulate(lengths, initial=start)) for start, lengths in jobs]
    axis = Axis([[Span("running", *pair, 0) for pair in pairwise(points)] for points in times])
    places = [axis.position(time) for time in sorted(time for points in times for time in points)]
    assert places == sorted(places)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)
