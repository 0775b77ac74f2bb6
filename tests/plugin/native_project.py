"""A Pulumi project whose Python program declares the native resources by hand, as a generated SDK would."""

import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from tests.project import Project

_HEADER = """\
import pulumi


class BatchJob(pulumi.CustomResource):
    state: pulumi.Output[str]
    args: pulumi.Output[list[str]]
    submittedTo: pulumi.Output[dict]

    def __init__(self, name, /, opts=None, **inputs):
        super().__init__("dli:index:BatchJob", name, {"state": None, "args": None, "submittedTo": None, **inputs}, opts)


class BatchJobWait(pulumi.CustomResource):
    state: pulumi.Output[str]
    log: pulumi.Output[list[str]]

    def __init__(self, name, /, opts=None, **inputs):
        super().__init__("dli:index:BatchJobWait", name, {"state": None, "log": None, **inputs}, opts)


class BatchJobCompletion(pulumi.ComponentResource):
    state: pulumi.Output[str]
    log: pulumi.Output[list[str]]

    def __init__(self, name, /, opts=None, **inputs):
        outputs = {"state": None, "log": None}
        super().__init__("dli:index:BatchJobCompletion", name, {**outputs, **inputs}, opts, remote=True)


class Provider(pulumi.ProviderResource):
    def __init__(self, name, /, opts=None, **inputs):
        super().__init__("dli", name, inputs, opts)


"""


class NativeProject(Project):
    """A project with one stack, `dev`, that finds the native provider in a folder of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str], name: str = "jobs") -> None:
        self.plugin = folder.parent / "plugin"
        self.plugin.mkdir()
        executable = self.plugin / "pulumi-resource-dli"
        executable.write_text(f"#!{sys.executable}\nfrom pulumi_dli.plugin.__main__ import main\nmain()\n")
        executable.chmod(0o755)
        super().__init__(folder, environment, name)
        plugins = f"plugins:\n  providers:\n    - name: dli\n      path: {self.plugin}\n"
        (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n{plugins}")

    def write(self, program: str) -> None:
        """Make this the program, behind the declarations of the resources."""
        (self.folder / "__main__.py").write_text(_HEADER + dedent(program))
