"""The command `local`: the local DLI. It is the only module outside `pulumi_dli.local` that imports it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from pulumi_dli.cli.errors import CliError


def run(arguments: Sequence[str]) -> int:
    """Run a command of the local DLI and return its exit code. Raises CliError on Windows."""
    if find_spec("fcntl") is None:
        raise CliError(
            "the local DLI runs on Linux and macOS only. On Windows, try the Windows Subsystem for Linux; "
            "nobody has tried it yet."
        )
    from pulumi_dli.local.__main__ import main  # noqa: PLC0415  Windows lacks what it imports

    return main([*arguments], program="pulumi-dli local")
