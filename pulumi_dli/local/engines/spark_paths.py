"""Refuses a data directory whose path Spark cannot use.

Spark, Hadoop and Derby read such a path as an item of a list, as a URI, as a pattern, and as a part of a database's
address. No escape works in all of them. What is refused was tried with jobs on pyspark 3.5.9: these jobs fail.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

UNUSABLE = ",#:?*[]{"
"""The printable characters with which no job works, or only some jobs.

A comma separates paths. `#` begins the fragment of a URI. What is before a colon counts as a scheme. The others belong
to patterns.
"""
UNUSABLE_FOR_TABLES = ";\\"
"""The printable characters with which jobs work if they use no metadata.

What is after a semicolon counts as a setting of the database. A backslash belongs to patterns: no job works if it ends
a name.
"""


def check_path(data: Path) -> None:
    """Check that Spark can use an absolute path, and the path behind its links.

    Raises ValueError with a text that says why it cannot and what to do.
    """
    _check(data, "Spark", UNUSABLE)


def check_path_for_tables(data: Path) -> None:
    """Check that tables can be in a path that Spark can use. Raises ValueError like `check_path`."""
    _check(data, "DLI's metadata", UNUSABLE_FOR_TABLES)


def _check(data: Path, user: str, unusable: str) -> None:
    for path in (str(data), os.path.realpath(data)):
        if problem := _problem(path, unusable):
            shown = path if path.isprintable() else ascii(path)
            every = " ".join(UNUSABLE + UNUSABLE_FOR_TABLES)
            raise ValueError(
                f"{user} cannot use the path {shown} of the data directory, because it has {problem}. Choose a data "
                f"directory whose path has no control character and none of `{every}`"
            )


def _problem(path: str, unusable: str) -> str | None:
    """Return what cannot be used in a path, in words."""
    if "\\/" in f"{path}/":
        return "a name that ends in a backslash"
    for character in path:
        if character in unusable:
            return f"the character `{character}`"
        category = unicodedata.category(character)
        if category == "Cc":
            return "a control character"
        if category == "Cs":
            return "a byte that is not UTF-8"
    return None
