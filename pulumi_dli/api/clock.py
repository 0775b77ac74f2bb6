"""Clocks, which code that waits takes as an argument so that no test sleeps; and durations as text."""

from __future__ import annotations

import re
import time
from typing import Protocol

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_SUM = re.compile(r"\s*(\d+(\.\d+)?d)?(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?\s*")


class Clock(Protocol):
    """A monotonic clock that can also sleep."""

    def now(self) -> float:
        """Return the seconds since a fixed instant. The value never decreases."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for this many seconds."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return the seconds of `time.monotonic`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread for this many seconds."""
        time.sleep(seconds)


def parse_duration(value: str | float) -> float:
    """Return the seconds of a duration: `90s`, `20m`, `2h`, `1d`, `1h30m` or a number of seconds.

    Raises ValueError for any other text and for a negative number.
    """
    written = str(value).strip()
    is_sum = written and _SUM.fullmatch(written)
    if not is_sum and not _DURATION.fullmatch(written):
        raise ValueError(f"not a duration: {value!r}; write it as in '90s', '20m', '2h', or as a number of seconds")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(written))


def format_duration(seconds: float) -> str:
    """Return a duration as text with its two largest units: `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
