"""The page about messages."""

import re
from pathlib import Path

import pytest

import pulumi_dli as dli
from pulumi_dli.local.testing import Service
from tests.docs.pages import block, page, section
from tests.docs.projects import shell
from tests.project import Project


def test_the_messages_of_a_failed_update_are_those_of_the_code() -> None:
    sources = "".join(path.read_text() for path in Path(dli.__file__).parent.rglob("*.py"))
    in_one_piece = re.sub(r"\"\n\s*f?\"", "", sources)
    rows = re.findall(r"^\| (`.+?) \|", section("troubleshooting", "By the message on the screen"), re.MULTILINE)
    assert len(rows) > 5
    for message in re.findall(r"`([^`]+)`", " ".join(rows)):
        for part in re.split(r"…|\d+|running", message):
            assert part.strip() in in_one_piece


@pytest.mark.slow
def test_the_command_for_another_run_of_one_job_works(project: Project, service: Service) -> None:
    assert "pulumi up --replace '**dli:BatchJob::NAME'" in page("troubleshooting")
    project.write("""
        dli.BatchJob("load", file="load.py", queue="default").wait()
        dli.BatchJob("other", file="other.py", queue="default")
    """)
    project.up()
    project.up("--replace", "**dli:BatchJob::load")
    assert (len(service.jobs("load")), len(service.jobs("other"))) == (2, 1)


def test_the_debug_log_has_a_line_for_each_call(project: Project, service: Service) -> None:
    project.write('dli.BatchJob("load", file="load.py", queue="default")')
    screen = shell(project, block("troubleshooting", "What does the provider do?", "sh"))
    assert re.search(r"POST /v2\.0/{project_id}/batches: 200 in \d+ ms", screen), screen
    assert len(service.jobs()) == 1
