"""The command `local`: the local DLI. It is the only module outside `pulumi_dli.local` that imports it."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.local.__main__ import main


def run(arguments: Sequence[str]) -> int:
    """Run a command of the local DLI and return its exit code."""
    return main([*arguments], program="pulumi-dli local")
