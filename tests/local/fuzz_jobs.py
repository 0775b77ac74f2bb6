"""What may be wrong with the jobs that a local DLI accepted from hostile calls."""

import os
from pathlib import Path
from typing import Any

from pulumi_dli.local.table import Job


def problems_of_jobs(jobs: list[Job], data: Path) -> list[str]:
    """Name the jobs that have run, and the files outside of the buckets and packages that jobs were accepted with."""
    ran = [f"job {job.id} has run" for job in jobs if job.attempt is not None]
    named = {name for job in jobs for name in files_of(job.batch_request.to_wire())}
    return ran + [f"accepted: {name}" for name in named if not is_inside(name, data)]


def files_of(body: dict[str, Any]) -> list[str]:
    """Name the files of an accepted job."""
    groups = [
        ("", body.get("resources")),
        *((f"{one['name']}/", one.get("resources")) for one in body.get("groups") or []),
    ]
    packages = [folder + package["name"] for folder, several in groups for package in several or []]
    return [body["file"], *packages, *(name for key in ("jars", "pyFiles", "files") for name in body.get(key) or [])]


def is_inside(name: str, data: Path) -> bool:
    """Tell whether a name is that of a file in the buckets or packages, whatever the service thinks."""
    root = data / ("obs" if name.startswith("obs://") else "packages")
    path = (root / name.removeprefix("obs://").lstrip("/")).as_posix().replace("\0", "")
    return os.path.isfile(path) and root.resolve() in Path(path).resolve().parents  # noqa: PTH113  Path's may raise
