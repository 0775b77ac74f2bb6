import inspect
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_snake

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, WIRE_NAMES, JobInputs
from pulumi_dli.jobs.job_rules import check
from pulumi_dli.jobs.outputs import OBSERVED
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.program.batch_job import BatchJob
from pulumi_dli.program.types import wire_names
from scripts.generate import argument_texts
from tests.jobs.examples import JAR, JOB, PACKAGE, SPARK_3_3

Declared = dict[str, Any]

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SENT = [name for name, argument in ARGUMENTS.items() if argument.is_sent]
ASSET = pulumi.StringAsset("print(1)")


def failures(**declared: Any) -> list[str]:
    return [*JobInputs.parse(JOB | declared).failures]


# Where an argument must be declared


def test_an_argument_that_is_sent_is_in_the_request_in_the_inputs_and_in_the_resource() -> None:
    not_sent = {to_snake(name) for name in (*(set(ARGUMENTS) - {*SENT}), *OBSERVED)} | {"resource_name", "opts"}
    places = {
        "api.models.BatchRequest": {*BatchRequest.model_fields},
        "jobs.inputs.JobInputs": {to_snake(name) for name in SENT},
        "program.batch_job.BatchJob: outputs": {*wire_names(BatchJob)} - not_sent,
        "program.batch_job.BatchJob.__init__: parameters": {*inspect.signature(BatchJob).parameters} - not_sent,
        "program.batch_job.BatchJob.__init__: Args": {*argument_texts(BatchJob)} - not_sent,
    }
    every = set().union(*places.values())
    assert {place: missing for place, names in places.items() if (missing := every - names)} == {}


def test_an_option_is_in_the_inputs_and_in_the_resource() -> None:
    options = {to_snake(name) for name in OPTIONS} - {"replacement_trigger"}  # an option of every resource of Pulumi
    for place in (wire_names(BatchJob), inspect.signature(BatchJob).parameters, argument_texts(BatchJob)):
        assert options <= {*place}


def test_an_argument_has_a_default_of_one_side_only_and_choices_that_have_it() -> None:
    for name, argument in ARGUMENTS.items():
        assert argument.default is None or argument.service_default is None, name
        for default in (argument.default, argument.service_default):
            assert default is None or argument.check(default) == default, name
            assert default is None or not argument.choices or default in argument.choices, name


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
    checked = JobInputs.parse({name: declared})
    assert checked.failures == ()
    assert checked.properties[name] == (declared if normalised is None else normalised)
    assert type(checked.properties[name]) is type(declared if normalised is None else normalised)


def test_what_is_null_is_absent() -> None:
    everything = dict.fromkeys(ARGUMENTS)
    assert JobInputs.parse({**everything, **JOB}).properties == JOB


def test_what_the_program_passes_for_the_providers_own_use_is_kept_as_it_is() -> None:
    hidden: Declared = {"resourceName": "nightly ", "scope": "", "redact": ["hunter2"], "sizing": " 8 CUs"}
    hidden |= {
        "endsSeen": {"a": "success"},
        "waitsUnread": True,
        "exactNumbers": {"conf": "1"},
        "secretInputs": ["args"],
    }
    hidden |= {"fromConfiguration": True, "hasSecretSize": True}
    assert set(hidden) == {name for name, argument in ARGUMENTS.items() if argument.is_hidden}
    assert JobInputs.parse(JOB | hidden).properties == JOB | hidden


# What is refused, with property, rule and what to write instead


REFUSED: list[tuple[str, Any, str]] = [
    ("file", 7, "file: must be text, but is a number; put it in quotes"),
    ("file", "", "file: must be a package name or an obs:// path, not empty and without blanks around it"),
    ("file", " a.py", "file: must be a package name or an obs:// path, not empty and without blanks around it"),
    ("className", " org.example.Main", "className: must be a name, not empty and without blanks around it"),
    ("queue", " batch", "queue: must be a name, not empty and without blanks around it, but is ' batch'"),
    ("queue", "", "queue: must be a name, not empty and without blanks around it, but is ''"),
    ("adoptId", "../batches?x=1#", "adoptId: must be the id of a batch job"),
    ("adoptId", "☃", "adoptId: must be the id of a batch job"),
    ("args", "in out", "args: must be a list, but is text; write a list with one item for each value"),
    ("args", ["in", 7], "args[1]: must be text, but is a number; put it in quotes"),
    ("args", [True], "args[0]: must be text, but is true or false; put it in quotes"),
    ("args", ["a", "b\0"], "args[1]: must be text without NUL characters"),
    ("conf", {"spark.a": "\0"}, 'conf["spark.a"]: must be text without NUL characters'),
    ("args", [None], "args[0]: must be text, but is null; leave it out"),
    (
        "scType",
        "D",
        "scType: must be one of A, B, C (8 vCPUs and 32 GB, 16 vCPUs and 64 GB, 32 vCPUs and 128 GB), but is 'D'",
    ),
    (
        "scType",
        "a",
        "scType: must be one of A, B, C (8 vCPUs and 32 GB, 16 vCPUs and 64 GB, 32 vCPUs and 128 GB), but is 'a'",
    ),
    ("scType", 1, "scType: must be text, but is a number; put it in quotes"),
    ("jars", ["a.jar", "b.jar "], "jars[1]: must be a package name or an obs:// path"),
    ("pyFiles", [""], "pyFiles[0]: must be a package name or an obs:// path"),
    ("files", {"a": "b"}, "files: must be a list, but is a map; write a list with one item for each value"),
    ("modules", [" sys"], "modules[0]: must be a name, not empty and without blanks around it"),
    ("resources", ["a.jar"], "resources[0]: must be a map with name and type, but is text"),
    ("resources", [{"nmae": "a.jar"}], "resources[0]: has a key that is not known; known are name, type"),
    ("groups", [{"name": "lib", "resources": [{"name": " a"}]}], "groups[0].resources[0].name: must be a package"),
    ("groups", [{"packages": []}], "groups[0]: has a key that is not known; known are name, resources"),
    ("conf", ["a=b"], "conf: must be a map, but is a list"),
    ("conf", {" spark.a": "1"}, "conf: has a key that is empty or has blanks around it; write the key without"),
    ("conf", {"": "1"}, "conf: has a key that is empty or has blanks around it"),
    ("conf", {"a": 2.0**53}, 'conf["a"]: must be text, since Pulumi rounds whole numbers from 9007199254740992 on'),
    ("conf", {"a": -(2**53)}, 'conf["a"]: must be text, since Pulumi rounds whole numbers from 9007199254740992 on'),
    ("conf", {"spark.a": ["1"]}, 'conf["spark.a"]: must be text, a number, true or false, but is a list'),
    ("conf", {"spark.a": None}, 'conf["spark.a"]: must be text, a number, true or false, but is null'),
    ("name", "x" * 129, "name: must have at most 128 characters, but has 129"),
    ("name", "nightly ", "name: must be a name, not empty and without blanks around it, but is 'nightly '"),
    ("driverMemory", "2", "driverMemory: must be a size with a unit, for example '2G' or '2048M', but is '2'"),
    ("driverMemory", 2048, "driverMemory: must be text with a unit, for example '2G' or '2048M', but is 2048"),
    ("executorMemory", "0G", "executorMemory: must be a size with a unit, for example '2G' or '2048M', but is '0G'"),
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
    (
        "onRecordExpired",
        "replace",
        "onRecordExpired: must be one of keep, rerun (the last known state, or run the job again)",
    ),
    ("whenRunning", "wait", "whenRunning: must be one of cancel, refuse (the run that goes on, or the new run)"),
    ("cancelTimeout", "5m", "cancelTimeout: must be a whole number, but is '5m'"),
    ("adoptId", "", "adoptId: must be the id of a batch job"),
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


# Unknown values


@pytest.mark.parametrize("name", [*WIRE_NAMES, *OPTIONS])
def test_an_unknown_value_is_never_judged(name: str) -> None:
    checked = JobInputs.parse({**JOB, name: UNKNOWN})
    assert checked.failures == ()
    assert checked.unknown == (name,)
    assert checked.properties[name] is UNKNOWN


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
        checked = check(JobInputs.parse(declared), region="eu-de")
        assert SECRET not in str([*checked.failures, *checked.warnings])


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
declarations = st.dictionaries(st.sampled_from([*ARGUMENTS]) | st.text(), values, max_size=8)
without_nul = st.characters(exclude_characters="\0", codec="utf-8")
texts = st.text(without_nul)
accepted = st.fixed_dictionaries(
    {"file": st.sampled_from(["obs://a/b.py", "a.py"])},
    optional={
        "args": st.lists(texts | st.just(UNKNOWN), max_size=3),
        "conf": st.dictionaries(
            st.text(without_nul, min_size=1).filter(lambda key: key == key.strip()),
            texts | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15),
            max_size=3,
        ),
        "driverMemory": st.builds("{}{}".format, st.integers(1, 10**6), st.sampled_from(["G", "M", " GB", "mb"])),
        "numExecutors": st.integers(0, 10**6).map(float),
        "scType": st.sampled_from(ARGUMENTS["scType"].choices),
        "resources": st.lists(st.fixed_dictionaries({"name": st.just("a.jar")}, optional={"type": st.just("jar")})),
        "triggers": st.dictionaries(st.just("k"), st.booleans() | st.integers() | texts),
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
    checked = check(JobInputs.parse(declared))
    known = {name for name in declared if name in ARGUMENTS}
    assert keys(checked.properties) == keys({name: declared[name] for name in known})
    assert all(isinstance(text, str) for text in [*checked.failures, *checked.warnings])


@patiently
@given(declarations | accepted)
def test_check_is_idempotent(declared: Declared) -> None:
    once = check(JobInputs.parse(declared))
    twice = check(JobInputs.parse(once.properties))
    assert str(twice.properties) == str(once.properties)
    if not once.failures:
        assert twice == once


@pytest.mark.parametrize(
    ("declared", "failure"),
    [
        ({"triggers": {"hunter2": object()}, "secretInputs": ["triggers"]}, "triggers: must be text, a number"),
        ({"conf": {"hunter2": float(2**53)}, "secretInputs": ["conf"]}, "conf: must be text"),
        ({"triggers": {"hunter2": object()}, "secretInputs": ["args"]}, 'triggers["hunter2"]: must be text, a number'),
    ],
)
def test_a_failure_shows_no_key_of_a_secret_map(declared: Declared, failure: str) -> None:
    (shown,) = JobInputs.parse(JOB | declared).failures
    assert shown.startswith(failure)
