"""The commands against a local DLI, with a `pulumi` that prints a prepared state."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_dli.cli.main import main
from tests.cli.states import export
from tests.fakes import FakeClock
from tests.fixtures import clock, no_proxy
from tests.local.api import eventually
from tests.project import FOREIGN, variables_of

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

__all__ = ["clock", "no_proxy"]


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def failure(self) -> str:
        """The one line on standard error of a command that has failed and printed nothing else."""
        [line] = self.err.splitlines()
        assert (self.code, self.out) == (1, "")
        return line.removeprefix("pulumi-dli: ")


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the settings of whoever runs the tests, and begin outside a project."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", os.devnull)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    """Sign in to the local DLI by the environment."""
    for name, value in variables_of(service).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


class FakePulumi:
    """A folder with a project, and a `pulumi` on PATH that prints what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text("name: jobs\nruntime: python\n")
        self.program = folder / "bin" / "pulumi"
        self.program.parent.mkdir()
        self.fail("error: nothing is prepared")
        self.has()

    def has(self, *resources: dict[str, Any], **configuration: str) -> None:
        """Print the state with these resources, and these settings as the configuration."""
        values = {f"dli:{name}": {"value": value, "secret": True} for name, value in configuration.items()}
        self.prints(export=json.dumps(export(*resources)), configuration=json.dumps(values))

    def prints(self, *, export: str, configuration: str = "{}") -> None:
        (self._folder / "stack").write_text(export)
        (self._folder / "config").write_text(configuration)
        self._script(f'cat "{self._folder}/$1"')

    def fail(self, stderr: str) -> None:
        self._script(f"echo '{stderr}' >&2\nexit 1")

    def _script(self, end: str) -> None:
        self.program.write_text(f'#!/bin/sh\necho "$@" >>"{self._folder}/calls"\n{end}\n')
        self.program.chmod(0o755)

    def calls(self) -> list[str]:
        """Give the command lines so far."""
        path = self._folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """A fake `pulumi`, and its project as the current directory."""
    if os.name == "nt":
        pytest.skip("the fake pulumi is a script for a POSIX shell")
    fake = FakePulumi(tmp_path / "pulumi")
    monkeypatch.setenv("PATH", f"{fake.program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(fake.project)
    return fake


def submit(service: Service, name: str = "theirs", timeline: str = "running", log: str = "", **body: Any) -> str:
    """Submit a job, wait until it is at the end of its timeline, and give its id."""
    conf = {"spark.dli.local.timeline": timeline, "spark.dli.local.log": log} | body.pop("conf", {})
    request = {"file": "obs://demo/load.py", "className": "", "queue": "default", "name": name, "conf": conf}
    job_id = service.submit(request | body)
    last = timeline.rpartition(",")[2].rpartition(";")[2]
    eventually(lambda: service.states(job_id), lambda states: states == [last])
    return job_id


@pytest.fixture
def patched_clock(monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> FakeClock:
    """Have every command use a clock that nobody waits for."""
    monkeypatch.setattr("pulumi_dli.operations.context.SystemClock", lambda: clock)
    return clock
