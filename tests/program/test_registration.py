"""What a program's resources register with the engine."""

import inspect
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest
from pulumi.runtime import rpc
from pydantic.alias_generators import to_camel

import pulumi_dli as dli
from pulumi_dli.jobs import outputs, wait_goals
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, WIRE_NAMES
from pulumi_dli.jobs.outputs import VERDICT
from pulumi_dli.jobs.wait_inputs import WAIT_ARGUMENTS
from pulumi_dli.program.types import OnRecordExpired, Until, WhenRunning, wire_names
from tests.registrations import BATCH_ID, EVERY_ARGUMENT, JOB_TYPE, WAIT_TYPE, run


def parameters(resource: type) -> set[str]:
    return set(inspect.signature(resource).parameters) - {"resource_name", "opts"}


def job_with_every_argument() -> dli.BatchJob:
    return dli.BatchJob("etl", **EVERY_ARGUMENT)


def test_the_arguments_are_the_declared_properties() -> None:
    declared = {*WIRE_NAMES, *OPTIONS} - {"replacementTrigger"}
    assert {to_camel(name) for name in parameters(dli.BatchJob)} == declared
    wait_arguments = {to_camel(name) for name in parameters(dli.BatchJobWait)}
    assert wait_arguments == {*WAIT_ARGUMENTS, "streamLog"} - {"waited"}  # one that only the program needs
    assert set(EVERY_ARGUMENT) == parameters(dli.BatchJob)


def test_the_outputs_are_what_is_declared_and_what_the_provider_says() -> None:
    declared = {*WIRE_NAMES, *OPTIONS} - {"replacementTrigger"}
    job_outputs = {to_camel(name) for name in wire_names(dli.BatchJob)}
    assert job_outputs == declared | {*outputs.OBSERVED, "sizing"}
    wait_outputs = {to_camel(name) for name in wire_names(dli.BatchJobWait)}
    assert wait_outputs == {*WAIT_ARGUMENTS, *VERDICT} - {"waited"}


def test_the_choices_of_an_argument_are_those_that_the_plan_accepts() -> None:
    assert get_args(OnRecordExpired) == ARGUMENTS["onRecordExpired"].choices
    assert get_args(WhenRunning) == ARGUMENTS["whenRunning"].choices
    assert get_args(Until) == tuple(wait_goals.Until)


def test_every_argument_goes_over_the_wire_in_camel_case_and_keys_of_maps_as_they_are() -> None:
    sent, _ = run(lambda: {"id": job_with_every_argument().id})
    assert sent.requests["etl"].type == JOB_TYPE
    assert sent.inputs("etl") == {to_camel(name): value for name, value in EVERY_ARGUMENT.items()}


def test_a_job_without_a_file_ends_the_program_before_anything_is_registered() -> None:
    with pytest.raises(pulumi.RunError, match="BatchJob nightly: file is None"):
        run(lambda: {"id": dli.BatchJob("nightly", file=None).id})  # type: ignore[arg-type]


def test_the_outputs_of_what_is_not_given_are_none() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("small", file="obs://demo/a.py")
        done = dli.BatchJobWait("done", job_id=job.id)
        names = {*wire_names(dli.BatchJob)} & parameters(dli.BatchJob) - {"file"}
        return {name: getattr(job, name) for name in names} | {"timeout": done.timeout, "redact": done.redact}

    _, values = run(program)
    assert len(values) > 30
    assert set(values.values()) == {None}


def test_what_is_not_given_is_not_sent() -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("small", file="obs://demo/a.py").id})
    assert sent.inputs("small") == {"file": "obs://demo/a.py"}


def test_every_output_is_an_attribute_in_snake_case() -> None:
    def program() -> dict[str, Any]:
        job = job_with_every_argument()
        return {name: getattr(job, name) for name in wire_names(dli.BatchJob)}

    _, values = run(program)
    assert {name: values[name] for name in EVERY_ARGUMENT} == EVERY_ARGUMENT
    assert values["app_id"] == "batch-session-17"
    assert values["record_expired"] is False
    assert values["owner"] is None


def test_outputs_have_the_types_that_they_are_declared_with() -> None:
    def program() -> dict[str, Any]:
        job = job_with_every_argument()
        return {
            "place": job.submitted_to.apply(lambda place: (type(place), place.region, place.project_id)),
            "group": job.groups.apply(lambda groups: groups and (type(groups[0]), groups[0].name)),
            "package": job.groups.apply(lambda groups: groups and groups[0].resources and groups[0].resources[0].name),
            "created": job.create_time.apply(lambda created: (type(created), created)),
        }

    _, values = run(program)
    assert values["place"] == (dli.SubmittedTo, "eu-de", "5e1c")
    assert values["group"] == (dli.Group, "lib")
    assert values["package"] == "b.jar"
    assert values["created"] == (int, 1_700_000_000_000)


def test_a_secret_argument_is_sent_as_a_secret() -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", args=pulumi.Output.secret(["key"])).id})
    assert rpc.is_rpc_secret(sent.inputs("j")["args"])


def test_the_texts_of_secret_arguments_go_as_a_secret_to_the_job_and_its_wait() -> None:
    def program() -> dict[str, Any]:
        key = pulumi.Output.secret("hunter2")
        job = dli.BatchJob("load", file="a.py", args=["in", key], conf={"a": key, "b": pulumi.Output.secret("load")})
        return {"id": job.wait().id, "other": dli.BatchJobWait("w", job_id=job.id, redact=["swordfish"]).id}

    sent, _ = run(program)
    for name, text in (("load", "hunter2"), ("load-success", "hunter2"), ("w", "swordfish")):
        redact = rpc.deserialize_properties(sent.requests[name].object)["redact"]
        assert rpc.is_rpc_secret(redact)
        assert rpc.unwrap_rpc_secret(redact) == [text]


def test_without_a_secret_argument_there_is_nothing_to_mask() -> None:
    sent, _ = run(lambda: {"id": job_with_every_argument().wait().id})
    for name in ("etl", "etl-success"):
        assert "redact" not in sent.requests[name].object


@pytest.mark.parametrize(
    "opts", [None, pulumi.ResourceOptions(protect=True), pulumi.ResourceOptions(delete_before_replace=False)]
)
def test_the_old_run_is_deleted_before_it_is_replaced(opts: pulumi.ResourceOptions | None) -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", opts=opts).id})
    assert sent.requests["j"].deleteBeforeReplace
    assert sent.requests["j"].deleteBeforeReplaceDefined


def test_a_replacement_trigger_reaches_the_engine_and_the_provider() -> None:
    opts = pulumi.ResourceOptions(replacement_trigger="2026-11-24")
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", opts=opts).id})
    assert sent.requests["j"].replacement_trigger.string_value == "2026-11-24"
    assert sent.requests["j"].object["replacementTrigger"] == "2026-11-24"


def test_the_scope_tells_a_job_from_one_of_the_same_name_under_another_parent() -> None:
    def scope(stack: str, parent: str | None) -> str:
        def program() -> dict[str, Any]:
            component = parent and pulumi.ComponentResource("demo:index:Nightly", parent)
            return {"id": dli.BatchJob("j", file="a.py", opts=pulumi.ResourceOptions(parent=component or None)).id}

        sent, _ = run(program, stack=stack)
        assert sent.requests["j"].object["resourceName"] == "j"
        return str(sent.requests["j"].object["scope"])

    assert scope("dev", "east") == scope("dev", "east")
    assert len({scope("dev", "east"), scope("dev", "west"), scope("dev", None), scope("prod", "east")}) == 4


def test_a_wait_is_beside_its_job_and_knows_where_it_runs() -> None:
    def program() -> dict[str, Any]:
        done = dli.BatchJob("etl", file="a.py", rerun_on_failure=False).wait(until="finished", timeout="2h")
        return {name: getattr(done, name) for name in wire_names(dli.BatchJobWait)}

    sent, values = run(program)
    request = sent.requests["etl-finished"]
    assert request.type == WAIT_TYPE
    assert not request.parent.endswith(f"{JOB_TYPE}::etl")
    assert not request.deleteBeforeReplace
    assert sent.inputs("etl-finished") == {
        "jobId": BATCH_ID,
        "until": "finished",
        "timeout": "2h",
        "jobName": "etl",
        "submittedTo": {"region": "eu-de", "projectId": "5e1c"},
        "rerunOnFailure": False,
    }
    assert values["job_id"] == BATCH_ID
    assert values["submitted_to"]["project_id"] == "5e1c"
    assert values["state"] is None


def test_a_wait_has_the_options_that_it_is_given() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("etl", file="a.py")
        return {"id": job.wait(opts=pulumi.ResourceOptions(protect=True)).id}

    sent, _ = run(program)
    assert sent.requests["etl-success"].protect


def test_a_wait_has_the_parent_of_its_job_unless_it_is_given_one() -> None:
    def program() -> dict[str, Any]:
        east, west = (pulumi.ComponentResource("demo:index:Nightly", name) for name in ("east", "west"))
        in_east, in_west = (pulumi.ResourceOptions(parent=component) for component in (east, west))
        job = dli.BatchJob("etl", file="a.py", opts=in_east)
        waits = [job.wait(), job.wait("running", opts=in_west), job.wait("finished", opts=in_east)]
        below = pulumi.ResourceOptions(parent=job)
        waits.append(dli.BatchJob("child", file="a.py", opts=below).wait())
        waits.append(dli.BatchJob.get("got", BATCH_ID, opts=in_west).wait())
        waits.append(dli.BatchJob("alone", file="a.py").wait())
        waits.append(dli.BatchJob("above", file="a.py").wait(opts=below))
        return {"ids": pulumi.Output.all(*(wait.id for wait in waits))}

    sent, _ = run(program)
    waits = {name: request.parent for name, request in sent.requests.items() if request.type == WAIT_TYPE}
    assert {name: parent.split("::")[-1] for name, parent in waits.items()} == {
        "etl-success": "east",
        "etl-running": "west",
        "etl-finished": "east",
        "child-success": "etl",
        "got-success": "west",
        "alone-success": "demo-dev",
        "above-success": "etl",
    }
    aliases = {name: len(sent.requests[name].aliases) for name in waits}
    assert aliases == dict.fromkeys(waits, 1) | {"etl-running": 0, "above-success": 0}


def test_a_wait_that_is_asked_for_again_is_the_one_that_there_is() -> None:
    def program() -> dict[str, Any]:
        component = pulumi.ComponentResource("demo:index:Nightly", "east")
        opts = pulumi.ResourceOptions(parent=component)
        job = dli.BatchJob("etl", file="a.py", opts=opts)
        assert job.wait() is job.wait() is job.wait(opts=opts)
        assert job.wait("running", opts=opts) is job.wait("running")
        return {"id": job.wait().id}

    run(program)


def test_a_wait_with_the_same_arguments_or_only_its_name_is_the_one_that_there_is() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("etl", file="a.py")
        assert job.wait(timeout="2h") is job.wait(timeout="2h") is job.wait()
        assert job.wait(timeout=timedelta(hours=1), name="etl-short") is job.wait(name="etl-short")
        assert job.wait(name="etl-short") is not job.wait()
        return {"id": job.id}

    sent, _ = run(program)
    assert sent.inputs("etl-short")["timeout"] == 3600


def test_a_second_wait_with_other_arguments_is_refused_with_what_to_write() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("etl", file="a.py")
        job.wait()
        return {"id": job.wait(timeout="2h").id}

    with pytest.raises(pulumi.RunError) as raised:
        run(program)
    assert str(raised.value) == (
        "BatchJob etl: wait etl-success is declared twice, with different arguments. Remove one, or give it a name of "
        'its own: job.wait(..., name="etl-success-2")'
    )


def test_custom_timeouts_may_be_a_map() -> None:
    opts = pulumi.ResourceOptions(custom_timeouts={"create": "1h"})  # type: ignore[arg-type]
    sent, _ = run(lambda: {"id": dli.BatchJob("etl", file="a.py").wait(opts=opts).id})
    assert sent.inputs("etl-success")["timeout"] == "1h"


@pytest.mark.parametrize(
    ("timeout", "create", "sent_timeout"),
    [
        (None, "2h", "2h"),
        (timedelta(minutes=1), None, 60),
        ("5m", "2h", "5m"),
        (timedelta(seconds=1.5), "2h", 1.5),
    ],
)
def test_custom_timeouts_and_timedelta_set_how_long_to_wait(
    timeout: Any, create: str | None, sent_timeout: Any
) -> None:
    custom = pulumi.CustomTimeouts(create=create)
    opts = pulumi.ResourceOptions(custom_timeouts=custom) if create else None
    sent, _ = run(lambda: {"id": dli.BatchJob("etl", file="a.py").wait(timeout=timeout, opts=opts).id})
    assert sent.inputs("etl-success")["timeout"] == sent_timeout


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (
            lambda: dli.BatchJob(pulumi.Output.from_input("etl"), file="a.py"),  # type: ignore[arg-type]
            "BatchJob: the name of the resource is an Output, whose value comes too late. Write the name as text",
        ),
        (
            lambda: dli.BatchJob("etl", file="a.py", opts={}),  # type: ignore[arg-type]
            "BatchJob etl: opts must be pulumi.ResourceOptions(...)",
        ),
        (
            lambda: dli.BatchJob("etl", file="a.py").wait(opts={}),  # type: ignore[arg-type]
            "BatchJobWait etl-success: opts must be pulumi.ResourceOptions(...)",
        ),
        (
            lambda: dli.BatchJob("etl", file="a.py", triggers={"day": date(2026, 11, 29)}),
            'BatchJob etl: triggers["day"]: is a date, which Pulumi cannot send. Make text of it, for example with '
            "isoformat()",
        ),
        (
            lambda: dli.BatchJob("etl", file="a.py", args=["a", Path("b")]),  # type: ignore[list-item]
            "BatchJob etl: args[1]: is a PosixPath, which Pulumi cannot send. Make text of it, for example with str()",
        ),
        (
            lambda: dli.BatchJob.get("etl", None),  # type: ignore[arg-type]
            "BatchJob.get etl: id is None. Set it to the id of the batch job",
        ),
    ],
)
def test_what_pulumi_cannot_use_is_refused_in_our_words(declare: Callable[[], Any], message: str) -> None:
    with pytest.raises(pulumi.RunError) as raised:
        run(lambda: {"id": declare().id})
    assert str(raised.value) == message


def test_a_wait_for_a_job_of_elsewhere_needs_its_id_only() -> None:
    sent, _ = run(lambda: {"id": dli.BatchJobWait("w", job_id=BATCH_ID).id})
    assert sent.inputs("w") == {"jobId": BATCH_ID, "until": "success", "jobName": "w"}


def test_get_reads_a_job_by_its_id_and_declares_nothing() -> None:
    def program() -> dict[str, Any]:
        opts = pulumi.ResourceOptions(additional_secret_outputs=["log"])
        job = dli.BatchJob.get("theirs", "another-id", region="eu-de", project_id="5e1c", opts=opts)
        return {
            "id": job.id,
            "state": job.state,
            "file": job.file,
            "place": job.submitted_to.apply(lambda place: place.project_id),
        }

    sent, values = run(program)
    request = sent.requests["theirs"]
    assert (type(request).__name__, request.id) == ("ReadResourceRequest", "another-id")
    assert list(request.additionalSecretOutputs) == ["log"]
    assert sent.inputs("theirs") == {"region": "eu-de", "projectId": "5e1c"}
    assert (values["id"], values["state"], values["file"]) == ("another-id", "running", None)
    assert values["place"] == "5e1c"
