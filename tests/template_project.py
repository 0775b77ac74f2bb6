"""A project that `pulumi new` makes from an example, with the language host and the plugin that it needs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.project import Project, clean_environment, isolated_pulumi

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
VERSION = json.loads((ROOT / "schema.json").read_text(encoding="utf-8"))["version"]


def built(*names: str) -> str:
    """Build language hosts if this machine has none yet; give the folders to put on PATH."""
    command = [sys.executable, ROOT / "scripts" / "language_hosts.py", *names]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class TemplateProject(Project):
    """A project from one of the examples. It has another name than the example, and one stack, `dev`.

    Args:
        folder: An empty folder for all that belongs to the test.
        environment: The variables that sign in to a local DLI.
        example: The name of the example.
        hosts: The folders of the language hosts.
        options: More options of `pulumi new`.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], example: str, hosts: str = "", options: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder / "project"
        self.folder.mkdir(parents=True)
        self.environment = (
            clean_environment(environment)
            | isolated_pulumi(folder)
            | {
                "PATH": os.pathsep.join(filter(None, [hosts, os.environ["PATH"]])),
                "npm_config_cache": str(npm_cache()),
            }
        )
        executable = folder / "pulumi-resource-dli"
        executable.write_text(f"#!{sys.executable}\nfrom pulumi_dli.plugin.__main__ import main\nmain()\n")
        executable.chmod(0o755)
        self.pulumi("plugin", "install", "resource", "dli", VERSION, "--file", str(executable))
        new = ("new", str(EXAMPLES / example), "--yes", "--name", "mine", "--stack", "dev", *options)
        self.screen = self.pulumi(*new)


def npm_cache() -> Path:
    """Return npm's cache for the tests, outside the repository."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "pulumi-dli" / "npm"


def runs_as_often_as_it_must(project: Project, service: Service, program: str) -> None:
    """Run the word count: up, an up without a change, an up with a changed argument, destroy.

    Args:
        project: The project with the example.
        service: The local DLI that it signs in to.
        program: The file with the program, which has the text `/out`.
    """
    assert "to create" in project.pulumi("preview")
    assert service.jobs() == []
    project.up()
    (first,) = service.jobs()
    assert (project.output("job"), project.output("state")) == (first.id, "success")
    assert first.body["file"] == "obs://demo/jobs/wordcount.py"
    assert first.body["args"] == ["obs://demo/in", "obs://demo/out"]

    service.reset_calls()
    project.up("--expect-no-changes")
    assert not any(call.startswith(("POST", "DELETE")) for call in service.calls())

    path = project.folder / program
    path.write_text(path.read_text().replace("/out", "/counts"))
    project.up()
    assert [job.body["args"][1] for job in service.jobs()] == ["obs://demo/out", "obs://demo/counts"]
    assert service.states() == ["success", "success"]
    assert project.output("job") == service.jobs()[-1].id

    project.pulumi("destroy", "--yes")
    assert service.states() == ["success", "success"]
    assert "wordcount" not in project.pulumi("stack", "export")


def generated(language: str, folder: Path) -> None:
    """Write the SDK of a language, as `pulumi package add` would. That needs a language host that is not in the proxy.

    Args:
        language: nodejs, python or go.
        folder: Where the SDK is to be.
    """
    generator = Path(built("generate-sdk")) / "generate-sdk"
    subprocess.run([generator, language, ROOT / "schema.json", folder], check=True)
