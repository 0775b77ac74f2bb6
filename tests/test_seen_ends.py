"""What an `up` of the stack has seen counts, also after the service has deleted the record. Each `up` is a real one."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project, row, variables_of

JOBS = """
    def job(name):
        return dli.BatchJob(name, file="obs://demo/load.py", queue="default", on_record_expired="rerun")

    job("waited").wait()
    job("unwatched")
"""
STATE_OUT_OF_REACH = """
    from pulumi_dli.program import seen_ends
    seen_ends._FUNCTION = "pulumi:pulumi:noSuchFunction"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "dli"


@pytest.fixture
def ran(tmp_path: Path, data: Path) -> Project:
    """A stack whose jobs have succeeded, and one of them was waited for. The service is gone."""
    with Service(data) as service:
        project = Project(tmp_path / "project", variables_of(service))
        project.write(JOBS)
        project.up()
    return project


def later(data: Path) -> Service:
    """The same service some hours later: it has deleted the records of all jobs that have ended."""
    return Service(data, keep_finished=-1)


def test_a_job_does_not_run_again_if_its_wait_saw_its_success(ran: Project, data: Path) -> None:
    with later(data) as service:
        screen = ran.pulumi("refresh", "--yes", **variables_of(service))
        assert "has deleted the record of batch job" in row(screen, "waited")
        for invitation in ("--replace", "run again", "nobody"):
            assert invitation not in screen
        assert "waited: must run again" not in ran.up(**variables_of(service))
        assert service.calls()["POST /batches"] == 1, "of the job that nobody waited for"
        ran.up("--expect-no-changes", "--refresh", "--target", "**BatchJob::waited", **variables_of(service))


@pytest.mark.slow
def test_a_job_with_a_wait_does_not_run_again_if_the_state_cannot_be_read(ran: Project, data: Path) -> None:
    ran.write(STATE_OUT_OF_REACH + JOBS)
    with later(data) as service:
        screen = ran.up(**variables_of(service))
        assert service.calls()["POST /batches"] == 1, "of the job that has no wait"
    assert "the program could not read this stack's own state" in row(screen, "jobs-dev")
    assert "the program could not read whether its wait has seen the end" in row(screen, "waited")
    assert "pulumi up --replace '**dli:BatchJob::waited'" in row(screen, "waited")
    assert "must run again, because the service has deleted the record of the last run" in row(screen, "unwatched")


@pytest.mark.slow
def test_a_wait_that_is_new_passes_if_a_refresh_has_seen_the_success(ran: Project, data: Path) -> None:
    with Service(data) as service:
        ran.pulumi("refresh", "--yes", **variables_of(service))
    ran.write(JOBS.replace('job("unwatched")', 'pulumi.export("state", job("unwatched").wait().state)'))
    with later(data) as service:
        ran.up(**variables_of(service))
        assert "POST /batches" not in service.calls()
    assert ran.output("state") == "success"
