import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import outputs
from pulumi_dli.jobs.diff import Action, compare
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob
from tests.jobs.examples import DECLARED, ID, PLACE, STORED, Properties


def of_job(declared: Properties, batch: Batch, place: Properties) -> Properties:
    return outputs.of_job(JobInputs.parse(declared), batch, {"submittedTo": place})


def refreshed(stored: Properties, batch: Batch | None) -> Properties:
    return outputs.refreshed(StoredJob.parse(stored), batch)


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
    assert of_job(DECLARED, Batch.model_validate(reply), PLACE) == DECLARED | {
        "exactNumbers": {},
        "state": "success",
        "appId": "batch-session-17",
        "owner": "data-platform",
        "proxyUser": "tenant",
        "kind": "spark",
        "log": ["stdout: "],
        "failureReason": None,
        "createTime": 1795478400000,
        "updateTime": 1795478464000,
        "duration": 64000,
        "submittedName": "load-12345678-87654321-abcdef",
        "effectiveScType": "CUSTOMIZED",
        "effectiveQueue": "batch",
        "submittedTo": PLACE,
        "consoleUrl": None,
        "estimatedCuHours": None,
        "previousRuns": None,
        "recordExpired": False,
    }


def test_no_output_of_the_service_has_the_name_of_a_declared_property() -> None:
    assert not {*OBSERVED} & {*ARGUMENTS}


def test_a_sparse_reply_leaves_outputs_empty() -> None:
    made = of_job({}, Batch.model_validate({"id": ID, "state": "starting", "appId": "", "owner": ""}), PLACE)
    assert {name for name, value in made.items() if value is not None} == {
        *("state", "submittedTo", "recordExpired", "exactNumbers")
    }


@pytest.mark.parametrize(
    ("reply", "output", "value"),
    [
        ({"appId": ["batch-session-17", "batch-session-18"]}, "appId", "batch-session-17"),
        ({"appId": []}, "appId", None),
        ({"cluster_name": "batch"}, "effectiveQueue", "batch"),
        ({"state": "hibernating"}, "state", "hibernating"),
        ({"state": "killed"}, "state", "dead"),
        ({"state": "dead", "create_time": 1000, "update_time": 5000}, "duration", 4000),
        # The same job in a list: it has waited for capacity for three seconds.
        ({"state": "dead", "create_time": 1000, "update_time": 5000, "duration": 1000}, "duration", 4000),
        ({"state": "running", "create_time": 1000, "duration": 2000}, "duration", 2000),
        ({"state": "dead", "duration": 2000}, "duration", 2000),
        ({"state": "dead", "create_time": 5000, "update_time": 1000}, "duration", 0),
        ({"state": "running", "create_time": 1000, "update_time": 5000}, "duration", None),
    ],
)
def test_an_output_is_made_of_what_the_service_says(reply: Properties, output: str, value: Any) -> None:
    assert of_job({}, Batch.model_validate({"id": ID, **reply}), PLACE)[output] == value


replies = st.dictionaries(
    st.sampled_from([field.alias or name for name, field in Batch.model_fields.items() if name != "id"]),
    st.none() | st.text() | st.integers(-(2**53), 2**53) | st.lists(st.text(), max_size=2) | st.booleans(),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(replies)
def test_outputs_are_json_whatever_the_service_says(reply: Properties) -> None:
    made = of_job(DECLARED, Batch.model_validate({"id": ID, **reply}), PLACE)
    assert json.loads(json.dumps(made)) == made
    assert set(made) == {*DECLARED, *OBSERVED, "exactNumbers"}
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
        assert (
            compare(StoredJob.parse(refreshed(STORED, batch)), JobInputs.parse(DECLARED), preview=False).action
            is Action.NONE
        )


# An update


def test_an_update_takes_what_is_declared_now_and_keeps_what_the_service_has_said() -> None:
    stored = {**STORED, "log": ["hunter2"], "adoptId": "followed", "whenRunning": "refuse"}
    declared = {**DECLARED, "cancelTimeout": 5, "redact": ["hunter2"], "adoptId": "too-late"}
    said = {name: stored.get(name) for name in OBSERVED} | {"log": ["[secret]"]}
    made = outputs.updated(StoredJob.parse(stored), JobInputs.parse(declared))
    assert made == {**declared, **said, "adoptId": "followed", "exactNumbers": {}}


def test_an_update_follows_no_adopt_id_that_came_after_the_job() -> None:
    made = outputs.updated(StoredJob.parse(STORED), JobInputs.parse({**DECLARED, "adoptId": "too-late"}))
    assert "adoptId" not in made


# What is stored


def test_what_a_later_version_has_stored_goes_on() -> None:
    after = refreshed({**STORED, "invented": [1]}, Batch(id=ID, state="success"))
    assert after["invented"] == [1]


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
    stored = StoredJob.parse({"state": state})
    assert stored.state is known
    assert (stored.end() is not None) is final


def test_nothing_stored_is_no_end_seen() -> None:
    assert StoredJob.parse({}).end() is None


def test_an_end_that_was_seen_elsewhere_counts_unless_the_job_may_have_come_back() -> None:
    stored = StoredJob.parse({"state": "running"})
    assert stored.end(BatchState.SUCCESS) is BatchState.SUCCESS
    assert stored.end(BatchState.DEAD) is BatchState.DEAD
    assert stored.end(BatchState.RUNNING) is None
    recovering = StoredJob.parse({"state": "dead", "autoRecovery": True})
    assert recovering.end(BatchState.DEAD) is None
    assert recovering.end(BatchState.SUCCESS) is BatchState.SUCCESS


@pytest.mark.parametrize(
    ("now", "elsewhere"),
    [
        ({"region": "eu-de", "projectId": "p1"}, False),
        ({"region": "eu-nl", "projectId": "p1"}, True),
        ({"region": "eu-de", "projectId": "p2"}, True),
        ({"region": None, "projectId": "p1"}, False),
        ({"region": "eu-de", "projectId": None}, False),
        ({}, False),
    ],
)
def test_a_job_ran_elsewhere_if_region_or_project_is_known_to_differ(now: Properties, elsewhere: bool) -> None:
    stored = StoredJob.parse({"submittedTo": {"region": "eu-de", "projectId": "p1"}})
    assert stored.is_elsewhere(now) is elsewhere
    assert not StoredJob.parse({}).is_elsewhere(now)


@pytest.mark.parametrize(
    ("states", "deaths"),
    [
        ([], 0),
        (["dead"], 1),
        (["success", "dead", "dead"], 2),
        (["dead", "success"], 0),
        (["dead", "cancelled", "dead"], 1),
        (["dead", None], 0),
    ],
)
def test_the_deaths_in_a_row_are_counted(states: list[Any], deaths: int) -> None:
    runs = [{"id": str(number), "state": state} for number, state in enumerate(states)]
    assert StoredJob.parse({"previousRuns": runs}).deaths_in_a_row == deaths
    assert StoredJob.parse({"previousRuns": ["junk", *runs]}).deaths_in_a_row == deaths


@pytest.mark.parametrize("junk", [None, "dead", {"state": "dead"}, [7]])
def test_junk_in_the_earlier_runs_counts_as_none(junk: Any) -> None:
    assert StoredJob.parse({"previousRuns": junk}).deaths_in_a_row == 0
