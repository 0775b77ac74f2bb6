"""What today's code does with the waits of a stack that 0.1.0 made: it registers them in another way."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.compat.old_stack import LIVE, SUCCESS
from tests.compat.versions import TODAY, Version, unpack_0_1_0
from tests.project import Project

PROGRAM = """
    stage = pulumi.ComponentResource("demo:index:Stage", "stage")
    under_stage = pulumi.ResourceOptions(parent=stage)

    def job(form, opts=None, **arguments):
        return dli.BatchJob(form, file=f"{form}.py", queue="default", opts=opts, **arguments)

    job("plain").wait()
    timed = job("timed").wait(timeout="5m")
    job("live").wait("running", "5m")
    job("child", under_stage).wait(timeout="5m")
    job("secret", args=[pulumi.Output.secret("hunter2")]).wait(timeout="5m")
    job("parent").wait(timeout="5m", opts=under_stage)
    dli.BatchJobWait("direct", job_id=timed.job_id, timeout="5m")
    dli.jobs_from_config()
"""

CONFIGURATION = """
config:
  dli:jobs:
    first: {file: first.py, queue: default, wait: {timeout: 2h}}
    second: {file: second.py, queue: default, dependsOn: [first], wait: true}
"""

FORMS = ("plain", "timed", "child", "secret", "parent", "first", "second")


@pytest.fixture
def old(tmp_path: Path) -> Version:
    return unpack_0_1_0(tmp_path / "0.1.0")


@pytest.fixture
def project(tmp_path: Path, local_dli: Service, old: Version) -> Project:
    """A stack that 0.1.0 made. All its jobs have ended, save for one."""
    for form in FORMS:
        local_dli.play(form, SUCCESS)
    local_dli.play("live", LIVE)
    project = Project(tmp_path / "project", local_dli.environment)
    project.write(PROGRAM)
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text().rstrip() + CONFIGURATION)
    project.up(**old)
    assert "waited" in project.state_of("timed-success")["inputs"]
    local_dli.reset_calls()
    return project


def submissions_and_cancels(local_dli: Service) -> int:
    calls = local_dli.calls()
    return calls.get("POST /batches", 0) + calls.get("DELETE /batches/{id}", 0)


@pytest.mark.slow
def test_no_wait_is_updated_and_an_update_plan_holds(project: Project, local_dli: Service, old: Version) -> None:
    experimental = {"PULUMI_EXPERIMENTAL": "true"}
    project.pulumi("preview", "--expect-no-changes", "--save-plan", "plan.json", **TODAY, **experimental)
    project.up("--expect-no-changes", "--plan", "plan.json", **TODAY, **experimental)
    assert "waited" not in project.state_of("timed-success")["inputs"]
    assert "BatchJob$" not in project.pulumi("stack", "--show-urns")
    # 0.1.0 makes its waits anew. They only read.
    assert "BatchJobWait child-success created" in project.up(**old)
    project.up("--expect-no-changes", **TODAY)
    assert submissions_and_cancels(local_dli) == 0


def test_a_wait_is_kept_where_its_job_moves_or_is_renamed_in_the_upgrade(project: Project, local_dli: Service) -> None:
    program = (project.folder / "__main__.py").read_text()
    for before, after in {
        'job("plain").wait()': 'moved("plain", parent=stage, aliases=[pulumi.Alias(parent=None)])',
        'job("secret", args=[pulumi.Output.secret("hunter2")]).wait(timeout="5m")': (
            'moved("renamed", "secret", parent=stage, aliases=[pulumi.Alias(name="secret", parent=None)],'
            ' args=[pulumi.Output.secret("hunter2")])'
        ),
        'job("child", under_stage).wait(timeout="5m")': (
            'moved("child", aliases=[f"urn:pulumi:dev::jobs::demo:index:Stage$'
            'pulumi-python:dynamic/dli:BatchJob::child"])'
        ),
    }.items():
        assert before in program
        program = program.replace(before, after)
    (project.folder / "__main__.py").write_text(
        program.replace(
            "def job(",
            """def moved(name, form=None, args=None, **options):
    opts = pulumi.ResourceOptions(**options)
    return dli.BatchJob(name, file=f"{form or name}.py", queue="default", args=args, opts=opts).wait()

def job(""",
        )
    )
    screen = project.up(**TODAY)
    assert "BatchJobWait" not in screen
    assert submissions_and_cancels(local_dli) == 0
    # The state has moved the waits: the program needs no aliases any more.
    parents = {name: project.state_of(f"{name}-success")["parent"].split("::")[-1] for name in ("plain", "renamed")}
    assert parents == {"plain": "stage", "renamed": "stage"}
    assert project.state_of("child-success")["parent"].split("::")[-1] == "jobs-dev"
