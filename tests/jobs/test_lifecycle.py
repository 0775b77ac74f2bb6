"""The rows of the design's table "When a job runs" that are decided without a call, and what the decisions rest on."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_dli.api.models import LIVE_STATES, Batch, BatchState
from pulumi_dli.jobs.lifecycle import (
    OBSERVED,
    Action,
    Until,
    compare,
    dead_message,
    is_final,
    outcome,
    outputs,
    refreshed,
    stored_state,
    timeout_message,
    unknown_message,
)
from pulumi_dli.jobs.properties import OPTION_DEFAULTS, OPTIONS, WIRE_NAMES
from pulumi_dli.jobs.validation import UNKNOWN

Properties = dict[str, Any]

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
PLACE = {"region": "eu-de", "projectId": "5e1c"}
DECLARED: Properties = {
    "file": "a.py",
    "queue": "batch",
    "args": ["in", "out"],
    "driverMemory": "2G",
    "triggers": {"day": "2026-11-24"},
    "resourceName": "load",
    "scope": "12345678",
}
STORED = outputs(DECLARED, Batch(id=ID, state="running"), PLACE)


def action(declared: Properties, *, preview: bool = False, stored: Properties = STORED) -> Action:
    return compare(stored, DECLARED | declared, preview=preview).action


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
    decision = compare(STORED, DECLARED | declared, preview=preview)
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
    decision = compare(STORED, DECLARED | {option: value}, preview=False)
    assert (decision.action, decision.properties) == (Action.UPDATE, (option,))
    assert set(OPTION_DEFAULTS) == set(OPTIONS) - {"region", "projectId", "triggers", "replacementTrigger", "adoptId"}


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
    decision = compare(STORED, DECLARED | unknown, preview=True)
    assert (decision.action, decision.properties) == (Action.REPLACE, tuple(unknown))
    assert decision.reason == f"{next(iter(unknown))} is not known yet"


@pytest.mark.parametrize("unknown", [{"args": UNKNOWN}, {"triggers": {"day": UNKNOWN}}, {"cancelTimeout": UNKNOWN}])
@pytest.mark.parametrize("known", [{}, {"file": "b.py"}, {"rerunOnFailure": False}])
def test_an_unknown_value_without_a_preview_is_the_engines_question_and_no_change(
    unknown: Properties, known: Properties
) -> None:
    assert action(known | unknown) is Action.NONE


def test_a_known_change_beside_an_unknown_value_is_told_as_a_change() -> None:
    decision = compare(STORED, DECLARED | {"args": UNKNOWN, "file": "b.py"}, preview=True)
    assert decision.reason == "file, args changed"


def test_an_unknown_option_does_not_replace() -> None:
    assert action({"cancelTimeout": UNKNOWN}, preview=True) is Action.NONE


# Nothing changed: what counts is how the job ended


@pytest.mark.parametrize("state", [*LIVE_STATES, BatchState.SUCCESS, None])
@pytest.mark.parametrize("declared", [{}, {"rerunOnFailure": True}, {"onRecordExpired": "rerun"}])
def test_a_job_that_runs_or_has_succeeded_or_cannot_be_asked_for_stays(
    state: BatchState | None, declared: Properties
) -> None:
    assert outcome(declared, ID, state, expired=False).action is Action.NONE


@pytest.mark.parametrize("declared", [{}, {"rerunOnFailure": True}])
@pytest.mark.parametrize("expired", [True, False])
def test_a_dead_job_runs_again_and_up_says_why(declared: Properties, expired: bool) -> None:
    decision = outcome(declared, ID, BatchState.DEAD, expired=expired)
    assert (decision.action, decision.properties) == (Action.REPLACE, ("state",))
    assert decision.reason == f"the last run, {ID}, is dead"


@pytest.mark.parametrize("expired", [True, False])
@pytest.mark.parametrize("on_record_expired", ["keep", "rerun"])
def test_a_dead_job_stays_where_that_is_declared(expired: bool, on_record_expired: str) -> None:
    declared = {"rerunOnFailure": False, "onRecordExpired": on_record_expired}
    assert outcome(declared, ID, BatchState.DEAD, expired=expired).action is Action.NONE


@pytest.mark.parametrize("declared", [{}, {"onRecordExpired": "keep"}])
@pytest.mark.parametrize("state", [*LIVE_STATES, BatchState.SUCCESS, None])
def test_a_vanished_record_is_no_reason_to_run_again(declared: Properties, state: BatchState | None) -> None:
    assert outcome(declared, ID, state, expired=True).action is Action.NONE


@pytest.mark.parametrize("state", [*LIVE_STATES, None])
def test_a_job_whose_end_nobody_saw_runs_again_where_that_is_declared(state: BatchState | None) -> None:
    decision = outcome({"onRecordExpired": "rerun"}, ID, state, expired=True)
    assert (decision.action, decision.properties) == (Action.REPLACE, ("recordExpired",))
    assert ID in decision.reason


def test_a_run_whose_success_was_seen_is_never_run_again_for_its_record() -> None:
    assert outcome({"onRecordExpired": "rerun"}, ID, BatchState.SUCCESS, expired=True).action is Action.NONE


# The outputs


def test_the_outputs_echo_what_is_declared_and_add_what_the_service_says() -> None:
    reply = {
        "id": ID,
        "appId": "batch-session-17",
        "name": "load-12345678-87654321-abcdef",
        "owner": "data-platform",
        "proxyUser": "tenant",
        "state": "Success",
        "kind": "spark",
        "log": ["stdout: "],
        "sc_type": "CUSTOMIZED",
        "cluster_name": "adhoc",
        "queue": "batch",
        "create_time": 1795478400000,
        "update_time": 1795478464000,
        "duration": 60000,
        "req_body": '{"args":["secret"]}',
    }
    assert outputs(DECLARED, Batch.model_validate(reply), PLACE) == DECLARED | {
        "state": "success",
        "appId": "batch-session-17",
        "owner": "data-platform",
        "proxyUser": "tenant",
        "kind": "spark",
        "log": ["stdout: "],
        "createTime": 1795478400000,
        "updateTime": 1795478464000,
        "duration": 60000,
        "submittedName": "load-12345678-87654321-abcdef",
        "effectiveScType": "CUSTOMIZED",
        "effectiveQueue": "batch",
        "submittedTo": PLACE,
        "recordExpired": False,
    }


def test_no_output_of_the_service_has_the_name_of_a_declared_property() -> None:
    assert not {*OBSERVED} & {*WIRE_NAMES, *OPTIONS}


def test_a_sparse_reply_leaves_outputs_empty() -> None:
    made = outputs({}, Batch.model_validate({"id": ID, "state": "starting", "appId": "", "owner": ""}), PLACE)
    assert {name for name, value in made.items() if value is not None} == {"state", "submittedTo", "recordExpired"}


@pytest.mark.parametrize(
    ("reply", "output", "value"),
    [
        ({"appId": ["batch-session-17", "batch-session-18"]}, "appId", "batch-session-17"),
        ({"appId": []}, "appId", None),
        ({"cluster_name": "batch"}, "effectiveQueue", "batch"),
        ({"state": "hibernating"}, "state", "hibernating"),
        ({"state": "killed"}, "state", "dead"),
        ({"state": "dead", "create_time": 1000, "update_time": 5000}, "duration", 4000),
        ({"state": "dead", "create_time": 5000, "update_time": 1000}, "duration", 0),
        ({"state": "running", "create_time": 1000, "update_time": 5000}, "duration", None),
    ],
)
def test_an_output_is_made_of_what_the_service_says(reply: Properties, output: str, value: Any) -> None:
    assert outputs({}, Batch.model_validate({"id": ID, **reply}), PLACE)[output] == value


replies = st.dictionaries(
    st.sampled_from([field.alias or name for name, field in Batch.model_fields.items() if name != "id"]),
    st.none() | st.text() | st.integers(-(2**53), 2**53) | st.lists(st.text(), max_size=2) | st.booleans(),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(replies)
def test_outputs_are_json_whatever_the_service_says(reply: Properties) -> None:
    made = outputs(DECLARED, Batch.model_validate({"id": ID, **reply}), PLACE)
    assert json.loads(json.dumps(made)) == made
    assert set(made) == {*DECLARED, *OBSERVED}
    assert made.items() >= DECLARED.items()


# A refresh


def test_a_refresh_takes_the_news_and_leaves_what_is_declared() -> None:
    news = Batch.model_validate({"id": ID, "state": "success", "queue": "other", "sc_type": "CUSTOMIZED"})
    after = refreshed({**STORED, "recordExpired": True, "submittedName": "load-1"}, news)
    assert after.items() >= DECLARED.items()
    assert (after["state"], after["effectiveQueue"], after["recordExpired"]) == ("success", "other", False)
    assert after["submittedName"] == "load-1"
    assert after["submittedTo"] == PLACE


def test_a_refresh_of_a_vanished_record_keeps_what_was_known() -> None:
    stored = {**STORED, "state": "success", "log": ["done"]}
    assert refreshed(stored, None) == {**stored, "recordExpired": True}


def test_a_refresh_does_not_forget_an_end_that_was_seen() -> None:
    assert refreshed({**STORED, "state": "success"}, Batch(id=ID))["state"] == "success"


def test_a_refresh_changes_nothing_that_is_compared() -> None:
    for batch in (None, Batch(id=ID, state="dead", queue="other", sc_type="CUSTOMIZED", name="other")):
        assert action({}, stored=refreshed(STORED, batch)) is Action.NONE


@pytest.mark.parametrize(
    ("state", "known", "final"),
    [
        ("running", BatchState.RUNNING, False),
        ("dead", BatchState.DEAD, True),
        ("Success", BatchState.SUCCESS, True),
        ("hibernating", None, False),
        (None, None, False),
    ],
)
def test_the_stored_state_says_whether_the_end_was_seen(
    state: str | None, known: BatchState | None, final: bool
) -> None:
    assert stored_state({"state": state}) is known
    assert is_final({"state": state}) is final


def test_nothing_stored_is_no_end_seen() -> None:
    assert not is_final({})


# What a wait waits for


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


# What the person reads


def test_a_dead_job_is_told_with_name_id_duration_last_words_and_what_to_do() -> None:
    batch = Batch(id=ID, state="dead", duration=185000)
    message = dead_message("load", batch, ["reading\n", "", "ValueError: no column"], reruns=True)
    first, *others = message.splitlines()
    assert first.startswith(f"load: batch job {ID} is dead after 3 min 5 s: it failed, was cancelled")
    assert others[:3] == ["Last lines of its log:", "  | reading", "  | ValueError: no column"]
    assert "run `pulumi up`: it runs the job again" in others[3]


def test_a_dead_job_that_stays_dead_is_told_with_the_way_to_run_it_again() -> None:
    message = dead_message("load", Batch(id=ID), [" "], reruns=False)
    assert f"batch job {ID} is dead: it failed" in message
    assert "The service has no log lines of it." in message
    assert "rerunOnFailure is false" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message


def test_an_unknown_outcome_is_told_with_both_ways_on() -> None:
    message = unknown_message("load", ID)
    assert message.startswith(f"load: the service has no record of batch job {ID}")
    assert "outcome unknown" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message
    assert "onRecordExpired to rerun" in message


def test_a_wait_that_is_over_before_the_job_tells_that_the_job_goes_on() -> None:
    message = timeout_message("load", Batch(id=ID, state="starting"), 7200)
    assert message.startswith(f"load: batch job {ID} is still starting after a wait of 2 h 0 min. It goes on;")
    assert "the next `pulumi up` goes on waiting" in message
