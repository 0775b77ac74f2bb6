"""The page about the two resources."""

from pulumi_dli.local.testing import Service
from tests.docs.pages import block
from tests.project import Project


def test_the_job_of_the_page_runs_and_is_awaited(project: Project, service: Service) -> None:
    project.write(block("batch-job", "BatchJob and BatchJobWait", "python"))
    project.up()
    assert service.states() == ["success"]
    assert service.jobs()[0].body["numExecutors"] == 2


def test_a_job_of_somebody_else_is_read_and_never_cancelled(project: Project, service: Service) -> None:
    request = {"file": "load.py", "className": "", "queue": "default", "name": "theirs"}
    theirs = service.submit(request | {"conf": {"spark.dli.local.timeline": "running"}})
    code = block("batch-job", "A job of somebody else", "python")
    project.write(code.replace("5f0c2d6e-8a41-4b7d-9a53-1c6f0e7b2d94", theirs))
    project.up()
    assert project.output("nightly") == "running"
    project.pulumi("destroy", "--yes")
    assert service.states() == ["running"]
