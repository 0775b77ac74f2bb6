"""The page about jobs in the configuration."""

import re

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import block, section
from tests.docs.projects import configure, ran, shell
from tests.project import Project


@pytest.mark.slow
def test_the_configured_jobs_run_in_their_order_and_every_night(project: Project, service: Service) -> None:
    (project.folder / "__main__.py").write_text(block("jobs-from-config", "Jobs from configuration", "python"))
    configure(project, block("jobs-from-config", "Jobs from configuration", "yaml"))
    project.up()
    assert ran(service) == ["extract", "load"]
    shell(project, block("jobs-from-config", "Numbers and dates", "sh"))
    project.up()
    assert ran(service) == ["extract", "load", "load"]
    changed = service.jobs()[-1].body
    assert changed["args"][1] == "20261125"
    assert changed["conf"]["spark.example.password"] == "hunter2"
    screen = shell(project, block("recipes/nightly", "Every night", "sh"))
    assert "hunter2" not in screen
    assert ran(service)[3:] == ["extract", "load"]


def test_the_table_of_a_block_has_every_key_that_is_no_argument() -> None:
    documented = re.findall(r"^\| `(\w+)`", section("jobs-from-config", "Keys of a block"), re.MULTILINE)
    assert documented == ["wait", "dependsOn", "rerunWith"]


def test_the_message_of_a_wrong_type_is_as_it_stands_there(project: Project) -> None:
    (message,) = re.findall(r"`(dli:jobs\.load\.args\[1\]: [^`]+)`", section("jobs-from-config", "Numbers and dates"))
    (project.folder / "__main__.py").write_text(block("jobs-from-config", "Jobs from configuration", "python"))
    configure(project, block("jobs-from-config", "Jobs from configuration", "yaml").replace('"2026-11-24"', "20261124"))
    assert message in project.failing_up()


def test_the_jobs_of_a_file_have_the_values_that_are_written(project: Project, service: Service) -> None:
    project.pulumi("config", "set", "--secret", "load.password", "hunter2")
    (project.folder / "jobs.yaml").write_text(
        block("jobs-from-config", "A file of its own", "yaml").replace("batch", "default")
    )
    project.write(block("jobs-from-config", "A file of its own", "python"))
    screen = project.up()
    (job,) = service.jobs()
    assert job.body["args"] == ["--day", "2026-11-29", "--password", "hunter2"]
    assert job.body["conf"]["spark.example.version"] == "3.10"
    assert "hunter2" not in screen
