"""Tells the lines of a driver log that the framework wrote from those that the job wrote.

The logger of a line decides, not its level: a job may log at INFO, and Spark at ERROR.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

_LEVEL = r"(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)"
_TIME = r"\d{2,4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d{4}|Z)?"
_HEADER = re.compile(rf"\s*{_TIME}[ |]*\[?{_LEVEL}\]?[ |]+(?P<rest>.*)", re.DOTALL)
_LOGGER_FIRST = re.compile(r"(?:\[[^\]]*\] ?)?(?P<logger>[\w.$]+)(?::\d+)?(?::| -)(?: (?P<message>.*))?$", re.DOTALL)
"""Spark's own pattern: `26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9`."""
_LOGGER_LAST = re.compile(r"(?:\[[^\]]*\] \| )?(?P<message>.*) \| (?P<logger>[\w.$<>]+)(?: ?\(.*\))?$", re.DOTALL)
"""The service's pattern: `… | INFO  | [main] | Running | org.apache.spark.internal.Logging.logInfo(Logging.scala:57)`.

Its last part is a method (seen in a driver log of DLI of 2024-07-02, see `tests/data/logs/README.md`), or a logger.
"""

_FRAMEWORK_PACKAGES = ("org.apache.", "org.sparkproject.", "org.datanucleus.", "DataNucleus.")
_STARTUP = re.compile(
    r"(Setting default log level to \"|To adjust logging level use sc\.setLogLevel|Using Spark's .*log4j profile:"
    r"|\[Stage \d+:|WARNING: (An illegal reflective|Illegal reflective|Please consider reporting|Use --illegal-access"
    r"|All illegal access|Using incubator modules))"
)
"""Lines without a logger that Spark and Java print."""
_THROWABLE = re.compile(r"(?:[a-z_]\w*\.)+[A-Z]\w*(?::|$)")
_TRACEBACK = "Traceback (most recent call last):"
_STACK = re.compile(r"\s+at |Caused by: |\s+\.\.\. \d+ more|\s+Suppressed: |Driver stacktrace:")
_LONG_MESSAGES = {
    "Initialized Parquet WriteSupport with Catalyst schema:": re.compile(r"\s*$"),
    "Process of event ": re.compile(r".* by listener \w+ took "),
}
"""The beginnings of messages that have many lines, each with its last line."""


@dataclass(frozen=True)
class Header:
    """The beginning of a log message."""

    logger: str
    """The name of the logger, with or without its package, or of the method that logged."""
    message: str

    @property
    def is_of_framework(self) -> bool:
        """True if Spark or one of its libraries wrote the message."""
        if "." in self.logger:
            return self.logger.startswith(_FRAMEWORK_PACKAGES)
        return self.logger.split("$")[0] in framework_loggers()


def header_of(line: str) -> Header | None:
    """Return the header of a line, or None if the line has no time, level and logger."""
    header = _HEADER.match(line)
    if header is None:
        return None
    found = _LOGGER_LAST.match(header["rest"]) if " | " in header["rest"] else _LOGGER_FIRST.match(header["rest"])
    return Header(found["logger"], found["message"] or "") if found else None


@cache
def framework_loggers() -> frozenset[str]:
    """Return the names of the framework's loggers without their packages. `scripts/framework_loggers.py` made them."""
    return frozenset((Path(__file__).parent / "framework_loggers.txt").read_text(encoding="utf-8").split())


class _Inside(Enum):
    """What the last line belongs to."""

    JOB = auto()
    MESSAGE = auto()
    BLOCK = auto()
    THROWABLE = auto()
    STACK = auto()


class JobLines:
    """Finds the lines that the job wrote among those of a driver log, which it gets one by one, in order.

    A stack trace belongs to the message before it. The lines of an uncaught exception have no header, so they are
    the job's.
    """

    def __init__(self) -> None:
        self._inside = _Inside.JOB
        self._last_line: re.Pattern[str] | None = None

    def is_of_job(self, line: str) -> bool:
        """Return whether the job wrote the next line."""
        header = header_of(line)
        self._inside = self._after(line) if header is None else self._in(header)
        return self._inside is _Inside.JOB and _STARTUP.match(line) is None

    def _in(self, header: Header) -> _Inside:
        if not header.is_of_framework:
            return _Inside.JOB
        ends = (last for first, last in _LONG_MESSAGES.items() if header.message.startswith(first))
        self._last_line = next(ends, None)
        if self._last_line is not None and not self._last_line.match(header.message):
            return _Inside.BLOCK
        return _Inside.THROWABLE if header.message.endswith(_TRACEBACK) else _Inside.MESSAGE

    def _after(self, line: str) -> _Inside:
        """Return what a line without a header belongs to."""
        match self._inside:
            case _Inside.BLOCK if self._last_line is not None:
                return _Inside.MESSAGE if self._last_line.match(line) else _Inside.BLOCK
            case _Inside.MESSAGE if _THROWABLE.match(line):
                return _Inside.THROWABLE
            case _Inside.MESSAGE | _Inside.THROWABLE | _Inside.STACK if _STACK.match(line):
                return _Inside.THROWABLE if line.startswith("Caused by: ") else _Inside.STACK
            case _Inside.THROWABLE:
                return _Inside.THROWABLE  # the text of an exception may have many lines, before its stack
            case _Inside.STACK if not line.strip():
                return _Inside.STACK
        return _Inside.JOB
