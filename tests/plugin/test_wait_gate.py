"""Waits of the native provider: many at once with one listing, their progress, and their end by ^C."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.protobuf import empty_pb2

from pulumi_dli.api.states import LIVE_STATES
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin.engine_slots import warning_text
from tests.local.api import eventually, settled
from tests.plugin.engine import Plugin, PluginError, Stored, job_urn, wait_urn
from tests.test_engine_log import Engine

JOB = {"file": "obs://demo/load.py", "queue": "default"}
DONE = wait_urn("done")


def job(plugin: Plugin, name: str = "load", timeline: str = "starting:0s,running") -> Stored:
    return plugin.declare(job_urn(name), {**JOB, "conf": {"spark.dli.local.timeline": timeline}})


def rows_of_waits(rows: Engine) -> set[str]:
    """Give the URNs of the waits that have shown progress."""
    return {urn for _, urn, text in rows.logged if "waited" in text}


def is_waiting(rows: Engine) -> bool:
    return bool(rows_of_waits(rows))


def cancel(plugin: Plugin) -> None:
    plugin.call("Cancel", empty_pb2.Empty())


@pytest.mark.parametrize("provider_waits", [False, True])
def test_an_interrupted_wait_ends_at_once_and_says_that_the_job_goes_on(
    plugin: Plugin, service: Service, rows: Engine, provider_waits: bool
) -> None:
    load = job(plugin)
    settled(service.states)
    if provider_waits:  # the gate cannot list the jobs, and each wait reads its own
        service.fail("GET", "/batches", status=403, count=None)
    service.reset_calls()
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(plugin.declare, DONE, {"jobId": load.id, "jobName": "load"})
        if provider_waits:
            eventually(service.calls, lambda calls: "GET /batches/{id}" in calls)
        else:
            eventually(lambda: is_waiting(rows), bool)
        cancel(plugin)
        with pytest.raises(PluginError) as told:
            wait.result(30)
    assert not told.value.is_defect
    assert str(told.value) == (
        "load: the wait ended early, because of ^C or because another resource failed. Batch job "
        f"{load.id} goes on, and the next `pulumi up` goes on waiting for it."
    )
    assert service.states() == ["running"]


def test_a_wait_that_begins_after_the_interruption_does_not_wait(plugin: Plugin) -> None:
    load = job(plugin)
    cancel(plugin)
    cancel(plugin)
    with pytest.raises(PluginError, match="ended early"):
        plugin.declare(DONE, {"jobId": load.id})


def test_the_next_command_of_one_process_waits_again(plugin: Plugin) -> None:
    load = job(plugin, timeline="starting:0s,success")
    cancel(plugin)
    plugin.configure()
    assert plugin.declare(DONE, {"jobId": load.id})["state"] == "success"


def test_an_interruption_does_not_lose_a_submission(plugin: Plugin, service: Service) -> None:
    service.cut("POST", "/batches", when="after")
    cancel(plugin)
    load = job(plugin)  # it searches for the run, and pauses meanwhile
    assert [one.id for one in service.jobs()] == [load.id]


def test_an_interruption_ends_the_wait_for_the_end_of_a_cancelled_job(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    load = job(plugin)
    service.delay("GET", "/batches/{id}", 0.01, count=None)
    service.fail("DELETE", "/batches/{id}", status=200, body="{}", count=None)  # the run does not end
    with ThreadPoolExecutor(1) as threads:
        deletion = threads.submit(later.delete, load)
        eventually(service.calls, lambda calls: "DELETE /batches/{id}" in calls)
        cancel(later)
        with pytest.raises(PluginError, match="may still run: The command was interrupted"):
            deletion.result(30)


def most_listings(seconds: float) -> int:
    """Give how many calls waits that share their listings make in this time at most, however slow the machine is."""
    shortest_pause = 0.2 * 0.9  # DLI_POLL_INTERVAL of the tests, and the jitter
    return len(LIVE_STATES) * (2 + int(seconds / shortest_pause))


def test_many_waits_share_the_listings(plugin: Plugin, service: Service, rows: Engine) -> None:
    jobs = [job(plugin, f"load{number}") for number in range(20)]
    service.reset_calls()
    began = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        waits = [
            threads.submit(plugin.declare, wait_urn(f"done{number}"), {"jobId": one.id, "until": "finished"})
            for number, one in enumerate(jobs)
        ]
        eventually(lambda: rows_of_waits(rows), lambda found: len(found) == 20)
        for one in jobs:
            service.cancel(one.id)
        assert {wait.result(60)["state"] for wait in waits} == {"dead"}
    assert service.calls()["GET /batches/{id}"] == 20
    assert service.calls()["GET /batches"] <= most_listings(time.monotonic() - began)


def test_progress_stands_on_the_row_of_the_wait(plugin: Plugin, service: Service, rows: Engine) -> None:
    load = job(plugin)
    settled(service.states)
    with ThreadPoolExecutor(1) as threads:
        wait = threads.submit(plugin.declare, DONE, {"jobId": load.id, "jobName": "load", "until": "finished"})
        eventually(lambda: is_waiting(rows), bool)
        service.cancel(load.id)
        assert wait.result(60)["state"] == "dead"
    progress = [(urn, text) for _, urn, text in rows.logged if "waited" in text]
    assert all(urn == DONE and text.startswith("load: running on queue default") for urn, text in progress)


def test_waits_that_occupy_all_slots_of_the_engine_are_warned_of_once(
    account: None, service: Service, rows: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_PARALLEL", "2")
    with Plugin(rows.address) as plugin, ThreadPoolExecutor(3) as threads:
        load = job(plugin)
        news = {"jobId": load.id, "until": "finished", "rerunOnFailure": False}
        waits = [threads.submit(plugin.declare, wait_urn(f"done{number}"), news) for number in range(3)]
        eventually(lambda: rows_of_waits(rows), lambda found: len(found) == 3)
        service.cancel(load.id)
        assert {wait.result(60)["state"] for wait in waits} == {"dead"}
    warnings = [text for level, _, text in rows.logged if level == "WARNING"]
    assert warnings == [f"dli: {warning_text(2)}"]


def test_a_wait_in_a_forgotten_project_calls_nothing(
    plugin: Plugin, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_FORGET", "0" * 32)
    with pytest.raises(PluginError, match="dli:forget names the project"):
        plugin.declare(DONE, {"jobId": "1", "submittedTo": {"region": "eu-de", "projectId": "0" * 32}})
    assert service.calls() == {}
