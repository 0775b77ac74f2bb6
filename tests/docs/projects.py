"""What tests of pages do in a project: commands as they are typed, and lines of its configuration."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT
from tests.project import Project


def configure(project: Project, lines: str) -> None:
    with (project.folder / "Pulumi.dev.yaml").open("a") as file:
        file.write(lines)


def shell(project: Project, commands: str) -> str:
    """Run commands as they are typed; give what stands on the screen."""
    run = project.execute("bash", "-e", "-c", commands)
    assert run.code == 0, run.screen
    return run.screen


def ran(service: Service) -> list[str]:
    """Name the jobs that were submitted, in their order."""
    return [Path(job.body["file"]).stem for job in service.jobs()]


@contextmanager
def serving(command: str, folder: Path) -> Iterator[None]:
    """Run the command that starts the local DLI until the end of the block, as in a second terminal."""
    with subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("local DLI ready at ")
            yield
        finally:
            server.terminate()


def typed(commands: str) -> str:
    """Return commands as a new user types them, without those for the virtual environment: the tests have one."""
    own = re.sub(
        r"^(?:python3 -m venv venv|pip install '[^']+')$|\. venv/bin/activate(?: && )?", "", commands, flags=re.M
    )
    return re.sub(r"python3 -m venv venv && ", "", own).replace("CLONE", str(ROOT)).strip()
