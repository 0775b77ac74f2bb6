from typing import Any

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.wait_goals import Until


@pytest.mark.parametrize(
    ("until", "reached", "missed"),
    [
        (Until.SUCCESS, {BatchState.SUCCESS}, {BatchState.DEAD}),
        (Until.RUNNING, {BatchState.RUNNING, BatchState.RECOVERING, BatchState.SUCCESS}, {BatchState.DEAD}),
        (Until.FINISHED, {BatchState.SUCCESS, BatchState.DEAD}, set()),
    ],
)
def test_a_wait_is_over_when_the_state_says_so(until: Until, reached: set[Any], missed: set[Any]) -> None:
    states = [*BatchState, None]
    assert {state for state in states if until.is_reached(state)} == reached
    assert {state for state in states if until.is_missed(state)} == missed
