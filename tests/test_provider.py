"""The providers, driven over gRPC as the engine drives them, against the local DLI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret, wrap_rpc_secret

from pulumi_dli.jobs.spelling import in_python
from tests.campaign.hosts import ForkServer
from tests.engine import ProviderError, ProviderProcess
from tests.jobs.test_inputs import REFUSED
from tests.local.api import all_ended, eventually, settled
from tests.project import variables_of

if TYPE_CHECKING:
    from pulumi_dli.local.faults import RouteName
    from pulumi_dli.local.testing import Service

JOB = {"resourceName": "load", "scope": "0a1b2c3d", "file": "obs://demo/load.py", "queue": "default"}
ENDLESS = {"conf": {"spark.dli.local.timeline": "starting:0s,running"}}
DEAD = {"conf": {"spark.dli.local.timeline": "dead"}}
GONE = "11111111-2222-3333-4444-555555555555"
LIST: RouteName = "/batches"
DETAILS: RouteName = "/batches/{id}"

# The example of the page (dli_02_0124, 2023-11), with every parameter that it has.
EXAMPLE = {
    "file": "batchTest/spark-examples_2.11-2.1.0.luxor.jar",
    "className": "org.apache.spark.examples.SparkPi",
    "scType": "A",
    "jars": ["demo-1.0.0.jar"],
    "files": ["count.txt"],
    "resources": [
        {"name": "groupTest/testJar.jar", "type": "jar"},
        {"name": "kafka-clients-0.10.0.0.jar", "type": "jar"},
    ],
    "groups": [
        {
            "name": "groupTestJar",
            "resources": [{"name": "testJar.jar", "type": "jar"}, {"name": "testJar1.jar", "type": "jar"}],
        },
        {"name": "batchTest", "resources": [{"name": "luxor.jar", "type": "jar"}]},
    ],
    "queue": "default",
    "name": "TestDemo4",
}


@pytest.fixture
def bare_provider(service: Service, fork_server: ForkServer) -> Iterator[ProviderProcess]:
    """A provider process that knows where the local DLI is, but has no credentials."""
    known = {name: value for name, value in variables_of(service).items() if not name.endswith("_KEY")}
    with ProviderProcess(known, start=fork_server.start) as process:
        yield process


@pytest.fixture
def later(service: Service, fork_server: ForkServer) -> Iterator[ProviderProcess]:
    """The provider process of a later command, which has seen nothing yet."""
    with ProviderProcess(variables_of(service), start=fork_server.start) as process:
        yield process


@pytest.fixture
def new_service() -> type[Service]:
    """Starts a local DLI with other options than those of `service`."""
    return pytest.importorskip("pulumi_dli.local.testing", reason="the local DLI is for Linux and macOS").Service


def declared(**properties: Any) -> dict[str, Any]:
    return {**JOB, **properties}


def timeline(states: str) -> dict[str, Any]:
    return {"conf": {"spark.dli.local.timeline": states}}


def test_the_example_of_the_page_is_sent_as_it_stands_there(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare({**EXAMPLE, "resourceName": "demo", "scope": "0a1b2c3d"})
    (job,) = service.jobs()
    assert job.body == {"sc_type" if name == "scType" else name: value for name, value in EXAMPLE.items()}
    assert outputs["effectiveScType"] == "A"
    for name, value in EXAMPLE.items():
        assert outputs[name] == value
    assert batch_id == job.id


def test_the_fields_of_the_reply_are_outputs_under_names_of_their_own(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(driverMemory="2 GB", **ENDLESS))
    (job,) = service.jobs(batch_id)
    account = service.server.credentials
    expected = {
        "owner": account.username,
        "createTime": job.create_time,
        "submittedName": job.name,
        "effectiveScType": "CUSTOMIZED",
        "effectiveQueue": "default",
        "submittedTo": {"region": account.region, "projectId": account.project_id},
        "recordExpired": False,
        "driverMemory": "2G",
        "kind": None,
        "proxyUser": None,
    }
    assert {name: outputs.get(name) for name in expected} == expected
    assert outputs["state"] in ("starting", "running")
    assert "req_body" not in json.dumps(outputs)


def test_a_submission_has_a_name_of_its_own_that_begins_with_the_resource(
    provider: ProviderProcess, service: Service
) -> None:
    for resource in ("load", "extract"):
        provider.jobs.declare(declared(resourceName=resource))
    names = [job.name for job in service.jobs()]
    assert [name.split("-")[0] for name in names] == ["load", "extract"]
    assert len({name.rsplit("-", 1)[1] for name in names}) == 2


def test_a_value_that_is_unknown_without_a_preview_is_no_change_and_no_call(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(args=["a"], **ENDLESS))
    service.reset_calls()
    plan = provider.jobs.diff(batch_id, outputs, declared(args=[unknown()], **ENDLESS))
    assert not plan.changes
    assert service.calls() == {}


def test_nothing_that_a_plan_refuses_reaches_the_service(provider: ProviderProcess, service: Service) -> None:
    for name, value, message in REFUSED:
        if "null" in message:
            continue  # Pulumi's host leaves nulls out
        _, failures = provider.jobs.check(declared(**{name: value}))
        assert failures[0].startswith(in_python(message))
    assert service.calls() == {}


def test_messages_about_a_job_of_the_configuration_spell_the_arguments_as_it_does() -> None:
    """It needs no service, so it shows on Windows too that the provider's process starts and answers."""
    with ProviderProcess({}) as provider:
        _, failures = provider.jobs.check(declared(scType="small", fromConfiguration=True))
        assert failures[0].startswith("scType: must be one of A, B, C")
        _, failures = provider.jobs.check(declared(resourceName="other", scType="small"))
        assert failures[0].startswith("sc_type: must be one of A, B, C")


def test_an_adoption_is_announced_in_the_plan_and_in_the_update(provider: ProviderProcess, service: Service) -> None:
    batch_id = service.submit({"file": "a.py", "name": "by-hand", **ENDLESS})
    settled(service.states)
    adopting = declared(file="a.py", adoptId=batch_id, **ENDLESS)
    inputs, _ = provider.jobs.check(adopting)
    provider.jobs.create(inputs)
    provider.jobs.check(adopting, adopting)
    said = provider.kill()
    assert (
        said[0]
        == f"load: adopts batch job {batch_id}, which adopt_id names, if the service has it, in place of a new run."
    )
    assert said[1].startswith(f"load: adopted batch job {batch_id} (by-hand, running")
    assert said[1].endswith("), which adopt_id names.")
    assert len(said) == 2


def test_in_a_preview_an_unknown_value_is_a_replacement(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(args=["a"]))
    inputs, _ = provider.jobs.check(declared(args=[unknown()]))
    plan = provider.jobs.diff(batch_id, outputs, inputs)
    assert (plan.changes, plan.replaces, plan.delete_before_replace) == (True, ["args"], True)


def test_options_of_the_provider_are_updated_without_a_call(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    inputs, _ = provider.jobs.check(declared(cancelTimeout=60, **ENDLESS), outputs)
    plan = provider.jobs.diff(batch_id, outputs, inputs)
    assert (plan.changes, plan.replaces) == (True, [])
    service.reset_calls()
    updated = provider.jobs.update(batch_id, outputs, inputs)
    assert updated == {**outputs, "cancelTimeout": 60}
    assert service.calls() == {}


def test_a_run_that_must_not_be_cancelled_is_refused_instead(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(whenRunning="refuse", args=["a"], **ENDLESS))
    settled(service.states)
    inputs, _ = provider.jobs.check(declared(whenRunning="refuse", args=["b"], **ENDLESS))
    with pytest.raises(
        ProviderError, match=f"because args changed. But when_running is refuse, and batch job {batch_id} is running"
    ):
        provider.jobs.diff(batch_id, outputs, inputs)
    eventually(service.states, lambda states: states == ["running"])


def test_a_run_that_must_not_be_cancelled_is_not_where_nobody_knows_whether_it_goes_on(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(whenRunning="refuse", args=["a"], **ENDLESS))
    inputs, _ = provider.jobs.check(declared(whenRunning="refuse", args=["b"], **ENDLESS))
    service.fail("GET", DETAILS)
    told = f"args changed. But when_running is refuse, and .* could not read whether batch job {batch_id} still runs"
    with pytest.raises(ProviderError, match=told):
        provider.jobs.diff(batch_id, outputs, inputs)


def test_a_job_whose_end_was_seen_is_not_asked_for(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(JOB)
    inputs, _ = provider.jobs.check(declared(args=["b"]))
    service.reset_calls()
    assert not provider.jobs.diff(batch_id, {**outputs, "state": "success"}, outputs).changes
    assert provider.jobs.diff(batch_id, {**outputs, "state": "dead"}, outputs).replaces == ["state"]
    assert provider.jobs.diff(batch_id, {**outputs, "state": "success"}, inputs).replaces == ["args"]
    assert service.calls() == {}


def test_many_jobs_whose_end_was_not_seen_are_one_listing(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    jobs = {name: declared(resourceName=name, **ENDLESS) for name in ("a", "b", "c")}
    stored = {name: provider.jobs.declare(job) for name, job in jobs.items()}
    service.cancel(stored["b"][0])
    service.reset_calls()
    plans = {name: later.jobs.diff(*stored[name], later.jobs.check(job)[0]) for name, job in jobs.items()}
    assert {name for name, plan in plans.items() if plan.changes} == {"b"}
    assert plans["b"].replaces == ["state"]
    assert service.calls() == {"GET /batches": 1}
    assert later.kill() == [f"b: must run again, because the last run, {stored['b'][0]}, is dead."]


def test_no_answer_about_jobs_whose_end_was_not_seen_is_no_change_and_said_once(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    jobs = {name: declared(resourceName=name, **DEAD) for name in ("a", "b", "c")}
    stored = {name: provider.jobs.declare(job) for name, job in jobs.items()}
    service.fail("GET", LIST, count=None)
    service.reset_calls()
    for name, job in jobs.items():
        batch_id, outputs = stored[name]
        assert not later.jobs.diff(batch_id, {**outputs, "state": "running"}, later.jobs.check(job)[0]).changes
    assert service.calls() == {"GET /batches": 1}
    (said,) = later.kill()
    assert said.startswith(
        "dli: the provider could not read jobs whose end it does not know. They count as unchanged: "
    )


RECOVERS = {"autoRecovery": True, **timeline("dead;starting")}
DIES = {"autoRecovery": True, "maxRetryTimes": 0, **DEAD}


def test_a_job_that_recovers_is_running_for_a_wait_and_no_change_and_can_be_cancelled(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**RECOVERS))
    _, waited = provider.waits.declare({"jobId": batch_id, "jobName": "load", "until": "running"})
    assert waited["state"] == "recovering"
    assert not later.jobs.diff(batch_id, outputs, later.jobs.check(declared(**RECOVERS))[0]).changes
    _, refreshed = provider.jobs.read(batch_id, outputs)
    assert refreshed["state"] == "recovering"
    provider.jobs.delete(batch_id, refreshed)
    assert service.states() == ["dead"]


def test_a_dead_job_that_recovers_is_not_run_again_beside_itself(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    job = declared(autoRecovery=True, **ENDLESS)
    batch_id, outputs = provider.jobs.declare(job)
    settled(service.states)
    inputs, _ = later.jobs.check(job)
    dead = {"id": batch_id, "state": "dead", "req_body": '{"autoRecovery":true}'}
    service.fail("GET", LIST, status=200, body={"from": 0, "total": 1, "sessions": [dead]})
    assert not later.jobs.diff(batch_id, outputs, inputs).changes

    service.fail("GET", DETAILS, status=200, body=dead)
    _, refreshed = later.jobs.read(batch_id, outputs)
    assert refreshed["state"] == "running"
    assert not later.jobs.diff(batch_id, refreshed, inputs).changes


@pytest.mark.parametrize("state", ["running", "dead"])
def test_a_job_that_is_dead_for_good_in_spite_of_auto_recovery_runs_again(
    provider: ProviderProcess, later: ProviderProcess, service: Service, state: str
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**DIES))
    all_ended(service.states)
    inputs, _ = later.jobs.check(declared(**DIES))
    assert later.jobs.diff(batch_id, {**outputs, "state": state}, inputs).replaces == ["state"]


def test_a_job_that_may_have_recovered_before_its_record_went_runs_again_only_on_request(
    provider: ProviderProcess, later: ProviderProcess
) -> None:
    _, outputs = provider.jobs.declare(declared(**DIES))
    seen_dead = {**outputs, "state": "dead"}
    _, expired = provider.jobs.read(GONE, seen_dead)
    assert any("do not have its end" in line for line in provider.kill())
    inputs, _ = later.jobs.check(declared(**DIES))
    rerun, _ = later.jobs.check(declared(onRecordExpired="rerun", **DIES))
    for stored in (seen_dead, expired):
        assert not later.jobs.diff(GONE, stored, inputs).changes
        assert later.jobs.diff(GONE, stored, rerun).replaces == ["recordExpired"]
        assert not later.jobs.diff(GONE, stored, rerun | {"rerunOnFailure": False}).replaces


def test_a_dead_job_that_is_not_to_run_again_is_left_alone(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(rerunOnFailure=False, **DEAD))
    all_ended(service.states)
    inputs, _ = provider.jobs.check(declared(rerunOnFailure=False, **DEAD))
    assert not provider.jobs.diff(batch_id, outputs, inputs).changes
    inputs, _ = provider.jobs.check(declared(**DEAD))
    assert provider.jobs.diff(batch_id, {**outputs, "state": "dead"}, inputs).replaces == ["state"]


def test_a_dead_job_is_told_with_the_others_that_go_on(provider: ProviderProcess, service: Service) -> None:
    provider.jobs.declare(declared(resourceName="stream", scope="11111111", **ENDLESS))
    provider.jobs.declare(declared(resourceName="done", scope="22222222", conf={"spark.dli.local.timeline": "success"}))
    eventually(service.states, lambda states: states == ["running", "success"])
    batch_id, _ = provider.jobs.declare(declared(**DEAD))
    with pytest.raises(ProviderError, match=r"\nStill running: stream \(running\). The next `pulumi up` waits"):
        provider.waits.declare({"jobId": batch_id, "jobName": "load"})


def test_a_record_that_is_gone_after_a_seen_end_keeps_what_was_known(provider: ProviderProcess) -> None:
    _, outputs = provider.jobs.declare(JOB)
    seen = {**outputs, "state": "success"}
    assert provider.jobs.read(GONE, seen) == (GONE, {**seen, "recordExpired": True})
    inputs, _ = provider.jobs.check(JOB)
    assert not provider.jobs.diff(GONE, {**seen, "recordExpired": True}, inputs).changes


def test_a_record_that_is_gone_before_its_end_was_seen_runs_again_only_on_request(provider: ProviderProcess) -> None:
    _, outputs = provider.jobs.declare(JOB)
    _, expired = provider.jobs.read(GONE, {**outputs, "state": "running"})
    inputs, _ = provider.jobs.check(JOB)
    assert not provider.jobs.diff(GONE, expired, inputs).changes
    with pytest.raises(ProviderError, match=r"its outcome is unknown.*--replace"):
        provider.waits.declare({"jobId": GONE, "jobName": "load"})
    rerun, _ = provider.jobs.check(declared(onRecordExpired="rerun"))
    assert provider.jobs.diff(GONE, expired, rerun).replaces == ["recordExpired"]
    told = [line for line in provider.kill() if "do not have its end" in line]
    assert len(told) == 1


def test_deleting_needs_the_id_alone_and_leaves_an_ended_job_alone(provider: ProviderProcess, service: Service) -> None:
    running, _ = provider.jobs.declare(declared(**ENDLESS))
    provider.jobs.delete(running, {})
    assert service.states() == ["dead"]
    service.reset_calls()
    provider.jobs.delete(running, {"state": "dead"})
    assert service.calls() == {}


def test_a_job_whose_cancel_nobody_confirms_stays_in_the_state(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    for method in ("GET", "DELETE"):
        service.server.faults.set([{"method": method, "action": "cut", "count": None}])
        with pytest.raises(
            ProviderError, match=f"load: batch job {batch_id} may still run: .* The job stays in the state"
        ):
            provider.jobs.delete(batch_id, outputs)
    eventually(service.states, lambda states: states == ["running"])


def test_a_cancel_that_is_refused_because_the_job_has_ended_is_done(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**DEAD))
    all_ended(service.states)
    service.fail("GET", DETAILS, status=200, body={"id": batch_id, "state": "running"})
    service.reset_calls()
    provider.jobs.delete(batch_id, {**outputs, "state": "running"})
    assert service.calls() == {"GET /batches/{id}": 2, "DELETE /batches/{id}": 1}


def test_a_cancel_whose_answer_is_lost_is_finished_by_the_next_command(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    service.cut("DELETE", DETAILS, when="after")
    with pytest.raises(ProviderError, match="may still run"):
        provider.jobs.delete(batch_id, outputs)
    provider.jobs.delete(batch_id, outputs)
    assert service.states() == ["dead"]


def test_a_cancel_that_is_refused_while_the_job_runs_leaves_it_in_the_state(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    service.fail("DELETE", DETAILS, status=403, code="APIG.0302")
    with pytest.raises(
        ProviderError, match=f"load: the provider could not cancel batch job {batch_id}, and the job goes on. .*403"
    ):
        provider.jobs.delete(batch_id, outputs)
    eventually(service.states, lambda states: states == ["running"])


def test_a_job_whose_record_is_gone_is_deleted_but_the_service_is_asked_to_cancel_it(
    provider: ProviderProcess, service: Service
) -> None:
    provider.jobs.delete(GONE, {"resourceName": "load", "state": "running"})
    assert service.calls() == {"GET /batches/{id}": 2, "DELETE /batches/{id}": 1}


def test_deleting_cancels_by_id_and_other_jobs_of_the_same_name_go_on(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(name="nightly", **ENDLESS))
    service.submit(service.jobs("nightly")[0].body)
    other, _ = provider.jobs.declare(declared(resourceName="other", name="nightly", args=["b"], **ENDLESS))
    provider.jobs.delete(batch_id, outputs)
    assert settled(service.states) == ["dead", "running", "running"]
    assert settled(lambda: service.states(other)) == ["running"]


def test_stored_outputs_that_were_lost_are_no_change(provider: ProviderProcess) -> None:
    batch_id, _ = provider.jobs.declare(JOB)
    inputs, _ = provider.jobs.check(JOB)
    assert not provider.jobs.diff(batch_id, {}, inputs).changes


def test_a_job_that_runs_already_is_adopted(provider: ProviderProcess, service: Service) -> None:
    batch_id, _ = provider.jobs.declare(declared(**ENDLESS))
    adopted, outputs = provider.jobs.declare(declared(adoptId=batch_id, **ENDLESS))
    assert (adopted, outputs["submittedName"]) == (batch_id, service.jobs(batch_id)[0].name)
    with pytest.raises(ProviderError, match=r"that job has another file. Nothing was adopted"):
        provider.jobs.declare(declared(file="obs://demo/other.py", adoptId=batch_id))
    assert len(service.jobs()) == 1


def test_a_job_that_was_adopted_runs_again_like_any_other(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    first, _ = provider.jobs.declare(declared(args=["a"], **ENDLESS))
    with ProviderProcess(variables_of(service)) as between:
        adopted, outputs = between.jobs.declare(declared(args=["a"], adoptId=first, **ENDLESS))
    assert adopted == first
    later.jobs.delete(first, outputs)
    changed, outputs = later.jobs.declare(declared(args=["b"], adoptId=first, **ENDLESS))
    assert changed != first
    service.cancel(changed)
    again, _ = provider.jobs.declare(declared(args=["b"], adoptId=first, **ENDLESS))
    assert again not in (first, changed)
    kept, _ = provider.jobs.declare(declared(args=["b"], adoptId=first, rerunOnFailure=False, **ENDLESS))
    assert kept == first
    assert settled(service.states) == ["dead", "dead", "running"]
    assert (
        f"load: adopt_id names batch job {first}, which is dead, so the provider submits a new run." in provider.kill()
    )


def test_a_job_that_adopt_id_names_is_adopted_whatever_its_arguments_but_not_by_who_replaces_it(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    first, _ = provider.jobs.declare(declared(args=["a"], **timeline("success")))
    with ProviderProcess(variables_of(service)) as between:
        adopted, outputs = between.jobs.declare(declared(args=["b"], adoptId=first, **timeline("success")))
    assert adopted == first
    later.jobs.delete(first, outputs)
    assert later.jobs.declare(declared(args=["c"], adoptId=first, **timeline("success")))[0] != first


@pytest.mark.parametrize("options", [{"name": "nightly"}, {"adoptId": ...}], ids=["fixed name", "adopt id"])
@pytest.mark.parametrize("renamed", [{"resourceName": "extract"}, {"scope": "4d3c2b1a"}], ids=["renamed", "moved"])
def test_a_rename_that_takes_a_run_over_does_not_cancel_it(
    provider: ProviderProcess,
    later: ProviderProcess,
    service: Service,
    options: dict[str, Any],
    renamed: dict[str, Any],
) -> None:
    old = declared(**ENDLESS) | {name: value for name, value in options.items() if value is not ...}
    batch_id, outputs = provider.jobs.declare(old)
    assert later.jobs.declare(old | {name: batch_id for name in options if name == "adoptId"} | renamed)[0] == batch_id
    later.jobs.delete(batch_id, outputs)
    eventually(service.states, lambda states: states == ["running"])
    name = renamed.get("resourceName", "load")
    assert (
        f"load: the provider does not cancel batch job {batch_id}, because it now belongs to another resource, {name}."
        in (later.kill())
    )


def test_a_rename_that_an_earlier_update_began_cancels_nothing_in_the_next(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    old = declared(name="nightly", **ENDLESS)
    batch_id, outputs = provider.jobs.declare(old)
    renamed = old | {"resourceName": "extract"}
    with ProviderProcess(variables_of(service)) as between:
        assert between.jobs.declare(renamed)[0] == batch_id
    assert not later.jobs.diff(batch_id, outputs | {"resourceName": "extract"}, renamed).changes
    later.jobs.delete(batch_id, outputs)
    eventually(service.states, lambda states: states == ["running"])


def test_what_adopt_id_once_adopted_is_not_adopted_again(provider: ProviderProcess, later: ProviderProcess) -> None:
    first, _ = provider.jobs.declare(declared(args=["a"], **timeline("success")))
    second, outputs = later.jobs.declare(declared(args=["b"], scope="4d3c2b1a", **ENDLESS))
    later.jobs.delete(second, outputs | {"adoptId": first})
    third, _ = later.jobs.declare(declared(args=["c"], adoptId=first, **ENDLESS))
    assert third not in (first, second)


def test_what_adopt_id_adopted_is_not_taken_back_where_nothing_deletes_it_or_its_replacement_failed(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    first, _ = provider.jobs.declare(declared(args=["a"], **timeline("success")))
    adopting = declared(args=["a"], adoptId=first, **timeline("success"))
    assert later.jobs.declare(adopting)[0] == first
    changed = adopting | {"args": ["b"]}
    assert provider.jobs.diff(first, adopting, changed).replaces == ["args"]
    assert provider.jobs.declare(changed)[0] != first
    with ProviderProcess(variables_of(service)) as between:
        between.jobs.check(changed, adopting)  # a replacement trigger asks for no plan
        assert between.jobs.declare(changed)[0] != first
        assert (
            "load: the job has already used its adopt_id, so the provider submits a new run. Remove adopt_id."
            in between.kill()
        )


def test_a_run_of_a_job_that_is_still_declared_is_not_adopted(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    kept, _ = later.jobs.check(declared(**ENDLESS))
    assert not later.jobs.diff(batch_id, outputs, kept).changes
    with pytest.raises(ProviderError, match=f"{batch_id}, the run of load, which the program still declares"):
        later.jobs.declare(declared(resourceName="extract", scope="4d3c2b1a", adoptId=batch_id, **ENDLESS))
    eventually(service.states, lambda states: states == ["running"])


def test_an_adopt_id_that_came_after_the_job_is_followed_by_what_replaces_it(
    provider: ProviderProcess, later: ProviderProcess
) -> None:
    other, _ = provider.jobs.declare(declared(args=["b"], scope="4d3c2b1a", **timeline("success")))
    batch_id, outputs = provider.jobs.declare(declared(args=["a"], **timeline("success")))
    adopting = declared(args=["a"], adoptId=other, cancelTimeout=9, **timeline("success"))
    outputs = later.jobs.update(batch_id, outputs, adopting)
    later.jobs.check(adopting | {"args": ["b"]}, adopting)
    assert later.jobs.diff(batch_id, outputs, adopting | {"args": ["b"]}).replaces == ["args"]
    later.jobs.delete(batch_id, outputs)
    assert later.jobs.declare(adopting | {"args": ["b"]})[0] == other


def test_a_job_that_recovers_after_it_was_seen_dead_is_no_change_and_is_cancelled_when_deleted(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    inputs = declared(autoRecovery=True, **ENDLESS)
    batch_id, outputs = provider.jobs.declare(inputs)
    seen_dead = outputs | {"state": "dead"}
    assert not later.jobs.diff(batch_id, seen_dead, inputs).changes
    later.jobs.delete(batch_id, seen_dead)
    assert service.states() == ["dead"]


def test_a_run_that_another_resource_of_the_program_has_is_not_adopted(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    for name in ("nightly", None):  # the second: a job renamed with an alias, and a new one of its old name
        old = declared(name=name, **ENDLESS)
        batch_id, outputs = provider.jobs.declare(old)
        kept, _ = later.jobs.check(old | {"resourceName": "extract", "scope": "4d3c2b1a"})
        assert not later.jobs.diff(batch_id, outputs, kept).changes
        assert later.jobs.declare(old)[0] != batch_id
    eventually(service.states, lambda states: states == ["running"] * 4)
    assert "earlier run" not in "".join(later.kill())


def test_a_run_that_this_update_adopted_is_not_cancelled_with_the_job_that_had_it(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    first = declared(name="nightly", **ENDLESS)
    batch_id, outputs = provider.jobs.declare(first)
    assert later.jobs.declare(first | {"resourceName": "extract", "scope": "4d3c2b1a"})[0] == batch_id
    assert not later.jobs.diff(batch_id, outputs, first).changes
    assert later.jobs.diff(batch_id, outputs, first | {"args": ["b"]}).replaces == ["args"]
    later.jobs.delete(batch_id, outputs)
    assert later.jobs.declare(first | {"args": ["b"]})[0] != batch_id
    eventually(service.states, lambda states: states == ["running", "running"])
    assert any(
        f"load: extract has adopted batch job {batch_id}. It is now the run of both jobs" in line
        for line in later.kill()
    )


def test_a_run_that_was_adopted_is_not_cancelled_with_its_first_owner_whatever_was_renamed_since(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    batch_id, first = provider.jobs.declare(declared(name="nightly", **ENDLESS))
    with ProviderProcess(variables_of(service)) as between:
        adopted, second = between.jobs.declare(declared(name="nightly", resourceName="extract", **ENDLESS))
    assert adopted == batch_id
    assert not later.jobs.diff(batch_id, second, {**second, "scope": "4d3c2b1a"}).changes
    later.jobs.delete(batch_id, first)
    eventually(service.states, lambda states: states == ["running"])


def test_a_run_is_left_alone_whose_job_has_lost_its_file(provider: ProviderProcess, service: Service) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    inputs, failures = provider.jobs.check(declared(**ENDLESS) | {"file": None}, outputs)
    assert failures == []
    plan = provider.jobs.diff(batch_id, outputs, inputs)
    assert (plan.changes, plan.replaces) == (True, [])
    with pytest.raises(ProviderError, match=r"load: file: is missing; .*\. The provider leaves its run as it is"):
        provider.jobs.update(batch_id, outputs, inputs)
    eventually(service.states, lambda states: states == ["running"])


def test_a_job_without_a_file_is_not_submitted(provider: ProviderProcess, service: Service) -> None:
    inputs = {name: value for name, value in declared(**ENDLESS).items() if name != "file"}
    with pytest.raises(ProviderError, match=r"load: the job was not submitted, and nothing runs\. file: is missing"):
        provider.jobs.create(inputs)
    assert service.jobs() == []
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    provider.jobs.delete(batch_id, outputs)  # --replace asks for no plan
    with pytest.raises(ProviderError, match=f"file: is missing.* the provider cancelled the earlier run, {batch_id}"):
        provider.jobs.create(inputs)


def test_a_fixed_name_with_an_equal_request_is_one_job_for_all_who_give_it(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    ours, _ = provider.jobs.declare(declared(name="nightly", **ENDLESS))
    theirs, _ = later.jobs.declare(declared(name="nightly", scope="4d3c2b1a", **ENDLESS))
    assert theirs == ours
    assert len(service.jobs()) == 1


@pytest.mark.parametrize("batch_id", [" ", GONE])
def test_a_job_that_is_not_there_cannot_be_described(
    provider: ProviderProcess, service: Service, batch_id: str
) -> None:
    project = service.server.credentials.project_id
    with pytest.raises(ProviderError, match=f"theirs: there is no batch job '{batch_id}' in project {project}"):
        provider.jobs.read(batch_id, {"resourceName": "theirs"})


def test_what_a_killed_update_left_running_is_adopted_by_the_next_one(
    provider: ProviderProcess, service: Service
) -> None:
    with ProviderProcess(variables_of(service)) as killed:
        left, _ = killed.jobs.declare(declared(**ENDLESS))
    taken, _ = provider.jobs.declare(declared(**ENDLESS))
    assert taken == left
    assert len(service.jobs()) == 1
    assert any(f"load: adopted batch job {left}" in line for line in provider.kill())


@pytest.mark.parametrize(
    ("until", "timeline", "state"),
    [
        ("success", "starting:0s,running:0.1s,success", "success"),
        ("running", "starting:0s,running", "running"),
        ("running", "success", "success"),
        ("finished", "dead", "dead"),
    ],
)
def test_a_wait_passes_when_the_job_has_reached_what_is_waited_for(
    provider: ProviderProcess, until: str, timeline: str, state: str
) -> None:
    batch_id, _ = provider.jobs.declare(declared(conf={"spark.dli.local.timeline": timeline}))
    wait_id, outputs = provider.waits.declare({"jobId": batch_id, "jobName": "load", "until": until})
    assert outputs["state"] == state
    assert provider.waits.read(wait_id, outputs) == (wait_id, outputs)
    assert not provider.waits.diff(wait_id, outputs, {"jobId": batch_id, "until": until}).changes
    moved = provider.waits.diff(wait_id, outputs, {"jobId": "another", "until": until})
    assert (moved.changes, moved.replaces) == (True, [])


def test_a_look_that_fails_is_not_a_failed_job(provider: ProviderProcess, service: Service) -> None:
    batch_id, _ = provider.jobs.declare(JOB)
    service.fail("GET", DETAILS, count=2)
    service.cut("GET", DETAILS, nth=3)
    service.reset_calls()
    _, outputs = provider.waits.declare({"jobId": batch_id, "jobName": "load"})
    assert outputs["state"] == "success"
    assert service.calls()["GET /batches/{id}"] > 3
    (said,) = provider.kill()
    assert said.startswith(f"load: the provider could not read batch job {batch_id}, and tries again: ")


@pytest.mark.parametrize(("status", "code"), [(404, "APIG.0101"), (403, "APIG.0302")])
def test_a_look_that_is_refused_says_nothing_about_the_job(
    provider: ProviderProcess, service: Service, status: int, code: str
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    service.fail("GET", DETAILS, status=status, code=code, count=None)
    refusal = f"{batch_id}: {code} {status}"
    with pytest.raises(
        ProviderError, match=f"load: the provider cannot read batch job {batch_id} in project .*: .*{refusal}"
    ):
        provider.waits.declare({"jobId": batch_id, "jobName": "load"})
    with pytest.raises(ProviderError, match=refusal):
        provider.jobs.read(batch_id, outputs)


def test_a_record_that_goes_during_a_wait_leaves_the_outcome_unknown(
    new_service: type[Service], tmp_path: Path
) -> None:
    # Less than 0: with 0 the record is still there in the millisecond of the end.
    with (
        new_service(tmp_path / "forgetful", keep_finished=-1) as service,
        ProviderProcess(variables_of(service)) as provider,
        ThreadPoolExecutor() as threads,
    ):
        batch_id, _ = provider.jobs.declare(declared(**ENDLESS))
        service.reset_calls()
        wait = threads.submit(provider.waits.declare, {"jobId": batch_id, "jobName": "load"})
        # Who asks again has seen the job.
        eventually(lambda: service.calls().get("GET /batches/{id}", 0), lambda count: count > 1 or wait.done())
        service.cancel(batch_id)
        with pytest.raises(ProviderError, match=r"load: the service has deleted the record .* its outcome is unknown"):
            wait.result()


@pytest.mark.parametrize("until", ["success", "finished"])
def test_a_wait_reads_a_dead_job_twice_under_auto_recovery(
    provider: ProviderProcess, service: Service, until: str
) -> None:
    batch_id, _ = provider.jobs.declare(declared(autoRecovery=True, **timeline("starting:0s,running:0.1s,success")))
    dead = {"id": batch_id, "state": "dead", "req_body": '{"autoRecovery":true}'}
    service.fail("GET", DETAILS, status=200, body=dead)
    wait = {"jobId": batch_id, "jobName": "load", "until": until, "rerunOnFailure": False}
    assert provider.waits.declare(wait)[1]["state"] == "success"

    batch_id, _ = provider.jobs.declare(declared(args=["b"], **DIES))
    all_ended(service.states)
    service.reset_calls()
    with pytest.raises(ProviderError, match=f"load: batch job {batch_id} is dead, "):
        provider.waits.declare({"jobId": batch_id, "jobName": "load", "timeout": 0})
    assert service.calls()["GET /batches/{id}"] == 2


def test_a_wait_whose_time_is_over_says_that_the_job_goes_on(provider: ProviderProcess, service: Service) -> None:
    batch_id, _ = provider.jobs.declare(declared(**ENDLESS))
    settled(service.states)
    told = f"load: batch job {batch_id} is still running after a wait of 0.1 s. The job goes on, and the next"
    with pytest.raises(ProviderError, match=told):
        provider.waits.declare({"jobId": batch_id, "jobName": "load", "timeout": "0.1s"})
    eventually(service.states, lambda states: states == ["running"])


@pytest.mark.parametrize(
    ("environment", "properties", "told"),
    [
        ({"OS_SECRET_KEY": "wrong"}, {}, "APIGW.0301 401, wrong credentials or signature"),
        ({"OS_TOKEN": "wrong", "OS_ACCESS_KEY": "", "OS_SECRET_KEY": ""}, {}, "APIGW.0301 401"),
        ({"DLI_ENDPOINT": "", "DLI_REGION": "eu-moon"}, {}, "Region 'eu-moon' is not known to have DLI"),
        ({"OS_PROJECT_ID": ""}, {}, "No project: set dli:projectId"),
        ({"DLI_ENDPOINT": "http://127.0.0.1:9"}, {}, "no connection to 127.0.0.1:9"),
        ({}, {"queue": "nowhere"}, "The queue that parameter queue names does not exist"),
        ({}, {"queue": "nowhere"}, "The request had file obs://demo/load.py, queue nowhere."),
    ],
    ids=[
        "wrong key",
        "wrong token",
        "unknown region",
        "no project",
        "refused connection",
        "unknown queue",
        "what was sent",
    ],
)
def test_what_keeps_a_job_from_being_submitted_is_said_in_one_message(
    service: Service, environment: dict[str, str], properties: dict[str, Any], told: str
) -> None:
    with ProviderProcess({**variables_of(service), **environment}) as provider, pytest.raises(ProviderError) as caught:
        provider.jobs.declare(declared(**properties))
    message = str(caught.value)
    assert message.startswith("dli: load: the job was not submitted, and nothing runs. ")
    assert told in message
    assert "Traceback" not in message
    assert service.jobs() == []


def test_secret_texts_are_masked_in_the_log_and_the_log_is_a_secret(provider: ProviderProcess) -> None:
    said = {"conf": {"spark.dli.local.log": "signed in\nwith hunter2", "spark.dli.local.timeline": "dead"}}
    batch_id, outputs = provider.jobs.declare(declared(redact=["hunter2"], rerunOnFailure=False, **said))
    wait = {"jobId": batch_id, "jobName": "load", "until": "finished", "rerunOnFailure": False}
    _, verdict = provider.waits.declare({**wait, "redact": ["hunter2"]})
    _, outputs = provider.jobs.read(batch_id, outputs)
    for log in (outputs["log"], verdict["log"]):
        assert is_rpc_secret(log)
        assert unwrap_rpc_secret(log) == ["signed in", "with [secret]"]
    with pytest.raises(ProviderError, match=r"\n  \| signed in\n  \| with \[secret\]\n"):
        provider.waits.declare({"jobId": batch_id, "jobName": "load", "redact": ["hunter2"]})
    _, plain = provider.waits.declare(wait)
    assert plain["log"] == ["signed in", "with hunter2"]


def test_what_is_newly_marked_as_secret_is_an_update_without_a_call(
    provider: ProviderProcess, service: Service
) -> None:
    said = {"conf": {"spark.dli.local.log": "with hunter2", "spark.dli.local.timeline": "success"}}
    batch_id, outputs = provider.jobs.declare(declared(**said))
    wait = {"jobId": batch_id, "jobName": "load", "until": "success"}
    wait_id, verdict = provider.waits.declare(wait)
    _, outputs = provider.jobs.read(batch_id, outputs)
    service.reset_calls()
    for resource, old_id, old, new in (
        (provider.jobs, batch_id, outputs, declared(redact=["hunter2"], **said)),
        (provider.waits, wait_id, verdict, {**wait, "redact": ["hunter2"]}),
    ):
        inputs, _ = resource.check(new)
        plan = resource.diff(old_id, old, inputs)
        assert (plan.changes, plan.replaces) == (True, [])
        masked = resource.update(old_id, old, inputs)
        assert masked == {**old, "redact": ["hunter2"], "log": wrap_rpc_secret(["with [secret]"])}
        assert not resource.diff(old_id, {**masked, "log": ["with [secret]"]}, inputs).changes
    assert service.calls() == {}


@pytest.mark.parametrize(("status", "code"), [(400, "DLI.0001"), (500, "DLI.0999")])
def test_what_the_service_repeats_of_a_secret_is_masked(service: Service, status: int, code: str) -> None:
    body = json.dumps({"error_code": code, "error_msg": "conf a='hunter2' is wrong"})
    with ProviderProcess(variables_of(service)) as provider:
        service.fail("POST", LIST, status=status, body=body, count=None)
        with pytest.raises(ProviderError) as caught:
            provider.jobs.declare(declared(redact=["hunter2"], conf={"a": "hunter2"}))
        told = "\n".join([str(caught.value), *provider.kill()])
    assert "conf a='[secret]' is wrong" in told
    assert "hunter2" not in told


def test_without_credentials_a_plan_warns_once_and_shows_no_change(
    provider: ProviderProcess, bare_provider: ProviderProcess
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    for resource in ("load", "extract"):
        inputs, _ = bare_provider.jobs.check(declared(resourceName=resource, **ENDLESS), outputs)
        assert not bare_provider.jobs.diff(batch_id, {**outputs, "resourceName": resource}, inputs).changes
    assert len([line for line in bare_provider.kill() if "no credentials" in line]) == 1


def test_without_credentials_a_plan_of_new_jobs_says_once_and_shortly_that_they_are_needed(
    bare_provider: ProviderProcess,
) -> None:
    for resource in ("load", "extract"):
        bare_provider.jobs.check(declared(resourceName=resource))
    assert bare_provider.kill() == ["dli: no credentials found; `up` will need them to submit jobs"]


def test_without_credentials_a_plan_shows_a_change_of_a_run_that_must_not_be_cancelled(
    provider: ProviderProcess, bare_provider: ProviderProcess
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(whenRunning="refuse", **ENDLESS))
    inputs, _ = bare_provider.jobs.check(declared(whenRunning="refuse", args=["b"], **ENDLESS))
    assert bare_provider.jobs.diff(batch_id, outputs, inputs).replaces == ["args"]


def test_a_replacement_that_is_refused_says_what_was_cancelled_for_it(
    provider: ProviderProcess, service: Service
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    provider.jobs.delete(batch_id, outputs)
    with pytest.raises(ProviderError, match=f"the provider cancelled the earlier run, {batch_id}"):
        provider.jobs.declare(declared(queue="nowhere"))
    service.cut("POST", LIST, count=None)
    with pytest.raises(ProviderError, match=f"a job may run.* the provider cancelled the earlier run, {batch_id}"):
        provider.jobs.declare(declared(args=["b"]))
    assert service.states() == ["dead"]


def test_a_replacement_that_is_refused_says_what_was_cancelled_for_it_after_a_rename_too(
    provider: ProviderProcess, later: ProviderProcess
) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    renamed = declared(args=["b"], queue="nowhere", resourceName="import", scope="4d3c2b1a")
    later.jobs.diff(batch_id, outputs, renamed)
    later.jobs.delete(batch_id, outputs)
    with pytest.raises(ProviderError, match=f"the provider cancelled the earlier run, {batch_id}"):
        later.jobs.declare(renamed)


def test_a_refusal_names_no_run_of_another_job_of_the_same_name(provider: ProviderProcess) -> None:
    batch_id, outputs = provider.jobs.declare(declared(**ENDLESS))
    provider.jobs.delete(batch_id, outputs)
    with pytest.raises(ProviderError, match="not submitted, and nothing runs") as refused:
        provider.jobs.declare(declared(queue="nowhere", scope="ffffffff"))
    assert "the earlier run" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused_by_the_service(new_service: type[Service], tmp_path: Path) -> None:
    with new_service(tmp_path / "spark", engine="spark") as service, ProviderProcess(variables_of(service)) as provider:
        with pytest.raises(ProviderError, match=r"nothing runs\. .*DLI\.0011 400, DLI cannot read a file"):
            provider.jobs.declare(JOB)
        assert service.jobs() == []


def test_a_bug_shows_its_traceback_also_after_an_expected_failure(provider: ProviderProcess) -> None:
    with pytest.raises(ProviderError) as expected:
        provider.waits.declare({"jobId": GONE, "jobName": "load"})
    assert "Traceback" not in str(expected.value)
    with pytest.raises(ProviderError, match="Traceback"):
        provider.jobs.create(declared(conf="no map"))  # the engine never changes what check demands


def unknown() -> Any:
    from pulumi.output import UNKNOWN  # noqa: PLC0415

    return UNKNOWN


PIN = {"args": ["--pin", "483920"], "redact": ["483920"], "secretInputs": ["args[1]"]}


def test_the_name_of_a_submission_does_not_depend_on_a_secret(provider: ProviderProcess, service: Service) -> None:
    for number, pin in enumerate(("483920", "483921")):
        secret = {**PIN, "args": ["--pin", pin], "redact": [pin]}
        batch_id, _ = provider.jobs.declare(declared(scope=f"{number:08x}", **ENDLESS, **secret))
        service.cancel(batch_id)
    first, second = (job.name.split("-")[2] for job in service.jobs())
    assert first == second


def test_an_orphaned_run_with_the_same_secret_is_adopted(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    batch_id, _ = provider.jobs.declare(declared(**ENDLESS, **PIN))
    assert later.jobs.declare(declared(**ENDLESS, **PIN))[0] == batch_id
    assert len(service.jobs()) == 1


def test_an_orphaned_run_with_another_secret_is_not_adopted(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    batch_id, _ = provider.jobs.declare(declared(**ENDLESS, **PIN))
    other = {**PIN, "args": ["--pin", "483921"], "redact": ["483921"]}
    assert later.jobs.declare(declared(**ENDLESS, **other))[0] != batch_id
    assert any(
        f"an earlier run with another declaration still runs: batch job {batch_id}" in one for one in later.kill()
    )


def test_an_orphaned_run_with_a_secret_trigger_is_neither_adopted_nor_run_again(
    provider: ProviderProcess, later: ProviderProcess, service: Service
) -> None:
    secret = {"triggers": {"pin": "483920"}, "redact": ["483920"], "secretInputs": ['triggers["pin"]']}
    batch_id, _ = provider.jobs.declare(declared(**ENDLESS, **secret))
    with pytest.raises(ProviderError, match=f"batch job {batch_id} .*cannot compare the secret values of triggers"):
        later.jobs.declare(declared(**ENDLESS, **secret))
    assert len(service.jobs()) == 1
    adopted, _ = later.jobs.declare(declared(adoptId=batch_id, **ENDLESS, **secret))
    assert adopted == batch_id
