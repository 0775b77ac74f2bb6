"""The page about the resources."""

import json
import re

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT, block, section
from tests.project import Project

SCHEMA = json.loads((ROOT / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("token", SCHEMA["resources"])
def test_each_resource_has_its_arguments_and_outputs_as_other_languages_write_them(token: str) -> None:
    resource, name = SCHEMA["resources"][token], token.rpartition(":")[2]
    inputs = resource["inputProperties"]
    assert names_in(section("batch-job", f"Arguments of {name}")) == [*inputs]
    assert names_in(section("batch-job", f"Outputs of {name}")) == [
        one for one in resource["properties"] if one not in inputs
    ]


def test_the_table_of_a_resource_that_python_does_not_have_has_no_names_of_python() -> None:
    text = section("batch-job", "Arguments of BatchJobCompletion") + section(
        "batch-job", "Outputs of BatchJobCompletion"
    )
    assert re.findall(r"`[a-z]+_[a-z_]+`", text) == []


def names_in(text: str) -> list[str]:
    """Give the last name of each row of a table: that of other languages than Python."""
    return [re.findall(r"`(\w+)`", row)[-1] for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)]


def test_the_job_of_the_page_runs_and_is_awaited(project: Project, service: Service) -> None:
    project.write(block("batch-job", "BatchJob, BatchJobWait and BatchJobCompletion", "python"))
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
