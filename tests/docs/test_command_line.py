"""The page about the command line."""

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import block
from tests.docs.projects import shell
from tests.project import Project


@pytest.mark.slow
def test_the_commands_of_the_page_work(project: Project, service: Service) -> None:
    service.play("load", "running", log="42 rows")
    project.write('dli.BatchJob("load", file="load.py", queue="default")')
    project.up()
    jobs, show, logs, cancel = block("command-line", "Command line", "sh").splitlines()
    assert "running" in shell(project, jobs)
    assert "load" in shell(project, show)
    assert shell(project, f"{logs} & sleep 0\n{cancel}\nwait").count("42 rows") == 1
    assert service.states() == ["dead"]
