"""The README's quickstart and the first page: what they say, typed as it stands there, on real Spark."""

import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT, block, blocks, page
from tests.docs.projects import serving, typed
from tests.project import Project, clean_environment, isolated_pulumi


@dataclass
class Terminal:
    """A terminal of a new user: an empty folder, a Pulumi of its own, and no account of DLI."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def open(cls, folder: Path) -> Self:
        empty = folder / "empty"
        empty.mkdir()
        return cls(empty, clean_environment(isolated_pulumi(folder)))

    def run(self, commands: str) -> str:
        """Type commands, and return what is on the screen."""
        script = ["bash", "-euo", "pipefail", "-c", typed(commands)]
        done = subprocess.run(
            script, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def extras_of(commands: str) -> set[str]:
    return {extra for found in re.findall(r"CLONE\[([\w,-]+)\]", commands) for extra in found.split(",")}


@pytest.mark.parametrize("name", ["README", "getting-started", "local-dli", "configuration"])
def test_the_extras_that_a_page_installs_exist(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = extras_of(page(name))
    assert found
    assert found <= set(project["optional-dependencies"])


def test_the_readme_says_first_what_was_never_tried() -> None:
    lines = page("README").splitlines()
    assert 120 <= len(lines) <= 150
    assert "never run against the real service" in " ".join(lines[:20])


@pytest.mark.slow
def test_the_page_leads_to_a_job_that_counts_words(tmp_path: Path) -> None:
    terminal = Terminal.open(tmp_path)
    terminal.run(block("getting-started", "A new project", "sh").replace("pulumi stack init dev", ""))
    (terminal.folder / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n")
    terminal.run("pulumi stack init dev")
    (terminal.folder / "__main__.py").write_text(block("getting-started", "A program", "python"))
    serve, job = blocks("getting-started", "Run it on the local DLI", "sh")
    with serving(typed(serve), terminal.folder):
        screen = terminal.run(job)
    assert "1 job: 1 success" in screen
    counted = dict(line.split("\t") for line in screen.splitlines() if "\t" in line)
    assert counted == {"to": "2", "be": "2", "or": "1", "not": "1"}


def test_make_demo_is_a_target() -> None:
    assert block("getting-started", "Try it without writing anything", "sh") == "make demo\n"
    assert re.search(r"^demo:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_the_program_of_the_page_runs(project: Project, service: Service) -> None:
    (project.folder / "__main__.py").write_text(block("getting-started", "A program", "python"))
    project.up()
    assert project.output("state") == "success"
    assert project.output("job") == service.jobs()[0].id


@pytest.mark.slow
def test_the_quickstart_leads_to_the_screen_that_it_shows(tmp_path: Path) -> None:
    first, second = blocks("README", "Quickstart", "sh")
    install, copy, fill, serve = first.splitlines()
    (up,) = second.splitlines()
    assert install.startswith("python3 -m venv venv && ")
    terminal = Terminal.open(tmp_path)
    terminal.run(copy)
    terminal.folder = terminal.folder / "wordcount"
    terminal.run(fill)
    with serving(typed(serve), terminal.folder):
        screen = terminal.run(up + " --yes")
    _headings, *lines = block("README", "Quickstart", "text").splitlines()  # another form of the screen has none
    for line in lines:
        for text in re.split(r"[\d.]+ ?s\)?|\d+\.\d+$|about .*|…|├─|└─|\s{2,}", line):
            assert text.strip("( +") in screen, (text, screen)
    assert list((terminal.folder / "dli" / "obs" / "demo" / "out").glob("part-*"))


def test_the_program_of_the_readme_runs(project: Project, service: Service) -> None:
    (project.folder / "__main__.py").write_text(block("README", "Quickstart", "python"))
    project.up()
    assert project.output("state") == "success"
    assert len(service.jobs()) == 1
