"""The workflows of GitHub: their form, and that they call make targets that exist. Nobody has run them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_three() -> None:
    assert [path.stem for path in FILES] == ["campaign", "release", "test"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestWorkflow:
    def test_says_that_it_was_never_run(self, path: Path) -> None:
        assert path.read_text().startswith("# This file was never run")

    def test_calls_only_make_targets_that_exist(self, path: Path) -> None:
        commands = [step["run"].split() for step in steps(yaml.safe_load(path.read_text())) if "run" in step]
        assert commands
        assert all(command[0] == "make" and command[1] in TARGETS for command in commands)
        assert all(re.fullmatch(r'VERSION="\$\{VERSION#v\}"', word) for command in commands for word in command[2:])

    def test_pins_the_version_of_every_action(self, path: Path) -> None:
        used = [step["uses"] for step in steps(yaml.safe_load(path.read_text())) if "uses" in step]
        assert used
        assert all(re.fullmatch(r"actions/[a-z-]+@v\d+\.\d+\.\d+", one) for one in used)

    def test_may_only_read(self, path: Path) -> None:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {"contents": "read"}
        assert all("permissions" not in job and job["timeout-minutes"] for job in workflow["jobs"].values())
        checkouts = [one for one in steps(workflow) if one.get("uses", "").startswith("actions/checkout")]
        assert all(one["with"]["persist-credentials"] is False for one in checkouts)
        assert "secrets." not in path.read_text()
