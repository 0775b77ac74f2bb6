"""Real `pulumi up`s with the component that waits outside the engine's slots."""

import os
import re
import signal
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service, SubmittedJob
from pulumi_dli.plugin.engine_slots import available_cpus
from tests.local.api import eventually
from tests.plugin.native_project import NativeProject
from tests.plugin.test_job_resource import SECRET
from tests.plugin.test_up import assert_gone, plugins_of
from tests.project import read_until, row, started, variables_of

pytestmark = pytest.mark.slow

PROGRAM = """
    load = BatchJob("load", file="load.py", queue="default", conf={{"spark.dli.local.timeline": "{timeline}"}})
    done = BatchJobCompletion("done", batchJob=load.id, until="{until}")
    BatchJob("after", file="after.py", queue="default", opts=pulumi.ResourceOptions(depends_on=[done]))
    pulumi.export("state", done.state)
"""


@pytest.fixture
def native(tmp_path: Path, service: Service) -> NativeProject:
    service.play("after", "starting:0s,success")
    return NativeProject(tmp_path / "project", variables_of(service))


def program(timeline: str, until: str = "success") -> str:
    return PROGRAM.format(timeline=timeline, until=until)


def files(service: Service) -> list[str]:
    return [str(job.body["file"]) for job in service.jobs()]


def runs_of(service: Service, file: str) -> list[SubmittedJob]:
    return [job for job in service.jobs() if job.body["file"] == file]


def test_what_depends_on_a_completion_starts_when_the_job_has_succeeded(
    native: NativeProject, service: Service
) -> None:
    native.write(program("starting:0s,running:0.5s,success"))
    assert "5 to create" in native.pulumi("preview")
    assert service.jobs() == []
    native.up()
    load, after = service.jobs()
    assert load.end_time is not None
    assert after.create_time >= load.end_time
    assert native.output("state") == "success"
    assert native.output("state") == native.state_of("done")["outputs"]["state"]

    service.reset_calls()
    native.up("--expect-no-changes")
    assert not any(call.startswith("POST") for call in service.calls())
    native.pulumi("refresh", "--yes")
    native.pulumi("destroy", "--yes")
    assert native.resources() == []


def test_a_dead_job_fails_its_completion_and_nothing_behind_it_starts(native: NativeProject, service: Service) -> None:
    native.write(program("starting:0s,running:0.3s,dead"))
    screen = native.failing_up()
    (load,) = service.jobs()
    assert f"load: batch job {load.id} is dead" in row(screen, "done")
    assert "has a problem" not in screen
    assert "connection" not in screen
    assert "Traceback" not in screen

    screen = native.failing_up("--continue-on-error")
    assert "with --continue-on-error too, nothing starts" in screen.lower()
    assert files(service) == ["load.py", "load.py"]

    native.write(program("starting:0s,success"))
    native.up()
    assert files(service) == ["load.py", "load.py", "load.py", "after.py"]


def test_an_interrupted_completion_ends_at_once_and_the_next_up_goes_on(
    native: NativeProject, service: Service
) -> None:
    native.write(program("starting:0s,running", until="finished"))
    with started(native) as up:
        shown = read_until(up, "running on queue default")
        plugins = plugins_of(up.pid)
        os.kill(up.pid, signal.SIGINT)
        screen, _ = up.communicate(timeout=60)
        assert_gone(plugins)
    assert re.search(r"done creating \(\d+s\) load: running on queue default", shown)
    (load,) = service.jobs()
    assert (
        f"the wait ended early, because of ^C or because another resource failed. Batch job {load.id} goes on"
        in row(screen, "done")
    )
    assert "has a problem" not in screen
    assert "Traceback" not in screen
    assert native.state_of("load")["id"] == load.id
    assert service.states() == ["running"]

    with started(native) as up:
        read_until(up, "running on queue default")
        service.cancel(load.id)
        screen, _ = up.communicate(timeout=120)
    assert up.returncode == 0, screen
    assert files(service) == ["load.py", "after.py"]


def test_a_completion_keeps_the_secrets_of_its_job(native: NativeProject, service: Service) -> None:
    native.write(f"""
        conf = {{"spark.dli.local.timeline": "starting:0s,dead", "spark.dli.local.log": "it is {SECRET}!"}}
        load = BatchJob("load", file="load.py", queue="default", conf=conf, rerunOnFailure=False,
                        args=[pulumi.Output.secret("{SECRET}")])
        done = BatchJobCompletion("done", batchJob=load.id, until="finished", rerunOnFailure=False)
        behind = pulumi.ResourceOptions(depends_on=[done])
        BatchJobCompletion("strict", batchJob=load.id, rerunOnFailure=False, opts=behind)
    """)
    screen = native.failing_up() + native.failing_up("--diff")
    assert "it is [secret]!" in screen
    (file,) = (native.folder / "state" / ".pulumi" / "stacks").glob("*/dev.json")
    state = file.read_text().replace(f"it is {SECRET}!", "", 2)  # conf is not secret, and is an input and an output
    assert SECRET not in state
    assert SECRET not in screen


def test_long_waits_do_not_hold_back_other_jobs(native: NativeProject, service: Service) -> None:
    count = 4 * available_cpus() + 2
    native.write(f"""
        endless = {{"spark.dli.local.timeline": "starting:0s,running"}}
        for number in range({count}):
            name = f"long{{number}}"
            job = BatchJob(name, file="long.py", queue="default", conf=endless)
            BatchJobCompletion(f"{{name}}-done", batchJob=job.id, until="finished", rerunOnFailure=False)
        short = {{"spark.dli.local.timeline": "starting:0s,running:0.5s,success"}}
        a = BatchJob("a", file="a.py", queue="default", conf=short)
        done = BatchJobCompletion("a-done", batchJob=a.id)
        BatchJob("b", file="b.py", queue="default", opts=pulumi.ResourceOptions(depends_on=[done]))
    """)
    with started(native) as up:
        eventually(lambda: files(service), lambda found: "b.py" in found)
        long = eventually(lambda: runs_of(service, "long.py"), lambda found: len(found) == count)
        assert [job.end_time for job in long] == [None] * count, "the job behind the short one has waited for them"
        for job in long:
            service.cancel(job.id)
        screen, _ = up.communicate(timeout=120)
    assert up.returncode == 0, screen
