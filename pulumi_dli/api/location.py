"""Where the jobs of a project run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """Where jobs run: the address of DLI, the region if it is known, the project's id."""

    endpoint: str
    region: str | None
    project_id: str
