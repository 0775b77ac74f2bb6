"""Reads the configuration and the state of a stack with the `pulumi` CLI. Secrets are decrypted, and never printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_dli.account.credentials import configuration_keys
from pulumi_dli.cli.errors import CliError, NoStackError

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")


def find_project(directory: Path) -> Path | None:
    """Return the folder of the Pulumi project that a directory belongs to, as `pulumi` finds it, or None."""
    folders = (directory, *directory.parents)
    # Path.is_file raises PermissionError for a folder that the user may not read.
    return next((one for one in folders if any(os.path.isfile(one / name) for name in _PROJECT_FILES)), None)  # noqa: PTH113


@dataclass(frozen=True)
class PulumiCli:
    """Runs `pulumi` for one stack.

    Args:
        directory: The directory in which `pulumi` runs. It is in a project.
        stack: The name of the stack. None for the selected one.
    """

    directory: Path
    stack: str | None = None

    def configuration(self) -> dict[str, str]:
        """Return the settings of the provider in the stack's configuration, decrypted. Raises CliError."""
        return settings_in(self._read("config"))

    def export(self) -> Mapping[str, Any]:
        """Return the state of the stack, with its secrets decrypted. Raises CliError."""
        return self._read("stack", "export")

    def _read(self, *command: str) -> Mapping[str, Any]:
        program = shutil.which("pulumi")
        if program is None:
            raise NoStackError(
                "there is no `pulumi` on PATH, which reads the stack. Install Pulumi's CLI, or give the id of a job."
            )
        arguments = [program, *command, "--show-secrets", "--non-interactive", "--color=never"]
        arguments += ["--cwd", str(self.directory), *(["--stack", self.stack] if self.stack else [])]
        arguments += ["--json"] if command == ("config",) else []
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        shown = f"`pulumi {' '.join(command)}`"
        try:
            ended = subprocess.run(
                arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment
            )
        except OSError as error:
            raise CliError(f"{program} cannot be started: {error.strerror}.") from error
        if ended.returncode != 0:
            raise failure(shown, ended.stderr.decode(errors="replace"))
        try:
            document = json.loads(ended.stdout)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise CliError(f"{shown} has printed something that is not JSON.")  # never show it: it has secrets
        return document


def settings_in(configuration: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of the provider in the output of `pulumi config --json --show-secrets`."""
    values = {key: configuration[key].get("value") for key in configuration_keys() if key in configuration}
    return {key: value for key, value in values.items() if isinstance(value, str)}


def failure(command: str, stderr: str) -> CliError:
    """Return the error for a failed command of `pulumi`."""
    if "no stack selected" in stderr:
        return NoStackError("no stack is selected. Run `pulumi stack select NAME`, or use --stack NAME.")
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    reason = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "".join(lines[:1]))
    return CliError(f"{command} has failed: {reason or 'it gave no reason'}")
