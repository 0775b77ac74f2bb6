"""Where the jobs of a project run: region, project and endpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """The address of DLI, the region (None if unknown) and the id of the project."""

    endpoint: str
    region: str | None
    project_id: str
