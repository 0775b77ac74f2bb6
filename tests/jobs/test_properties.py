import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_dli.jobs.properties import (
    CHOICES,
    DECLARED,
    HIDDEN,
    OPTIONS,
    WIRE_NAMES,
    canonical,
    changes,
    check,
    check_values,
    request_body,
    sizing,
)
from pulumi_dli.jobs.validation import UNKNOWN, is_known

Declared = dict[str, Any]

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

JOB: Declared = {"file": "obs://demo/jobs/orders.py", "queue": "batch"}
JAR: Declared = {"file": "orders.jar", "className": "org.example.Orders", "queue": "batch"}
PACKAGE = {"name": "lib/common.jar", "type": "jar"}
SPARK_3_3 = {"sparkVersion": "3.3.1"}
ASSET = pulumi.StringAsset("print(1)")
AGENCY = {"executionAgencyUrn": "spark-on-obs"}


def failures(**declared: Any) -> list[str]:
    return check(JOB | declared).failures


def warnings(**declared: Any) -> list[str]:
    checked = check(JOB | declared)
    assert checked.failures == []
    return checked.warnings


# What is accepted, and how it is normalised


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("file", "lib/orders.py", "lib/orders.py"),
    ("className", "", ""),
    ("className", "org.example.Orders", "org.example.Orders"),
    ("args", ["a b", "", " c "], ["a b", "", " c "]),
    ("args", [], []),
    ("scType", "C", "C"),
    ("jars", ["a.jar", "obs://demo/b.jar"], ["a.jar", "obs://demo/b.jar"]),
    ("modules", ["sys.datasource.rds"], ["sys.datasource.rds"]),
    ("modules", ["sys.of.tomorrow"], ["sys.of.tomorrow"]),
    ("resources", [PACKAGE], [PACKAGE]),
    ("groups", [{"name": "lib", "resources": [PACKAGE]}], [{"name": "lib", "resources": [PACKAGE]}]),
    ("groups", [{"name": "lib", "resources": None}], [{"name": "lib"}]),
    ("conf", {"a": "text", "b": True, "c": False}, {"a": "text", "b": "true", "c": "false"}),
    ("conf", {"a": 3.0, "b": 0.5, "c": 64}, {"a": "3", "b": "0.5", "c": "64"}),
    ("name", "x" * 128, "x" * 128),
    ("driverMemory", "2 GB", "2G"),
    ("driverMemory", "2048 MB", "2048M"),
    ("executorMemory", " 4g ", "4G"),
    ("driverCores", 2.0, 2),
    ("executorCores", 0, 0),
    ("numExecutors", 300, 300),
    ("autoRecovery", True, True),
    ("maxRetryTimes", 0.0, 0),
    ("maxRetryTimes", 100, 100),
    ("sparkVersion", "3.1.1", "3.1.1"),
    ("triggers", {"day": "2026-11-24", "run": 7, "deep": {"a": [1, None, True]}}, None),
    ("replacementTrigger", {"any": ["thing"]}, None),
    ("rerunOnFailure", False, False),
    ("onRecordExpired", "rerun", "rerun"),
    ("whenRunning", "refuse", "refuse"),
    ("cancelTimeout", 0, 0),
    ("adoptId", "07a3e4e6-9a28-4e92-8d3f-9c538621a166", None),
    ("region", "eu-de", None),
    ("projectId", "48cc2c48765f481480c7db940d6409d1", None),
    ("queue", "batch", None),
    ("clusterName", "batch", None),
    ("pyFiles", ["a.py", "obs://demo/b.zip"], None),
    ("files", ["lib/a.txt"], None),
    ("obsBucket", "demo", None),
    ("catalogName", "dli", None),
    ("feature", "ai", None),
    ("image", "demo/spark:1", None),
    ("executionAgencyUrn", "spark-on-obs", None),
]
"""Property, a value, and what it is normalised to; None: it stays as it is."""


@pytest.mark.parametrize(("name", "declared", "normalised"), ACCEPTED)
def test_a_value_that_keeps_the_rules_is_accepted_and_normalised(name: str, declared: Any, normalised: Any) -> None:
    checked = check_values({name: declared})
    assert checked.failures == []
    assert checked.properties[name] == (declared if normalised is None else normalised)
    assert type(checked.properties[name]) is type(declared if normalised is None else normalised)


def test_what_is_null_is_absent() -> None:
    everything = dict.fromkeys(DECLARED)
    assert check({**everything, **JOB}).properties == JOB


def test_what_the_program_passes_for_the_providers_own_use_is_kept_as_it_is() -> None:
    hidden = {"resourceName": "nightly ", "scope": "", "redact": ["hunter2"]}
    assert set(hidden) == set(HIDDEN)
    assert check(JOB | hidden).properties == JOB | hidden


# What is refused, with property, rule and what to write instead


REFUSED: list[tuple[str, Any, str]] = [
    ("file", 7, "file: must be text, but is a number; put it in quotes"),
    ("file", "", "file: must be a package name or an obs:// path, not empty and without blanks around it"),
    ("file", " a.py", "file: must be a package name or an obs:// path, not empty and without blanks around it"),
    ("className", " org.example.Main", "className: must be a name, not empty and without blanks around it"),
    ("queue", " batch", "queue: must be a name, not empty and without blanks around it, but is ' batch'"),
    ("queue", "", "queue: must be a name, not empty and without blanks around it, but is ''"),
    ("args", "in out", "args: must be a list, but is text; put it in square brackets"),
    ("args", ["in", 7], "args[1]: must be text, but is a number; put it in quotes"),
    ("args", [True], "args[0]: must be text, but is true or false; put it in quotes"),
    ("args", ["a", "b\0"], "args[1]: must be text without NUL characters"),
    ("conf", {"spark.a": "\0"}, 'conf["spark.a"]: must be text without NUL characters'),
    ("args", [None], "args[0]: must be text, but is null; put it in quotes"),
    ("scType", "D", "scType: must be one of A, B, C, but is 'D'"),
    ("scType", "a", "scType: must be one of A, B, C, but is 'a'"),
    ("scType", 1, "scType: must be text, but is a number; put it in quotes"),
    ("jars", ["a.jar", "b.jar "], "jars[1]: must be a package name or an obs:// path"),
    ("pyFiles", [""], "pyFiles[0]: must be a package name or an obs:// path"),
    ("files", {"a": "b"}, "files: must be a list, but is a map; put it in square brackets"),
    ("modules", [" sys"], "modules[0]: must be a name, not empty and without blanks around it"),
    ("resources", ["a.jar"], "resources[0]: must be a map with name and type, but is text"),
    ("resources", [{"nmae": "a.jar"}], "resources[0]: has a key that is not known; known are name, type"),
    ("groups", [{"name": "lib", "resources": [{"name": " a"}]}], "groups[0].resources[0].name: must be a package"),
    ("groups", [{"packages": []}], "groups[0]: has a key that is not known; known are name, resources"),
    ("conf", ["a=b"], "conf: must be a map, but is a list"),
    ("conf", {" spark.a": "1"}, "conf: has a key that is empty or has blanks around it; write the key without"),
    ("conf", {"": "1"}, "conf: has a key that is empty or has blanks around it"),
    ("conf", {"spark.a": ["1"]}, 'conf["spark.a"]: must be text, a number, true or false, but is a list'),
    ("conf", {"spark.a": None}, 'conf["spark.a"]: must be text, a number, true or false, but is null'),
    ("name", "x" * 129, "name: must have at most 128 characters, but has 129"),
    ("name", "nightly ", "name: must be a name, not empty and without blanks around it, but is 'nightly '"),
    ("driverMemory", "2", "driverMemory: must be a size with a unit, as in '2G' or '2048M', but is '2'"),
    ("driverMemory", 2048, "driverMemory: must be text with a unit, as in '2G' or '2048M', but is 2048"),
    ("executorMemory", "0G", "executorMemory: must be a size with a unit, as in '2G' or '2048M', but is '0G'"),
    ("executorMemory", "1.5G", "executorMemory: must be a size with a unit"),
    ("executorMemory", "2T", "executorMemory: must be a size with a unit"),
    ("driverCores", "2", "driverCores: must be a whole number, but is '2'; write it without quotes"),
    ("driverCores", 1.5, "driverCores: must be a whole number, but is 1.5"),
    ("executorCores", -1, "executorCores: must be from 0 to 2147483647, but is -1"),
    ("numExecutors", 2**31, "numExecutors: must be from 0 to 2147483647, but is 2147483648"),
    ("cancelTimeout", -1, "cancelTimeout: must be at least 0, but is -1"),
    ("numExecutors", True, "numExecutors: must be a whole number, but is true or false"),
    ("numExecutors", float("inf"), "numExecutors: must be a whole number, but is inf"),
    ("autoRecovery", "true", "autoRecovery: must be true or false, but is text"),
    ("maxRetryTimes", 101, "maxRetryTimes: must be from 0 to 100, but is 101"),
    ("maxRetryTimes", -1, "maxRetryTimes: must be from 0 to 100, but is -1"),
    ("feature", "gpu", "feature: must be one of basic, ai, custom"),
    ("sparkVersion", 3.3, "sparkVersion: must be text, but is a number; put it in quotes"),
    ("triggers", "2026-11-24", "triggers: must be a map, but is text"),
    ("triggers", {" day": 1}, "triggers: has a key that is empty or has blanks around it"),
    ("triggers", {"code": [ASSET]}, 'triggers["code"][0]: must be text, a number, true or false, a list or a map'),
    ("replacementTrigger", ASSET, "replacementTrigger: must be text, a number, true or false, a list or a map"),
    ("rerunOnFailure", "no", "rerunOnFailure: must be true or false, but is text"),
    ("onRecordExpired", "replace", "onRecordExpired: must be one of keep, rerun"),
    ("whenRunning", "wait", "whenRunning: must be one of cancel, refuse"),
    ("cancelTimeout", "5m", "cancelTimeout: must be a whole number, but is '5m'"),
    ("adoptId", "", "adoptId: must be a name, not empty and without blanks around it"),
    ("projectId", " 48cc", "projectId: must be a name, not empty and without blanks around it"),
    ("clasName", "x", "clasName: there is no such property of a batch job"),
    ("clusterName", "batch ", "clusterName: must be a name, not empty and without blanks around it, but is 'batch '"),
    ("obsBucket", "", "obsBucket: must be a name, not empty and without blanks around it"),
    ("catalogName", True, "catalogName: must be text, but is true or false; put it in quotes"),
    ("image", " demo/spark:1", "image: must be a name, not empty and without blanks around it"),
    ("executionAgencyUrn", ["agency"], "executionAgencyUrn: must be text, but is a list; put it in quotes"),
    ("region", "", "region: must be a name, not empty and without blanks around it"),
]
"""Property, a value, and how the message begins."""


@pytest.mark.parametrize(("name", "declared", "message"), REFUSED)
def test_a_value_that_breaks_a_rule_is_refused(name: str, declared: Any, message: str) -> None:
    (failure,) = failures(**{name: declared})
    assert failure.startswith(message)


def test_every_property_has_a_value_that_is_accepted_and_one_that_is_refused() -> None:
    properties = {*WIRE_NAMES, *OPTIONS}
    assert {name for name, _, _ in ACCEPTED} == properties
    assert {name for name, _, _ in REFUSED} & properties == properties


def test_every_fault_is_told_at_once() -> None:
    assert [failure.split(":")[0] for failure in failures(scType="D", driverMemory="2", args="x")] == [
        "scType",
        "driverMemory",
        "args",
    ]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"queue": "batch"}, "file: is missing; give the package to run, as in obs://bucket/jobs/wordcount.py"),
        ({"file": "a.jar"}, "className: is missing; a .jar needs the main class to run, as in org.example.Main"),
        ({"file": "OBS://demo/A.JAR", "className": ""}, "className: is missing"),
        (JOB | {"clusterName": "batch"}, "queue and clusterName: both are given, and both mean the queue; keep queue"),
        (JOB | {"image": "demo/spark:1"}, "image: is used only with feature custom; set feature to custom, or leave"),
        (JOB | {"image": "demo/spark:1", "feature": "ai"}, "image: is used only with feature custom"),
        (JOB | {"feature": "custom"}, "feature: custom needs image, as in organization/name:tag"),
        (JOB | SPARK_3_3 | {"file": "a.py"}, "file: must be an obs:// path with Spark 3.3 and later"),
        (JOB | SPARK_3_3 | {"jars": ["obs://demo/a.jar", "b.jar"]}, "jars: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"pyFiles": ["b.py"]}, "pyFiles: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"files": ["b.txt"]}, "files: must be an obs:// path with Spark 3.3"),
        (JOB | SPARK_3_3 | {"resources": [PACKAGE]}, "resources: is not supported by Spark 3.3 and later; use jars"),
        (JOB | SPARK_3_3 | {"groups": [{"name": "lib"}]}, "groups: is not supported by Spark 3.3 and later; use jars"),
    ],
)
def test_properties_that_contradict_each_other_are_refused(declared: Declared, message: str) -> None:
    (failure,) = check(declared).failures
    assert failure.startswith(message)


@pytest.mark.parametrize(
    "declared",
    [
        JAR,
        JOB | SPARK_3_3 | {"jars": ["obs://demo/a.jar"], "resources": [], "groups": []},
        JOB | {"feature": "custom", "image": "demo/spark:1"},
        *[{"file": "a.py", "queue": "batch", "sparkVersion": version} for version in ("2.4.5", "3.1.1", "3", "latest")],
    ],
)
def test_properties_that_fit_together_are_accepted(declared: Declared) -> None:
    assert check(declared).failures == []


@pytest.mark.parametrize("version", ["3.3", "3.3.1", "3.10.0", "4", "4.0.0"])
def test_the_rules_of_spark_3_3_hold_for_all_later_versions(version: str) -> None:
    assert check({"file": "a.py", "sparkVersion": version}).failures


# What is only doubtful


def test_a_job_without_doubts_is_not_warned_of() -> None:
    assert warnings() == []
    assert warnings(autoRecovery=True, maxRetryTimes=5) == []


@pytest.mark.parametrize(
    "feature", [{"feature": "ai"}, {"sparkVersion": "3.1.1"}, {"feature": "custom", "image": "demo/spark:1"}]
)
def test_what_only_some_regions_know_is_doubtful_elsewhere(feature: Declared) -> None:
    (warning,) = check(JOB | feature, region="eu-de").warnings
    assert warning.startswith(f"{', '.join(feature)}: not documented for Open Telekom Cloud (eu-de)")
    assert check(JOB | feature, region="cn-north-4").warnings == []
    assert check(JOB | feature, region=None).warnings == []
    assert check(JOB | feature | {"region": "cn-north-4"}, region="eu-de").warnings == []


def test_retries_that_are_not_switched_on_are_doubtful() -> None:
    assert warnings(maxRetryTimes=5) == ["maxRetryTimes has no effect without autoRecovery"]
    assert warnings(maxRetryTimes=5, autoRecovery=False) == ["maxRetryTimes has no effect without autoRecovery"]


def test_spark_3_3_without_an_agency_is_doubtful() -> None:
    (warning,) = warnings(**SPARK_3_3)
    assert warning.startswith("Spark 3.3 and later reads OBS with an agency: give executionAgencyUrn")
    assert warnings(**SPARK_3_3, executionAgencyUrn="spark-on-obs") == []
    assert warnings(**SPARK_3_3, conf={"spark.dli.job.agency.name": "spark-on-obs"}) == []
    assert warnings(sparkVersion="3.1.1") == []


def test_a_job_without_a_queue_is_doubtful() -> None:
    (warning,) = check({"file": "a.py"}).warnings
    assert warning.startswith("neither queue nor clusterName is given")
    assert check({"file": "a.py", "clusterName": "batch"}).warnings == []


# Unknown values


@pytest.mark.parametrize("name", [*WIRE_NAMES, *OPTIONS])
def test_an_unknown_value_is_never_judged(name: str) -> None:
    checked = check({**JOB, name: UNKNOWN})
    assert checked.failures == []
    assert checked.properties[name] is UNKNOWN


@pytest.mark.parametrize(
    "declared",
    [
        {"file": UNKNOWN, "queue": "batch"},
        {"file": "a.jar", "queue": "batch", "className": UNKNOWN},
        {"file": "a.py", "queue": "batch", "clusterName": UNKNOWN},
        JOB | {"image": "demo/spark:1", "feature": UNKNOWN},
        JOB | {"image": UNKNOWN},
        JOB | {"feature": "custom", "image": UNKNOWN},
        JOB | {"sparkVersion": UNKNOWN, "jars": ["a.jar"]},
        JOB | SPARK_3_3 | AGENCY | {"resources": UNKNOWN, "jars": UNKNOWN, "pyFiles": [UNKNOWN, "obs://demo/a.py"]},
        JOB | SPARK_3_3 | {"executionAgencyUrn": UNKNOWN},
        JOB | SPARK_3_3 | {"conf": UNKNOWN},
        JOB | {"maxRetryTimes": UNKNOWN},
        JOB | {"maxRetryTimes": 5, "autoRecovery": UNKNOWN},
        {"file": "a.py", "queue": UNKNOWN},
    ],
)
def test_a_rule_over_several_properties_needs_them_all_known(declared: Declared) -> None:
    checked = check(declared)
    assert (checked.failures, checked.warnings) == ([], [])


def test_what_is_known_beside_an_unknown_value_is_judged() -> None:
    (failure,) = failures(args=[UNKNOWN, 7], conf={"a": UNKNOWN})
    assert failure.startswith("args[1]: must be text")
    assert failures(resources=[{"name": UNKNOWN, "type": " jar"}])[0].startswith("resources[0].type: must be a name")


# What is never shown

SHOWN = {
    *("driverMemory", "executorMemory", "driverCores", "executorCores", "numExecutors", "maxRetryTimes"),
    *("cancelTimeout", "scType", "name", "queue", "clusterName"),
}
SECRET = "hunter2"
WRAPPED = [
    SECRET,
    f" {SECRET}",
    SECRET * 40,
    [SECRET],
    [f"{SECRET} "],
    [[SECRET]],
    {"key": SECRET},
    {" key": SECRET},
    {"key": [SECRET]},
    {"name": f" {SECRET}"},
    [{"name": f" {SECRET}"}],
    [{"name": "lib", "resources": SECRET}],
    [{"name": "lib", "resources": [{"name": f"{SECRET} ", "type": SECRET}]}],
]


@pytest.mark.parametrize("value", WRAPPED, ids=str)
@pytest.mark.parametrize("name", sorted({*WIRE_NAMES, *OPTIONS} - SHOWN))
def test_a_message_shows_no_value_that_may_be_secret(name: str, value: Any) -> None:
    for declared in (JOB | {name: value}, JOB | SPARK_3_3 | {name: value}, JAR | {name: value}):
        checked = check(declared, region="eu-de")
        assert SECRET not in str([*checked.failures, *checked.warnings])


# Equality


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"driverMemory": "2048M"}, {"driverMemory": "2G"}),
        ({"executorMemory": "2 GB"}, {"executorMemory": "2048 MB"}),
        ({"scType": "A"}, {}),
        ({"autoRecovery": False}, {}),
        ({"maxRetryTimes": 20}, {}),
        ({"maxRetryTimes": 20.0}, {"maxRetryTimes": 20}),
        ({"args": []}, {}),
        ({"conf": {}}, {}),
        ({"groups": []}, {"groups": None}),
        ({"className": ""}, {}),
        ({"conf": {"a": True, "b": 3}}, {"conf": {"b": "3", "a": "true"}}),
        ({"resources": [{"name": "a", "type": None}]}, {"resources": [{"name": "a"}]}),
        ({"triggers": {}}, {}),
        ({"triggers": {"a": 1.0}}, {"triggers": {"a": 1}}),
        ({"replacementTrigger": 1}, {"replacementTrigger": 2}),
        ({"rerunOnFailure": False, "cancelTimeout": 5}, {}),
        ({"adoptId": "1"}, {}),
        ({"region": "eu-de"}, {"region": "cn-north-4"}),
        ({"scope": "1", "resourceName": "a"}, {"scope": "2", "resourceName": "b"}),
    ],
)
def test_what_says_the_same_is_no_change(one: Declared, other: Declared) -> None:
    assert changes(JOB | one, JOB | other) == []
    assert changes(JOB | other, JOB | one) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, ["args"]),
        ({"args": [""]}, {}, ["args"]),
        ({"conf": {"a": "1"}}, {"conf": {"a": "2"}}, ["conf"]),
        ({"conf": {"a": "True"}}, {"conf": {"a": True}}, ["conf"]),
        ({"driverMemory": "2G"}, {}, ["driverMemory"]),
        ({"scType": "B"}, {}, ["scType"]),
        ({"queue": "batch"}, {"queue": "adhoc"}, ["queue"]),
        ({"name": "a"}, {}, ["name"]),
        ({"triggers": {"a": 1}}, {"triggers": {"a": 2}}, ["triggers"]),
        ({"triggers": {"a": 1}}, {"triggers": {"a": True}}, ["triggers"]),
        ({"file": "b.py", "numExecutors": 3}, {"file": "c.py", "triggers": {"a": 1}}, None),
    ],
)
def test_a_change_is_named(old: Declared, new: Declared, names: list[str] | None) -> None:
    expected = ["file", "numExecutors", "triggers"] if names is None else names
    assert changes(JOB | old, JOB | new) == expected


def test_cluster_name_is_queue() -> None:
    older = {"file": JOB["file"], "clusterName": "batch"}
    assert changes(older, JOB) == []
    assert changes(older, JOB | {"queue": "adhoc"}) == ["queue"]
    assert canonical(older) == canonical(JOB)


def test_an_unknown_value_is_a_change() -> None:
    assert changes(JOB, JOB | {"args": [UNKNOWN]}) == ["args"]
    assert changes(JOB | {"file": "a.py"}, JOB | {"file": UNKNOWN}) == ["file"]
    assert changes(JOB | {"triggers": {"a": 1}}, JOB | {"triggers": {"a": UNKNOWN}}) == ["triggers"]


def test_what_older_rules_allowed_is_compared_as_it_is() -> None:
    stored = JOB | {"driverMemory": "2T", "modules": [" sys"]}
    assert changes(stored, stored) == []
    assert changes(stored, JOB | {"driverMemory": "2G"}) == ["modules", "driverMemory"]


def test_the_canonical_form_has_the_defaults_and_sizes_in_mib() -> None:
    assert canonical(JOB | {"driverMemory": "2G", "executorMemory": "512M", "args": []}) == {
        **JOB,
        "driverMemory": 2048,
        "executorMemory": 512,
        "scType": "A",
        "autoRecovery": False,
        "maxRetryTimes": 20,
    }


# The body of the request


def test_the_pages_example_as_a_declaration_makes_the_pages_body() -> None:
    bodies = Path(__file__).parents[1] / "data" / "bodies"
    wanted = json.loads((bodies / "create_request.json").read_text(encoding="utf-8"))["body"]
    declared = {name: wanted[wire_name] for name, wire_name in WIRE_NAMES.items() if wire_name in wanted}
    assert len(declared) == len(wanted)
    assert request_body(check(declared).properties, wanted["name"]) == wanted


def test_every_property_that_goes_to_the_api_is_sent_in_its_spelling_and_no_other() -> None:
    declared = {
        "file": "obs://demo/orders.jar",
        "className": "org.example.Orders",
        "queue": "batch",
        "args": ["a b", ""],
        "scType": "B",
        "jars": ["obs://demo/a.jar"],
        "pyFiles": ["obs://demo/a.py"],
        "files": ["obs://demo/a.txt"],
        "modules": ["sys.datasource.rds"],
        "resources": [PACKAGE],
        "groups": [{"name": "lib", "resources": [PACKAGE]}],
        "conf": {"spark.a": True, "spark.b": 3.0},
        "name": "fixed",
        "driverMemory": "2 GB",
        "driverCores": 1.0,
        "executorMemory": "2048 MB",
        "executorCores": 2,
        "numExecutors": 0,
        "obsBucket": "demo",
        "autoRecovery": False,
        "maxRetryTimes": 5,
        "catalogName": "dli",
        "feature": "custom",
        "sparkVersion": "3.1.1",
        "image": "demo/spark:1",
        "executionAgencyUrn": "spark-on-obs",
        "region": "eu-de",
        "triggers": {"a": 1},
        "whenRunning": "refuse",
        "resourceName": "orders",
        "scope": "12345678",
    }
    assert {*declared, "clusterName"} >= set(WIRE_NAMES)
    assert request_body(check(declared).properties, "orders-1") == {
        "file": "obs://demo/orders.jar",
        "className": "org.example.Orders",
        "queue": "batch",
        "args": ["a b", ""],
        "sc_type": "B",
        "jars": ["obs://demo/a.jar"],
        "pyFiles": ["obs://demo/a.py"],
        "files": ["obs://demo/a.txt"],
        "modules": ["sys.datasource.rds"],
        "resources": [PACKAGE],
        "groups": [{"name": "lib", "resources": [PACKAGE]}],
        "conf": {"spark.a": "true", "spark.b": "3"},
        "name": "orders-1",
        "driverMemory": "2G",
        "driverCores": 1,
        "executorMemory": "2048M",
        "executorCores": 2,
        "numExecutors": 0,
        "obs_bucket": "demo",
        "auto_recovery": False,
        "max_retry_times": 5,
        "catalog_name": "dli",
        "feature": "custom",
        "spark_version": "3.1.1",
        "image": "demo/spark:1",
        "execution_agency_urn": "spark-on-obs",
    }


def test_a_script_is_sent_with_an_empty_main_class_and_what_is_empty_is_left_out() -> None:
    declared = {"file": "a.py", "clusterName": "batch", "args": [], "conf": {}, "groups": None}
    assert request_body(check(declared).properties, "a-1") == {
        "file": "a.py",
        "className": "",
        "cluster_name": "batch",
        "name": "a-1",
    }


# Sizing


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({}, "driver 2 vCPU 7G, 6 executors of 1 vCPU 4G: 8 vCPU, 31G, 8 CUs"),
        ({"scType": "B"}, "driver 2 vCPU 7G, 7 executors of 2 vCPU 8G: 16 vCPU, 63G, 16 CUs"),
        ({"scType": "C"}, "driver 4 vCPU 15G, 14 executors of 2 vCPU 8G: 32 vCPU, 127G, 32 CUs"),
        (
            {"driverCores": 1, "driverMemory": "512M", "executorCores": 1, "executorMemory": "16G", "numExecutors": 2},
            "driver 1 vCPU 512M, 2 executors of 1 vCPU 16G: 3 vCPU, 32.5G, 9 CUs",
        ),
        ({"numExecutors": 0}, "driver 2 vCPU 7G, 0 executors of 1 vCPU 4G: 2 vCPU, 7G, 2 CUs"),
    ],
)
def test_the_sizing_says_what_a_job_takes(declared: Declared, words: str) -> None:
    assert sizing(check(JOB | declared).properties) == words


@pytest.mark.parametrize("name", ["scType", "driverMemory", "numExecutors"])
def test_there_is_no_sizing_before_the_sizes_are_known(name: str) -> None:
    assert sizing(JOB | {name: UNKNOWN}) is None


# Whatever is declared

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just(UNKNOWN)
leaves |= st.sampled_from(["2G", "2048 MB", "A", "3.3.1", "custom", "obs://a/b.jar", "rerun", " x "])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "type", "resources", " k"]) | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
declarations = st.dictionaries(st.sampled_from(DECLARED) | st.text(), values, max_size=8)
accepted = st.fixed_dictionaries(
    {"file": st.sampled_from(["obs://a/b.py", "a.py"])},
    optional={
        "args": st.lists(st.text() | st.just(UNKNOWN), max_size=3),
        "conf": st.dictionaries(
            st.text(min_size=1).filter(lambda key: key == key.strip()),
            st.text() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
            max_size=3,
        ),
        "driverMemory": st.builds("{}{}".format, st.integers(1, 10**6), st.sampled_from(["G", "M", " GB", "mb"])),
        "numExecutors": st.integers(0, 10**6).map(float),
        "scType": st.sampled_from(CHOICES["scType"]),
        "resources": st.lists(st.fixed_dictionaries({"name": st.just("a.jar")}, optional={"type": st.just("jar")})),
        "triggers": st.dictionaries(st.just("k"), st.booleans() | st.integers() | st.text()),
        "rerunOnFailure": st.booleans(),
    },
)


def keys(value: Any) -> Any:
    """Give the shape of a value: its keys, with those whose value is null left out, and the lengths of its lists."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items() if item is not None}
    return [keys(item) for item in value] if isinstance(value, list) else None


@patiently
@given(declarations)
def test_check_never_raises_and_moves_no_value_to_another_path(declared: Declared) -> None:
    checked = check(declared)
    known = {name for name in declared if name in DECLARED}
    assert keys(checked.properties) == keys({name: declared[name] for name in known})
    assert all(isinstance(text, str) for text in [*checked.failures, *checked.warnings])


@patiently
@given(declarations | accepted)
def test_check_is_idempotent(declared: Declared) -> None:
    once = check(declared)
    twice = check(once.properties)
    assert str(twice.properties) == str(once.properties)
    if not once.failures:
        assert twice == once


@patiently
@given(declarations.filter(is_known) | accepted.filter(is_known))
def test_what_is_checked_is_no_change(declared: Declared) -> None:
    properties = check(declared).properties
    assert changes(declared, properties) == []
    assert changes(properties, declared) == []


@patiently
@given(accepted.filter(is_known))
def test_what_is_accepted_can_be_sized_and_sent_as_json(declared: Declared) -> None:
    checked = check(declared)
    assert checked.failures == []
    assert sizing(checked.properties) is not None
    body = request_body(checked.properties, "name")
    assert json.loads(json.dumps(body)) == body
    assert body.get("args", []) == declared.get("args", [])
    assert set(body.get("conf", {})) == set(declared.get("conf", {}))
