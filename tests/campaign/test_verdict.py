from contextlib import AbstractContextManager, nullcontext

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Job
from tests.campaign.verdict import BrokenPromiseError, check_nothing_runs, compare_runs, compare_with_state


def run_of(name: str, number: int = 0, state: BatchState = BatchState.RUNNING) -> Job:
    body = f'{{"file": "obs://campaign/{name}.py"}}'
    return Job(f"{name}-{number}", name, "somebody", "default", "A", body, body, state, create_time=0, update_time=0)


def wrong(match: str) -> AbstractContextManager[object]:
    return pytest.raises(BrokenPromiseError, match=match)


@pytest.mark.parametrize(
    ("intended", "accepted", "verdict"),
    [
        ({}, [], nullcontext()),
        ({"a": 2, "b": 1}, [run_of("a", 0), run_of("b"), run_of("a", 1)], nullcontext()),
        ({"a": 2}, [run_of("a")], wrong("a: lost: 2 runs were intended, 1 accepted")),
        ({"a": 1}, [], wrong("a: lost: 1 runs were intended, 0 accepted")),
        ({"a": 1}, [run_of("a", 0), run_of("a", 1)], wrong("a: twice: 1 runs were intended, 2 accepted")),
        ({"a": 1, "b": 1}, [run_of("a", 0), run_of("a", 1)], wrong("a: twice|b: lost")),
        ({"a": 1}, [run_of("a"), run_of("stray")], wrong("stray: twice: 0 runs were intended")),
        ({"a1": 1}, [run_of("a10")], wrong("a1: lost")),
    ],
)
def test_each_intended_run_is_accepted_exactly_once(
    intended: dict[str, int], accepted: list[Job], verdict: AbstractContextManager[object]
) -> None:
    with verdict:
        assert compare_runs(intended, accepted) == 0


def test_a_second_run_counts_where_it_is_not_wrong() -> None:
    assert compare_runs({"a": 1}, [run_of("a", 0), run_of("a", 1)], twice_is_wrong=False) == 1


@pytest.mark.parametrize(("accepted", "match"), [([], "a: lost"), ([run_of("a"), run_of("stray")], "stray: twice")])
def test_a_lost_or_a_stray_run_is_wrong_everywhere(accepted: list[Job], match: str) -> None:
    with wrong(match):
        compare_runs({"a": 1}, accepted, twice_is_wrong=False)


def test_a_live_run_is_in_the_state_and_ends_with_the_stack() -> None:
    ended = [run_of("a", 0, BatchState.DEAD), run_of("a", 1, BatchState.SUCCESS)]
    live = run_of("a", 2)
    compare_with_state([*ended, live], {"a-2"})
    check_nothing_runs(ended)
    with wrong("outside the state: {'a-2'}"):
        compare_with_state([*ended, live], {"a-0"})
    with wrong("left running after destroy: {'a-2'}"):
        check_nothing_runs([*ended, live])
