"""The campaign with real `pulumi up`s of YAML programs. Completions of the native provider are the waits."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.campaign.real import RealRun
from tests.campaign.simulated_engine import Declared
from tests.project import Project
from tests.template_project import built

_TIMEOUT = "10s"
_HIDDEN = ("resourceName", "scope")


class YamlRun(RealRun):
    """A stack of a YAML program that goes through a schedule."""

    def _open_project(self, folder: Path, environment: dict[str, str], name: str) -> Project:
        folder.mkdir()
        executable = folder / "plugin" / "pulumi-resource-dli"
        executable.parent.mkdir()
        executable.write_text(f"#!{sys.executable}\nfrom pulumi_dli.plugin.__main__ import main\nmain()\n")
        executable.chmod(0o755)
        self._plugin = executable.parent
        hosts = os.pathsep.join((built("yaml"), os.environ["PATH"]))
        return Project(folder / "project", environment | {"PATH": hosts}, name)

    def _write(self) -> None:
        document = {
            "name": self._project.name,
            "runtime": "yaml",
            "plugins": {"providers": [{"name": "dli", "path": str(self._plugin)}]},
            "resources": resources_of(self._program.values()),
        }
        # JSON is YAML, too.
        (self._project.folder / "Pulumi.yaml").write_text(json.dumps(document, indent=2))


def resources_of(program: Iterable[Declared]) -> dict[str, Any]:
    """Give the resources of a YAML program: each job, and a completion for each job with a wait."""
    resources: dict[str, Any] = {}
    for job in program:
        resources[job.name] = {
            "type": "dli:BatchJob",
            "properties": {name: value for name, value in job.properties.items() if name not in _HIDDEN},
            "options": {"deleteBeforeReplace": True},
        }
        if job.until is not None:
            completion = {"batchJob": f"${{{job.name}.id}}", "until": job.until, "timeout": _TIMEOUT}
            resources[f"{job.name}-completion"] = {"type": "dli:BatchJobCompletion", "properties": completion}
    return resources
