"""The rows of the design's table "When a job runs" that are decided without a call, and what the decisions rest on."""

from typing import Any

import pytest

from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.jobs import diff
from pulumi_dli.jobs.diff import Action, Decision, outcome
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, JobInputs
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.validation import UNKNOWN
from tests.jobs.examples import DECLARED, ID, PLACE, STORED, Properties


def compare(declared: Properties, *, preview: bool = False, stored: Properties = STORED) -> Decision:
    return diff.compare(StoredJob.parse(stored), JobInputs.parse(DECLARED | declared), preview=preview)


def action(declared: Properties, *, preview: bool = False, stored: Properties = STORED) -> Action:
    return compare(declared, preview=preview, stored=stored).action


# A declared property changes


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        ({"args": ["out", "in"]}, ("args",)),
        ({"queue": "adhoc", "file": "b.py"}, ("file", "queue")),
        ({"name": "fixed"}, ("name",)),
        ({"triggers": {"day": "2026-11-25"}}, ("triggers",)),
        ({"triggers": None}, ("triggers",)),
        ({"region": "cn-north-4"}, ("region",)),
        ({"projectId": "else"}, ("projectId",)),
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_a_change_of_what_is_run_or_where_replaces_and_says_why(
    declared: Properties, names: tuple[str, ...], preview: bool
) -> None:
    decision = compare(declared, preview=preview)
    assert (decision.action, decision.properties) == (Action.REPLACE, names)
    assert decision.reason == f"{', '.join(names)} changed"


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"driverMemory": "2048 MB", "scType": "A", "maxRetryTimes": 20.0},
        {"queue": None, "clusterName": "batch"},
        {"conf": {}, "jars": []},
        {"region": "eu-de", "projectId": "5e1c"},
        {"scope": "87654321", "resourceName": "renamed"},
        {"replacementTrigger": "2026-11-25"},
        {"adoptId": "another-id"},
    ],
)
@pytest.mark.parametrize("preview", [True, False])
def test_what_says_the_same_changes_nothing(declared: Properties, preview: bool) -> None:
    assert action(declared, preview=preview) is Action.NONE


@pytest.mark.parametrize("state", [*BatchState, None])
def test_the_declaration_alone_does_not_rerun_a_job_in_whatever_state(state: BatchState | None) -> None:
    assert action({}, stored={**STORED, "state": state}) is Action.NONE


@pytest.mark.parametrize(
    ("option", "value"),
    [("rerunOnFailure", False), ("onRecordExpired", "rerun"), ("whenRunning", "refuse"), ("cancelTimeout", 5)],
)
def test_an_option_of_the_provider_is_updated_in_place(option: str, value: Any) -> None:
    decision = compare({option: value}, preview=False)
    assert (decision.action, decision.properties) == (Action.UPDATE, (option,))
    with_default = {name for name in OPTIONS if ARGUMENTS[name].default is not None}
    assert with_default == set(OPTIONS) - {"region", "projectId", "triggers", "replacementTrigger", "adoptId"}


def test_quotes_around_a_number_are_stored_in_place() -> None:
    stored = {name: value for name, value in STORED.items() if name != "exactNumbers"} | {"triggers": {"day": 42.0}}
    decision = compare({"triggers": {"day": "42"}}, stored=stored)
    assert (decision.action, decision.properties) == (Action.UPDATE, ("triggers",))


def test_digits_that_a_preview_does_not_know_yet_are_no_change() -> None:
    assert action({"exactNumbers": UNKNOWN, "replacementTrigger": UNKNOWN}, preview=True) is Action.NONE


def test_a_change_of_what_is_run_counts_more_than_one_of_an_option() -> None:
    assert action({"file": "b.py", "cancelTimeout": 5}) is Action.REPLACE


@pytest.mark.parametrize("stored", [{}, {"resourceName": "load"}, {"state": "running", "submittedTo": PLACE}])
def test_lost_outputs_say_nothing_about_the_job(stored: Properties) -> None:
    assert action({}, stored=stored) is Action.NONE


def test_an_old_state_without_the_place_is_not_taken_for_another_place() -> None:
    assert action({"region": "cn-north-4"}, stored=dict(DECLARED)) is Action.NONE


# Unknown values


@pytest.mark.parametrize("unknown", [{"args": UNKNOWN}, {"args": ["in", UNKNOWN]}, {"triggers": {"day": UNKNOWN}}])
def test_a_value_that_a_preview_does_not_know_yet_replaces(unknown: Properties) -> None:
    decision = compare(unknown, preview=True)
    assert (decision.action, decision.properties) == (Action.REPLACE, tuple(unknown))
    assert decision.reason == f"{next(iter(unknown))} is not known yet"


@pytest.mark.parametrize("unknown", [{"args": UNKNOWN}, {"triggers": {"day": UNKNOWN}}, {"cancelTimeout": UNKNOWN}])
@pytest.mark.parametrize("known", [{}, {"file": "b.py"}, {"rerunOnFailure": False}])
def test_an_unknown_value_without_a_preview_is_the_engines_question_and_no_change(
    unknown: Properties, known: Properties
) -> None:
    assert action(known | unknown) is Action.NONE


def test_a_known_change_beside_an_unknown_value_is_told_as_a_change() -> None:
    decision = compare({"args": UNKNOWN, "file": "b.py"}, preview=True)
    assert decision.reason == "file, args changed"


def test_an_unknown_option_does_not_replace() -> None:
    assert action({"cancelTimeout": UNKNOWN}, preview=True) is Action.NONE


# Nothing changed: what counts is how the job ended


@pytest.mark.parametrize("state", [*LIVE_STATES, BatchState.SUCCESS, None])
@pytest.mark.parametrize("declared", [{}, {"rerunOnFailure": True}, {"onRecordExpired": "rerun"}])
def test_a_job_that_runs_or_has_succeeded_or_cannot_be_asked_for_stays(
    state: BatchState | None, declared: Properties
) -> None:
    assert outcome(JobInputs.parse(declared), ID, state, expired=False).action is Action.NONE


@pytest.mark.parametrize("declared", [{}, {"rerunOnFailure": True}])
@pytest.mark.parametrize("expired", [True, False])
def test_a_dead_job_runs_again_and_up_says_why(declared: Properties, expired: bool) -> None:
    decision = outcome(JobInputs.parse(declared), ID, BatchState.DEAD, expired=expired)
    assert (decision.action, decision.properties) == (Action.REPLACE, ("state",))
    assert decision.reason == f"the last run, {ID}, is dead"


@pytest.mark.parametrize("expired", [True, False])
@pytest.mark.parametrize("on_record_expired", ["keep", "rerun"])
def test_a_dead_job_stays_where_that_is_declared(expired: bool, on_record_expired: str) -> None:
    declared = {"rerunOnFailure": False, "onRecordExpired": on_record_expired}
    assert outcome(JobInputs.parse(declared), ID, BatchState.DEAD, expired=expired).action is Action.NONE


@pytest.mark.parametrize("declared", [{}, {"onRecordExpired": "keep"}])
@pytest.mark.parametrize("state", [*LIVE_STATES, BatchState.SUCCESS, None])
def test_a_vanished_record_is_no_reason_to_run_again(declared: Properties, state: BatchState | None) -> None:
    assert outcome(JobInputs.parse(declared), ID, state, expired=True).action is Action.NONE


@pytest.mark.parametrize("state", [*LIVE_STATES, None])
def test_a_job_whose_end_nobody_saw_runs_again_where_that_is_declared(state: BatchState | None) -> None:
    decision = outcome(JobInputs.parse({"onRecordExpired": "rerun"}), ID, state, expired=True)
    assert (decision.action, decision.properties) == (Action.REPLACE, ("recordExpired",))
    assert ID in decision.reason


def test_a_run_whose_success_was_seen_is_never_run_again_for_its_record() -> None:
    assert (
        outcome(JobInputs.parse({"onRecordExpired": "rerun"}), ID, BatchState.SUCCESS, expired=True).action
        is Action.NONE
    )
