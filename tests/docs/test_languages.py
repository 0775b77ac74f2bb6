"""The page about languages. The programs in TypeScript, Go and Python are in tests of their examples and SDKs."""

import re
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT, block
from tests.project import variables_of
from tests.template_project import VERSION, TemplateProject, built


def test_the_commands_for_typescript_are_six_and_name_what_there_is() -> None:
    """They are not run: no registry has a host for Node.js that knows `pulumi package add`."""
    commands = block("languages", "TypeScript, from an empty folder", "sh").splitlines()
    assert len(commands) == 6
    assert f"pulumi plugin install resource dli {VERSION} --file venv/bin/pulumi-resource-dli" in commands
    assert f"pulumi package add dli@{VERSION}" in commands
    for folder in re.findall(r"CLONE/(\S+)", "\n".join(commands)):
        assert (ROOT / folder).is_dir()


def test_the_screen_shows_the_resources_of_the_example() -> None:
    screen = block("languages", "TypeScript, from an empty folder", "text")
    program = (ROOT / "examples" / "typescript" / "index.ts").read_text(encoding="utf-8")
    shown = set(re.findall(r"dli:index:(\w+)", screen))
    assert shown == {*re.findall(r"new dli\.(\w+)", program), "BatchJobWait"}


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine builds the language host first
def test_the_program_in_yaml_runs_and_a_job_is_imported(tmp_path: Path, service: Service) -> None:
    new, *serve_and_up = block("languages", "YAML", "sh").splitlines()
    assert new.startswith("pulumi new CLONE/examples/yaml --dir words")
    assert serve_and_up == block("languages", "TypeScript, from an empty folder", "sh").splitlines()[-2:]
    project = TemplateProject(tmp_path / "new", variables_of(service), "yaml", built("yaml"))
    page = block("languages", "YAML", "yaml")
    (project.folder / "Pulumi.yaml").write_text(f"name: mine\nruntime: yaml\n{page}")
    project.up()
    (job,) = service.jobs()
    assert project.output("state") == "success"
    command = block("languages", "Importing", "sh").split()
    printed = project.pulumi(*(job.id if word == "ID" else word for word in command[1:]), "--yes")
    assert "obs://demo/jobs/wordcount.py" in printed
    assert len(service.jobs()) == 1
