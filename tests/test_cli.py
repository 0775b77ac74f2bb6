"""The command line in the folder of a stack that a real `pulumi up` has made."""

import sys

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project, Run

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


@pytest.fixture
def stack(project: Project, service: Service) -> Project:
    """A stack with jobs, whose account is in its configuration."""
    account = service.server.credentials
    project.pulumi("config", "set", "--secret", "password", SECRET)
    for key, value in {
        "endpoint": account.endpoint,
        "region": account.region,
        "projectId": account.project_id,
        "accessKey": account.access_key,
        "secretKey": account.secret_key,
    }.items():
        project.pulumi("config", "set", "--secret", f"dli:{key}", value)
    for name in ("OS_REGION_NAME", "OS_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY", "DLI_ENDPOINT"):
        del project.environment[name]
    project.write(PROGRAM)
    project.up()
    return project


@pytest.mark.slow
def test_the_jobs_of_a_stack_are_listed_read_and_cancelled_by_their_logical_names(
    stack: Project, service: Service
) -> None:
    screens: list[str] = []

    def run(*arguments: str, code: int = 0, **variables: str) -> str:
        ended: Run = stack.execute(sys.executable, "-m", "pulumi_dli.cli", *arguments, **variables)
        screens.append(ended.screen)
        assert ended.code == code, ended.screen
        return ended.screen

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
    assert "(in nightly)" in screens[-1]
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
