import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pulumi_dli.jobs.inputs import WIRE_NAMES, JobInputs
from pulumi_dli.jobs.request import (
    canonical,
    changes,
    equal_fingerprints,
    fingerprint,
    request_body,
    rewritten,
    similar_fingerprints,
    sizing,
    texts_of_arguments,
    told_values,
)
from pulumi_dli.jobs.validation import UNKNOWN, is_known
from tests.jobs.examples import JOB, PACKAGE, Properties
from tests.jobs.test_inputs import accepted, declarations, patiently

parse = JobInputs.parse


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
def test_what_says_the_same_is_no_change(one: Properties, other: Properties) -> None:
    assert changes(parse(JOB | one), parse(JOB | other)) == []
    assert changes(parse(JOB | other), parse(JOB | one)) == []


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
def test_a_change_is_named(old: Properties, new: Properties, names: list[str] | None) -> None:
    expected = ["file", "numExecutors", "triggers"] if names is None else names
    assert changes(parse(JOB | old), parse(JOB | new)) == expected


BUILD = 20261124093000124
"""A double holds this number, but neither of its neighbours."""


def numbered(build: int) -> Properties:
    """Give what arrives at the provider of a job with a large number."""
    digits = dict.fromkeys(['conf["a"]', 'triggers["b"]', "replacementTrigger"], str(build))
    rounded = float(build)
    return {
        "conf": {"a": str(int(rounded))},
        "triggers": {"b": rounded},
        "replacementTrigger": rounded,
        "exactNumbers": digits,
    }


def by_0_1_0(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name != "exactNumbers"}


EVERYWHERE = ["conf", "triggers", "replacementTrigger"]


@pytest.mark.parametrize(
    ("old", "new", "names", "rewritten_names"),
    [
        (numbered(BUILD), numbered(BUILD), [], []),
        (numbered(BUILD), numbered(BUILD + 1), EVERYWHERE, ["exactNumbers"]),
        (by_0_1_0(numbered(BUILD)), numbered(BUILD + 1), [], ["exactNumbers"]),
        (numbered(BUILD + 1), by_0_1_0(numbered(BUILD)), ["conf"], ["exactNumbers"]),
        (
            by_0_1_0(numbered(BUILD)),
            {"conf": {"a": str(BUILD + 1)}, "triggers": {"b": str(BUILD + 1)}},
            [],
            ["conf", "triggers"],
        ),
        ({"conf": {"a": "3.1"}}, {"conf": {"a": "3.10"}}, [], ["conf"]),
        ({"conf": {"a": "3.1"}, "exactNumbers": {}}, {"conf": {"a": "3.10"}}, ["conf"], ["conf"]),
        ({"conf": {"a": "3.10"}}, {"conf": {"a": "3.1"}}, ["conf"], ["conf"]),
        ({"conf": {"a": "3.1"}}, {"conf": {"a": "3.10", "b": "1"}}, ["conf"], ["conf"]),
        ({"triggers": {"a": [42.0]}}, {"triggers": {"a": ["42"]}}, [], ["triggers"]),
        ({"triggers": {"a": "42"}}, {"triggers": {"a": 42.0}}, [], ["triggers"]),
        ({"triggers": {"a": "3.1"}}, {"triggers": {"a": "3.10"}}, ["triggers"], ["triggers"]),
        ({"triggers": {"a": [True]}}, {"triggers": {"a": ["true"]}}, [], ["triggers"]),
        ({"triggers": {"a": "false"}}, {"triggers": {"a": True}}, ["triggers"], ["triggers"]),
    ],
)
def test_a_number_and_its_text_are_no_change_but_are_stored_anew(
    old: Properties, new: Properties, names: list[str], rewritten_names: list[str]
) -> None:
    assert changes(parse(JOB | old), parse(JOB | new)) == names
    assert rewritten(parse(JOB | old), parse(JOB | new)) == rewritten_names


def test_a_run_of_0_1_0_with_numbers_is_known_by_its_fingerprint() -> None:
    rounded = {"conf": {"a": "3.1", "b": "5781947118336215040"}, "triggers": {"c": 42.0, "d": "x"}}
    in_quotes = {"conf": {"a": "3.10", "b": "5781947118336215154"}, "triggers": {"c": "42", "d": "x"}}
    assert fingerprint(JOB | rounded) in equal_fingerprints(parse(JOB | in_quotes))
    assert fingerprint(JOB | rounded) not in equal_fingerprints(parse(JOB | in_quotes | {"args": ["other"]}))


PIN: Properties = {"args": ["--pin", "483920"], "secretInputs": ["args[1]"]}


def test_the_fingerprint_does_not_depend_on_secret_values_and_nothing_can_be_guessed_from_it() -> None:
    other = {**PIN, "args": ["--pin", "483921"]}
    assert fingerprint(JOB | PIN) == fingerprint(JOB | other)
    plain = JOB | {"args": ["--pin", "483920"]}
    without = [JOB | {"args": args} for args in (["--pin"], ["--pin", ""], ["--pin", None])]
    assert fingerprint(JOB | PIN) not in {fingerprint(properties) for properties in (plain, *without)}


@pytest.mark.parametrize(
    ("secret_inputs", "changed"),
    [
        (['conf["a"]'], {"conf": {"a": "2", "b": "x"}}),
        (["conf"], {"conf": {"a": "1", "b": "y"}}),
        (["triggers"], {"triggers": {"c": 2.0}}),
        (["replacementTrigger"], {"replacementTrigger": "z"}),
        (["file"], {"file": "obs://other/a.py"}),
    ],
)
def test_every_secret_is_left_out_of_the_fingerprint(secret_inputs: list[str], changed: Properties) -> None:
    values: Properties = {"conf": {"a": "1", "b": "x"}, "triggers": {"c": 1.0}, "replacementTrigger": "y"}
    declared = JOB | values | {"secretInputs": secret_inputs}
    assert fingerprint(declared) == fingerprint(declared | changed)
    assert fingerprint(JOB | values) != fingerprint(JOB | values | changed)


def test_the_fingerprint_of_0_1_0_with_its_secrets_proves_an_equal_request_and_the_new_one_does_not() -> None:
    declared, by_0_1_0 = parse(JOB | PIN), fingerprint(JOB | {"args": ["--pin", "483920"]})
    assert by_0_1_0 in equal_fingerprints(declared)
    assert fingerprint(JOB | PIN) not in equal_fingerprints(declared)
    assert similar_fingerprints(declared)[fingerprint(JOB | PIN)] == ("args", "conf")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (["args[1]"], []),
        (["args[1]"], ["args"]),
        (["args", 'conf["a"]'], ["args[1]"]),
        (["args", "conf", 'triggers["t"]'], ["args[1]"]),
        (['triggers["t"]'], []),
        ([], ["args[1]"]),
        ([], ["triggers"]),
    ],
)
def test_a_run_is_known_again_though_other_values_are_marked_as_secret(before: list[str], now: list[str]) -> None:
    values = JOB | {"args": ["--pin", "483920"], "conf": {"a": "b"}, "triggers": {"t": "u"}}
    old, new = values | {"secretInputs": before}, parse(values | {"secretInputs": now})
    known = {*equal_fingerprints(new), *similar_fingerprints(new)}
    assert fingerprint(old) in known
    triggers = "triggers" in similar_fingerprints(new).get(fingerprint(old), ())
    assert triggers is any(path.startswith("triggers") for path in before)
    changed = parse(values | {"file": "obs://other/a.py", "secretInputs": now})
    assert fingerprint(old) not in {*equal_fingerprints(changed), *similar_fingerprints(changed)}


@pytest.mark.parametrize(
    ("declared", "refusal", "told"),
    [
        ({}, "no", {"file": JOB["file"], "queue": JOB["queue"]}),
        ({"jars": ["obs://a/b.jar", "c.jar"]}, "Parameter jars is invalid", {"jars": "obs://a/b.jar, c.jar"}),
        ({"maxRetryTimes": 3.0}, "max_retry_times is wrong", {"maxRetryTimes": "3"}),
        ({"args": ["swordfish"], "conf": {"a": "b"}, "name": "n"}, "args, conf, name", {}),
        ({"jars": ["b.jar"], "secretInputs": ["jars[0]", "file"]}, "jars", {"file": None}),
    ],
)
def test_the_values_that_a_refusal_is_about_are_told_if_they_are_public(
    declared: Properties, refusal: str, told: dict[str, Any]
) -> None:
    known = {"file": JOB["file"], "queue": JOB["queue"]} | told
    assert told_values(parse(JOB | declared), refusal) == {name: value for name, value in known.items() if value}


def test_the_texts_to_mask_in_an_answer_are_those_of_arguments_configuration_and_triggers() -> None:
    declared = {"args": ["swordfish", "42", "batch"], "conf": {"a": "true", "b": "hunter2"}, "queue": "batch"}
    assert texts_of_arguments(parse(JOB | declared | {"triggers": {"c": ["tr0mb"]}})) == {
        "swordfish",
        "hunter2",
        "tr0mb",
    }


def test_the_sizes_are_not_described_if_one_is_secret() -> None:
    assert sizing(parse(JOB | {"driverMemory": "2G", "secretInputs": ["driverMemory"]})) is None
    assert sizing(parse(JOB | {"driverMemory": "2G", "secretInputs": ["args[0]"]})) is not None


def test_the_exact_digits_are_sent() -> None:
    assert request_body(parse(JOB | numbered(BUILD + 1)), "n")["conf"] == {"a": str(BUILD + 1)}


def test_cluster_name_is_queue() -> None:
    older = {"file": JOB["file"], "clusterName": "batch"}
    assert changes(parse(older), parse(JOB)) == []
    assert changes(parse(older), parse(JOB | {"queue": "adhoc"})) == ["queue"]
    assert canonical(older) == canonical(JOB)


def test_an_unknown_value_is_a_change() -> None:
    assert changes(parse(JOB), parse(JOB | {"args": [UNKNOWN]})) == ["args"]
    assert changes(parse(JOB | {"file": "a.py"}), parse(JOB | {"file": UNKNOWN})) == ["file"]
    assert changes(parse(JOB | {"triggers": {"a": 1}}), parse(JOB | {"triggers": {"a": UNKNOWN}})) == ["triggers"]


def test_what_older_rules_allowed_is_compared_as_it_is() -> None:
    stored = JOB | {"driverMemory": "2T", "modules": [" sys"]}
    assert changes(parse(stored), parse(stored)) == []
    assert changes(parse(stored), parse(JOB | {"driverMemory": "2G"})) == ["modules", "driverMemory"]


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
    assert request_body(parse(declared), wanted["name"]) == wanted


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
    assert request_body(parse(declared), "orders-1") == {
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
    assert request_body(parse(declared), "a-1") == {
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
def test_the_sizing_says_what_a_job_takes(declared: Properties, words: str) -> None:
    assert sizing(parse(JOB | declared)) == words


@pytest.mark.parametrize("name", ["scType", "driverMemory", "numExecutors"])
def test_the_sizing_is_unknown_before_the_sizes_are_known(name: str) -> None:
    assert sizing(parse(JOB | {name: UNKNOWN})) is UNKNOWN


def test_a_secret_size_is_in_no_sizing() -> None:
    """In a plan the paths of secrets may be unknown: then the program tells whether a size is among them."""
    assert sizing(parse(JOB | {"executorMemory": "4G", "secretInputs": ["executorMemory"]})) is None
    assert sizing(parse(JOB | {"secretInputs": UNKNOWN, "hasSecretSize": True})) is None
    assert sizing(parse(JOB | {"secretInputs": UNKNOWN})) == sizing(parse(JOB))


# Whatever is declared


@patiently
@given(declarations.filter(is_known) | accepted.filter(is_known))
def test_what_is_checked_is_no_change(declared: Properties) -> None:
    checked = parse(parse(declared).properties)
    assert changes(parse(declared), checked) == []
    assert changes(checked, parse(declared)) == []


@patiently
@given(accepted.filter(is_known))
def test_what_is_accepted_can_be_sized_and_sent_as_json(declared: Properties) -> None:
    job = parse(declared)
    assert job.failures == ()
    assert sizing(job) is not None
    body = request_body(job, "name")
    assert json.loads(json.dumps(body)) == body
    assert body.get("args", []) == declared.get("args", [])
    assert set(body.get("conf", {})) == set(declared.get("conf", {}))
