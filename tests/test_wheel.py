"""The wheel, as users install it: into an empty environment, with what it declares to need and nothing else."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project import Project
from tests.service import Service

ROOT = Path(__file__).parent.parent


def pip(*arguments: str | Path, python: str | Path = sys.executable) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, timeout=240)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def test_it_says_that_no_plugin_is_to_be_looked_for_and_that_it_is_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("pulumi_dli/pulumi-plugin.json")) == {"resource": False}
    assert "pulumi_dli/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pulumi_dli"}


def test_it_runs_a_job_from_an_empty_environment(
    wheel: Path, project: Project, service: Service, tmp_path: Path
) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip("install", wheel, python=environment / "bin" / "python")
    project.environment["PATH"] = os.pathsep.join([str(environment / "bin"), project.environment["PATH"]])
    project.environment["VIRTUAL_ENV"] = str(environment)
    project.environment.pop("PYTHONPATH", None)
    project.write("""
        import sys
        pulumi.export("python", sys.prefix)
        pulumi.export("state", dli.BatchJob("load", file="load.py", queue="default").wait().state)
    """)
    project.up()
    assert project.output("python") == str(environment)
    assert project.output("state") == "success"
    assert service.states() == ["success"]
