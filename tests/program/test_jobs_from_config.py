from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc
from pydantic.alias_generators import to_camel

import pulumi_dli as dli
from tests.project import Project
from tests.registrations import BATCH_ID, EVERY_ARGUMENT, JOB_TYPE, WAIT_TYPE, Registrations, run

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

Jobs = Mapping[str, Any]

A = {"file": "a.py"}
B = {"file": "b.py"}
C = {"file": "c.py"}
TWO_LINES = "dli.jobs_from_config()"


def declared(
    jobs: Any, defaults: Any = None, *, secret_keys: Sequence[str] = (), opts: pulumi.ResourceOptions | None = None
) -> Registrations:
    """Run the program of two lines; give what it registers."""
    values = {"dli:jobs": jobs, "dli:jobDefaults": defaults}
    configuration = {key: json.dumps(value) for key, value in values.items() if value is not None}
    sent, _ = run(
        lambda: {name: job.id for name, job in dli.jobs_from_config(opts).items()},
        configuration=configuration,
        secret_keys=secret_keys,
    )
    return sent


QUOTING = "On the command line: pulumi config set --path --type string 'dli:jobs.NAME…' VALUE"


def faults(jobs: Any, defaults: Any = None) -> list[str]:
    """Run a program that must be refused; give what it says."""
    with pytest.raises(pulumi.RunError) as caught:
        declared(jobs, defaults)
    return [line for line in str(caught.value).splitlines() if line != QUOTING]


def waits(sent: Registrations) -> dict[str, Any]:
    return {name: sent.inputs(name).get("timeout") for name, one in sent.requests.items() if one.type == WAIT_TYPE}


# What is declared


def test_every_argument_of_a_job_has_its_name_of_the_schema() -> None:
    arguments = {name: value for name, value in EVERY_ARGUMENT.items() if name != "cluster_name"}
    block = {to_camel(name): value for name, value in arguments.items()} | {"sparkVersion": "3.1.1"}
    block["triggers"] = {"some_key": {"project_id": "1"}}
    assert declared({"etl": block}).inputs("etl") == block


def test_the_jobs_are_given_by_name() -> None:
    def program() -> dict[str, Any]:
        jobs = dli.jobs_from_config()
        assert [*jobs] == ["load", "extract"]
        return {"ids": pulumi.Output.all(*[job.id for job in jobs.values()]), "file": jobs["load"].file}

    jobs = {"load": {**A, "dependsOn": ["extract"]}, "extract": B}
    _, values = run(program, configuration={"dli:jobs": json.dumps(jobs)})
    assert values == {"ids": [BATCH_ID, BATCH_ID], "file": "a.py"}


@pytest.mark.parametrize(
    ("default", "own", "merged"),
    [
        ({"queue": "batch"}, {}, {"queue": "batch"}),
        ({"queue": "batch"}, {"queue": "adhoc"}, {"queue": "adhoc"}),
        ({"queue": "batch"}, {"queue": None, "clusterName": "adhoc"}, {"clusterName": "adhoc"}),
        ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
        ({"args": ["a"]}, {"args": []}, {"args": []}),
        ({"conf": {"a": "1", "b": "2"}}, {"conf": {"b": "3", "c": "4"}}, {"conf": {"a": "1", "b": "3", "c": "4"}}),
        ({"conf": {"a": "1", "b": "2"}}, {"conf": {"a": None}}, {"conf": {"b": "2"}}),
        ({"conf": {"a": "1"}}, {"conf": None}, {}),
        (
            {"triggers": {"jar": {"a": "1"}}},
            {"triggers": {"jar": {"b": True}}},
            {"triggers": {"jar": {"a": "1", "b": True}}},
        ),
        ({"autoRecovery": True}, {"autoRecovery": False}, {"autoRecovery": False}),
        ({"file": "b.py"}, {"file": None}, None),
    ],
)
def test_defaults_hold_where_a_job_does_not_say_it_otherwise(
    default: Jobs, own: Jobs, merged: dict[str, Any] | None
) -> None:
    if merged is None:
        assert faults({"a": own}, default) == [
            "dli:jobs.a.file: is missing; set it to the package to run, for example obs://bucket/jobs/wordcount.py"
        ]
    else:
        assert declared({"a": {**A, **own}}, default).inputs("a") == A | merged


def test_a_job_may_be_all_defaults() -> None:
    assert declared({"a": None, "b": {}}, A).inputs("a") == A


def test_true_and_false_in_args_are_those_of_spark() -> None:
    assert declared({"a": {**A, "args": [True, "True", False]}}).inputs("a")["args"] == ["true", "True", "false"]
    assert declared({"a": A}, {"args": [True]}).inputs("a")["args"] == ["true"]


def test_options_are_those_of_every_job() -> None:
    sent = declared({"a": A, "b": {**B, "dependsOn": ["a"]}}, opts=pulumi.ResourceOptions(protect=True))
    assert sent.requests["a"].protect
    assert sent.requests["b"].protect
    assert any(urn.endswith("::a-success") for urn in sent.requests["b"].dependencies)


# Waiting and order


@pytest.mark.parametrize(
    ("default", "own", "expected"),
    [
        (None, None, {}),
        (None, False, {}),
        (None, True, {"a-success": None}),
        (None, {}, {"a-success": None}),
        (None, {"until": "running"}, {"a-running": None}),
        (None, {"until": "finished", "timeout": "2h"}, {"a-finished": "2h"}),
        (None, {"timeout": 90, "until": None, "streamLog": None}, {"a-success": 90}),
        (True, None, {"a-success": None}),
        (True, False, {}),
        ({"timeout": "2h"}, True, {"a-success": "2h"}),
        ({"timeout": "2h"}, {"until": "running"}, {"a-running": "2h"}),
        ({"timeout": "2h"}, {"timeout": None}, {"a-success": None}),
    ],
)
def test_a_job_is_awaited_as_its_block_says(default: Any, own: Any, expected: Jobs) -> None:
    block = A if own is None else {**A, "wait": own}
    assert waits(declared({"a": block}, {} if default is None else {"wait": default})) == expected


def test_what_a_job_depends_on_is_awaited_with_its_own_timeout() -> None:
    jobs = {
        "load": {**C, "dependsOn": ["extract", "clean"]},
        "clean": {**B, "dependsOn": ["extract"], "wait": {"until": "finished"}},
        "extract": {**A, "wait": {"timeout": "2h"}},
    }
    sent = declared(jobs)
    assert waits(sent) == {"extract-success": "2h", "clean-finished": None, "clean-success": None}
    after = {urn.rsplit("::", 1)[1] for urn in sent.requests["load"].dependencies}
    assert after == {"extract-success", "clean-success"}


def test_a_job_that_runs_again_with_others_has_their_ids_as_triggers() -> None:
    jobs = {"a": A, "b": B, "c": {**C, "rerunWith": ["a", "b"], "triggers": {"day": "monday"}}}
    sent = declared(jobs)
    assert sent.inputs("c")["triggers"] == {"day": "monday", "rerunWith": {"a": BATCH_ID, "b": BATCH_ID}}
    assert waits(sent) == {}


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from("abcde"), st.tuples(st.sets(st.sampled_from("abcde")), st.booleans())))
def test_each_job_comes_after_those_that_it_names_or_the_circle_is_named(
    graph: dict[str, tuple[set[str], bool]],
) -> None:
    named = {name: sorted(others & {*graph}) for name, (others, _) in graph.items()}
    keys = {name: "dependsOn" if is_order else "rerunWith" for name, (_, is_order) in graph.items()}
    jobs = {name: {**A, keys[name]: others} for name, others in named.items()}
    try:
        order = [*declared(jobs).requests]
    except pulumi.RunError as error:
        key, *circle = re.fullmatch(r"dli:jobs\.(\w\.\w+): is a cycle: (.+)", str(error)).groups()  # type: ignore[union-attr]
        names = circle[0].split(" after ")
        assert key == f"{names[0]}.{keys[names[0]]}"
        assert names[0] == names[-1]
        assert all(before in named[after] for after, before in itertools.pairwise(names))
    else:
        assert all(order.index(other) < order.index(name) for name, others in named.items() for other in others)


# Secrets


@pytest.mark.parametrize("secret_key", ["dli:jobs", "dli:jobDefaults"])
def test_where_the_block_holds_a_secret_what_may_be_secret_is_one(secret_key: str) -> None:
    jobs = {
        "a": {
            **A,
            "args": ["in", "hunter2"],
            "conf": {"spark.a": "x"},
            "queue": "batch",
            "triggers": {"day": "monday"},
        },
        "b": {**B, "rerunWith": ["a"]},
    }
    sent = declared(jobs, {"conf": {"spark.b": True}}, secret_keys=[secret_key])
    inputs = sent.inputs("a")
    for name, value in {
        "args": ["in", "hunter2"],
        "conf": {"spark.a": "x", "spark.b": True},
        "triggers": {"day": "monday"},
    }.items():
        assert rpc.is_rpc_secret(inputs[name])
        assert rpc.unwrap_rpc_secret(inputs[name]) == value
    assert (inputs["file"], inputs["queue"]) == ("a.py", "batch")
    assert sent.inputs("b")["triggers"] == {"rerunWith": {"a": BATCH_ID}}


def test_without_a_secret_nothing_is_one() -> None:
    sent = declared({"a": {**A, "args": ["in"], "conf": {"a": "b"}}}, secret_keys=["dli:secretKey"])
    assert sent.inputs("a")["args"] == ["in"]


# What is refused


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("a.py", "dli:jobs.load: must be a map with the properties of a job, but is text"),
        (["a.py"], "dli:jobs.load: must be a map with the properties of a job, but is a list"),
        (
            {**A, "driverMemory": 4},
            "dli:jobs.load.driverMemory: must be text with a unit, for example '2G' or '2048M', but is 4",
        ),
        ({**A, "sparkVersion": 3.1}, "dli:jobs.load.sparkVersion: must be text, but is a number; put it in quotes"),
        ({**A, "args": ["in", 20261124]}, "dli:jobs.load.args[1]: must be text, but is a number; put it in quotes"),
        ({**A, "args": [None]}, "dli:jobs.load.args[0]: must be text, but is null; leave it out"),
        (
            {**A, "numExecutors": "4"},
            "dli:jobs.load.numExecutors: must be a whole number, but is '4'; write it without",
        ),
        ({**A, "autoRecovery": "yes"}, "dli:jobs.load.autoRecovery: must be true or false, but is text"),
        (
            {**A, "conf": {"spark.a": []}},
            'dli:jobs.load.conf["spark.a"]: must be text, a number, true or false, but is',
        ),
        (
            {**A, "args": "in"},
            "dli:jobs.load.args: must be a list, but is text; write a list with one item for",
        ),
        (
            {**A, "drivermemory": "4G"},
            "dli:jobs.load.drivermemory: there is no such property; did you mean driverMemory?",
        ),
        (
            {**A, "driver_memory": "4G"},
            "dli:jobs.load.driver_memory: there is no such property; did you mean driverMemory?",
        ),
        ({**A, "replacementTrigger": 1}, "dli:jobs.load.replacementTrigger: there is no such property"),
        ({**A, "state": "dead"}, "dli:jobs.load.state: there is no such property"),
        ({**A, "depends": []}, "dli:jobs.load.depends: there is no such property; did you mean dependsOn?"),
        (
            {**A, "args": ["2026-11-24 00:00:00 +0000 UTC"]},
            "dli:jobs.load.args[0]: YAML reads this as a date, which Pulumi",
        ),
        (
            {**A, "triggers": {"at": "2026-11-24 10:30:00.5 +0100 +0100"}},
            "dli:jobs.load.triggers.at: YAML reads this as a date",
        ),
        (
            {**A, "wait": "running"},
            "dli:jobs.load.wait: must be true, or a map with until, timeout and streamLog, but is text",
        ),
        (
            {**A, "wait": 1},
            "dli:jobs.load.wait: must be true, or a map with until, timeout and streamLog, but is a number",
        ),
        ({**A, "wait": {"streamLog": "yes"}}, "dli:jobs.load.wait.streamLog: must be true, false or all, but is 'yes'"),
        ({**A, "wait": {"streamLog": 1}}, "dli:jobs.load.wait.streamLog: must be true, false or all, but is a number"),
        ({**A, "wait": {"untl": "running"}}, "dli:jobs.load.wait.untl: there is no such property; did you mean until?"),
        (
            {**A, "wait": {"until": "done"}},
            "dli:jobs.load.wait.until: must be one of success, running, finished",
        ),
        (
            {**A, "wait": {"timeout": "soon"}},
            "dli:jobs.load.wait.timeout: not a duration: 'soon'; write it as in '90s'",
        ),
        (
            {**A, "dependsOn": "extract"},
            "dli:jobs.load.dependsOn: must be a list of jobs, for example [extract, clean]",
        ),
        ({**A, "rerunWith": [1]}, "dli:jobs.load.rerunWith: must be a list of jobs, for example [extract, clean]"),
        (
            {**A, "dependsOn": ["extrct"]},
            "dli:jobs.load.dependsOn[0]: there is no job 'extrct' in dli:jobs; did you mean extract?",
        ),
        ({**A, "rerunWith": ["load", "x"]}, "dli:jobs.load.rerunWith[1]: there is no job 'x' in dli:jobs"),
        ({**A, "dependsOn": ["load"]}, "dli:jobs.load.dependsOn: is a cycle: load after load"),
        ({}, "dli:jobs.load.file: is missing; set it to the package to run"),
        ({"file": "a.jar"}, "dli:jobs.load.className: is missing; a .jar needs the main class to run"),
    ],
)
def test_what_is_wrong_is_told_with_its_path_in_the_file(block: Any, fault: str) -> None:
    (told,) = faults({"extract": A, "load": block})
    assert told.startswith(fault)


@pytest.mark.parametrize(
    ("defaults", "fault"),
    [
        (["a"], "dli:jobDefaults: must be a map"),
        ({"driverMemory": 4}, "dli:jobDefaults.driverMemory: must be text with a unit"),
        ({"queu": "batch"}, "dli:jobDefaults.queu: there is no such property; did you mean queue?"),
        (
            {"wait": "yes"},
            "dli:jobDefaults.wait: must be true, or a map with until, timeout and streamLog, but is text",
        ),
    ],
)
def test_what_is_wrong_in_the_defaults_is_told_once(defaults: Any, fault: str) -> None:
    (told,) = faults({"extract": A, "load": B}, defaults)
    assert told.startswith(fault)


@pytest.mark.parametrize(("args", "is_told"), [([3], True), ("in", False)])
def test_a_number_that_needs_quotes_is_told_with_the_command(args: Any, is_told: bool) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        declared({"load": {**A, "args": args}})
    assert str(caught.value).endswith(QUOTING) is is_told


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert [fault.split(":")[1] for fault in faults({"a": {"args": [1, 2], "wiat": 1}, "b": "b.py"}, {"queue": 1})] == [
        *("jobDefaults.queue", "jobs.a.wiat", "jobs.a.args[0]", "jobs.b"),
    ]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("nightly-load_2", "dli:jobs.nightly-load_2.args"),
        ("nightly.load", 'dli:jobs["nightly.load"].args'),
        ("2nd", 'dli:jobs["2nd"].args'),
    ],
)
def test_a_path_is_as_pulumi_config_set_reads_it(name: str, path: str) -> None:
    assert faults({name: {**A, "args": "in"}})[0].startswith(path)


@pytest.mark.parametrize("name", ["", " ", "load "])
def test_a_name_is_not_empty_and_has_no_blanks_around_it(name: str) -> None:
    assert faults({name: A}) == [f'dli:jobs["{name}"]: a job\'s name must not be empty or have blanks around it']


@pytest.mark.parametrize("text", ["load", "[1]", "1", '"load"', "null", "{"])
def test_jobs_that_are_no_map_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(pulumi.RunError, match=r"^dli:jobs: must be a map; write it into the stack's file, or use"):
        run(dli.jobs_from_config, configuration={"dli:jobs": text})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["until", "a", "file"]), inner, max_size=2)
    ),
    max_leaves=4,
)
keys = st.sampled_from(["wait", "dependsOn", "rerunWith", *map(to_camel, EVERY_ARGUMENT)]) | st.text(max_size=3)
blocks = values | st.dictionaries(keys, values, max_size=4)


@settings(deadline=None, max_examples=200)
@given(values | st.dictionaries(st.sampled_from(["a", "b"]), blocks, max_size=2), blocks)
def test_whatever_is_written_is_declared_or_refused_with_its_path(jobs: Any, defaults: Any) -> None:
    try:
        sent = declared(jobs, defaults)
    except pulumi.RunError as error:
        assert re.match(r"dli:(jobs|jobDefaults)\b", str(error))
    else:
        assert {name for name, one in sent.requests.items() if one.type == JOB_TYPE} == {*(jobs or {})}


# The real Pulumi


def write_configuration(project: Project, text: str) -> None:
    with (project.folder / "Pulumi.dev.yaml").open("a") as file:
        file.write(dedent(text))


@pytest.mark.slow
def test_pulumi_config_set_changes_what_is_declared(project: Project, service: Service) -> None:
    project.write(TWO_LINES)
    write_configuration(
        project,
        """
        config:
          dli:jobDefaults: {queue: default, wait: true}
          dli:jobs:
            load: {file: load.py}
        """,
    )
    project.pulumi("config", "set", "--path", "dli:jobs.load.args[0]", "true")
    project.pulumi("config", "set", "--path", 'dli:jobs.load.conf["spark.executor.instances"]', "2")
    project.pulumi("config", "set", "--path", "dli:jobs.load.triggers.day", "2026-11-24")
    project.up()
    (job,) = service.jobs()
    assert (job.state, job.body["file"], job.body["args"]) == ("success", "load.py", ["true"])
    assert job.body["conf"] == {"spark.executor.instances": "2"}
    project.up("--expect-no-changes")

    project.pulumi("config", "set", "--path", "dli:jobs.load.args[0]", "20261124")
    assert "dli:jobs.load.args[0]: must be text, but is a number; put it in quotes" in project.failing_up()
    project.pulumi("config", "set", "--path", "--type", "string", "dli:jobs.load.args[0]", "20261124")
    project.up()
    assert service.jobs()[-1].body["args"] == ["20261124"]


def test_what_yaml_and_pulumi_make_of_a_block_is_refused_without_a_traceback_and_without_a_call(
    project: Project, service: Service
) -> None:
    project.write(TWO_LINES)
    write_configuration(
        project,
        """
        config:
          dli:jobs:
            extract:
              file: extract.py
              args: [2026-11-24, 3.10, 010, yes, ~]
            load:
              file: load.py
              dependsOn: [extract, clean]
              colour: blue
          dli:jobDefault: {queue: default}
        """,
    )
    screen = project.failing_up()
    for told in (
        "dli:jobDefault: there is no such setting; did you mean dli:jobDefaults? Remove it",
        "dli:jobs.extract.args[0]: YAML reads this as a date",
        "dli:jobs.extract.args[1]: must be text, but is a number; put it in quotes",
        "dli:jobs.load.colour: there is no such property",
    ):
        assert told in screen
    assert "Traceback" not in screen
    assert service.calls() == {}


def test_a_stack_without_jobs_is_told_so(project: Project, service: Service) -> None:
    project.write(TWO_LINES)
    assert "dli:jobs is not in this stack's configuration, so it declares no job" in project.up()
    assert service.calls() == {}
