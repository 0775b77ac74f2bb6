"""Finds the lines of a driver log that report an error: of a logger, of Python, of Java, or of the local DLI."""

from __future__ import annotations

import re

from pulumi_dli.spark_logs.framework_lines import LEVEL, TIME, TRACEBACK
from pulumi_dli.spark_logs.lines import visible_part

_MAX_LENGTH = 1000
_LEVEL = re.compile(rf"\s*(?:{TIME}[ |]*\[?(?P<logged>{LEVEL}|CRITICAL)\b|(?P<bare>ERROR|FATAL|CRITICAL)\b[:\s])")
_ERRORS = ("ERROR", "FATAL", "CRITICAL")
_THROWN = re.compile(
    r"(?:Caused by: |Exception in thread |Error: |The job's process ended |The local DLI could not )"
    r"|(?:: )?(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)(?::|$)"
)


class ErrorLines:
    """Tells the lines of an error from others. It gets the lines of a log one by one, in order.

    The stack below an error belongs to it, and so does the line that names what Python threw. A warning is no error.
    """

    def __init__(self) -> None:
        self._is_inside = False
        self._is_in_traceback = False

    def is_error(self, line: str) -> bool:
        """Return whether the next line is part of an error."""
        line = visible_part(line)[:_MAX_LENGTH]
        if found := _LEVEL.match(line):
            self._is_inside = (found["logged"] or found["bare"]) in _ERRORS
            self._is_in_traceback = self._is_inside and line.endswith(TRACEBACK)
        elif line.endswith(TRACEBACK):
            self._is_inside = self._is_in_traceback = True
        elif not self._is_inside or not line[:1].isspace():
            self._is_inside = self._is_in_traceback or _THROWN.match(line) is not None
            self._is_in_traceback = False
        return self._is_inside
