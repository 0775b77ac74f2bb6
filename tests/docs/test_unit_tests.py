"""Unit tests of programs, with Pulumi's mocks."""

import subprocess
import sys
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.docs.pages import blocks
from tests.project import clean_environment


def test_the_test_of_the_page_passes_and_calls_nothing_though_there_are_credentials(
    tmp_path: Path, service: Service
) -> None:
    program, test = blocks("recipes/unit-tests", "Unit tests of a program", "python")
    (tmp_path / "jobs.py").write_text(program)
    (tmp_path / "test_jobs.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "test_jobs.py"]
    environment = clean_environment(service.environment)
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert service.calls() == {}
