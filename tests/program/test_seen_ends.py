from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs

import pulumi_dli as dli
from tests.registrations import JOB_TYPE, WAIT_TYPE, run

STATE = {
    "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev": ("pulumi:pulumi:Stack", {"password": "hunter2"}),
    f"urn:pulumi:dev::demo::{JOB_TYPE}::load": (JOB_TYPE, {"state": "starting"}),
    f"urn:pulumi:dev::demo::{JOB_TYPE}::other": (JOB_TYPE, {"state": "success"}),
    f"urn:pulumi:dev::demo::{WAIT_TYPE}::load-success": (
        WAIT_TYPE,
        {"jobName": "load", "jobId": "id-load", "state": "success"},
    ),
    f"urn:pulumi:dev::demo::{WAIT_TYPE}::load-running": (
        WAIT_TYPE,
        {"jobName": "load", "jobId": "id-load", "state": "running"},
    ),
    f"urn:pulumi:dev::demo::{WAIT_TYPE}::other-success": (
        WAIT_TYPE,
        {"jobName": "other", "jobId": "id-other", "state": "Success"},
    ),
    f"urn:pulumi:dev::demo::{WAIT_TYPE}::own": (WAIT_TYPE, {"jobName": "own", "jobId": "id-own", "state": "dead"}),
    f"urn:pulumi:dev::demo::{WAIT_TYPE}::lost": (WAIT_TYPE, None),
}


def outputs_of_stack(args: MockCallArgs) -> dict[str, Any]:
    assert args.token == "pulumi:pulumi:readStackResourceOutputs"
    assert args.args == {"stackName": "data/demo/dev"}
    return {"outputs": {urn: {"type": kind, "outputs": outputs} for urn, (kind, outputs) in STATE.items()}}


def job(name: str = "load", **options: Any) -> dli.BatchJob:
    return dli.BatchJob(name, file="load.py", queue="default", **options)


def hidden_inputs(
    program: Callable[[], Any], *, invoke: Callable[[MockCallArgs], dict[str, Any]] = outputs_of_stack
) -> dict[str, Any]:
    """Run a program that declares `load`. Return what the provider is told of ends, as far as that says something."""
    sent, _ = run(lambda: program() and {}, invoke=invoke)
    inputs = rpc.deserialize_properties(sent.requests["load"].object)
    return {name: inputs[name] for name in ("endsSeen", "waitsUnread") if inputs.get(name)}


@pytest.mark.parametrize("options", [{"on_record_expired": "rerun"}, {"when_running": "refuse"}])
def test_a_job_that_may_need_it_is_told_which_ends_its_waits_have_seen(options: dict[str, Any]) -> None:
    # The wait named `own` is of no job that the state has, so it may be of this one.
    assert hidden_inputs(lambda: job(**options)) == {"endsSeen": {"id-load": "success", "id-own": "dead"}}


def test_a_job_that_may_have_had_another_name_is_told_all_ends() -> None:
    renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="other")])
    told = hidden_inputs(lambda: job(on_record_expired="rerun", opts=renamed))
    assert told == {"endsSeen": {"id-load": "success", "id-own": "dead", "id-other": "Success"}}


def test_the_state_is_read_once_and_only_for_jobs_that_may_need_it() -> None:
    calls = []

    def invoke(args: MockCallArgs) -> dict[str, Any]:
        calls.append(args.token)
        return outputs_of_stack(args)

    assert hidden_inputs(lambda: job().wait(), invoke=invoke) == {}
    assert calls == []
    hidden_inputs(lambda: [job(name, on_record_expired="rerun") for name in ("load", "a", "b")], invoke=invoke)
    assert len(calls) == 1


def out_of_reach(_args: MockCallArgs) -> dict[str, Any]:
    raise PermissionError("the stack may not be read")


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (lambda: job(on_record_expired="rerun"), {}),
        (lambda: job(on_record_expired="rerun").wait(), {"waitsUnread": True}),
        (
            lambda: dli.BatchJobWait("own", job_id=job(on_record_expired="rerun").id),
            {"waitsUnread": True},
        ),
    ],
)
def test_a_job_that_has_a_wait_is_told_if_the_state_cannot_be_read(
    program: Callable[[], Any], told: dict[str, Any]
) -> None:
    assert hidden_inputs(program, invoke=out_of_reach) == told


def test_a_state_without_resources_tells_nothing() -> None:
    assert hidden_inputs(lambda: job(on_record_expired="rerun").wait(), invoke=lambda _: {}) == {}
