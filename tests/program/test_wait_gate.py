"""The wait gate in the program, in real `pulumi up`s: who waits, how long, and what goes on meanwhile."""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import grpc
import psutil
import pulumi
import pytest

import pulumi_dli as dli
from pulumi_dli.local.testing import Service
from pulumi_dli.operations.notifier import Level
from pulumi_dli.program.interrupt import INTERRUPT_NOTE
from pulumi_dli.program.wait_gate import ProgramLog
from tests.local.api import Api
from tests.project import Project, read_until, started, variables_of
from tests.registrations import run

ENDLESS = "queue='default', conf={'spark.dli.local.timeline': 'starting:0s,running'}"


@pytest.mark.slow
def test_other_dynamic_resources_go_on_while_two_hundred_jobs_are_awaited(project: Project, service: Service) -> None:
    (project.folder / "other.py").write_text("""
import pulumi
from pulumi import dynamic

class Provider(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult("other", props)

class Other(dynamic.Resource):
    def __init__(self, name, value, opts=None):
        super().__init__(Provider(), name, {"value": value}, opts)
""")
    project.write(f"""
        from other import Other
        jobs = [dli.BatchJob(f"job{{number}}", file="a.py", args=[str(number)], {ENDLESS}) for number in range(200)]
        for job in jobs:
            job.wait()
        before = Other("before", 1)
        Other("after-submission", jobs[-1].id)
        for number in range(10):
            before = Other(f"chain{{number}}", before.value)
    """)
    with started(project) as up:
        read_until(up, " after-submission created", " chain9 created", "job0: running on queue default")
        assert len(service.jobs()) == 200
        for job in service.jobs():
            service.cancel(job.id)
        screen, _ = up.communicate()
    assert "is dead" in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize("options", [("--parallel", "1"), ()], ids=["one at a time", "in parallel"])
def test_jobs_that_depend_on_each_other_run_one_after_the_other(
    project: Project, service: Service, options: tuple[str, ...]
) -> None:
    project.write("""
        done = []
        for number in range(3):
            job = dli.BatchJob(
                f"job{number}", file="a.py", queue="default", conf={"spark.dli.local.timeline": "running:0.3s,success"},
                opts=pulumi.ResourceOptions(depends_on=done),
            )
            beside = dli.BatchJob(f"beside{number}", file="a.py", queue="default").wait()
            done = [job.wait()]
    """)
    project.up(*options)
    first, second, third = (service.jobs(f"job{number}")[0] for number in range(3))
    assert first.end_time and second.end_time
    assert first.end_time <= second.create_time < second.end_time <= third.create_time
    assert service.states() == ["success"] * 6


def test_an_interrupted_up_leaves_the_jobs_running_and_the_next_one_goes_on_waiting(
    project: Project, service: Service
) -> None:
    project.write(f"""
        stage = pulumi.ComponentResource("demo:index:Stage", "stage")
        for name, opts in (("extract", pulumi.ResourceOptions(parent=stage)), ("clean", None)):
            dli.BatchJob(name, file="a.py", args=[name], {ENDLESS}).wait(until="finished", opts=opts)
    """)
    with started(project) as up:
        read_until(up, "extract: running", "clean: running")
        os.killpg(up.pid, signal.SIGINT)
        screen, _ = up.communicate()
    assert up.returncode != 0
    assert INTERRUPT_NOTE in screen
    assert "Traceback" not in screen
    assert service.states() == ["running", "running"]

    with started(project) as up:
        screen = read_until(up, "extract: running", "clean: running")
        for job in service.jobs():
            service.cancel(job.id)
        screen += up.communicate()[0]
    assert up.returncode == 0
    assert re.search(r"BatchJob extract .*extract: running on queue default, waited", screen)
    assert re.search(r"BatchJob extract .*extract: dead, took", screen)
    assert re.search(r"BatchJob clean .*clean: running on queue default, waited", screen)
    assert service.states() == ["dead", "dead"]


def test_where_the_listing_is_refused_each_wait_asks_for_its_own_job(project: Project, service: Service) -> None:
    service.fail("GET", "/batches", status=403, count=None)
    project.write("""
        for name in ("extract", "clean"):
            pulumi.export(name, dli.BatchJob(name, file="a.py", args=[name], queue="default").wait().state)
    """)
    screen = project.up("--config", "dli:adopt=false")
    # The screen shows it as it comes, and again at the end.
    assert screen.count("the program cannot list the jobs, so each wait reads its own job") == 2
    assert (project.output("extract"), project.output("clean")) == ("success", "success")


@pytest.mark.parametrize("closed", ["DLI_WAIT", pytest.param("dli:wait", marks=pytest.mark.slow)])
def test_the_wait_gate_can_be_opened_for_a_command_that_is_not_to_wait(
    project: Project, service: Service, closed: str
) -> None:
    project.write(f"""
        dli.BatchJob("stream", file="a.py", {ENDLESS}).wait()
    """)
    with started(project) as up:
        read_until(up, "stream: running")
    project.pulumi("cancel", "--yes")
    if closed == "dli:wait":
        project.pulumi("config", "set", "dli:wait", "false")
        project.pulumi("destroy", "--yes", "--run-program")
    else:
        project.pulumi("destroy", "--yes", "--run-program", DLI_WAIT="0")
    assert service.states() == ["dead"]


def test_jobs_in_two_places_are_awaited_in_both(tmp_path: Path) -> None:
    with Service(tmp_path / "one") as one:
        (tmp_path / "two").mkdir(mode=0o700)
        shutil.copy(tmp_path / "one" / "credentials.json", tmp_path / "two")  # one account, two regions
        with Service(tmp_path / "two") as two:
            places = {"REGION_1": one, "REGION_2": two}
            endpoints = {f"HUAWEICLOUD_SDK_REGION_DLI_{name}": dli.endpoint for name, dli in places.items()}
            environment = variables_of(one) | endpoints
            del environment["DLI_ENDPOINT"]
            project = Project(tmp_path / "project", environment)
            project.write("""
                timeline = {"spark.dli.local.timeline": "running"}
                for region in ("region-1", "region-2"):
                    job = dli.BatchJob(region, file="a.py", queue="default", region=region, conf=timeline)
                    pulumi.export(region, job.wait(until="finished").state)
            """)
            with started(project) as up:
                read_until(up, "region-1: running on queue default", "region-2: running on queue default")
                for region, place in (("region-1", one), ("region-2", two)):
                    (job,) = place.jobs()
                    assert job.name.startswith(region)
                    place.cancel(job.id)
                up.communicate()
            assert (project.output("region-1"), project.output("region-2")) == ("dead", "dead")


def test_the_log_is_shown_as_it_comes_with_its_secrets_masked(project: Project, service: Service) -> None:
    project.write("""
        job = dli.BatchJob(
            "load", file="a.py", queue="default", args=[pulumi.Output.secret("swordfish")],
            conf={"spark.dli.local.timeline": "running", "spark.dli.local.log": "reading as swordfish\\nall read"},
            rerun_on_failure=False,
        )
        pulumi.export("job", job.wait(until="finished", stream_log=True).job_id)
    """)
    with started(project) as up:
        screen = read_until(up, "reading as [secret]", "all read")
        (job,) = service.jobs()
        service.cancel(job.id)
        screen += up.communicate()[0]
    assert "swordfish" not in screen
    assert project.output("job") == job.id  # a secret that is masked makes no secret of the id
    assert "all read" not in project.up("--expect-no-changes")


FRAMEWORK = "26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9"


@pytest.mark.parametrize(
    ("stream_log", "shows_framework"), [("True", False), pytest.param("'all'", True, marks=pytest.mark.slow)]
)
def test_the_log_of_a_short_job_is_shown_without_sparks_own_lines(
    project: Project, service: Service, stream_log: str, shows_framework: bool
) -> None:
    service.play("load", "running:0s,success", f"{FRAMEWORK}\n26/01/31 10:00:01 INFO etl: 3 rows\nRESULT=42")
    project.write(f"""
        job = dli.BatchJob("load", file="a.py", queue="default")
        job.wait(stream_log={stream_log})
    """)
    screen = project.up()
    assert "INFO etl: 3 rows" in screen
    assert "RESULT=42" in screen
    assert (FRAMEWORK in screen) is shows_framework
    assert "RESULT=42" not in project.up("--expect-no-changes")


def test_a_log_that_cannot_be_read_is_no_reason_to_fail(project: Project, service: Service) -> None:
    service.fail("GET", "/batches/{id}/log", status=404, code="APIG.0101", count=None)
    project.write("""
        dli.BatchJob(
            "load", file="a.py", queue="default",
            conf={"spark.dli.local.timeline": "running", "spark.dli.local.log": "all read"},
        ).wait(until="finished", stream_log=True)
    """)
    with started(project) as up:
        read_until(up, "all read")  # from the job's record
        service.cancel(service.jobs()[0].id)
        up.communicate()
    assert up.returncode == 0


AUTOMATION = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import pulumi
import pulumi_dli as dli
from pulumi import automation

def program():
    name = pulumi.get_stack()
    timeline = {"spark.dli.local.timeline": "running:1s,success"}
    done = dli.BatchJob(name, file="a.py", queue="default", conf=timeline).wait()
    pulumi.export("state", done.state)

def up(name):
    stack = automation.create_or_select_stack(
        name, "inline", program, opts=automation.LocalWorkspaceOptions(work_dir=sys.argv[1])
    )
    stack.preview()
    return stack.up().outputs["state"].value

names = ["one", "two", "three"]
with ThreadPoolExecutor(3) as pool:
    print(json.dumps(dict(zip(names, pool.map(up, names)))))
"""


@pytest.mark.slow
def test_several_inline_programs_in_one_process_wait_side_by_side(project: Project, service: Service) -> None:
    (project.folder / "automation.py").write_text(AUTOMATION)
    done = subprocess.run(
        ["python", "automation.py", str(project.folder)],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == dict.fromkeys(["one", "two", "three"], "success")
    assert service.states() == ["success"] * 3


def test_an_engine_that_has_ended_fails_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_message: str) -> None:
        raise grpc.RpcError("the engine has ended")

    log = ProgramLog()
    for name in ("debug", "warn"):
        monkeypatch.setattr(pulumi.log, name, fail)
    for level in Level:
        log.notify(level, "load", "goes on")


TIME_IS_OVER = 0.5
NOT_LISTED = {"status": 403, "count": None}


@pytest.mark.parametrize(
    ("timeline", "timeout", "failure", "counts"),
    [
        ("running", TIME_IS_OVER, {}, True),
        ("running", "5m", {"nth": 4, **NOT_LISTED}, True),  # three calls list the live jobs; then the wait gate opens
        ("running", "5m", NOT_LISTED, False),
        ("success", "5m", {}, False),
        ("success", 0, {}, False),
        ("success", "5m", NOT_LISTED, False),
        ("success", 0, NOT_LISTED, False),
    ],
)
def test_the_time_at_the_wait_gate_is_registered_only_if_the_provider_may_go_on_waiting(
    local_dli: Service, timeline: str, timeout: str | float, failure: dict[str, Any], *, counts: bool
) -> None:
    api = Api(local_dli.server.credentials)
    job_id = api.submit(timeline)
    api.wait(job_id, timeline)
    if failure:
        local_dli.fail("GET", "/batches", **failure)
    sent, _ = run(
        lambda: {"id": dli.BatchJobWait("wait", job_id=job_id, timeout=timeout).id},
        configuration={"dli:wait": "true"},
    )
    assert sent.inputs("wait").keys() == {"jobId", "until", "timeout", "jobName"} | ({"waited"} if counts else set())
    if counts:
        assert sent.inputs("wait")["waited"] >= (TIME_IS_OVER if timeout == TIME_IS_OVER else 0.1)


def test_an_update_of_other_targets_does_not_wait(project: Project, service: Service) -> None:
    project.write(f"dli.BatchJob('a', file='a.py', {ENDLESS})")
    project.up()
    project.write(f"""
        dli.BatchJob("a", file="a.py", {ENDLESS}).wait()
        dli.BatchJob("b", file="b.py", {ENDLESS})
    """)
    project.up("--target", "**::b")
    assert service.states() == ["running", "running"]


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs. A zombie has ended, though nobody has waited for it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_whose_engine_is_gone_ends(project: Project, service: Service) -> None:
    project.write(f"dli.BatchJob('a', file='a.py', {ENDLESS}).wait()")
    with started(project) as up:
        read_until(up, "a: running on queue default")
        family = psutil.Process(up.pid).children(recursive=True)
        (program,) = [one for one in family if "pulumi-language-python-exec" in " ".join(one.cmdline())]
        up.kill()
        while is_alive(program):  # pytest's time limit ends the test
            psutil.wait_procs([program], timeout=0.2)
        up.communicate()
    assert service.states() == ["running"]
