"""A Pulumi project whose YAML program declares the native resources."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tests.plugin.native_project import NativeProject
from tests.template_project import built


class YamlProject(NativeProject):
    """A project with a YAML program, which is written as JSON: the resources by their names."""

    def __init__(self, folder: Path, environment: Mapping[str, str], name: str) -> None:
        hosts = os.pathsep.join((built("yaml"), os.environ["PATH"]))
        super().__init__(folder, {**environment, "PATH": hosts}, name)

    def write(self, program: str) -> None:
        """Make this the program."""
        plugins = {"providers": [{"name": "dli", "path": str(self.plugin)}]}
        document = {"name": self.name, "runtime": "yaml", "plugins": plugins, "resources": json.loads(program)}
        (self.folder / "Pulumi.yaml").write_text(json.dumps(document))
