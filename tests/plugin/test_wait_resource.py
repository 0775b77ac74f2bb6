"""The resource `dli:index:BatchJobWait`, driven over gRPC as the engine drives it, against the local DLI."""

import pytest

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin.properties import Properties
from tests.local.api import settled
from tests.plugin.engine import Plugin, PluginError, Stored, job_urn, wait_urn
from tests.plugin.test_job_resource import SECRET, plain_leaves, texts_of
from tests.test_engine_log import Engine

JOB = {"file": "obs://demo/load.py", "queue": "default"}
LOAD, DONE = job_urn("load"), wait_urn("done")


def job(plugin: Plugin, timeline: str = "starting:0s,success", log: str = "") -> Stored:
    conf = {"spark.dli.local.timeline": timeline} | ({"spark.dli.local.log": log} if log else {})
    return plugin.declare(LOAD, {**JOB, "conf": conf})


def test_a_wait_has_the_outcome_of_its_job(plugin: Plugin) -> None:
    load = job(plugin)
    done = plugin.declare(DONE, {"jobId": load.id})
    assert done.id == f"{load.id}-success"
    assert (done["state"], done["until"], done["jobName"]) == ("success", "success", "done")
    assert done["duration"] is not None


def test_a_plan_of_a_wait_knows_no_outcome_and_calls_nothing(plugin: Plugin, service: Service) -> None:
    planned = plugin.create(DONE, plugin.checked(DONE, {"jobId": UNKNOWN, "redact": [SECRET]}), preview=True)
    assert planned["state"] is UNKNOWN
    assert planned["jobId"] is UNKNOWN
    assert "redact" in planned.outputs.secrets
    assert service.calls() == {}


def test_a_dead_job_fails_the_wait_with_its_log(plugin: Plugin) -> None:
    load = job(plugin, "starting:0s,dead", "reading\nValueError: no such column: price")
    with pytest.raises(PluginError) as told:
        plugin.declare(DONE, {"jobId": load.id, "jobName": "load"})
    assert not told.value.is_defect
    assert str(told.value).startswith("load failed: ValueError: no such column: price")
    assert f"Batch job {load.id} is dead" in str(told.value)


def test_a_wait_that_is_satisfied_with_any_end_passes(plugin: Plugin) -> None:
    load = job(plugin, "starting:0s,dead")
    assert plugin.declare(DONE, {"jobId": load.id, "until": "finished"})["state"] == "dead"


@pytest.mark.parametrize(("declared", "option"), [("0.2s", 0.0), (None, 0.2)])
def test_a_wait_times_out_by_its_property_or_by_the_option(
    plugin: Plugin, service: Service, declared: str | None, option: float
) -> None:
    load = job(plugin, "starting:0s,running")
    assert settled(service.states) == ["running"]
    inputs = plugin.checked(DONE, {"jobId": load.id, "timeout": declared})
    with pytest.raises(PluginError, match=r"is still running after a wait of 0\.2 s"):
        plugin.create(DONE, inputs, timeout=option)
    assert service.states() == ["running"]


def test_a_wait_masks_the_secrets_of_its_job(plugin: Plugin, rows: Engine) -> None:
    conf = {"spark.dli.local.timeline": "starting:0s,dead", "spark.dli.local.log": f"it is {SECRET}!"}
    load = plugin.declare(LOAD, {**JOB, "conf": conf, "args": [SECRET]}, ["args[0]"])
    done = plugin.declare(DONE, {"jobId": load.id, "until": "finished"})
    assert done["log"] == ["it is [secret]!"]
    assert "log" in done.outputs.secrets
    assert SECRET not in plain_leaves(done.outputs)
    assert "redact" not in done.outputs.values
    with pytest.raises(PluginError) as told:
        plugin.declare(wait_urn("strict"), {"jobId": load.id})
    assert SECRET not in str(told.value)
    assert SECRET not in texts_of(rows)


def test_a_wait_of_a_later_command_masks_them_too(plugin: Plugin, later: Plugin) -> None:
    conf = {"spark.dli.local.timeline": "starting:0s,dead", "spark.dli.local.log": f"it is {SECRET}!"}
    news = {**JOB, "conf": conf, "args": [SECRET], "rerunOnFailure": False}
    load = plugin.declare(LOAD, news, ["args[0]"])
    later.diff(load, later.checked(LOAD, news, ["args[0]"], load.inputs))
    assert later.declare(DONE, {"jobId": load.id, "until": "finished"})["log"] == ["it is [secret]!"]


def test_a_wait_masks_what_it_is_told_to_mask(plugin: Plugin, later: Plugin) -> None:
    load = job(plugin, "starting:0s,dead", f"it is {SECRET}!")
    done = later.declare(DONE, {"jobId": load.id, "until": "finished", "redact": [SECRET]})
    assert done["log"] == ["it is [secret]!"]
    assert {"redact", "log"} <= done.outputs.secrets


def test_new_texts_to_mask_are_an_update_without_a_call(plugin: Plugin, later: Plugin, service: Service) -> None:
    load = job(plugin, "starting:0s,dead", f"it is {SECRET}!")
    done = plugin.declare(DONE, {"jobId": load.id, "until": "finished"})
    news = later.checked(DONE, {"jobId": load.id, "until": "finished", "redact": [SECRET]}, olds=done.inputs)
    plan = later.diff(done, news)
    assert (plan.changes, plan.replaces, plan.detail) == (True, [], {"redact": "ADD"})
    service.reset_calls()
    updated = later.update(done, news)
    assert updated["log"] == ["it is [secret]!"]
    assert updated["state"] == "dead"
    assert service.calls() == {}


def test_another_job_is_an_update_that_waits(plugin: Plugin, later: Plugin) -> None:
    first = job(plugin)
    done = plugin.declare(DONE, {"jobId": first.id})
    assert not later.diff(done, later.checked(DONE, {"jobId": first.id}, olds=done.inputs)).changes
    second = plugin.declare(job_urn("second"), {**JOB, "conf": {"spark.dli.local.timeline": "starting:0s,dead"}})
    news = later.checked(DONE, {"jobId": second.id, "until": "finished"}, olds=done.inputs)
    plan = later.diff(done, news)
    assert (plan.changes, plan.replaces) == (True, [])
    assert plan.detail == {"jobId": "UPDATE", "until": "UPDATE"}
    assert later.update(done, news, preview=True)["state"] is UNKNOWN
    assert later.update(done, news)["state"] == "dead"


def test_a_refresh_and_a_delete_of_a_wait_call_nothing(plugin: Plugin, later: Plugin, service: Service) -> None:
    done = plugin.declare(DONE, {"jobId": job(plugin).id})
    service.reset_calls()
    read = later.read(done)
    assert (read.id, read.inputs, read.outputs) == (done.id, done.inputs, done.outputs)
    later.delete(done)
    assert service.calls() == {}


def test_a_wait_cannot_be_imported(plugin: Plugin) -> None:
    with pytest.raises(PluginError, match="done: a wait cannot be imported or read") as told:
        plugin.read(Stored(DONE, "1", Properties(), Properties()))
    assert not told.value.is_defect


def test_an_unknown_outcome_is_told_with_the_one_way_on(plugin: Plugin) -> None:
    load = job(plugin)
    unknown = {"jobId": "11111111-2222-3333-4444-555555555555", "jobName": "load", "submittedTo": load["submittedTo"]}
    with pytest.raises(PluginError, match="its outcome is unknown") as told:
        plugin.declare(DONE, unknown)
    assert str(told.value).endswith("run `pulumi up --replace '**dli:index:BatchJob::load'`.")


@pytest.mark.parametrize(
    ("inputs", "failure"),
    [
        ({"jobId": " "}, "jobId: must be the id of a batch job"),
        ({"jobId": "1", "until": "later"}, "until: must be one of success, running, finished"),
        ({"jobId": "1", "timeout": "soon"}, "timeout: not a duration: 'soon'"),
        ({"jobId": "1", "waited": 3}, "waited: there is no such property of a wait"),
        ({"jobId": "1", "submittedTo": {"place": "x"}}, "submittedTo: must be a map with region and projectId"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused(plugin: Plugin, inputs: dict[str, object], failure: str) -> None:
    _, (told,) = plugin.check(DONE, inputs)
    assert told.startswith(failure)


def test_a_refused_secret_is_not_shown(plugin: Plugin) -> None:
    _, (told,) = plugin.check(DONE, {"jobId": "1", "timeout": SECRET}, ["timeout"])
    assert SECRET not in told


def test_the_wait_of_a_dynamic_resource_is_updated_once(plugin: Plugin, later: Plugin) -> None:
    done = plugin.declare(DONE, {"jobId": job(plugin).id})
    stored = Stored(DONE, done.id, done.inputs, Properties({**done.outputs.values, "__provider": "gASV"}))
    news = later.checked(DONE, {"jobId": done["jobId"]}, olds=done.inputs)
    assert later.diff(stored, news).changes
    updated = later.update(stored, news)
    assert updated.outputs.values == done.outputs.values
    assert not later.diff(updated, news).changes
