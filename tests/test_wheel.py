"""The wheel, as users install it: into an empty environment, with what it declares to need and nothing else."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import block
from tests.processes import run_supervised
from tests.project import Project, clean_environment

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
        assert archive.read("pulumi_dli/plugin/schema.json") == (ROOT / "schema.json").read_bytes()
    assert {"pulumi_dli/py.typed", "pulumi_dli/local/templates/job.html", "pulumi_dli/local/static/page.js"} <= {*names}
    assert {name.split("/")[0].split("-")[0] for name in names} == {"pulumi_dli"}


def test_it_brings_the_command_line_and_the_pytest_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert archive.read(entry_points).decode().split() == [
            "[console_scripts]",
            *("pulumi-dli", "=", "pulumi_dli.cli.main:main"),
            *("pulumi-resource-dli", "=", "pulumi_dli.plugin.__main__:main"),
            "[pytest11]",
            *("local-dli", "=", "pulumi_dli.local.pytest_plugin"),
        ]


@pytest.mark.slow
def test_a_new_project_as_the_page_makes_it_runs_a_job(
    wheel: Path, project: Project, service: Service, tmp_path: Path
) -> None:
    folder, state = tmp_path / "new", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    environment = project.environment | {"PULUMI_BACKEND_URL": state.as_uri()}
    environment.pop("PYTHONPATH", None)
    commands = block("getting-started", "A new project", "sh").replace("CLONE[local]", str(wheel))
    program = """
import sys
import pulumi
import pulumi_dli as dli
pulumi.export("python", sys.prefix)
pulumi.export("state", dli.BatchJob("load", file="load.py", queue="default").wait().state)
"""
    (folder / "__main__.py").write_text(program)
    up = "pulumi up --yes --skip-preview --non-interactive\npulumi stack output --json >outputs"
    script = f"{commands}\n{up}\npulumi-dli jobs --json >jobs"
    code, screen = run_supervised(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment)
    assert code == 0, screen
    outputs = json.loads((folder / "outputs").read_text())
    assert outputs == {"python": str(folder / "venv"), "state": "success"}
    assert service.states() == ["success"]
    (job,) = json.loads((folder / "jobs").read_text())
    assert (job["name"], job["state"]) == ("load", "success")


@pytest.mark.slow
def test_the_wheel_alone_runs_the_demo(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip("install", f"{wheel}[local]", python=python)
    environment = clean_environment({"VIRTUAL_ENV": str(tmp_path / "venv")})
    environment.pop("PYTHONPATH", None)
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    command = [python, ROOT / "scripts" / "demo.py", tmp_path / "demo"]
    code, screen = run_supervised(command, cwd=tmp_path, env=environment)
    assert code == 0, screen
    assert "What Spark wrote to obs://demo/out" in screen
