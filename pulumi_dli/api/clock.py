"""Time as an argument: what waits takes a clock, so that no test sleeps. And durations in words."""

from __future__ import annotations

import re
import time
from typing import Protocol

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*")


class Clock(Protocol):
    """A monotonic clock that can also wait."""

    def now(self) -> float:
        """Give the seconds since some fixed instant; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Give the seconds of the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        time.sleep(seconds)


def parse_duration(value: str | float) -> float:
    """Read a duration, `90s`, `20m`, `2h`, `1d` or a number of seconds, in seconds.

    Raises ValueError for anything else, and for a duration that is negative.
    """
    match = _DURATION.fullmatch(str(value))
    if match is None:
        raise ValueError(f"not a duration: {value!r}; write it as in '90s', '20m', '2h', or as a number of seconds")
    return float(match[1]) * _UNITS[match[2]]


def format_duration(seconds: float) -> str:
    """Say a duration in its two largest units: `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
