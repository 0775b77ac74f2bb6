"""The component `dli:index:BatchJobCompletion`, with a resource monitor that drives its child as the engine does."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin import wire
from pulumi_dli.plugin.completion import child_urn
from tests.local.api import eventually, settled
from tests.plugin.engine import WAIT_TYPE, Plugin, PluginError, Stored, job_urn
from tests.plugin.monitor import Monitor, completion_urn, running
from tests.plugin.test_job_resource import SECRET, plain_leaves, texts_of
from tests.plugin.test_wait_gate import most_listings, rows_of_waits
from tests.test_engine_log import Engine

DONE = completion_urn("done")


@pytest.fixture
def monitor(plugin: Plugin) -> Iterator[Monitor]:
    with running(Monitor(plugin)) as started:
        yield started


def job(plugin: Plugin, timeline: str = "starting:0s,running", name: str = "load", log: str = "") -> Stored:
    conf = {"spark.dli.local.timeline": timeline} | ({"spark.dli.local.log": log} if log else {})
    return plugin.declare(job_urn(name), {"file": "obs://demo/load.py", "queue": "default", "conf": conf})


def test_a_completion_has_the_outcome_of_its_child(plugin: Plugin, monitor: Monitor, service: Service) -> None:
    load = job(plugin, "starting:0s,running:0.3s,success")
    service.reset_calls()
    done = monitor.construct(job=load)
    assert done.urn == DONE
    assert (done["state"], done["batchJob"], done["until"], done["jobName"]) == ("success", load.id, "success", "load")
    assert "jobId" not in done.outputs.values
    assert monitor.outputs == {DONE: done.outputs.values}
    component, wait = monitor.requests
    assert (component.type, component.custom, [*component.dependencies]) == (
        "dli:index:BatchJobCompletion",
        False,
        [load.urn],
    )
    assert (wait.type, wait.parent, wait.custom, [*wait.dependencies]) == (WAIT_TYPE, DONE, True, [load.urn])
    assert {name: [*one.urns] for name, one in wait.propertyDependencies.items()} == {"jobId": [load.urn]}
    assert wait.provider == f"{plugin.provider_urn}::{plugin.provider_id}"
    assert service.calls()["GET /batches/{id}"] == 1, "the child reads the job once, and does not list again"


def test_a_preview_waits_for_nothing_and_calls_nothing(plugin: Plugin, monitor: Monitor, service: Service) -> None:
    load = job(plugin)
    service.reset_calls()
    monitor.is_preview = True
    for value in (load.id, UNKNOWN):
        planned = monitor.construct(batchJob=value)
        assert planned["batchJob"] == value
        assert planned["state"] is UNKNOWN
    assert service.calls() == {}


def test_many_completions_wait_side_by_side(plugin: Plugin, monitor: Monitor, service: Service, rows: Engine) -> None:
    jobs = [job(plugin, name=f"load{number}") for number in range(40)]
    service.reset_calls()
    began = time.monotonic()
    with ThreadPoolExecutor(40) as threads:
        waits = [
            threads.submit(monitor.construct, f"done{number}", job=one, until="finished")
            for number, one in enumerate(jobs)
        ]
        eventually(lambda: rows_of_waits(rows), lambda found: len(found) == 40)
        for one in jobs:
            service.cancel(one.id)
        assert {wait.result(60)["state"] for wait in waits} == {"dead"}
    assert service.calls()["GET /batches"] <= most_listings(time.monotonic() - began)


def test_progress_stands_on_the_row_of_the_component(
    plugin: Plugin, monitor: Monitor, service: Service, rows: Engine
) -> None:
    load = job(plugin)
    settled(service.states)
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(monitor.construct, job=load, until="finished")
        eventually(lambda: rows_of_waits(rows), bool)
        service.cancel(load.id)
        assert wait.result(60)["state"] == "dead"
    progress = [(urn, text) for _, urn, text in rows.logged if "waited" in text]
    assert all(urn == DONE and text.startswith("load: running on queue default") for urn, text in progress)


def test_a_dead_job_fails_the_child_and_the_end_of_the_command_ends_the_construction(
    plugin: Plugin, monitor: Monitor
) -> None:
    load = job(plugin, "starting:0s,dead", log="ValueError: no such column: price")
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(monitor.construct, job=load)
        assert monitor.has_failed.wait(60)
        plugin.call("Cancel", empty_pb2.Empty())
        assert wait.result(60).outputs.values == {}
    assert [error.splitlines()[0] for error in monitor.errors] == ["load failed: ValueError: no such column: price"]


def test_a_failed_child_fails_the_component_in_an_up_that_goes_on(plugin: Plugin, monitor: Monitor) -> None:
    monitor.goes_on_after_errors = True
    with pytest.raises(PluginError, match="The wait has failed, and the row of its dli:index:BatchJobWait has") as told:
        monitor.construct(job=job(plugin, "starting:0s,dead"))
    assert not told.value.is_defect


def test_a_component_that_the_engine_skips_does_not_wait(plugin: Plugin, monitor: Monitor, service: Service) -> None:
    monitor.skips = True
    load = job(plugin)
    service.reset_calls()
    assert monitor.construct(job=load).outputs.values == {}
    assert len(monitor.requests) == 1
    assert service.calls() == {}


def test_an_interruption_ends_the_construction_at_once_and_the_job_goes_on(
    plugin: Plugin, monitor: Monitor, service: Service, rows: Engine
) -> None:
    load = job(plugin)
    settled(service.states)
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(monitor.construct, job=load)
        eventually(lambda: rows_of_waits(rows), bool)
        plugin.call("Cancel", empty_pb2.Empty())
        assert wait.result(60).outputs.values == {}
    text = (
        "done: the wait ended early, because of ^C or because another resource failed. Batch job "
        f"{load.id} goes on, and the next `pulumi up` goes on waiting for it."
    )
    assert ("WARNING", DONE, text) in rows.logged
    assert len(monitor.requests) == 1, "the engine would not create the child"
    assert service.states() == ["running"]


def test_a_timeout_counts_from_the_beginning_of_the_construction(
    plugin: Plugin, monitor: Monitor, service: Service
) -> None:
    monitor.goes_on_after_errors = True
    load = job(plugin)
    settled(service.states)
    with pytest.raises(PluginError):
        monitor.construct(job=load, timeout="0.5s")
    (error,) = monitor.errors
    assert "load: batch job" in error
    assert "still running after a wait of 0.5 s" in error


def test_the_option_for_timeouts_counts_too(plugin: Plugin, monitor: Monitor) -> None:
    load = job(plugin)
    request = provider_pb2.ConstructRequest(
        type="dli:index:BatchJobCompletion",
        name="done",
        monitorEndpoint=monitor.address,
        inputs=wire.write({"batchJob": load.id}),
        customTimeouts=provider_pb2.ConstructRequest.CustomTimeouts(create="0.3s"),
        protect=True,
    )
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(plugin.call, "Construct", request)
        eventually(lambda: monitor.requests, lambda found: len(found) == 2)
        child = monitor.requests[1]
        assert child.customTimeouts.create == "0.3s"
        assert child.protect
        plugin.call("Cancel", empty_pb2.Empty())
        assert wait.result(60).urn == ""


def test_what_a_completion_is_told_to_mask_is_secret_in_its_state(plugin: Plugin, monitor: Monitor) -> None:
    done = monitor.construct(job=job(plugin, "starting:0s,success"), redact=[SECRET])
    component, wait = (wire.read(one.object) for one in monitor.requests)
    for properties in (component, wait, done.outputs):
        assert properties.values["redact"] == [SECRET]
        assert SECRET not in plain_leaves(properties)


def test_a_completion_masks_the_secrets_of_its_job(plugin: Plugin, monitor: Monitor, rows: Engine) -> None:
    conf = {"spark.dli.local.timeline": "starting:0s,dead", "spark.dli.local.log": f"it is {SECRET}!"}
    news = {"file": "obs://demo/load.py", "queue": "default", "conf": conf, "args": [SECRET]}
    load = plugin.declare(job_urn(), news, ["args[0]"])
    done = monitor.construct(job=load, until="finished")
    assert done["log"] == ["it is [secret]!"]
    assert "log" in done.outputs.secrets
    own = monitor.construct(job=load, until="finished", redact=["it is"], secrets=["redact"])
    assert own["log"] == ["[secret] [secret]!"]
    assert "redact" in own.outputs.secrets
    monitor.goes_on_after_errors = True
    with pytest.raises(PluginError):
        monitor.construct(job=load)
    screens = [*monitor.errors, texts_of(rows), plain_leaves(done.outputs), plain_leaves(own.outputs)]
    assert SECRET not in " ".join(screens)


@pytest.mark.parametrize(
    ("inputs", "failure"),
    [
        ({}, "batchJob: must be the id of a batch job"),
        ({"batchJob": " "}, "batchJob: must be the id of a batch job"),
        ({"batchJob": "1", "until": "later"}, "until: must be one of success, running, finished"),
        ({"batchJob": "1", "timeout": SECRET}, "timeout: not a duration"),
        ({"batchJob": "1", "jobId": "2"}, "jobId: there is no such property of a BatchJobCompletion"),
        ({"batchJob": "1", "waited": 1}, "waited: there is no such property of a BatchJobCompletion"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_before_anything_is_registered(
    monitor: Monitor, inputs: dict[str, object], failure: str
) -> None:
    with pytest.raises(PluginError) as told:
        monitor.construct(secrets=["timeout"], **inputs)
    assert str(told.value).startswith(f"done: {failure}")
    assert SECRET not in str(told.value)
    assert not told.value.is_defect
    assert monitor.requests == []


def test_another_component_is_a_defect(plugin: Plugin) -> None:
    with pytest.raises(PluginError, match="no component of type dli:index:Other") as told:
        plugin.call("Construct", provider_pb2.ConstructRequest(type="dli:index:Other", name="done"))
    assert told.value.is_defect


def test_the_urn_of_the_child_has_the_types_of_its_parents() -> None:
    assert child_urn("urn:pulumi:dev::jobs::my:index:Pipeline$dli:index:BatchJobCompletion::a::b") == (
        "urn:pulumi:dev::jobs::my:index:Pipeline$dli:index:BatchJobCompletion$dli:index:BatchJobWait::a::b"
    )
