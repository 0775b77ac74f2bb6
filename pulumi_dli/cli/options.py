"""The options that all commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Options:
    """The options of the user for all commands."""

    directory: Path | None = None
    """The directory in which the command runs. None for the current one."""
    stack: str | None = None
    """The name of the stack. None for the selected one."""
    json: bool = False
    """Print JSON."""
