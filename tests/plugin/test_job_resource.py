"""The resource `dli:index:BatchJob`, driven over gRPC as the engine drives it, against the local DLI."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_dli.jobs.exact_numbers import leaves
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin.properties import Properties, is_covered
from tests.jobs.test_inputs import REFUSED
from tests.local.api import all_ended, eventually, settled
from tests.plugin.engine import Plugin, PluginError, Stored, job_urn
from tests.test_engine_log import Engine

JOB = {"file": "obs://demo/load.py", "queue": "default"}
ENDLESS = {"conf": {"spark.dli.local.timeline": "starting:0s,running"}}
DEAD = {"conf": {"spark.dli.local.timeline": "dead"}}
SECRET = "hunter2hunter2"
LOUD: dict[str, Any] = {
    "conf": {"spark.dli.local.timeline": "starting:0s,dead", "spark.dli.local.log": f"it is {SECRET}"},
    "rerunOnFailure": False,
}
LOAD = job_urn("load")


def texts_of(rows: Engine) -> str:
    return "\n".join(text for level, _, text in rows.logged if level != "DEBUG")


def live(service: Service) -> list[str]:
    return [job.id for job in service.jobs() if not job.state.is_final]


def ended(service: Service) -> list[bool]:
    """Give whether each run has ended, the oldest run first."""
    return [job.state.is_final for job in service.jobs()]


def plain_leaves(properties: Properties) -> str:
    """Give all that is not secret, as text."""
    return " ".join(str(leaf) for path, leaf in leaves(properties.values) if not is_covered(path, properties.secrets))


# Create, and no change


def test_a_job_is_submitted_once_and_left_alone(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, "driverCores": 3.0, "conf": {"spark.x": True}, "triggers": {"day": 1}})
    (job,) = service.jobs()
    assert (stored.id, stored["submittedName"]) == (job.id, job.name)
    assert job.name.startswith("load-")
    assert stored["state"] in ("starting", "running")
    assert job.body["driverCores"] == 3
    assert job.body["conf"] == {"spark.x": "true"}

    inputs = later.checked(LOAD, {**JOB, "driverCores": 3, "conf": {"spark.x": "true"}, "triggers": {"day": 1.0}},
                           olds=stored.inputs)  # fmt: skip
    plan = later.diff(stored, inputs)
    assert (plan.changes, plan.replaces, plan.detail) == (False, [], {})
    assert len(service.jobs()) == 1


def test_the_state_has_nothing_that_only_the_provider_needs(plugin: Plugin) -> None:
    stored = plugin.declare(LOAD, {**JOB, "args": ["a", SECRET]}, ["args[1]"])
    # The engine shows no input whose name begins with two underscores.
    assert stored.inputs.values.keys() == {"file", "queue", "args", "sizing", "__run"}
    assert not {"redact", "secretInputs", "fromConfiguration"} & stored.outputs.values.keys()


def test_a_preview_submits_nothing_and_knows_what_is_declared(plugin: Plugin, service: Service) -> None:
    inputs = plugin.checked(LOAD, {**JOB, "args": ["a", UNKNOWN]}, ["args[1]"])
    planned = plugin.create(LOAD, inputs, preview=True)
    assert planned["args"] == ["a", UNKNOWN]
    assert planned["state"] is UNKNOWN
    assert {"args[1]", "log"} <= planned.outputs.secrets
    assert service.calls() == {}


@pytest.mark.parametrize(("value", "failure"), [("4", "driverMemory: must be a size"), ("2G", "")])
def test_a_value_that_breaks_a_rule_is_refused(plugin: Plugin, value: str, failure: str) -> None:
    inputs, failures = plugin.check(LOAD, {**JOB, "driverMemory": value, "args": [SECRET]}, ["args"])
    assert [*map(bool, failures)] == ([True] if failure else [])
    assert all(one.startswith(failure) for one in failures)
    assert inputs.secrets == {"args"}


TEXTS = [(name, value) for name, value, _ in REFUSED if isinstance(value, str) and len(value) > 3]


@pytest.mark.parametrize(("name", "value"), TEXTS)
def test_no_refused_secret_is_shown(plugin: Plugin, name: str, value: str) -> None:
    _, failures = plugin.check(LOAD, {**JOB, name: value}, [name])
    assert failures
    assert repr(value) not in "".join(failures)


@pytest.mark.parametrize("name", ["redact", "scope", "resourceName", "secretInputs", "replacementTrigger", "fiel"])
def test_a_property_that_does_not_exist_is_refused(plugin: Plugin, name: str) -> None:
    _, failures = plugin.check(LOAD, {**JOB, name: ["abc"]})
    assert f"{name}: there is no such property of a batch job" in failures


def test_ignored_changes_bring_stored_inputs_back(plugin: Plugin) -> None:
    stored = plugin.declare(LOAD, JOB)
    assert plugin.check(LOAD, dict(stored.inputs.values), olds=stored.inputs)[1] == []


def test_large_numbers_in_the_configuration_are_refused(plugin: Plugin) -> None:
    _, failures = plugin.check(LOAD, {**JOB, "conf": {"spark.x": 2.0**53}})
    assert failures == ['conf["spark.x"]: must be text, since Pulumi rounds whole numbers from 9007199254740992 on; '
                        "put it in quotes"]  # fmt: skip


# The detailed diff


@pytest.mark.parametrize(
    ("before", "after", "detail"),
    [
        ({"args": ["a", "b"]}, {"args": ["a", "c", "d"]}, {"args[1]": "UPDATE_REPLACE", "args[2]": "ADD_REPLACE"}),
        ({"args": ["a", "b"]}, {"args": ["a"]}, {"args[1]": "DELETE_REPLACE"}),
        ({"conf": {"spark.x": "1"}}, {"conf": {"spark.x": "2"}}, {'conf["spark.x"]': "UPDATE_REPLACE"}),
        ({"jars": ["a.jar"]}, {}, {"jars": "DELETE_REPLACE"}),
        ({}, {"triggers": {"day": "1"}}, {"triggers": "ADD_REPLACE"}),
        (
            {"groups": [{"name": "g", "resources": [{"name": "x.jar", "type": "jar"}]}]},
            {"groups": [{"name": "g", "resources": [{"name": "y.jar", "type": "jar"}]}]},
            {"groups[0].resources[0].name": "UPDATE_REPLACE"},
        ),
        ({}, {"args": UNKNOWN}, {"args": "ADD_REPLACE"}),
        ({"cancelTimeout": 5}, {"cancelTimeout": 6}, {"cancelTimeout": "UPDATE"}),
        ({}, {"onRecordExpired": "keep"}, {"onRecordExpired": "ADD"}),
    ],
)
def test_a_plan_says_which_item_changed(
    plugin: Plugin, before: dict[str, Any], after: dict[str, Any], detail: dict[str, str]
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **before})
    plan = plugin.diff(stored, plugin.checked(LOAD, {**JOB, **after}, olds=stored.inputs))
    assert plan.changes
    assert plan.detail == detail
    is_replaced = all(kind.endswith("REPLACE") for kind in detail.values())
    assert plan.replaces == ([re.split(r"\W", next(iter(detail)))[0]] if is_replaced else [])
    assert plan.delete_before_replace


def test_a_dead_job_runs_again_and_the_row_says_why(
    plugin: Plugin, later: Plugin, service: Service, rows: Engine
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **DEAD})
    all_ended(service.states)
    stored = plugin.read(stored)
    plan = later.diff(stored, later.checked(LOAD, {**JOB, **DEAD}, olds=stored.inputs))
    assert (plan.replaces, plan.detail) == (["state"], {"state": "UPDATE_REPLACE"})
    assert ("WARNING", LOAD, f"load: must run again, because the last run, {stored.id}, is dead.") in rows.logged


# Secrets


def test_a_secret_is_nowhere_in_plain(plugin: Plugin, later: Plugin, service: Service, rows: Engine) -> None:
    stored = plugin.declare(LOAD, {**JOB, **LOUD, "args": ["a", SECRET]}, ["args[1]", 'conf["spark.dli.local.log"]'])
    all_ended(service.states)
    read = later.read(stored)
    for one in (stored.inputs, stored.outputs, read.inputs, read.outputs):
        assert SECRET not in plain_leaves(one)
    assert read["log"] == ["[secret]"]
    assert SECRET not in texts_of(rows)
    assert read.outputs.secrets >= {"args[1]", "log"}


def test_a_log_is_secret_from_its_first_line_on(plugin: Plugin, later: Plugin) -> None:
    stored = plugin.declare(LOAD, {**JOB, **LOUD, "args": [SECRET]}, ["args"])
    assert stored["log"] == []
    assert "log" not in stored.outputs.secrets
    read = later.read(stored)
    assert read["log"] == ["it is [secret]"]
    assert "log" in read.outputs.secrets


def test_a_secret_name_and_queue_are_secret_under_their_other_names(plugin: Plugin) -> None:
    stored = plugin.declare(LOAD, {**JOB, "name": "fixed"}, ["name", "queue"])
    assert stored.outputs.secrets >= {"name", "queue", "submittedName", "effectiveQueue"}


def test_a_new_mark_is_an_update_that_marks_the_stored_outputs(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **LOUD, "args": ["a", SECRET]})
    all_ended(service.states)
    stored = plugin.read(stored)
    assert SECRET in str(stored["log"])
    news = later.checked(LOAD, {**JOB, **LOUD, "args": ["a", SECRET]}, ["args[1]", "conf"], stored.inputs)
    plan = later.diff(stored, news)
    assert (plan.changes, plan.replaces) == (True, [])
    assert plan.detail == {"args": "UPDATE", "conf": "UPDATE"}
    planned, updated = later.update(stored, news, preview=True), later.update(stored, news)
    assert planned.outputs == updated.outputs
    assert SECRET not in plain_leaves(updated.outputs)
    assert updated["log"] == ["[secret]"]
    assert not later.diff(updated, news).changes


def test_an_option_that_marks_outputs_only_is_no_change(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **LOUD, "args": [SECRET]})
    all_ended(service.states)
    marked = Stored(LOAD, stored.id, stored.inputs, Properties(stored.outputs.values, frozenset({"args"})))
    assert not later.diff(marked, later.checked(LOAD, {**JOB, **LOUD, "args": [SECRET]}, olds=stored.inputs)).changes
    assert later.read(marked)["log"] == ["it is [secret]"]


def test_what_the_service_repeats_of_a_secret_is_masked(plugin: Plugin, service: Service) -> None:
    service.fail("POST", "/batches", status=400, body=json.dumps({"error_msg": f"bad argument {SECRET}"}))
    with pytest.raises(PluginError, match=r"bad argument \[secret\]") as refused:
        plugin.declare(LOAD, {**JOB, "args": [SECRET]}, ["args"])
    assert not refused.value.is_defect
    assert SECRET not in str(refused.value)


# Read, get and import


def test_a_refresh_keeps_the_inputs_and_moves_the_state(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    service.cancel(stored.id)
    read = later.read(stored)
    assert (read.id, read.inputs) == (stored.id, stored.inputs)
    assert read["state"] == "dead"


def imported(plugin: Plugin, batch_id: str, urn: str = LOAD, **place: str) -> Stored:
    return plugin.read(Stored(urn, batch_id, Properties(), Properties(place)))


@pytest.mark.parametrize("timeline", ["starting:0s,running", "success", "dead"])
def test_an_imported_job_is_unchanged_by_the_code_that_is_printed(
    plugin: Plugin, later: Plugin, service: Service, timeline: str
) -> None:
    service.submit({"file": "obs://demo/a.py", "name": "nightly", "queue": "default", "args": ["x", "y"],
                    "conf": {"spark.dli.local.timeline": timeline}})  # fmt: skip
    (job,) = service.jobs()
    eventually(service.states, lambda states: states == [timeline.rpartition(",")[2]])
    stored = imported(plugin, job.id)
    inputs = dict(stored.inputs.values)
    assert inputs.pop("__run") == {"adopted": job.id}
    is_dead = stored["state"] == "dead"
    assert inputs == {"file": "obs://demo/a.py", "name": "nightly", "queue": "default", "args": ["x", "y"],
                      "conf": {"spark.dli.local.timeline": timeline},
                      **({"rerunOnFailure": False} if is_dead else {})}  # fmt: skip
    news = later.checked(LOAD, inputs, olds=stored.inputs)
    assert not later.diff(stored, news).changes
    assert service.states("nightly") == [stored["state"]]


def test_an_imported_job_of_another_stack_has_no_made_name(plugin: Plugin, service: Service) -> None:
    first = plugin.declare(LOAD, {**JOB, **ENDLESS})
    stored = imported(plugin, first.id, job_urn("again"))
    assert "name" not in stored.inputs.values
    assert stored["submittedName"] == service.jobs()[0].name


@pytest.mark.parametrize(
    ("batch_id", "message"),
    [
        ("11111111-2222-3333-4444-555555555555", "load: there is no batch job '11111111"),
        (" ", "load: there is no batch job ' '"),
        ("nonsense", "must be a UUID"),
    ],
)
def test_an_id_that_does_not_exist_is_told(plugin: Plugin, batch_id: str, message: str) -> None:
    with pytest.raises(PluginError, match=message) as told:
        imported(plugin, batch_id)
    assert not told.value.is_defect


def test_get_reads_in_the_place_that_the_program_names(plugin: Plugin, service: Service) -> None:
    first = plugin.declare(LOAD, {**JOB, **ENDLESS})
    project_id = first["submittedTo"]["projectId"]
    assert imported(plugin, first.id, projectId=project_id)["submittedTo"]["projectId"] == project_id
    with pytest.raises(PluginError, match="project"):
        imported(plugin, first.id, projectId="0" * 32)
    assert ended(service) == [False]


# Update and delete


def test_a_delete_cancels_the_run_and_waits_for_its_end(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    later.delete(stored)
    assert ended(service) == [True]


@pytest.mark.parametrize(("declared", "option"), [({"cancelTimeout": 1}, 0.0), ({}, 0.2), ({"cancelTimeout": 1}, 60.0)])
def test_a_delete_waits_as_long_as_the_property_or_the_option_says(
    plugin: Plugin, service: Service, declared: dict[str, int], option: float
) -> None:
    slow = {**ENDLESS["conf"], "spark.dli.local.cancelling": "1d"}
    stored = plugin.declare(LOAD, {**JOB, "conf": slow, **declared})
    settled(service.states)
    with pytest.raises(PluginError, match=r"but it is still running after 1\.0 s\. The job stays in the state"):
        plugin.delete(stored, option)


def test_a_job_that_runs_again_keeps_its_history(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS, "args": ["a"]})
    news = {**JOB, **ENDLESS, "args": ["b"]}
    assert later.diff(stored, later.checked(LOAD, news, olds=stored.inputs)).replaces == ["args"]
    inputs = later.checked(LOAD, news)
    later.delete(stored)
    new = later.create(LOAD, inputs)
    assert ended(service) == [True, False]
    (earlier,) = new["previousRuns"]
    assert (earlier["id"], earlier["replacedBecause"]) == (stored.id, "args changed")


def test_an_update_stores_options_without_a_call(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    news = later.checked(LOAD, {**JOB, **ENDLESS, "cancelTimeout": 7}, olds=stored.inputs)
    service.reset_calls()
    assert later.update(stored, news, preview=True)["cancelTimeout"] == 7
    assert service.calls() == {}
    assert later.update(stored, news)["cancelTimeout"] == 7
    assert ended(service) == [False]


# Never lost, never twice


def test_a_run_whose_state_was_lost_is_adopted(plugin: Plugin, later: Plugin, service: Service, rows: Engine) -> None:
    first = plugin.declare(LOAD, {**JOB, **ENDLESS})
    again = later.declare(LOAD, {**JOB, **ENDLESS})
    assert again.id == first.id
    assert len(service.jobs()) == 1
    assert "load: adopted batch job" in texts_of(rows)


def test_a_lost_answer_submits_once(plugin: Plugin, service: Service) -> None:
    service.cut("POST", "/batches", when="after")
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    assert [job.id for job in service.jobs()] == [stored.id]


def test_the_same_name_below_two_parents_is_two_jobs(plugin: Plugin, service: Service) -> None:
    urns = [LOAD, job_urn("load", "my:index:Pipeline$dli:index:BatchJob")]
    ids = {plugin.declare(urn, {**JOB, **ENDLESS}).id for urn in urns}
    assert len(ids) == len(service.jobs()) == 2


def test_a_run_gets_into_the_state_even_if_its_outputs_cannot_be_made(
    plugin: Plugin, service: Service, rows: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = plugin.checked(LOAD, JOB)
    monkeypatch.setattr("pulumi_dli.plugin.job_properties.outputs_to_store", lambda *_: 1 / 0)
    stored = plugin.create(LOAD, inputs)
    assert [job.id for job in service.jobs()] == [stored.id]
    assert "ZeroDivisionError" in texts_of(rows)


def test_rerun_of_an_expired_job_is_refused_with_the_way_on(plugin: Plugin, service: Service) -> None:
    (failure,) = plugin.check(LOAD, {**JOB, "onRecordExpired": "rerun"})[1]
    assert failure.startswith("onRecordExpired: must be keep, because")
    assert "run `pulumi up --replace '**dli:index:BatchJob::load'`" in failure
    assert plugin.check(LOAD, {**JOB, "onRecordExpired": "keep"})[1] == []
    assert service.calls() == {}


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_a_job_whose_record_is_deleted_never_runs_again_by_itself(
    plugin: Plugin, later: Plugin, service: Service, is_refreshed: bool
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    gone = Stored(LOAD, "11111111-2222-3333-4444-555555555555", stored.inputs, stored.outputs)
    values = {**gone.outputs.values, "createTime": 0, "recordExpired": is_refreshed}
    gone.outputs = Properties(values, gone.outputs.secrets)
    news = later.checked(LOAD, {**JOB, **ENDLESS}, olds=stored.inputs)
    assert not later.diff(gone, news).changes
    assert len(service.jobs()) == 1


def test_replace_runs_a_job_whose_record_is_deleted(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    service.cancel(stored.id)
    stored.id = "11111111-2222-3333-4444-555555555555"
    stored.outputs = Properties({**stored.outputs.values, "createTime": 0}, stored.outputs.secrets)
    service.reset_calls()
    forced(later, stored, JOB)
    assert service.calls()["POST /batches"] == 1


def test_a_renamed_job_keeps_its_run(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    renamed = job_urn("renamed")
    news = later.checked(renamed, {**JOB, **ENDLESS}, olds=stored.inputs)
    assert not later.diff(stored, news, renamed).changes
    another = later.create(LOAD, later.checked(LOAD, {**JOB, **ENDLESS}))
    assert another.id != stored.id, "the old name is a new job"
    with Plugin() as last:
        last.delete(Stored(renamed, stored.id, news, stored.outputs))
    assert live(service) == [another.id]


# Replacements that the engine makes without a plan


def check_one_at_a_time(service: Service) -> None:
    old_run, new_run = service.jobs()
    assert not new_run.state.is_final
    assert old_run.end_time is not None
    assert old_run.end_time <= new_run.create_time, "two runs at once"


def replaced_by_a_trigger(plugin: Plugin, stored: Stored, news: dict[str, Any]) -> Stored:
    """Replace as the engine does for `replacementTrigger` without `deleteBeforeReplace`: create, then delete."""
    plugin.checked(stored.urn, news, olds=stored.inputs)
    new = plugin.create(stored.urn, plugin.checked(stored.urn, news))
    plugin.delete(stored)
    return new


@pytest.mark.parametrize("args", [["a"], ["b"]])
def test_a_trigger_cancels_the_live_run_before_it_submits(
    plugin: Plugin, later: Plugin, service: Service, rows: Engine, args: list[str]
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS, "args": ["a"]})
    settled(service.states)
    new = replaced_by_a_trigger(later, stored, {**JOB, **ENDLESS, "args": args})
    assert [job.id for job in service.jobs()] == [stored.id, new.id]
    check_one_at_a_time(service)
    assert f"This cancels run {stored.id}, which is running." in texts_of(rows)
    assert [run["id"] for run in new["previousRuns"]] == [stored.id]


def test_a_question_about_the_replacement_of_another_resource_is_no_plan(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    """The last `up` used an output of a resource that is replaced now. The engine asks about the stored job at once."""
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS, "args": ["a"]})
    news = {**JOB, **ENDLESS, "args": ["b"]}
    later.checked(LOAD, news, olds=stored.inputs)
    inputs = later.checked(LOAD, news)
    later.diff(stored, Properties({**stored.inputs.values, "args": UNKNOWN}))
    later.create(LOAD, inputs)
    check_one_at_a_time(service)


def test_a_trigger_leaves_the_jobs_of_others_alone(plugin: Plugin, later: Plugin, service: Service) -> None:
    other = plugin.declare(job_urn("other"), {**JOB, **ENDLESS})
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    new = replaced_by_a_trigger(later, stored, {**JOB, **ENDLESS})
    assert live(service) == [other.id, new.id]


def test_a_trigger_ends_an_adopted_run_too(plugin: Plugin, later: Plugin, service: Service) -> None:
    adopted = service.submit({**JOB, "name": "by-hand", **ENDLESS})
    news = {**JOB, **ENDLESS, "adoptId": adopted}
    stored = plugin.declare(LOAD, news)
    assert stored.id == adopted
    new = replaced_by_a_trigger(later, stored, news)
    assert new.id != adopted
    assert ended(service) == [True, False]


def test_a_trigger_does_not_cancel_by_a_fixed_name(plugin: Plugin, later: Plugin, service: Service) -> None:
    news = {**JOB, **ENDLESS, "name": "nightly"}
    stored = plugin.declare(LOAD, news)
    with pytest.raises(PluginError, match=r"has the fixed name of this job.*deleteBeforeReplace to true"):
        replaced_by_a_trigger(later, stored, news)
    assert ended(service) == [False]


def test_a_trigger_obeys_when_running(plugin: Plugin, later: Plugin, service: Service) -> None:
    news = {**JOB, **ENDLESS, "whenRunning": "refuse"}
    stored = plugin.declare(LOAD, news)
    settled(service.states)
    with pytest.raises(PluginError, match=f"whenRunning is refuse, and batch job {stored.id} is running"):
        replaced_by_a_trigger(later, stored, news)
    assert ended(service) == [False]


def test_a_trigger_with_a_rename_is_refused_while_a_run_of_the_old_name_is_live(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    renamed = Stored(job_urn("renamed"), stored.id, stored.inputs, stored.outputs)
    with pytest.raises(PluginError, match=rf"renamed: nothing was submitted.*batch job {stored.id}") as refused:
        replaced_by_a_trigger(later, renamed, {**JOB, **ENDLESS})
    assert not refused.value.is_defect
    assert "set its option deleteBeforeReplace to true" in str(refused.value)
    assert live(service) == [stored.id]
    service.cancel(stored.id)
    with Plugin() as last:
        new = replaced_by_a_trigger(last, renamed, {**JOB, **ENDLESS})
    assert live(service) == [new.id]


def test_a_trigger_with_a_rename_leaves_a_new_job_of_the_old_name_alone(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    service.cancel(stored.id)
    another = plugin.declare(LOAD, {**JOB, **ENDLESS})
    renamed = Stored(job_urn("renamed"), stored.id, stored.inputs, stored.outputs)
    with pytest.raises(PluginError, match=f"batch job {another.id}"):
        replaced_by_a_trigger(later, renamed, {**JOB, **ENDLESS})
    assert live(service) == [another.id]
    with Plugin() as last:
        last.diff(another, last.checked(LOAD, {**JOB, **ENDLESS}, olds=another.inputs))
        new = replaced_by_a_trigger(last, renamed, {**JOB, **ENDLESS})
    assert live(service) == [another.id, new.id], "the run is known to be that of another job"


def test_a_trigger_with_a_rename_leaves_the_run_of_a_job_that_gave_its_name_away_alone(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    """`load` becomes `archive` and `other` becomes `load` in one `up`, and the engine comes to the new `load` first."""
    given_away = plugin.declare(LOAD, {**JOB, **ENDLESS})
    other = plugin.declare(job_urn("other"), {**JOB, "conf": {"spark.dli.local.timeline": "starting:0s,success"}})
    eventually(lambda: service.states("other"), lambda states: states == ["success"])
    renamed = Stored(LOAD, other.id, other.inputs, other.outputs)
    with pytest.raises(PluginError, match=f"another dli:scope before, and batch job {given_away.id}"):
        replaced_by_a_trigger(later, renamed, {**JOB, **ENDLESS})
    assert given_away.id in live(service)


@pytest.mark.parametrize("before", [{}, {"scope": "first"}])
def test_a_trigger_is_refused_beside_the_run_that_another_scope_has_submitted(
    account: None, service: Service, before: dict[str, str]
) -> None:
    with Plugin(configuration=before) as first, Plugin(configuration={"scope": "second"}) as second:
        stored = first.declare(LOAD, {**JOB, **ENDLESS})
        with pytest.raises(PluginError, match=f"another dli:scope before, and batch job {stored.id}"):
            replaced_by_a_trigger(second, stored, {**JOB, **ENDLESS})
    assert live(service) == [stored.id]


def test_a_trigger_ends_an_adopted_run_when_the_program_has_no_adopt_id_any_more(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    adopted = service.submit({**JOB, "name": "by-hand", **ENDLESS})
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS, "adoptId": adopted})
    stored.inputs = plugin.checked(LOAD, {**JOB, **ENDLESS}, olds=stored.inputs)  # a plan without changes stores them
    new = replaced_by_a_trigger(later, stored, {**JOB, **ENDLESS})
    assert new.id != adopted
    check_one_at_a_time(service)


@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_a_trigger_ends_an_imported_run(
    plugin: Plugin, later: Plugin, service: Service, spelling: Callable[[str], str]
) -> None:
    stored = imported(plugin, spelling(service.submit({**JOB, "name": "by-hand", **ENDLESS})))
    new = replaced_by_a_trigger(later, stored, {**JOB, **ENDLESS})
    assert new.id != stored.id
    check_one_at_a_time(service)


def test_a_trigger_does_not_cancel_a_run_that_was_never_adopted(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    stored = plugin.declare(LOAD, {**JOB, "conf": {"spark.dli.local.timeline": "success"}})
    all_ended(service.states)
    foreign = service.submit({**JOB, "name": "by-hand", **ENDLESS})
    news = {**JOB, "conf": {"spark.dli.local.timeline": "success"}, "adoptId": foreign}
    stored.inputs = plugin.checked(LOAD, news, olds=stored.inputs)  # adoptId of a job in the state has no effect
    with pytest.raises(PluginError, match=rf"adoptId names batch job {foreign}.*may be the old run"):
        replaced_by_a_trigger(later, stored, news)
    assert live(service) == [foreign]


def test_a_trigger_on_an_ended_run_submits(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, "conf": {"spark.dli.local.timeline": "success"}})
    all_ended(service.states)
    new = replaced_by_a_trigger(later, stored, JOB)
    assert [job.id for job in service.jobs()] == [stored.id, new.id]


def forced(plugin: Plugin, stored: Stored, news: dict[str, Any], *, deletes_first: bool = False) -> Stored:
    """Replace as the engine does for `--replace`: one check without stored inputs, no diff."""
    inputs = plugin.checked(stored.urn, news)
    if deletes_first:
        plugin.delete(stored)
        return plugin.create(stored.urn, inputs)
    new = plugin.create(stored.urn, inputs)
    plugin.delete(stored)
    return new


def test_replace_with_the_option_runs_the_job_again(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    new = forced(later, stored, {**JOB, **ENDLESS}, deletes_first=True)
    assert new.id != stored.id
    assert ended(service) == [True, False]


def test_replace_without_the_option_keeps_the_live_run_and_says_so(
    plugin: Plugin, later: Plugin, service: Service, rows: Engine
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    new = forced(later, stored, {**JOB, **ENDLESS})
    assert new.id == stored.id
    assert ended(service) == [False]
    (told,) = (text for level, urn, text in rows.logged if urn == LOAD and "has not run again" in text)
    assert "set its option deleteBeforeReplace to true" in told


def test_a_live_run_that_is_in_the_state_twice_is_cancelled_only_with_its_job(
    plugin: Plugin, later: Plugin, service: Service, rows: Engine
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    inputs = later.checked(LOAD, {**JOB, **ENDLESS}, olds=stored.inputs)
    assert not later.diff(stored, inputs).changes
    later.delete(stored)  # `--replace` has adopted the run, and something failed before the engine came to its delete
    assert live(service) == [stored.id]
    assert f"the state had batch job {stored.id} twice" in texts_of(rows)
    with Plugin(rows.address) as last:
        last.delete(stored)
    assert live(service) == []


def test_a_live_run_that_is_in_the_state_twice_stays_after_a_rename(
    plugin: Plugin, later: Plugin, service: Service, rows: Engine
) -> None:
    stored, renamed = plugin.declare(LOAD, {**JOB, **ENDLESS}), job_urn("renamed")
    inputs = later.checked(renamed, {**JOB, **ENDLESS}, olds=stored.inputs)
    assert not later.diff(stored, inputs, renamed).changes
    later.delete(stored)
    assert live(service) == [stored.id]
    assert "renamed" in texts_of(rows)


def test_a_question_about_another_replacement_does_not_keep_the_run(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    inputs = later.checked(LOAD, {**JOB, **ENDLESS, "args": ["new"]}, olds=stored.inputs)
    assert later.diff(stored, inputs).replaces == ["args"]
    assert not later.diff(stored, Properties({**inputs.values, "args": [UNKNOWN]})).changes
    later.delete(stored)
    assert live(service) == []


def test_a_refresh_before_the_delete_does_not_keep_the_run(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = later.read(plugin.declare(LOAD, {**JOB, **ENDLESS}))
    later.diff(stored, stored.inputs)
    later.delete(stored)  # the program does not declare the job any more
    assert live(service) == []


def test_replace_on_changes_cancels_the_run(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    news = {**JOB, **ENDLESS, "cancelTimeout": 9}
    assert later.diff(stored, later.checked(LOAD, news, olds=stored.inputs)).replaces == []
    inputs = later.checked(LOAD, news)
    later.delete(stored)
    new = later.create(LOAD, inputs)
    assert live(service) == [new.id]


def test_replace_without_the_option_refuses_a_new_declaration_of_a_live_job(
    plugin: Plugin, later: Plugin, service: Service
) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    with pytest.raises(PluginError, match="an earlier run with another declaration still runs") as refused:
        forced(later, stored, {**JOB, **ENDLESS, "args": ["new"]})
    assert stored.id in str(refused.value)
    assert not refused.value.is_defect
    assert ended(service) == [False]


def test_a_planned_replacement_may_leave_its_old_run(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = plugin.declare(LOAD, {**JOB, **ENDLESS})
    news = {**JOB, **ENDLESS, "args": ["new"]}
    later.diff(stored, later.checked(LOAD, news, olds=stored.inputs))
    later.create(LOAD, later.checked(LOAD, news))  # retainOnDelete: the engine deletes nothing
    assert ended(service) == [False, False]


# Resources that a dynamic provider has stored


def migrated(stored: Stored, scope: str = "0a1b2c3d") -> Stored:
    """Give a job as a dynamic resource stores it."""
    hidden = {"resourceName": "load", "scope": scope, "__provider": "gASV", "redact": [SECRET]}
    secrets = frozenset({"redact"})
    return Stored(
        LOAD,
        stored.id,
        Properties({**stored.inputs.values, **hidden}, stored.inputs.secrets | secrets),
        Properties({**stored.outputs.values, **hidden}, stored.outputs.secrets | secrets),
    )


def test_a_dynamic_job_is_updated_once_and_keeps_its_scope(plugin: Plugin, later: Plugin, service: Service) -> None:
    stored = migrated(plugin.declare(LOAD, {**JOB, **ENDLESS}))
    news = later.checked(LOAD, {**JOB, **ENDLESS}, olds=stored.inputs)
    assert news.values["scope"] == "0a1b2c3d"
    plan = later.diff(stored, news)
    assert (plan.changes, plan.replaces) == (True, [])
    updated = later.update(stored, news)
    assert not {"__provider", "redact"} & (updated.outputs.values.keys() | updated.inputs.values.keys())
    assert updated["scope"] == "0a1b2c3d"
    assert not later.diff(updated, later.checked(LOAD, {**JOB, **ENDLESS}, olds=updated.inputs)).changes
    assert ended(service) == [False]


def test_a_new_run_of_a_dynamic_job_has_the_scope_of_the_urn(plugin: Plugin, later: Plugin) -> None:
    stored = migrated(plugin.declare(LOAD, {**JOB, **ENDLESS}))
    inputs = later.checked(LOAD, {**JOB, "args": ["new"]})
    later.delete(stored)
    assert later.create(LOAD, inputs)["scope"] != "0a1b2c3d"
