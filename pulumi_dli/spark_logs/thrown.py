"""Finds in a driver log all that was thrown: by Python and by Java, in the driver and in workers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pulumi_dli.spark_logs.framework_lines import LEVEL, TIME, TRACEBACK, header_of

_FROM_WORKER = re.compile(r"An exception was thrown from the Python worker|PythonException: ")
_BESIDE_MAIN = re.compile(
    r"Exception ignored in|Error in atexit\._run_exitfuncs|--- Logging error ---|Exception in thread (?!\"main\")"
)
"""The line that Python writes above the traceback of an exception that does not end the program."""
_CLASS = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
_THROWN = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?::|$)")
_IN_GROUP = re.compile(r"\s*\| ((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*: .*)")
_INNER_HEADER = re.compile(rf"{TIME}[ |]*\[?{LEVEL}\b")


class Kind(Enum):
    """Where something was thrown."""

    DRIVER = auto()
    """Python code or the main thread of the driver threw it. The job cannot go on, unless it catches it."""
    WORKER = auto()
    """Python code in a worker threw it."""
    JAVA = auto()
    """It is in the stack of another one, as its cause."""
    LOGGED = auto()
    """It was only reported: by a logger, or because another thread has ended."""


_SYNTAX = re.compile(r"(?P<thrown>(?:SyntaxError|IndentationError|TabError): .*)")
_PATTERNS = (
    (re.compile(r'Exception in thread "(?:main|Driver)" (?P<thrown>.+)'), Kind.DRIVER),
    (re.compile(r'Exception in thread "[^"]*" (?P<thrown>.+)'), Kind.LOGGED),
    (re.compile(r"User class threw exception: (?P<thrown>.+)"), Kind.DRIVER),
    (_SYNTAX, Kind.DRIVER),
    (re.compile(r"Caused by: (?P<thrown>.+)"), Kind.JAVA),
    (re.compile(r": (?P<thrown>(?:[a-z_]\w*\.)+[A-Z]\w*.*)"), Kind.JAVA),  # below a Py4JJavaError
)
_BELOW_HEADER = (re.compile(r"(?P<thrown>(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:: .*)?$)"), Kind.LOGGED)


@dataclass(frozen=True)
class Thrown:
    """Something that was thrown, or another fact about the end of a program."""

    start: int
    """The number of the first line about it."""
    line: int
    """The number of the line that names it."""
    text: str
    kind: Kind
    is_of_main: bool = False
    """The main thread of the JVM threw it."""

    @property
    def type(self) -> str:
        """The name of its class, without the package."""
        return self.text.partition(":")[0].rpartition(".")[2].strip()

    @property
    def message(self) -> str:
        """The text after the name of its class."""
        return self.text.partition(":")[2].strip()


def without_packages(text: str) -> str:
    """Return the text of an exception with the name of its class only."""
    name, colon, message = text.partition(":")
    return f"{name.rpartition('.')[2] if _CLASS.fullmatch(name) else name}{colon}{message}".strip()


def all_thrown(lines: Sequence[str]) -> Iterator[Thrown]:
    """Yield all that was thrown, in the order of the lines that name it."""
    is_below_header = False
    for number, line in enumerate(lines):
        header = header_of(line)
        text = header.message if header else line
        was_below_header, is_below_header = is_below_header, header is not None
        if text.endswith(TRACEBACK):
            yield from _in_traceback(lines, number, _kind_of_traceback(text, lines[:number]))
            continue
        for pattern, kind in (*_PATTERNS, *([_BELOW_HEADER] if was_below_header else [])):
            if match := pattern.match(text):
                thrown = _with_message(match["thrown"], lines[number + 1 :])
                yield Thrown(number, number, thrown, kind, is_of_main=pattern is not _SYNTAX)
                break


def _in_traceback(lines: Sequence[str], start: int, kind: Kind) -> Iterator[Thrown]:
    """Yield the end of a traceback of Python: the first line below that is not indented and names a class.

    Java writes to the same log, so its lines may be in between.
    """
    is_group = "Exception Group" in lines[start]
    for number in range(start + 1, len(lines)):
        if is_group and (match := _IN_GROUP.match(lines[number])):
            yield Thrown(start, number, match[1], kind)
            return
        thrown = _INNER_HEADER.split(lines[number])[0].rstrip()
        if _THROWN.match(thrown):
            yield Thrown(start, number, _with_message(thrown, lines[number + 1 :]), kind)
            return


def _kind_of_traceback(text: str, before: Sequence[str]) -> Kind:
    """Return who threw what a traceback tells, from the line above it and its own beginning."""
    above = next((line for line in reversed(before) if line.strip()), "")
    if _FROM_WORKER.search(f"{above}\n{text}"):
        return Kind.WORKER
    return Kind.LOGGED if _BESIDE_MAIN.match(above) else Kind.DRIVER


def _with_message(thrown: str, following: Sequence[str]) -> str:
    """Return an exception with the first line of its message if that begins below.

    Python and Java write to one log, so a message of Spark may begin in the middle of a line of Python.
    """
    thrown = _INNER_HEADER.split(thrown)[0].rstrip()
    below = next((line.strip() for line in following if line.strip() and header_of(line) is None), "")
    if thrown.endswith(":") and _CLASS.fullmatch(thrown[:-1]):
        return f"{thrown} {below}"
    return f"{thrown}{below}" if below.startswith(": ") and ":" not in thrown else thrown
