"""Real `pulumi up`s with the native provider against the local DLI. The program is Python without our package."""

import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from pulumi_dli.local.testing import Service
from tests.local.api import eventually
from tests.plugin.native_project import NativeProject
from tests.plugin.test_job_resource import SECRET
from tests.project import read_until, row, started, variables_of

pytestmark = pytest.mark.slow

ENDLESS = '"spark.dli.local.timeline": "starting:0s,running"'
NEVER_CANCELLED = '"spark.dli.local.cancelling": "1d"'
LOUD = f'"spark.dli.local.timeline": "starting:0s,running:0.5s,{{end}}", "spark.dli.local.log": "it is {SECRET}!"'


@pytest.fixture
def native(tmp_path: Path, service: Service) -> NativeProject:
    return NativeProject(tmp_path / "project", variables_of(service))


def plugins_of(leader: int) -> list[psutil.Process]:
    """Give the processes of the provider that a command has started."""
    children = psutil.Process(leader).children(recursive=True)
    return [one for one in children if "pulumi-resource-dli" in " ".join(one.cmdline())]


def assert_gone(plugins: list[psutil.Process]) -> None:
    """Check that the provider that a command has started ends too, by itself."""
    assert len(plugins) == 1
    _, alive = psutil.wait_procs(plugins, timeout=30)
    assert not alive


def stored_text(native: NativeProject) -> str:
    (file,) = (native.folder / "state" / ".pulumi" / "stacks").glob("*/dev.json")
    return file.read_text()


def test_a_job_from_its_first_up_to_its_end(native: NativeProject, service: Service) -> None:
    program = """
        secret = pulumi.Output.secret("{secret}")
        load = BatchJob("load", file="load.py", queue="default", args=["in", "{day}", secret],
                        conf=pulumi.Output.secret({{{conf}}}))
        done = BatchJobWait("done", jobId=load.id, jobName="load")
        pulumi.export("state", done.state)
        pulumi.export("job", load.id)
    """
    conf = LOUD.format(end="success")
    native.pulumi("config", "set", "dli:jobs", '{"load": {"args": ["in-plain"]}}')
    native.pulumi("config", "set", "dli:region", "eu-de")
    native.write(program.format(secret=SECRET, day="monday", conf=conf))
    screen = native.pulumi("preview")
    assert "3 to create" in screen
    assert service.jobs() == []
    screen += native.up()
    (first,) = service.jobs()
    assert (native.output("state"), native.output("job")) == ("success", first.id)
    assert first.body["args"] == ["in", "monday", SECRET]

    service.reset_calls()
    nothing_to_do = ("--expect-no-changes", "--diff")
    screen += native.pulumi("preview", *nothing_to_do) + native.up(*nothing_to_do)
    assert not any(call.startswith("POST") for call in service.calls())
    screen += native.pulumi("refresh", "--yes")
    assert native.state_of("load")["outputs"]["state"] == "success"
    native.up(*nothing_to_do)

    native.write(program.format(secret=SECRET, day="tuesday", conf=conf))
    screen += native.pulumi("preview", "--diff")
    assert '~ [1]: "monday" => "tuesday"' in screen
    replaced = native.up()
    assert "load: must run again, because args changed." in row(replaced, "load")
    assert service.states() == ["success", "success"]
    assert native.output("job") == service.jobs()[-1].id

    state = stored_text(native)
    assert SECRET not in state + screen + replaced
    assert "in-plain" not in state
    (provider,) = (one for one in native.resources() if one["type"] == "pulumi:providers:dli")
    assert provider["inputs"].keys() <= {"__internal", "region", "version"}

    native.pulumi("destroy", "--yes")
    assert native.resources() == []


def test_a_job_is_imported_and_cancelled_by_destroy(native: NativeProject, service: Service) -> None:
    service.submit({"file": "obs://demo/a.py", "name": "nightly", "queue": "default", "args": ["x"],
                    "conf": {"spark.dli.local.timeline": "starting:0s,running"}})  # fmt: skip
    (job,) = service.jobs()
    native.write("")
    native.up()
    import_ = ("import", "dli:index:BatchJob", "nightly", "--yes", "--generate-code=false", "--protect=false")
    unknown = native.run(*import_[:3], "11111111-2222-3333-4444-555555555555", *import_[3:])
    assert "nightly: there is no batch job '11111111-2222-3333-4444-555555555555'" in unknown.screen
    assert "Traceback" not in unknown.screen
    native.pulumi(*import_[:3], job.id, *import_[3:])
    native.write(f"""
        BatchJob("nightly", file="obs://demo/a.py", name="nightly", queue="default", args=["x"], conf={{{ENDLESS}}})
    """)
    native.up("--expect-no-changes")
    assert service.states() == ["running"]
    native.pulumi("destroy", "--yes")
    assert service.states() == ["dead"]


def test_a_dead_job_and_an_interrupted_wait_have_their_verdict_on_the_row(
    native: NativeProject, service: Service
) -> None:
    program = """
        load = BatchJob("load", file="load.py", queue="default", conf={{{conf}}})
        BatchJobWait("done", jobId=load.id, jobName="load")
    """
    native.write(program.format(conf=LOUD.format(end="dead")))
    screen = native.failing_up()
    (dead,) = service.jobs()
    assert f"load: batch job {dead.id} is dead" in row(screen, "done")
    assert f"it is {SECRET}!" in row(screen, "done"), "nothing is marked as secret"
    assert "Traceback" not in screen

    native.write(program.format(conf=ENDLESS))
    with started(native) as up:
        read_until(up, "running on queue default")
        (_, live) = service.jobs()
        plugins = plugins_of(up.pid)
        os.kill(up.pid, signal.SIGINT)
        screen, _ = up.communicate(timeout=60)
        assert_gone(plugins)
    assert (
        f"load: the wait ended early, because of ^C or because another resource failed. Batch job {live.id} goes on"
        in row(screen, "done")
    )
    assert "Traceback" not in screen
    assert native.state_of("load")["id"] == live.id
    assert service.states() == ["dead", "running"]
    native.pulumi("destroy", "--yes")
    assert service.states() == ["dead", "dead"]


@pytest.mark.parametrize(
    "limit", ["cancelTimeout=1", 'opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="1s"))']
)
def test_a_destroy_waits_for_the_end_as_long_as_the_program_says(
    native: NativeProject, service: Service, limit: str
) -> None:
    native.write(f"""
        BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}, {NEVER_CANCELLED}}}, {limit})
    """)
    native.up()
    (run,) = service.jobs()
    assert service.states() == ["running"]
    destroyed = native.run("destroy", "--yes", "--skip-preview")
    assert destroyed.code != 0
    text = f"load: the provider has cancelled batch job {run.id}, but it is still running after 1.0 s."
    assert text in row(destroyed.screen, "load")
    assert native.state_of("load")["id"] == run.id


def test_an_interrupted_cancel_ends_at_once_and_keeps_the_job(native: NativeProject, service: Service) -> None:
    native.write(f"""
        BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}, {NEVER_CANCELLED}}})
    """)
    native.up()
    (run,) = service.jobs()
    native.write("")
    with started(native) as up:
        eventually(service.calls, lambda calls: "DELETE /batches/{id}" in calls)
        plugins = plugins_of(up.pid)
        os.kill(up.pid, signal.SIGINT)
        screen, _ = up.communicate(timeout=60)
        assert_gone(plugins)
    assert f"batch job {run.id}" in row(screen, "load")
    assert "Traceback" not in screen
    assert native.state_of("load")["id"] == run.id
    assert service.states() == ["running"]


def test_a_forced_replacement_is_never_two_live_runs_and_never_silently_none(
    native: NativeProject, service: Service
) -> None:
    def write(trigger: str, options: str = "") -> None:
        native.write(f"""
            BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}}},
                     opts=pulumi.ResourceOptions(replacement_trigger="{trigger}"{options}))
        """)

    def live() -> list[str]:
        return [job.id for job in service.jobs() if not job.state.is_final]

    write("a")
    native.up()
    (first,) = live()
    write("b")
    assert f"This cancels run {first}" in row(native.up(), "load")
    (second,) = live()
    assert second != first

    target = "**dli:index:BatchJob::load"
    for how in ("--replace", "--target-replace"):
        screen = native.up(how, target)
        assert f"the job has not run again. Batch job {second} still runs" in row(screen, "load")
        assert live() == [second] == [native.state_of("load")["id"]]

    write("b", ", delete_before_replace=True")
    for how in ("--replace", "--target-replace"):
        before = live()
        native.up(how, target)
        assert len(live()) == 1
        assert live() != before
    write("c", ", delete_before_replace=True")
    native.up()
    assert len(live()) == 1
    ends = [job.end_time for job in service.jobs()[:-1]]
    begins = [job.create_time for job in service.jobs()[1:]]
    assert all(end is not None and end <= begin for end, begin in zip(ends, begins, strict=True)), "two runs at once"
    native.pulumi("destroy", "--yes")
    assert live() == []


def test_two_providers_and_a_rotated_key(native: NativeProject, service: Service) -> None:
    keys = variables_of(service)
    access, secret = (keys[name] for name in ("OS_ACCESS_KEY", "OS_SECRET_KEY"))
    without_keys = {"OS_ACCESS_KEY": "", "OS_SECRET_KEY": ""}
    native.pulumi("config", "set", "dli:accessKey", access)
    native.pulumi("config", "set", "--plaintext", "dli:secretKey", secret)
    native.write(f"""
        second = Provider("second", scope="second", accessKey={access!r}, secretKey=pulumi.Output.secret({secret!r}))
        BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}}})
        BatchJob("other", file="load.py", queue="default", conf={{{ENDLESS}}},
                 opts=pulumi.ResourceOptions(provider=second))
    """)
    native.up(**without_keys)
    assert service.states() == ["running", "running"]
    assert secret not in stored_text(native)

    (file,) = native.folder.glob("Pulumi.dev.yaml")
    file.write_text(file.read_text().replace(secret, "rotated"))
    screen = native.run("refresh", "--yes", "--skip-preview", **without_keys).screen
    assert "401" in row(screen, "load"), "today's configuration counts, although the state has the right key"
    assert "401" not in row(screen, "other")
    load, other = (native.state_of(name)["id"] for name in ("load", "other"))
    screen = native.run("destroy", "--yes", "--skip-preview", **without_keys).screen
    assert "401" in row(screen, "load")
    assert service.states(load) == ["running"]
    assert service.states(other) == ["dead"], "the explicit provider has a key of its own"
    file.write_text(file.read_text().replace("rotated", secret))
    native.pulumi("destroy", "--yes", **without_keys)
    assert service.states() == ["dead", "dead"]
    assert json.loads(native.pulumi("stack", "output", "--json")) == {}


def test_a_secret_trigger_runs_the_job_when_it_changes_and_is_nowhere_in_plain(
    native: NativeProject, service: Service
) -> None:
    first, second = "first-trigger-value", "second-trigger-value"
    log = f"it is {first}"
    conf = {"spark.dli.local.timeline": "starting:0s,success", "spark.dli.local.log": log}

    def write(secret: str) -> None:
        native.write(f"""
            triggers = {{"day": pulumi.Output.secret("{secret}"), "table": "orders"}}
            BatchJob("load", file="load.py", queue="default", conf={conf!r}, triggers=triggers)
        """)

    write(first)
    screen = native.pulumi("preview", "--diff", "--save-plan", "plan.json")
    screen += native.up() + native.pulumi("refresh", "--yes", "--diff") + native.up("--expect-no-changes", "--diff")
    assert len(service.jobs()) == 1
    assert "it is [secret]" in native.pulumi("stack", "export", "--show-secrets"), "the job has printed it"

    write(second)
    screen += native.pulumi("preview", "--diff") + native.pulumi("preview", "--json")
    replaced = native.up()
    assert "load: must run again, because triggers changed." in row(replaced, "load")
    screen += replaced + native.up("--expect-no-changes", "--diff")
    assert len(service.jobs()) == 2
    assert not any("triggers" in job.body for job in service.jobs()), "triggers are not sent"

    shown = screen + stored_text(native) + (native.folder / "plan.json").read_text()
    assert first not in shown.replace(log, ""), "conf is not secret"
    assert second not in shown


def test_jobs_that_use_each_other_run_as_often_as_they_must(native: NativeProject, service: Service) -> None:
    program = """
        class Pipeline(pulumi.ComponentResource):
            def __init__(self, name, day):
                super().__init__("my:index:Pipeline", name)
                child = pulumi.ResourceOptions(parent=self)
                first = BatchJob("first", child, file="first.py", queue="default", args=[day])
                done = BatchJobWait("done", child, jobId=first.id, submittedTo=first.submittedTo, jobName="first")
                BatchJob("second", child, file="second.py", queue="default", args=[done.state])
                BatchJob("third", child, file="third.py", queue="default", triggers={{"job": first.id}})

        Pipeline("daily", "{day}")
    """
    service.play("first", "starting:0s,running:0.3s,success")
    native.write(program.format(day="monday"))
    assert "6 to create" in native.pulumi("preview")
    native.pulumi("up", "--yes")
    assert native.state_of("second")["outputs"]["args"] == ["success"]
    native.up("--expect-no-changes")
    native.write(program.format(day="tuesday"))
    native.pulumi("up", "--yes")
    files = [job.body["file"] for job in service.jobs()]
    assert sorted(files[:3]) == ["first.py", "second.py", "third.py"]
    assert sorted(files[3:]) == ["first.py", "third.py"], "the second job's argument is what it was"
    native.up("--expect-no-changes")


def test_a_killed_up_loses_no_job_and_runs_none_twice(native: NativeProject, service: Service) -> None:
    native.write(f"""
        BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}}})
    """)
    service.delay("POST", "/batches", 600, when="after")  # the id does not get into the state
    with started(native):
        eventually(service.jobs, bool)
    service.clear_faults()
    native.pulumi("cancel", "--yes")
    assert "load: adopted batch job" in row(native.up(), "load")
    (job,) = service.jobs()
    assert native.state_of("load")["id"] == job.id
