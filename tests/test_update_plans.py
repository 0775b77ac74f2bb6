"""Update plans: `pulumi preview --save-plan`, and the `pulumi up --plan` that must do just that."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from pulumi_dli.local.testing import Service
from tests.local.api import Api
from tests.project import Project

EXPERIMENTAL = {"PULUMI_EXPERIMENTAL": "true"}
"""`pulumi up` knows `--plan` only with it. An `up` without `--skip-preview` then follows the plan of its preview."""

EVERY_KIND = """
    secret = pulumi.Output.secret
    ends = {"spark.dli.local.timeline": "running:0s,success"}
    goes_on = {"spark.dli.local.timeline": "running"}

    def job(name, opts=None, **arguments):
        arguments = {"file": f"{name}.py", "queue": "default", "conf": ends} | arguments
        return dli.BatchJob(name, opts=opts, **arguments)

    # Each option of a wait.
    job("plain").wait()
    job("text").wait(timeout="5m")
    job("number").wait("finished", 300.5)
    job("streamed").wait(timeout="5m", stream_log=True)
    job("output").wait(timeout=pulumi.Output.from_input("5m"))
    job("hidden").wait(timeout=secret("5m"))
    job("after").wait(timeout="5m", opts=pulumi.ResourceOptions(depends_on=[job("before")]))
    live = job("live", conf=goes_on)
    live.wait("running", "5m")

    # Each kind of job, and of a wait.
    job("secret", args=[secret("swordfish"), "plain"], triggers={"key": secret("swordfish")}).wait(timeout="5m")
    job("unknown", args=[secret(live.id), "plain"], triggers={"key": live.id.apply(secret)}).wait(timeout="5m")
    job("triggered", triggers={"file": dli.file_digest("Pulumi.yaml"), "other": live.id, "n": 1}).wait(timeout="5m")
    job("replaced", opts=pulumi.ResourceOptions(replacement_trigger="monday")).wait(timeout="5m")
    job("options", rerun_on_failure=False, on_record_expired="keep", when_running="refuse", cancel_timeout=60)
    job("adopted", file="ended.py", adopt_id="ENDED").wait(timeout="5m")
    job("located", region="REGION", project_id="PROJECT").wait(timeout="5m")
    stage = pulumi.ComponentResource("demo:index:Stage", "stage")
    job("child", opts=pulumi.ResourceOptions(parent=stage)).wait(timeout="5m")
    dli.BatchJob.get("got", "ENDED").wait(timeout="5m")
    dli.BatchJobWait("direct", job_id="ENDED", timeout=0)

    jobs = dli.jobs_from_config(pulumi.ResourceOptions(parent=stage))
    jobs["own"].wait("running", timeout="5m")
"""

CONFIGURATION = """
config:
  dli:jobDefaults:
    queue: default
    wait: {timeout: 2h}
  dli:jobs:
    extract: {file: extract.py}
    load: {file: load.py, args: [monday], dependsOn: [extract], wait: {until: finished, timeout: 90}}
    report: {file: report.py, rerunWith: [load], wait: {streamLog: true}}
    own: {file: own.py, wait: false}
"""


def configure(project: Project, configuration: str) -> None:
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text().split("\nconfig:")[0].rstrip() + configuration)


def planned(project: Project) -> tuple[str, ...]:
    """Save a plan. Give the arguments of an `up` that must do just that."""
    project.pulumi("preview", "--save-plan", "plan.json", **EXPERIMENTAL)
    return "--plan", "plan.json"


def registered(project: Project) -> dict[str, Any]:
    """Give what the program registered last, by URN and name. A step that changes nothing stores it too."""
    exported = json.loads(project.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]
    return {
        f"{resource['urn']} {name}": sorted(value) if name == "dependencies" else value
        for resource in exported
        for name, value in resource.items()
        if name not in ("urn", "modified", "outputs")
    }


def runs(service: Service) -> Counter[str]:
    """Count the runs of each file."""
    return Counter(job.body["file"] for job in service.jobs())


@pytest.mark.slow
def test_two_runs_of_a_program_register_the_same_and_a_plan_of_it_holds(project: Project, service: Service) -> None:
    api = Api(service.server.credentials)
    ended = api.submit("success", file="ended.py")
    api.wait(ended, "success")
    account = service.server.credentials
    configure(project, CONFIGURATION)
    project.write(
        EVERY_KIND.replace("ENDED", ended).replace("REGION", account.region).replace("PROJECT", account.project_id)
    )
    project.up()
    before, runs_before = registered(project), runs(service)

    project.up("--expect-no-changes", *planned(project), **EXPERIMENTAL)

    after = registered(project)
    assert {key: (value, after.get(key)) for key, value in before.items() if value != after.get(key)} == {}
    assert after.keys() == before.keys()
    assert runs(service) == runs_before


@pytest.mark.slow
def test_a_plan_runs_the_job_that_changed_and_no_other(project: Project, service: Service) -> None:
    configure(project, CONFIGURATION)
    project.write("""
        dli.jobs_from_config()
        text = dli.BatchJob("text", file="text.py", args=["monday"], queue="default")
        text.wait(timeout="5m")
        size, secret = text.id.apply(lambda _: "4G"), pulumi.Output.secret("5G")
        dli.BatchJob("sized", file="sized.py", queue="default", executor_memory=size)
        dli.BatchJob("secret", file="secret.py", queue="default", executor_memory=secret, args=[text.id])
    """)
    project.up(*planned(project), **EXPERIMENTAL)
    assert "5G" not in project.pulumi("stack", "export")
    first = runs(service)
    jobs = ["extract", "load", "report", "own", "text", "sized", "secret"]
    assert first == Counter([f"{job}.py" for job in jobs])

    configure(project, CONFIGURATION.replace("monday", "tuesday"))
    project.up(*planned(project), **EXPERIMENTAL)
    assert runs(service) - first == Counter(["load.py", "report.py"])
    project.up("--expect-no-changes", *planned(project), **EXPERIMENTAL)


@pytest.mark.slow
def test_a_wait_whose_time_is_over_says_so_under_a_plan_too(project: Project, service: Service) -> None:
    project.write("""
        timeline = {"spark.dli.local.timeline": "running"}
        dli.BatchJob("stream", file="stream.py", queue="default", conf=timeline).wait(timeout="1s")
    """)
    for screen in (
        project.run("up", "--yes", **EXPERIMENTAL).screen,
        project.failing_up(*planned(project), **EXPERIMENTAL),
    ):
        assert re.search(r"is still \w+ after a wait of 1\.0 s", screen)
        assert "violates plan" not in screen
    assert runs(service) == Counter(["stream.py"])
