"""Tells the lines of a driver log that the framework wrote from those that the job wrote.

The logger of a line decides, not its level: a job may log at INFO, and Spark at ERROR.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path

from pulumi_dli.spark_logs.lines import visible_part

TRACEBACK = "Traceback (most recent call last):"
SPARK_TIME = r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d"
TIME = rf"(?:{SPARK_TIME}|\d{{4}}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d{{4}}|Z)?)"
LEVEL = r"(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)"

_HEADER = re.compile(rf"\s*(?P<time>{TIME})[ |]*\[?{LEVEL}\b\]? *(?P<bar>\|?) *(?P<rest>.*)", re.DOTALL)
_SPARK_TIME = re.compile(SPARK_TIME)
_LOGGER_FIRST = re.compile(r"(?:\[[^\]]*\] ?)?(?P<logger>[\w.$]+)(?::\d+)?(?::| -)(?: (?P<message>.*))?$", re.DOTALL)
"""Spark's own pattern: `26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9`."""
_PLACE = re.compile(r"(?P<logger>[\w.$<>]+) ?(?:\(.*\))?$")
"""The end of the service's pattern: `… | INFO  | [main] | Running | org.apache.spark.Logging.logInfo(Logging.scala:6)`.

It is a method (seen in a driver log of DLI of 2024-07-02, see `tests/data/logs/README.md`), or a logger.
"""
_ENDS_WITH_PLACE = re.compile(r"(?:.* )?\| [\w.$<>]+ ?\(.*\)$")
_MAX_LENGTH = 4000

_FRAMEWORK_PACKAGES = ("org.apache.", "org.sparkproject.", "org.datanucleus.", "DataNucleus.", "py4j.")
_STARTUP = re.compile(
    r"(Setting default log level to \"|To adjust logging level use sc\.setLogLevel|Using Spark's .*log4j profile:"
    r"|\[Stage \d+:|SLF4J: |log4j:WARN |(OpenJDK|Java HotSpot\(TM\)) .* warning: "
    r"|WARNING: (An illegal reflective|Illegal reflective|Please consider reporting|Use --illegal-access"
    r"|All illegal access|Using incubator modules))"
)
"""Lines without a logger that Spark and Java print."""
_THROWABLE = re.compile(r"(?:[a-z_]\w*\.)+\w*(?:Exception|Error|Throwable)(?::|$)")
_STACK = re.compile(r"\s+at |Caused by: |\s+\.\.\. \d+ more|\s+Suppressed: |Driver stacktrace:")
_LONG_MESSAGES = {
    "Initialized Parquet WriteSupport with Catalyst schema:": re.compile(r"\s*$"),
    "Process of event ": re.compile(r".* by listener \w+ took "),
}
"""The beginnings of messages that have many lines, each with its last line."""
_LAUNCH, _AFTER_LAUNCH = "Spark Command: ", re.compile(r"=+$")
_GAP = "… "
"""The beginning of a line that stands for lines that were left out. See `operations.log_stream`."""


@dataclass(frozen=True)
class Header:
    """The beginning of a log message."""

    logger: str
    """The name of the logger, with or without its package, or of the method that logged. Empty if a later line has."""
    message: str
    is_of_framework: bool = True
    """Whether Spark or one of its libraries wrote the message."""


def header_of(line: str) -> Header | None:
    """Return the header of a line, or None if the line has no time, level and logger."""
    header = _HEADER.match(line)
    if header is None:
        return None
    rest = header["rest"]
    if header["bar"]:
        message, bar, end = rest.rpartition(" | ")
        place = _PLACE.match(end) if bar else None
        message = _without_thread(rest if place is None else message)
        return (
            Header("", message) if place is None else Header(place["logger"], message, _is_framework(place["logger"]))
        )
    found = _LOGGER_FIRST.match(rest)
    if found is None:
        return None
    has_short_names = _SPARK_TIME.fullmatch(header["time"]) is not None
    return Header(found["logger"], found["message"] or "", _is_framework(found["logger"], has_short_names))


def _without_thread(message: str) -> str:
    """Return a message without the name of the thread before it: `[main] | Running`."""
    thread, bar, rest = message.partition(" | ")
    return rest if bar and thread.startswith("[") else message


def _is_framework(logger: str, has_short_names: bool = False) -> bool:
    """Return whether a logger is the framework's. Only Spark's own pattern has names without their packages."""
    if "." in logger:
        return logger.startswith(_FRAMEWORK_PACKAGES)
    return has_short_names and logger.split("$", maxsplit=1)[0] in framework_loggers()


@cache
def framework_loggers() -> frozenset[str]:
    """Return the names of the framework's loggers without their packages. `scripts/framework_loggers.py` made them."""
    return frozenset((Path(__file__).parent / "framework_loggers.txt").read_text(encoding="utf-8").split())


def _cut(line: str) -> str:
    """Return the beginning and the end of a very long line: the logger is in one of them."""
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH // 2]} {line[-_MAX_LENGTH // 2 :]}"


class _Inside(Enum):
    """What the last line belongs to."""

    JOB = auto()
    JOB_ABOVE_STACK = auto()
    """The job's, or the rest of the text of an exception. A stack may follow, and is not the job's."""
    MESSAGE = auto()
    BLOCK = auto()
    TRACEBACK = auto()
    THROWN = auto()
    STACK = auto()


def _of_stack(line: str) -> _Inside:
    """Return what a call in a stack, or the name of what was thrown, begins."""
    if line.endswith(TRACEBACK):
        return _Inside.TRACEBACK
    return _Inside.STACK if line[:1].isspace() else _Inside.THROWN


_OF_JOB = (_Inside.JOB, _Inside.JOB_ABOVE_STACK)
_ABOVE_STACK = (_Inside.THROWN, _Inside.JOB_ABOVE_STACK)


class JobLines:
    """Finds the lines that the job wrote among those of a driver log, which it gets one by one, in order.

    A stack trace belongs to the message before it. The lines of an uncaught exception have no header, so they are
    the job's. In the service's pattern the logger of a message of several lines is below it, so such a message counts
    as the framework's.
    """

    def __init__(self) -> None:
        self._inside = _Inside.JOB
        self._last_line = _AFTER_LAUNCH

    def is_of_job(self, line: str) -> bool:
        """Return whether the job wrote the next line."""
        line = _cut(visible_part(line))
        header = header_of(line)
        if header is not None:
            self._inside = self._in(header)
        elif line.startswith((_GAP, _LAUNCH)):
            self._inside, self._last_line = _Inside.JOB if line.startswith(_GAP) else _Inside.BLOCK, _AFTER_LAUNCH
        else:
            self._inside = self._after(line)
        return self._inside in _OF_JOB and _STARTUP.match(line) is None

    def _in(self, header: Header) -> _Inside:
        if not header.is_of_framework:
            return _Inside.JOB
        ends = (last for first, last in _LONG_MESSAGES.items() if header.message.startswith(first))
        last_line = _ENDS_WITH_PLACE if not header.logger else next(ends, None)
        if last_line is not None and not last_line.match(header.message):
            self._last_line = last_line
            return _Inside.BLOCK
        return _Inside.TRACEBACK if header.message.endswith(TRACEBACK) else _Inside.MESSAGE

    def _after(self, line: str) -> _Inside:
        """Return what a line without a header belongs to."""
        if self._inside is _Inside.BLOCK:
            return _Inside.MESSAGE if self._last_line.match(line) else _Inside.BLOCK
        if self._inside is _Inside.JOB or line.startswith("Exception in thread "):
            return _Inside.JOB
        begins = self._inside is _Inside.MESSAGE and _THROWABLE.match(line)
        return _of_stack(line) if begins or _STACK.match(line) else self._below_stack(line)

    def _below_stack(self, line: str) -> _Inside:
        """Return what a line belongs to that is no call in a stack. The text of an exception may have many lines."""
        if self._inside is _Inside.TRACEBACK:
            return _Inside.TRACEBACK if line[:1].isspace() else _Inside.THROWN
        if self._inside in (_Inside.THROWN, _Inside.STACK) and not line.strip():
            return self._inside
        return _Inside.JOB_ABOVE_STACK if self._inside in _ABOVE_STACK else _Inside.JOB
