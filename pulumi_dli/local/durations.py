"""Durations as people write them."""

from __future__ import annotations

import re

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PARTS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(ms|[smhd]?)\s*", re.ASCII)


def parse_duration(text: str) -> float:
    """Read a duration such as `20ms`, `0.5s`, `90`, `20m`, `6h` or `1d`, in seconds. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}; write it as in 500ms, 0.5s, 20m or 6h")
    return float(match[1]) * _UNITS[match[2]]


def format_duration(seconds: float) -> str:
    """Write a duration for people: `0.4 s`, `12 s`, `2 min 5 s`, `3 h 20 min`, `1 d 4 h`."""
    for size, name, smaller, smaller_name in _PARTS:
        if seconds >= size:
            return f"{seconds // size:.0f} {name} {seconds % size // smaller:.0f} {smaller_name}"
    return f"{seconds // 1:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
