"""The recipes."""

import inspect
import re
import zipfile

import pytest

import pulumi_dli as dli
from pulumi_dli.local.testing import Service
from tests.docs.pages import block, blocks, section
from tests.docs.projects import shell
from tests.project import Project, variables_of


@pytest.mark.slow
def test_a_job_runs_with_every_deploy(project: Project, service: Service) -> None:
    project.write(block("recipes/deploy", "With every deploy", "python"))
    for commit, jobs in (("7d4b1c", 1), ("7d4b1c", 1), ("90ffe2", 2)):
        project.up(CI_COMMIT_SHA=commit)
        assert service.states() == ["success"] * jobs


@pytest.mark.slow
def test_a_job_runs_when_its_jar_changes(project: Project, service: Service) -> None:
    project.write(block("recipes/deploy", "When the script or the jar changes", "python"))
    jar = project.folder / "target" / "load.jar"
    jar.parent.mkdir()
    for year, content, jobs in ((2026, "a", 1), (2027, "a", 1), (2027, "b", 2)):
        with zipfile.ZipFile(jar, "w") as archive:
            archive.writestr(zipfile.ZipInfo("Load.class", (year, 1, 1, 0, 0, 0)), content)
        project.up()
        assert len(service.jobs()) == jobs


@pytest.mark.slow
def test_an_update_passes_as_soon_as_the_stream_runs(project: Project, service: Service) -> None:
    endless = 'conf={"spark.dli.local.timeline": "starting:0.1s,running"}'
    project.write(
        block("recipes/streaming", "A streaming job", "python").replace(
            "max_retry_times=100,", f"max_retry_times=100, {endless},"
        )
    )
    project.up()
    assert service.states() == ["running"]
    project.pulumi("destroy", "--yes")
    assert service.states() == ["dead"]


@pytest.mark.slow
def test_jobs_have_a_stack_of_their_own(project: Project, service: Service) -> None:
    infrastructure = Project(project.folder.with_name("infrastructure"), variables_of(service), name="infrastructure")
    infrastructure.write('pulumi.export("queue", "default")')
    infrastructure.up()
    project.environment["PULUMI_BACKEND_URL"] = infrastructure.environment["PULUMI_BACKEND_URL"]
    project.pulumi("stack", "init", "dev")
    project.pulumi("config", "set", "infrastructure", "organization/infrastructure/dev")
    project.write(block("recipes/separate-stack", "A stack for jobs", "python"))
    project.up()
    assert [job.queue for job in service.jobs()] == ["default"]


@pytest.mark.slow
def test_a_preview_needs_no_credentials(project: Project, service: Service) -> None:
    program = """
        for name in ("load", "extract"):
            dli.BatchJob(
                name, file="load.py", args=["{day}"] if name == "load" else None, queue="default",
                conf={{"spark.dli.local.timeline": "running"}},
            )
    """
    project.write(program.format(day="monday"))
    project.up()
    service.reset_calls()
    project.write(program.format(day="tuesday"))
    del project.environment["OS_SECRET_KEY"], project.environment["OS_ACCESS_KEY"]
    screen = shell(project, block("recipes/previews", "Without credentials", "sh"))
    assert "load: must run again, because args changed." in screen
    assert "1 to replace" in screen
    told = "could not read jobs whose end it does not know. They count as unchanged: no credentials found"
    assert screen.count(told) == 1
    assert service.calls() == {}


TERRAFORM = """
region queue_name name app_name app_parameters main_class jars files modules python_files dependent_packages group_name
packages package_name type configurations specification driver_memory driver_cores executor_memory executor_cores
executors max_retries
"""
"""The arguments of huaweicloud_dli_spark_job (docs/resources/dli_spark_job.md, 2026)."""


def test_every_argument_of_terraform_has_one_here() -> None:
    rows = re.findall(r"^\| (`.+) \| (.*`.+) \|$", section("recipes/from-terraform", "Arguments"), re.MULTILINE)
    theirs = {name for left, _ in rows for name in re.findall(r"`(\w+)`", left)}
    assert theirs == set(TERRAFORM.split())
    ours = [name for _, right in rows for name in re.findall(r"`(\w+)`", right)]
    nested = {"resources", "type"}
    assert set(ours) <= {*inspect.signature(dli.BatchJob).parameters} | nested


@pytest.mark.slow
def test_a_job_of_terraform_is_adopted_and_stays(project: Project, service: Service) -> None:
    request = {"file": "obs://demo/jobs/load.py", "className": "", "queue": "default", "name": "theirs"}
    job_id = service.submit(request | {"conf": {"spark.dli.local.timeline": "running"}})
    project.write(block("recipes/from-terraform", "A job that runs", "python"))
    shell(project, re.sub(r"adopt \S{36}", f"adopt {job_id}", block("recipes/from-terraform", "A job that runs", "sh")))
    assert project.state_of("load")["id"] == job_id
    project.up("--expect-no-changes")
    assert service.states() == ["running"]


@pytest.mark.slow
def test_an_update_does_what_its_plan_says(project: Project, service: Service) -> None:
    project.write('dli.BatchJob("load", file="load.py", queue="default").wait()')
    shell(project, block("recipes/previews", "With an update plan", "sh"))
    assert service.states() == ["success"]


@pytest.mark.slow
def test_a_stack_for_each_dli(project: Project, service: Service) -> None:
    local, cloud = blocks("recipes/local-to-cloud", "From local to cloud", "sh")
    project.write('dli.BatchJob("load", file="load.py", queue="default").wait()')
    for name in service.environment:
        project.environment.pop(name, None)
    shell(project, local.replace("./dli", str(service.server.data)))
    assert service.states() == ["success"]
    keys = [line for line in cloud.splitlines() if "--secret" in line]
    assert len(keys) == 2
    shell(project, "\n".join(f"{line} hunter2" if line in keys else line for line in cloud.splitlines()))
    screen = project.run("preview").screen
    assert "1 to create" in screen or "3 to create" in screen
    assert "hunter2" not in screen
