"""Unit tests of programs, with Pulumi's mocks."""

import subprocess
import sys
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.project import clean_environment

PAGE = Path(__file__).parent.parent.parent / "docs" / "unit-tests.md"


def blocks(page: str) -> list[str]:
    """Give the fenced blocks of Python in a page."""
    return [part.split("\n", 1)[1] for part in page.split("```")[1::2] if part.startswith("python")]


def test_the_test_of_the_page_passes_and_calls_nothing_though_there_are_credentials(
    tmp_path: Path, service: Service
) -> None:
    program, test = blocks(PAGE.read_text(encoding="utf-8"))
    (tmp_path / "jobs.py").write_text(program)
    (tmp_path / "test_jobs.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "test_jobs.py"]
    environment = clean_environment(service.environment)
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert service.calls() == {}
