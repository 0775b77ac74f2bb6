from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Job
from tests.campaign.expectations import (
    Deed,
    Expectation,
    Situation,
    check_calls,
    check_cancelled,
    check_deed,
    check_end,
    check_message,
    check_unknown,
    check_wait,
    expect,
    is_excused,
)
from tests.campaign.ledger import Run
from tests.campaign.verdict import BrokenPromiseError

LIVE, SUCCESS, DEAD = BatchState.RUNNING, BatchState.SUCCESS, BatchState.DEAD
RUNS, STAYS, FAILS = Expectation.RUNS, Expectation.STAYS, Expectation.FAILS
GONE: dict[str, Any] = {"has_record": False}
ELSEWHERE: dict[str, Any] = {"is_here": False}
CHANGED: dict[str, Any] = {"is_changed": True}
RERUN: dict[str, Any] = {"is_rerun_if_expired": True, "is_told": True}
UNREAD: dict[str, Any] = {"is_rerun_if_expired": True, "is_unread": True}


def situation(state: BatchState = LIVE, **facts: Any) -> Situation:
    return Situation("a", "run-1", state, **facts)


def wrong(match: str) -> AbstractContextManager[object]:
    return pytest.raises(BrokenPromiseError, match=match)


@pytest.mark.parametrize(
    ("state", "facts", "expectation"),
    [
        (LIVE, {}, STAYS),
        (SUCCESS, {}, STAYS),
        (DEAD, {}, RUNS),
        (LIVE, CHANGED, RUNS),
        (SUCCESS, CHANGED | GONE, RUNS),
        # The record is gone.
        (SUCCESS, GONE, STAYS),
        (DEAD, GONE, STAYS),
        (SUCCESS, GONE | RERUN, RUNS),
        (DEAD, GONE | RERUN, RUNS),
        (SUCCESS, GONE | UNREAD, STAYS),
        (SUCCESS, GONE | RERUN | {"seen_by_wait": SUCCESS}, STAYS),
        (SUCCESS, GONE | RERUN | {"seen_by_job": SUCCESS}, STAYS),
        (SUCCESS, GONE | UNREAD | {"seen_by_wait": SUCCESS}, STAYS),
        (DEAD, GONE | {"seen_by_job": DEAD}, RUNS),
        # The run is at the other place.
        (LIVE, ELSEWHERE, STAYS),
        (DEAD, ELSEWHERE, STAYS),
        (SUCCESS, ELSEWHERE | GONE | RERUN, STAYS),
        (DEAD, ELSEWHERE | {"seen_by_job": DEAD}, RUNS),
        (LIVE, ELSEWHERE | CHANGED, FAILS),
        (SUCCESS, ELSEWHERE | CHANGED, FAILS),
        (SUCCESS, ELSEWHERE | CHANGED | {"seen_by_wait": SUCCESS}, RUNS),
        (DEAD, ELSEWHERE | CHANGED | {"seen_by_job": DEAD}, RUNS),
    ],
)
def test_what_is_known_decides_whether_a_job_runs_again(
    state: BatchState, facts: Mapping[str, Any], expectation: Expectation
) -> None:
    assert expect(situation(state, **facts)) is expectation


@pytest.mark.parametrize(
    ("expectation", "deed", "verdict"),
    [
        (STAYS, Deed("run-1"), nullcontext()),
        (STAYS, Deed("run-1", failures=["no"]), nullcontext()),
        (STAYS, Deed("run-2", ["run-2"]), wrong("a: ran again without a reason: run run-1 .success, its record is g")),
        (STAYS, Deed("run-1", ["run-2"]), wrong("a: ran again without a reason")),
        (STAYS, Deed(None), wrong("a: its run has left the state")),
        (FAILS, Deed("run-1", failures=["no"]), nullcontext()),
        (FAILS, Deed("run-1"), wrong("a: did not fail")),
        (FAILS, Deed(None, failures=["no"]), wrong("a: its run has left the state")),
        (FAILS, Deed("run-2", ["run-2"]), wrong("a: ran again without a reason")),
        (RUNS, Deed("run-2", ["run-2"]), nullcontext()),
        (RUNS, Deed("run-1"), wrong("a: did not run again exactly once")),
        (RUNS, Deed("run-3", ["run-2", "run-3"]), wrong("a: did not run again exactly once")),
        (RUNS, Deed("run-2", ["run-3"]), wrong("a: did not run again exactly once")),
    ],
)
def test_a_job_runs_again_only_if_it_must_and_then_once(
    expectation: Expectation, deed: Deed, verdict: AbstractContextManager[object]
) -> None:
    with verdict:
        check_deed(situation(SUCCESS, **GONE), expectation, deed, is_killed=False, is_clean=True)


def test_where_something_goes_wrong_a_job_need_not_run_but_must_not_run_without_a_reason() -> None:
    check_deed(situation(), RUNS, Deed("run-1"), is_killed=False, is_clean=False)
    check_deed(situation(), FAILS, Deed("run-1"), is_killed=True, is_clean=False)
    with wrong("did not fail"):
        check_deed(situation(), FAILS, Deed("run-1"), is_killed=False, is_clean=False)
    with wrong("ran again"):
        check_deed(situation(), STAYS, Deed("run-2", ["run-2"]), is_killed=True, is_clean=False)


def test_an_end_in_the_state_is_that_of_the_run() -> None:
    check_end("a", "its wait", None, "run-1", LIVE)
    check_end("a", "its wait", SUCCESS, "run-1", SUCCESS)
    with wrong("a: wrong outcome: its wait has stored success for run run-1, which is dead"):
        check_end("a", "its wait", SUCCESS, "run-1", DEAD)


def test_a_wait_passes_only_if_somebody_knows_the_end() -> None:
    waits = situation(SUCCESS, **GONE, is_awaited=False)
    check_wait(replace(waits, has_record=True))
    check_wait(replace(waits, seen_by_job=SUCCESS))
    check_wait(replace(waits, is_awaited=True))
    with wrong("a: wrong outcome: its wait has passed, but nobody had seen the end of run run-1"):
        check_wait(waits)


def test_an_outcome_is_unknown_only_if_the_record_is_gone_here_and_nobody_saw_the_end() -> None:
    message = "a: the service has deleted the record: its outcome is unknown."
    check_unknown("a", message, situation(SUCCESS, **GONE))
    check_unknown("a", "something else", situation())
    for known in (
        None,
        situation(),
        situation(SUCCESS, **GONE, **ELSEWHERE),
        situation(DEAD, **GONE, seen_by_job=DEAD),
    ):
        with wrong("a: the outcome is not unknown"):
            check_unknown("a", message, known)


def test_a_failed_create_says_that_nothing_runs_only_if_so_it_is() -> None:
    check_message("a", "a: not submitted, nothing runs.", [])
    check_message("a", "a: a job may run", ["run-1"])
    with wrong("a: says that nothing runs, but .'run-1'. was accepted"):
        check_message("a", "a: not submitted, nothing runs.", ["run-1"])


@pytest.mark.parametrize(
    ("facts", "method", "excused"),
    [
        ({}, "delete", False),
        (CHANGED, "delete", False),
        (ELSEWHERE | CHANGED, "delete", True),
        (ELSEWHERE, "delete", False),
        (ELSEWHERE | CHANGED, "create", False),
        (ELSEWHERE | CHANGED | {"seen_by_wait": SUCCESS}, "delete", False),
        (ELSEWHERE | GONE | RERUN, "delete", False),
        (ELSEWHERE | GONE | RERUN | {"is_known_gone": True}, "delete", True),
        ({"is_awaited": False}, "wait", False),
        (GONE | {"is_awaited": False}, "wait", True),
        (GONE | {"is_awaited": False, "seen_by_job": SUCCESS}, "wait", False),
        (ELSEWHERE | {"is_awaited": False}, "wait", True),
        (ELSEWHERE, "wait", False),
    ],
)
def test_a_call_may_fail_only_for_a_run_that_is_out_of_reach(
    facts: Mapping[str, Any], method: str, excused: bool
) -> None:
    assert is_excused(situation(SUCCESS, **facts), method, is_wanted=True) is excused


def test_a_job_that_leaves_the_stack_may_fail_only_if_its_run_may_go_on_elsewhere() -> None:
    assert is_excused(situation(**ELSEWHERE), "delete", is_wanted=False)
    assert not is_excused(situation(), "delete", is_wanted=False)
    assert not is_excused(situation(SUCCESS, **ELSEWHERE, seen_by_wait=SUCCESS), "delete", is_wanted=False)


def test_the_other_place_is_only_read_and_only_for_what_nobody_knows() -> None:
    job = situation(**ELSEWHERE)
    before, read = {"GET /batches": 1}, {"GET /batches": 2}
    check_calls(before, before, [job], [])
    check_calls(before, read, [job], [job])
    with wrong("calls at the other place: {'GET /batches': 1}, where these jobs have run: a: run run-1"):
        check_calls(before, read, [job], [])
    with wrong("'DELETE /batches/{id}': 1"):
        check_calls(before, read | {"DELETE /batches/{id}": 1}, [job], [job])


@pytest.mark.parametrize(
    ("facts", "needs_calls"),
    [
        ({}, True),
        ({"seen_by_job": SUCCESS}, False),
        ({"seen_by_wait": SUCCESS}, True),  # the engine asks about the job before it asks about its wait
        ({"seen_by_wait": SUCCESS, "is_told": True}, False),
        ({"seen_by_job": SUCCESS, "is_awaited": False}, True),
    ],
)
def test_an_up_has_to_ask_only_about_a_run_whose_end_it_does_not_know(
    facts: Mapping[str, Any], needs_calls: bool
) -> None:
    assert situation(SUCCESS, **facts).needs_calls is needs_calls


def test_a_run_is_cancelled_only_with_a_reason() -> None:
    body = '{"file": "obs://campaign/a.py"}'
    row = Job("run-1", "a", "somebody", "default", "A", body, body, LIVE, create_time=0, update_time=0)
    before = {"run-1": Run(row)}
    dead, ended = {"run-1": Run(replace(row, state=DEAD))}, {"run-1": Run(replace(row, state=SUCCESS))}
    check_cancelled(before, before, [])
    check_cancelled(before, ended, [])
    check_cancelled(dead, dead, [])
    check_cancelled(before, dead, ["run-1"])
    with wrong("a: run run-1 was cancelled without a reason"):
        check_cancelled(before, dead, [])
