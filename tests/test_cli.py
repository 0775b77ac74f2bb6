"""The command line in the folder of a stack that a real `pulumi up` has made."""

import sys
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.plugin.native_project import NativeProject
from tests.project import Project, Run, variables_of

SECRET = "hunter2-hunter2"
PROGRAM = """
secret = pulumi.Config().require_secret("password")

def job(name, timeline, log, **more):
    conf = {"spark.dli.local.timeline": timeline, "spark.dli.local.log": log}
    return dli.BatchJob(name, file="obs://demo/load.py", queue="default", args=[secret], conf=conf, **more)

class Nightly(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("test:jobs:Nightly", "nightly")
        self.load = job("load", "running", "", opts=pulumi.ResourceOptions(parent=self))

done = job("done", "starting:0s,running:0.1s,success", "first\\npassword PASSWORD\\nlast")
done.wait()
job("load", "running", "")
job("stream", "running", "password PASSWORD")
job("once", "running", "", rerun_on_failure=False)
Nightly()
dli.BatchJob.get("theirs", done.id)
""".replace("PASSWORD", SECRET)


NATIVE_PROGRAM = """
import base64
import pulumi_dli as dli

secret = pulumi.Config().require_secret("password")
second = Provider("second", **ACCOUNT)

def inputs(timeline, log=""):
    conf = {"spark.dli.local.timeline": timeline, "spark.dli.local.log": log}
    return {"file": "obs://demo/load.py", "queue": "default", "args": ["in-plain", secret], "conf": conf}

done = BatchJob("done", **inputs("starting:0s,running:0.1s,success", "in-plain\\npassword PASSWORD\\nlast"))
BatchJobCompletion("done-end", batchJob=done.id)
stream = BatchJob("stream", **inputs("running", base64.b64encode(b"my PASSWORD").decode() + "\\nof-the-wait"))
BatchJobWait("stream-begun", jobId=stream.id, until="running", redact=["of-the-wait"])
BatchJob("load", **inputs("running"))
dli.BatchJob("load", **inputs("running"))
BatchJob("other", opts=pulumi.ResourceOptions(provider=second), **inputs("running", "it is PASSWORD"))
""".replace("PASSWORD", SECRET)


def account_of(service: Service) -> dict[str, str]:
    account = service.server.credentials
    place = {"endpoint": account.endpoint, "region": account.region, "projectId": account.project_id}
    return place | {"accessKey": account.access_key, "secretKey": account.secret_key}


def configure(project: Project, service: Service) -> None:
    """Put the account into the configuration of the stack, and only there."""
    project.pulumi("config", "set", "--secret", "password", SECRET)
    for key, value in account_of(service).items():
        project.pulumi("config", "set", "--secret", f"dli:{key}", value)
    for name in ("OS_REGION_NAME", "OS_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY", "DLI_ENDPOINT"):
        del project.environment[name]


@pytest.fixture
def stack(project: Project, service: Service) -> Project:
    """A stack with jobs, whose account is in its configuration."""
    configure(project, service)
    project.write(PROGRAM)
    project.up()
    assert "starting" not in service.states()
    return project


@pytest.fixture
def native_stack(tmp_path: Path, service: Service) -> Project:
    """A stack with jobs of both kinds and with an explicit provider."""
    project = NativeProject(tmp_path / "project", variables_of(service))
    configure(project, service)
    project.write(NATIVE_PROGRAM.replace("ACCOUNT", repr(account_of(service))))
    project.up()
    assert "starting" not in service.states()
    return project


class CommandLine:
    """Runs `pulumi-dli` in the folder of a stack, and keeps what it prints."""

    def __init__(self, stack: Project) -> None:
        self._stack = stack
        self.screens: list[str] = []

    def __call__(self, *arguments: str, code: int = 0, **variables: str) -> str:
        ended: Run = self._stack.execute(sys.executable, "-m", "pulumi_dli.cli", *arguments, **variables)
        self.screens.append(ended.screen)
        assert ended.code == code, ended.screen
        return ended.screen


@pytest.mark.slow
def test_the_jobs_of_a_stack_are_listed_read_and_cancelled_by_their_logical_names(
    stack: Project, service: Service
) -> None:
    run = CommandLine(stack)
    screens = run.screens
    rows = [line.split() for line in run("jobs").splitlines()[1:]]
    assert [row[:2] for row in rows] == [
        ["done", "success"],
        ["load", "running"],
        ["load", "running"],
        ["once", "running"],
        ["stream", "running"],
        ["theirs", "success"],
    ]
    ids = {row[0]: row[-1] for row in rows}
    assert ids["done"] == stack.state_of("done")["id"]
    assert run("--stack", "dev", "logs", "done", "--follow").splitlines()[:3] == ["first", "password [secret]", "last"]
    assert run("logs", ids["stream"]) == "password [secret]\n"
    assert f"id             {ids['done']}\n" in run("show", "done")
    assert "2 jobs of the stack have the name load." in run("show", "load", code=1)
    assert "(in nightly, urn:pulumi:dev::" in screens[-1]
    assert "there is no job 'steam' in stack dev. Did you mean stream?" in run("cancel", "steam", code=1)

    assert "The next `pulumi up` runs the job again." in run("cancel", "stream", "--yes")
    assert "does not run the job again" in run("cancel", "once", "--yes")
    assert "has ended (success)" in run("cancel", "done")
    stack.up()
    assert service.states("stream") == ["dead", "running"]
    assert service.states("once") == ["dead"]

    assert "no stack named 'production' found" in run("--stack", "production", "jobs", code=1)
    assert "incorrect passphrase" in run("jobs", code=1, PULUMI_CONFIG_PASSPHRASE="wrong")
    stack.pulumi("stack", "unselect")
    assert "no stack is selected" in run("jobs", code=1)
    account = service.server.credentials
    assert not any(secret in screen for screen in screens for secret in (SECRET, account.secret_key))
    assert all(line.startswith("pulumi-dli: ") for line in screens[-1].splitlines())


@pytest.mark.slow
def test_the_jobs_of_the_native_provider_are_too_and_their_secrets_are_masked(
    native_stack: Project, service: Service
) -> None:
    run = CommandLine(native_stack)
    rows = [line.split() for line in run("jobs").splitlines()[1:]]
    assert [row[:3] for row in rows] == [
        ["done", "success", "default"],
        ["load", "running", "default"],
        ["load", "running", "default"],
        ["other", "running", "default"],
        ["stream", "running", "default"],
    ]
    ids = {row[0]: row[-1] for row in rows}
    assert ids["done"] == native_stack.state_of("done")["id"]
    assert run("logs", "done", "--follow").splitlines()[:3] == ["in-plain", "password [secret]", "last"]
    in_base64, of_the_wait = run("logs", "stream").splitlines()
    assert "[secret]" in in_base64
    assert of_the_wait == "[secret]"
    assert run("logs", ids["other"]) == "it is [secret]\n"
    assert f"id             {ids['done']}\n" in run("show", "done")

    ambiguous = run("show", "load", code=1)
    for resource in native_stack.resources():
        if resource["urn"].endswith("BatchJob::load"):
            assert f"{resource['id']} ({resource['urn']})" in ambiguous
            assert f"id             {resource['id']}\n" in run("show", resource["id"])

    assert "set rerunOnFailure to false" in run("cancel", "stream", "--yes")
    assert service.states("stream") == ["dead"]
    native_stack.up()
    assert service.states("stream") == ["dead", "running"]

    native_stack.pulumi("config", "set", "--secret", "dli:secretKey", "rotated")
    assert "401" in run("show", "done", code=1), "the stack's configuration counts for the default provider"
    run("cancel", "other", "--yes")
    assert service.states("other") == ["dead"]
    account = service.server.credentials
    assert not any(secret in screen for screen in run.screens for secret in (SECRET, account.secret_key))
