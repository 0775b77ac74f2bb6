"""Lines of a log as people see them."""

from __future__ import annotations


def visible_part(line: str) -> str:
    """Return what a terminal shows of a line at last: the text after the last carriage return that text follows."""
    parts = (part for part in reversed(line.rstrip("\r\n").split("\r")) if part.strip())
    return next(parts, "")
