import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.jobs.naming import (
    Relation,
    SubmissionName,
    is_respelled,
    logical_names,
    relation_of,
    request_fingerprint_of,
    resource_fingerprint_of,
)
from pulumi_dli.jobs.request import canonical

JOB = {"file": "a.py", "args": ["in", "out"]}
IDENTITY = ("data", "jobs", "dev", [["demo:index:Nightly", "east"]], "load")


def spec(declared: dict[str, Any], triggers: Any = None, replacement_trigger: Any = None) -> str:
    return request_fingerprint_of(canonical(declared), triggers, replacement_trigger)


def test_a_name_has_the_logical_name_and_three_hexadecimal_parts() -> None:
    name = SubmissionName.new("load", resource_fingerprint_of(*IDENTITY), spec(JOB))
    assert str(name) == f"load-{name.resource_fingerprint}-{name.request_fingerprint}-{name.random}"
    assert [len(part) for part in (name.resource_fingerprint, name.request_fingerprint, name.random)] == [8, 8, 6]
    assert int(name.resource_fingerprint + name.request_fingerprint + name.random, 16) >= 0


def test_a_name_stands_for_one_submission() -> None:
    assert len({str(SubmissionName.new("load", "0" * 8, "1" * 8)) for _ in range(50)}) == 50


def test_a_long_logical_name_is_cut_so_that_the_service_takes_the_whole() -> None:
    name = SubmissionName("n" * 200, "0" * 8, "1" * 8, "abcdef")
    assert str(name) == "n" * 103 + "-00000000-11111111-abcdef"
    assert len(str(name)) == 128


hexadecimal = st.text("0123456789abcdef", min_size=8, max_size=8)


@settings(deadline=None)
@given(st.text(max_size=103), hexadecimal, hexadecimal)
def test_a_name_is_read_back_whatever_the_job_is_called(resource_name: str, scope: str, spec: str) -> None:
    name = SubmissionName.new(resource_name, scope, spec)
    assert SubmissionName.parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "load",
        "nightly-2026-11-24",
        "load-00000000-11111111",
        "load-00000000-11111111-abcdeg",
        "load-00000000-11111111-ABCDEF",
        "load-0000000-11111111-abcdef",
        "load-00000000-11111111-abcdef-2",
        "load-00000000-11111111-abcdef\n",
    ],
)
def test_a_name_that_somebody_else_made_is_not_ours(text: str | None) -> None:
    assert SubmissionName.parse(text) is None


def test_large_numbers_are_a_part_of_the_logical_name() -> None:
    new, of_0_1_0 = logical_names("wordcount", {"conf": "1", "triggers": "2"})
    assert re.fullmatch(r"wordcount-[0-9a-f]{8}", new)
    assert of_0_1_0 == "wordcount"
    assert logical_names("wordcount", {"triggers": "2", "conf": "1"}) == (new, of_0_1_0)
    assert logical_names("wordcount", {"conf": "2", "triggers": "1"})[0] != new
    assert logical_names("wordcount", {}) == ()


def test_a_long_logical_name_is_cut_before_its_numbers() -> None:
    new, of_0_1_0 = logical_names("n" * 200, {"conf": "1"})
    assert re.fullmatch(r"n{94}-[0-9a-f]{8}", new)
    for name in (new, of_0_1_0):
        made = str(SubmissionName.new(name, "0a1b2c3d", "4e5f6071"))
        parsed = SubmissionName.parse(made)
        assert len(made) == 128
        assert parsed is not None
        assert parsed.resource_name == name


def test_a_number_below_2_53_has_the_spec_that_0_1_0_gave_it() -> None:
    numbers = {"build": 42.0, "share": 0.5}
    assert spec(JOB | {"conf": {"a": "3"}}, triggers=numbers, replacement_trigger=7.0) == "378d21c8"


def test_scope_and_spec_are_the_same_in_every_version_since_live_jobs_bear_them() -> None:
    assert resource_fingerprint_of(*IDENTITY) == "e717bb82"
    assert spec(JOB) == "49ab36c3"


@pytest.mark.parametrize(
    "other",
    [
        ("else", "jobs", "dev", [["demo:index:Nightly", "east"]], "load"),
        ("data", "else", "dev", [["demo:index:Nightly", "east"]], "load"),
        ("data", "jobs", "prod", [["demo:index:Nightly", "east"]], "load"),
        ("data", "jobs", "dev", [["demo:index:Nightly", "west"]], "load"),
        ("data", "jobs", "dev", [["demo:index:Weekly", "east"]], "load"),
        ("data", "jobs", "dev", [], "load"),
        ("data", "jobs", "dev", [["demo:index:Nightly", "east"]], "extract"),
        ("dataj", "obs", "dev", [["demo:index:Nightly", "east"]], "load"),
        (*IDENTITY, "dli:scope"),
    ],
)
def test_the_scope_tells_one_resource_from_all_others(other: tuple[Any, ...]) -> None:
    assert resource_fingerprint_of(*other) != resource_fingerprint_of(*IDENTITY)


def test_what_runs_the_same_has_the_same_spec() -> None:
    assert spec(JOB) == spec({**JOB, "scType": "A", "conf": {}, "maxRetryTimes": 20})
    assert spec(JOB | {"conf": {"a": "1", "b": "2"}}) == spec(JOB | {"conf": {"b": "2", "a": "1"}})
    assert spec(JOB) == spec(JOB, triggers={})


@pytest.mark.parametrize(
    "other",
    [
        spec(JOB | {"args": ["out", "in"]}),
        spec(JOB | {"file": "b.py"}),
        spec(JOB, triggers={"day": "2026-11-24"}),
        spec(JOB, replacement_trigger="2026-11-24"),
    ],
)
def test_what_runs_something_else_or_again_has_another_spec(other: str) -> None:
    assert other != spec(JOB)


OURS = "wordcount-0a1b2c3d-4e5f6071-abcdef"


@pytest.mark.parametrize(
    ("run_name", "fixed_name", "relation"),
    [
        (OURS, None, Relation.SAME),
        ("renamed-0a1b2c3d-4e5f6071-000000", None, Relation.SAME),
        ("wordcount-0a1b2c3d-00000000-abcdef", None, Relation.OTHER_DECLARATION),
        ("wordcount-00000000-4e5f6071-abcdef", None, Relation.NONE),
        ("daily", None, Relation.NONE),
        (None, None, Relation.NONE),
        ("daily", "daily", Relation.SAME_FIXED_NAME),
        (OURS, OURS, Relation.SAME_FIXED_NAME),
        (OURS, "daily", Relation.OTHER_DECLARATION),
        ("daily-2", "daily", Relation.NONE),
        (None, "daily", Relation.NONE),
    ],
)
def test_the_name_of_a_run_tells_how_it_belongs_to_a_job(
    run_name: str | None, fixed_name: str | None, relation: Relation
) -> None:
    assert relation_of(run_name, resource="0a1b2c3d", requests={"4e5f6071"}, fixed_name=fixed_name) is relation


SUBMITTED = "load-0a1b2c3d-4e5f6071-abcdef"


@pytest.mark.parametrize(
    ("answered", "submitted", "fits"),
    [
        (None, SUBMITTED, True),
        (SUBMITTED, SUBMITTED, True),
        (f" {SUBMITTED.upper()} ", SUBMITTED, True),
        (SUBMITTED[:20], SUBMITTED, True),
        (SUBMITTED[:12], SUBMITTED, False),
        ("load", SUBMITTED, False),
        ("", SUBMITTED, True),
        ("job", SUBMITTED, False),
        ("load-0a1b2c3d-4e5f6071-abcdee", SUBMITTED, False),
        ("other-11111111-22222222-333333", SUBMITTED, False),
        (f"{'x' * 64}", f"{'x' * 90}-0a1b2c3d-4e5f6071-abcdef", True),
        ("Daily", "daily", True),
        ("dail", "daily", False),
        ("daily-2", "daily", False),
    ],
)
def test_the_name_in_an_answer_may_be_missing_or_spelt_in_another_way(
    answered: str | None, submitted: str, fits: bool
) -> None:
    assert is_respelled(answered, submitted) is fits
