"""Explains failures of jobs whose cause is the local DLI and not the job: one line for the end of the driver log."""

from __future__ import annotations

import re
from collections.abc import Sequence

LINES_OF_START = 400
"""The number of first lines of a log that name the master of a program."""
LINES_OF_END = 300
"""The number of last lines of a log that name what ended a program."""

_SEEKS_YARN = "Connecting to ResourceManager at"
_THROWN = re.compile(r'^(?:Caused by: |: |Exception in thread "[^"]*" )?(?:\w+\.)*\w*(?:Error|Exception): (?P<text>.*)')
_NO_BUCKET = re.compile(r"Could not initialize target File System for URI : obs://(?P<name>[\w.-]+)")
_NO_MODULE = re.compile(
    r"No module named '(?P<name>\w+)|(?:\[PACKAGE_NOT_INSTALLED\] )?(?P<title>Pandas|PyArrow) >= \S+ must be installed"
)
_EXTRA = {"numpy", "pandas", "pyarrow"}
"""The modules that the extra `local-ml` installs."""


def failure_hint(start: Sequence[str], end: Sequence[str], master: str) -> str | None:
    """Return why a job failed here, if the local DLI differs from the service in that. Otherwise return None.

    Args:
        start: The first lines of the driver log.
        end: Its last lines.
        master: The Spark master of the local DLI.
    """
    if any(_SEEKS_YARN in line for line in start):
        return (
            "The program sets the master yarn, and there is no YARN here. The local DLI runs jobs on "
            f"{master}: leave the master out of the program."
        )
    thrown = [found["text"] for line in end if (found := _THROWN.match(line))]
    return _hint_of(thrown[-1]) if thrown else None


def _hint_of(thrown: str) -> str | None:
    """Return a line about what a job threw at last."""
    if found := _NO_BUCKET.match(thrown):
        return (
            f"The bucket {found['name']} does not exist in the local DLI. "
            f"Make the directory obs/{found['name']} in its data directory before you submit the job."
        )
    if found := _NO_MODULE.match(thrown):
        name = found["name"] or found["title"].lower()
        if name in _EXTRA:
            return (
                f"The module {name} does not exist in the local DLI. It is in the extra local-ml. "
                "Run: pip install 'pulumi-dli[local,local-ml]'"
            )
    return None
