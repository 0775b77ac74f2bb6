"""A stack of dynamic resources goes on with native ones: real `pulumi up`s."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.plugin.native_project import NativeProject
from tests.project import Project, row, variables_of

pytestmark = pytest.mark.slow

DYNAMIC = """
    endless = {"spark.dli.local.timeline": "starting:0s,running"}
    load = dli.BatchJob("load", file="load.py", queue="default", args=["a", pulumi.Output.secret("hunter2hunter2")],
                        conf=endless)
    short = {"spark.dli.local.timeline": "starting:0s,success"}
    first = dli.BatchJob("first", file="first.py", queue="default", conf=short)
    first.wait()
"""
NATIVE = """
    def alias(name):
        return pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=f"pulumi-python:dynamic/dli:{name}")])

    endless = {"spark.dli.local.timeline": "starting:0s,running"}
    load = BatchJob("load", alias("BatchJob"), file="load.py", queue="default",
                    args=["a", pulumi.Output.secret("hunter2hunter2")], conf=endless)
    short = {"spark.dli.local.timeline": "starting:0s,success"}
    first = BatchJob("first", alias("BatchJob"), file="first.py", queue="default", conf=short)
    BatchJobWait("first-success", alias("BatchJobWait"), jobId=first.id, jobName="first", submittedTo=first.submittedTo)
"""


@pytest.fixture
def dynamic(tmp_path: Path, service: Service) -> Project:
    project = Project(tmp_path / "project", variables_of(service))
    project.write(DYNAMIC)
    project.up()
    return project


@pytest.fixture
def native(dynamic: Project, tmp_path: Path, service: Service) -> NativeProject:
    """The same stack, in a folder with the native provider."""
    (tmp_path / "native").mkdir()
    project = NativeProject(tmp_path / "native" / "project", variables_of(service))
    exported = tmp_path / "stack.json"
    dynamic.pulumi("stack", "export", "--file", str(exported))
    project.write("")
    project.pulumi("stack", "import", "--file", str(exported))
    project.write(NATIVE)
    return project


def test_nothing_runs_and_nothing_is_cancelled(native: NativeProject, service: Service) -> None:
    before = service.jobs()
    service.reset_calls()
    screen = native.pulumi("preview", "--diff") + native.up()
    assert "to create" not in screen
    assert "to replace" not in screen
    assert "to delete" not in screen
    assert not [call for call in service.calls() if call.split()[0] != "GET"]
    assert [job.id for job in service.jobs()] == [job.id for job in before]
    assert sorted(service.states()) == ["running", "success"]
    native.up("--expect-no-changes")
    for one in native.resources():
        assert "__provider" not in one.get("outputs", {})
        assert "python:dynamic" not in one["urn"]
    assert "hunter2hunter2" not in screen
    native.pulumi("destroy", "--yes")
    assert sorted(service.states()) == ["dead", "success"]


@pytest.mark.parametrize("is_migrated", [False, True])
def test_a_forced_replacement_of_the_running_job_is_one_live_run(
    native: NativeProject, service: Service, is_migrated: bool
) -> None:
    if is_migrated:
        native.up()
    (live,) = (job.id for job in service.jobs() if not job.state.is_final)
    target = "**dli:index:BatchJob::load"
    screen = native.failing_up("--replace", target)
    assert "load: nothing was submitted, because batch job" in row(screen, "load")
    assert "Traceback" not in screen
    assert [job.id for job in service.jobs() if not job.state.is_final] == [live]
    assert native.state_of("load")["id"] == live

    native.write(NATIVE.replace("ResourceOptions(aliases", "ResourceOptions(delete_before_replace=True, aliases"))
    native.up("--replace", target)
    (again,) = (job.id for job in service.jobs() if not job.state.is_final)
    assert again != live
    native.up("--expect-no-changes")
