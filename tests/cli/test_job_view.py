import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.cli.job_view import JobView, Reading, newest_first, table, unread_view, utc_text, view_of
from pulumi_dli.cli.stack import parse_export
from pulumi_dli.cli.targets import Target, resolve
from tests.cli.states import ID, OTHER_ID, export, job, wait

NOON = 1_796_000_400_000
"""2026-11-30T01:00:00Z."""
PLACE = {"region": "eu-de", "projectId": "p"}


def target_of(*resources: dict[str, object], name: str = "load") -> Target:
    return resolve(name, parse_export(export(*resources)))


def batch(**fields: object) -> Batch:
    known = {"id": ID, "name": "load-1", "state": "running", "queue": "default", "create_time": NOON}
    return Batch.model_validate(known | fields)


def test_a_job_is_a_row() -> None:
    view = view_of(target_of(job("load")), Reading(batch(state="success", duration=65_000)))
    assert view.row() == ["load", "success", "default", "2026-11-30T01:00:00Z", "1 min 5 s", ID]


def test_a_job_in_no_stack_has_the_name_that_the_service_has() -> None:
    assert view_of(Target(ID), Reading(batch())).name == "load-1"


@pytest.mark.parametrize(
    ("fields", "age", "duration"),
    [
        ({}, 42.0, 42_000),
        ({}, None, None),
        ({}, -1.0, 0),
        ({"duration": 5000}, 42.0, 42_000),
        ({"state": "dead"}, 42.0, None),
        ({"state": "dead", "update_time": NOON + 7000}, 42.0, 7000),
    ],
)
def test_the_duration_is_from_the_submission_to_the_end_or_until_now(
    fields: dict[str, object], age: float | None, duration: int | None
) -> None:
    assert view_of(Target(ID), Reading(batch(**fields), age=age)).duration == duration


def test_a_job_that_need_not_be_read_has_the_end_that_its_wait_has_seen() -> None:
    target = target_of(job("load", effectiveQueue="default", createTime=NOON), wait("load", duration=1000))
    view = view_of(target, Reading())
    assert (view.state, view.queue, view.created, view.duration) == ("success", "default", NOON, 1000)
    assert not view.is_expired


@pytest.mark.parametrize(
    ("resources", "state"), [([job("load", state="running")], None), ([job("load"), wait("load")], "success")]
)
def test_of_a_job_without_a_record_only_a_known_end_counts(
    resources: list[dict[str, object]], state: str | None
) -> None:
    view = view_of(target_of(*resources), Reading(is_expired=True))
    assert (view.state, view.is_expired) == (state, True)
    assert view.row()[1] == state or "unknown"
    assert ("record", "deleted by the service") in {tuple(line.split(None, 1)) for line in view.lines()}


def test_a_job_that_could_not_be_read_shows_no_state_of_the_past() -> None:
    assert unread_view(target_of(job("load", createTime=NOON))).row()[1:4] == [
        "not readable",
        "",
        "2026-11-30T01:00:00Z",
    ]
    assert unread_view(target_of(job("load", delete=True))).row()[0] == "load (pending delete)"


def test_the_details_are_those_of_the_service_and_of_the_stack_without_arguments() -> None:
    request = {"file": "obs://b/f.py", "args": ["hunter2"], "conf": {"a": "hunter2"}, "numExecutors": 6}
    target = target_of(job("load", className="Main", sizing="driver 2 vCPU 7G", args=["hunter2"]))
    view = view_of(target, Reading(batch(req_body=request, owner="me", update_time=NOON), location=PLACE), details=True)
    assert view.details == {
        "file": "obs://b/f.py",
        "className": "Main",
        "numExecutors": 6,
        "sizing": "driver 2 vCPU 7G",
        "owner": "me",
        "submittedName": "load-1",
        "region": "eu-de",
        "project": "p",
        "updated": "2026-11-30T01:00:00Z",
    }
    assert "hunter2" not in str(view)


def test_a_secret_in_the_details_is_masked() -> None:
    target = target_of(job("load", file="obs://b/hunter2.py", redact=["hunter2"]))
    assert view_of(target, Reading(batch()), details=True).details["file"] == "obs://b/[secret].py"


@pytest.mark.parametrize(
    ("marked", "hidden"),
    [
        ("driverMemory", {"driverMemory", "sizing"}),
        ("scType", {"scType", "sizing"}),
        ("queue", {"queue"}),
        ("clusterName", {"queue"}),
        ("name", {"submittedName"}),
        ("file", {"file"}),
        ("projectId", {"region", "project"}),
        ("image", {"image"}),
        ("owner", {"owner"}),
        ("args[0]", set()),
    ],
)
@pytest.mark.parametrize("has_record", [True, False])
def test_a_fact_that_the_program_has_marked_as_secret_is_not_shown(
    marked: str, hidden: set[str], has_record: bool
) -> None:
    stored = {"driverMemory": "7G", "sizing": "driver 7G", "file": "f.py", "effectiveQueue": "q", "image": "i"}
    stored |= {"effectiveScType": "A", "submittedName": "load-1", "submittedTo": PLACE}
    request = {"driverMemory": "7G", "file": "f.py"}
    stored |= {"owner": "me"}
    found = batch(queue="q", sc_type="A", image="i", owner="me", req_body=request)
    facts = {"name", "state", "queue", "id", "created", "durationSeconds", "recordExpired", "driverMemory", "sizing"}
    facts |= {"file", "scType", "submittedName", "region", "project", "image", "owner"}
    target = target_of(job("load", **stored, secretInputs=[marked]))
    reading = Reading(found, location=PLACE) if has_record else Reading()
    shown = view_of(target, reading, details=True).to_json()
    assert {name for name in facts if shown.get(name) is None} - {"created", "durationSeconds"} == hidden
    assert hidden or view_of(target, reading, details=True).details["driverMemory"] == "7G"


def test_the_lines_of_show_are_aligned_and_leave_out_what_is_unknown() -> None:
    view = JobView("load", "running", None, None, None, ID, details={"autoRecovery": True, "file": "a\nb"})
    assert view.lines() == [
        "name          load",
        "state         running",
        f"id            {ID}",
        "autoRecovery  true",
        "file          a b",
    ]


def test_json_has_times_as_text_and_seconds() -> None:
    assert JobView("load", None, "q", NOON, 1500, ID).to_json() == {
        "name": "load",
        "state": None,
        "queue": "q",
        "created": "2026-11-30T01:00:00Z",
        "durationSeconds": 1.5,
        "id": ID,
        "recordExpired": False,
        "pendingDelete": False,
    }


def test_the_columns_of_the_table_are_aligned_and_no_cell_controls_the_terminal() -> None:
    views = [
        JobView("a", "running", "default", None, None, ID),
        JobView("evil\x1b[2J\n\tname\x9b", None, None, NOON, 1000, OTHER_ID),
    ]
    assert table(views) == [
        "NAME       STATE    QUEUE    CREATED               DURATION  ID",
        f"a          running  default                                  {ID}",
        f"evil name  unknown           2026-11-30T01:00:00Z  1.0 s     {OTHER_ID}",
    ]


def test_the_newest_job_comes_first() -> None:
    views = [JobView(name, None, None, created, None, name) for name, created in (("a", 1), ("b", None), ("c", 2))]
    assert [view.name for view in newest_first(views)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, ""), (0, "1970-01-01T00:00:00Z"), (NOON + 999, "2026-11-30T01:00:00Z"), (2**62, ""), (-(2**62), "")],
)
def test_a_time_is_in_utc(milliseconds: int | None, text: str) -> None:
    assert utc_text(milliseconds) == text


@pytest.mark.parametrize(
    ("state", "has_ended"), [("running", False), ("success", True), ("dead", True), ("odd", False)]
)
def test_a_job_has_ended_if_its_state_says_so(state: str, has_ended: bool) -> None:
    assert Reading(batch(state=state)).has_ended is has_ended
    assert not Reading(is_expired=True).has_ended


def test_a_dead_job_that_the_service_may_start_again_has_not_ended() -> None:
    assert not Reading(batch(state="dead", req_body={"autoRecovery": True})).has_ended
