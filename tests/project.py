"""A Pulumi project in a folder of its own, driven with the real CLI against a state in a file."""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:  # a provider process of the campaign is forked off one that has this module, not the server
    from pulumi_dli.local.testing import Service

FOREIGN = ("DLI_", "OS_", "HW_", "HUAWEICLOUD_", "PULUMI_")
"""Variables of whoever runs the tests begin with these; no test must see them."""


def clean_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Give this process's environment without anybody's own settings and credentials, and with these."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    return kept | {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": os.devnull} | dict(additions)


def variables_of(service: "Service") -> dict[str, str]:
    """Give the variables that sign in to a local DLI with its key, without IAM, so that a test can take some away.

    Nothing is retried: tests count calls.
    """
    openstack = ("OS_REGION_NAME", "OS_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY")
    known = service.environment.items()
    chosen = {name: value for name, value in known if name.startswith("DLI_") or name in openstack}
    return chosen | {"DLI_MAX_RETRIES": "0"}


def isolated_pulumi(folder: Path) -> dict[str, str]:
    """Give the variables of a Pulumi that keeps its state and everything else in a folder, and fetches nothing."""
    (folder / "state").mkdir(exist_ok=True)
    return {
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


@cache
def _project_with_stack(name: str) -> Path:
    """Make a project whose stack `dev` is new, once in a process.

    A copy of it is as good as `pulumi stack init`, which derives a key from the passphrase and takes half a second.
    """
    folder = Path(tempfile.mkdtemp()).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    environment = clean_environment({}) | isolated_pulumi(folder)
    command = ("pulumi", "stack", "init", "dev", "--non-interactive")
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    shutil.rmtree(folder / "home" / "logs", ignore_errors=True)
    return folder


def copy_project(name: str, folder: Path) -> None:
    """Make a folder with a project whose stack `dev` is new and selected."""
    original = _project_with_stack(name)
    shutil.copytree(original, folder)
    # Pulumi keeps which stack is selected in a file that is named by a hash of the path of Pulumi.yaml.
    (file,) = (folder / "home" / "workspaces").iterdir()
    path = str(folder.resolve() / "Pulumi.yaml").encode()
    digest = sha1(path, usedforsecurity=False).hexdigest()
    text = file.read_text().replace((original / "state").as_uri(), (folder / "state").as_uri())
    file.with_name(f"{name}-{digest}-workspace.json").write_text(text)
    file.unlink()


@contextmanager
def heeded_signals() -> Iterator[None]:
    """Have what is started heed signals, though this process may run under nohup, or in a shell's background.

    A process inherits what its parent ignores, but not what its parent handles. Pulumi's CLI ends its plugins with
    SIGINT, and gives those that ignore it five seconds: every command would take as much longer.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]  # Windows has one
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda _number, _frame: None)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@dataclass(frozen=True)
class Run:
    """A finished command. `screen` is what a person would have read."""

    code: int
    screen: str


class Project:
    """A project with one stack, `dev`."""

    def __init__(self, folder: Path, environment: Mapping[str, str], name: str = "jobs") -> None:
        self.folder, self.name = folder, name
        copy_project(name, folder)
        self.environment = clean_environment(environment) | isolated_pulumi(folder)

    def write(self, program: str) -> None:
        """Make this the program; what every program imports need not be said."""
        header = "import pulumi\nimport pulumi_dli as dli\n"
        (self.folder / "__main__.py").write_text(header + dedent(program))

    def start(self, *command: str, own_session: bool = False, **variables: str) -> subprocess.Popen[str]:
        """Start a command in the project's folder. What it writes, on either stream, comes out at its `stdout`."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=own_session,
        )

    def execute(self, *command: str, **variables: str) -> Run:
        """Run a command to its end, whatever that is; one that takes longer than two minutes is killed."""
        with self.start(*command, **variables) as process:
            try:
                screen, _ = process.communicate(timeout=120)
            except BaseException:
                process.kill()
                raise
        return Run(process.returncode, screen)

    def run(self, *arguments: str, **variables: str) -> Run:
        """Run a command of Pulumi to its end."""
        return self.execute("pulumi", *arguments, "--non-interactive", "--color=never", **variables)

    def pulumi(self, *arguments: str, **variables: str) -> str:
        """Run a command that has to work; give its screen."""
        run = self.run(*arguments, **variables)
        assert run.code == 0, run.screen
        return run.screen

    def up(self, *arguments: str, **variables: str) -> str:
        """Run an `up` that has to work."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, **variables)

    def failing_up(self, *arguments: str, **variables: str) -> str:
        """Run an `up` that has to fail."""
        run = self.run("up", "--yes", "--skip-preview", *arguments, **variables)
        assert run.code != 0, run.screen
        return run.screen

    def output(self, name: str) -> Any:
        """Give an output of the stack."""
        return json.loads(self.pulumi("stack", "output", "--json"))[name]

    def resources(self) -> list[dict[str, Any]]:
        """Give the resources as the state has them. This reads the file of the state, also while a command runs."""
        (file,) = (self.folder / "state" / ".pulumi" / "stacks").glob("*/dev.json")
        resources: list[dict[str, Any]] = json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])
        return resources

    def state_of(self, name: str) -> dict[str, Any]:
        """Give a resource as the state has it, by its logical name."""
        return next(one for one in self.resources() if one["urn"].endswith(f"::{name}"))


@contextmanager
def started(project: Project, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """An `up` in the background, in a session of its own, which is killed at the end."""
    command = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never", *arguments)
    with project.start(*command, own_session=True) as process:
        try:
            yield process
        finally:
            kill_session(process.pid)


def kill_session(leader: int) -> None:
    """Kill a process and all that it started: Pulumi's plugins have groups of their own, but the same session."""
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


def row(screen: str, name: str) -> str:
    """Give what stands under "Diagnostics" on the row of a resource, by its logical name. Empty if nothing does."""
    _, _, diagnostics = screen.partition("\nDiagnostics:\n")
    found = re.search(rf"^  \S+ \({re.escape(name)}\):\n((?:    .*\n|\n)*)", diagnostics, re.MULTILINE)
    return dedent(found[1]) if found else ""


def read_until(process: subprocess.Popen[str], *texts: str) -> str:
    """Read the screen until each of the texts stood on it."""
    assert process.stdout is not None
    screen = ""
    while not all(text in screen for text in texts):
        line = process.stdout.readline()
        assert line, f"it ended before {texts} stood on its screen:\n{screen}"
        screen += line
    return screen
