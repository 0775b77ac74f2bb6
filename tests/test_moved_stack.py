"""A stack that was used against one DLI, and then against another one. Each command is a real one."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project, row, variables_of

JOBS = """
    def job(name, version, end):
        conf = {"spark.dli.local.timeline": "starting:0s,running" + end}
        return dli.BatchJob(name, file="obs://demo/load.py", queue="default", conf=conf, triggers={"version": version})

    job("load", LOAD, ":0.1s,success").wait()
    job("live", LIVE, "")
"""


def program(load: int = 1, live: int = 1) -> str:
    return JOBS.replace("LOAD", str(load)).replace("LIVE", str(live))


@pytest.fixture
def earlier_project(tmp_path: Path) -> str:
    """The id of the project at the earlier service, which is gone."""
    with Service(tmp_path / "earlier") as service:
        return service.server.credentials.project_id


@pytest.fixture
def moved(tmp_path: Path, earlier_project: str, service: Service) -> Project:
    """A stack with a job whose end was seen and one that was live. Its settings name another service now."""
    with Service(tmp_path / "earlier") as earlier:
        assert earlier.server.credentials.project_id == earlier_project
        project = Project(tmp_path / "project", variables_of(earlier))
        project.write(program())
        project.up()
    project.environment |= variables_of(service)
    return project


@pytest.mark.parametrize(
    "command", [("up", "--yes", "--skip-preview"), pytest.param(("preview",), marks=pytest.mark.slow)]
)
def test_up_and_preview_tell_that_nothing_ran_at_the_new_place(
    moved: Project, service: Service, earlier_project: str, command: tuple[str, ...]
) -> None:
    screen = moved.pulumi(*command)
    here = service.server.credentials.project_id
    run = moved.state_of("load")["id"]
    assert row(screen, "load") == (
        f"warning: load: batch job {run} ran in region local-1, project {earlier_project}. The settings now name "
        f"region local-1, project {here}. `pulumi up` does not run the job there by itself. To run it there, run "
        "`pulumi up --replace '**dli:BatchJob::load'`.\n\n"
    )
    assert service.jobs() == []


def test_a_job_whose_end_its_wait_saw_is_replaced_and_destroyed_without_the_old_place(
    moved: Project, service: Service
) -> None:
    moved.pulumi("destroy", "--yes", "--target", "**BatchJob::load", "--target-dependents")
    moved.up("--target", "**BatchJob::load", "--target", "**BatchJobWait::load-success")
    assert service.states("load") == ["success"]


@pytest.mark.slow
def test_a_job_that_may_go_on_at_the_old_place_is_let_go_of_only_if_the_user_says_so(
    moved: Project, service: Service, earlier_project: str
) -> None:
    moved.write(program(load=2))
    moved.up()
    assert service.states("load") == ["success"], "its wait has seen the end of the earlier run"
    moved.write(program(load=2, live=2))
    screen = moved.failing_up()
    assert f"DLI_FORGET={earlier_project}" in row(screen, "live")
    assert service.states("live") == []
    for command in (("refresh", "--yes"), ("destroy", "--yes")):
        failed = moved.run(*command)
        assert failed.code != 0
        assert f"DLI_FORGET={earlier_project}" in row(failed.screen, "live")
    moved.pulumi("refresh", "--yes", DLI_FORGET=earlier_project)

    moved.pulumi("config", "set", "dli:forget", earlier_project)
    screen = moved.up()
    assert row(screen, "jobs-dev").count(f"dli:forget names project {earlier_project}") == 1
    assert service.states("live") == ["running"]
    moved.up("--expect-no-changes")
    moved.pulumi("destroy", "--yes")
    assert service.states("live") == ["dead"]


def test_destroy_lets_go_of_the_jobs_of_a_project_that_the_environment_names(
    moved: Project, service: Service, earlier_project: str
) -> None:
    screen = moved.pulumi("destroy", "--yes", DLI_FORGET=earlier_project)
    assert "a job that still runs there goes on" in row(screen, "jobs-dev")
    assert moved.resources() == []
    assert service.calls() == {}
