"""Finds in the driver log of a dead job why it failed.

Spark prints the reason long before the end: after it come the rest of a Java stack and the messages of its shutdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import takewhile

from pulumi_dli.jobs.driver_log import JobLines, header_of
from pulumi_dli.jobs.redaction import masked_lines
from pulumi_dli.jobs.screen import shown_line, shown_lines

LINES = 300
"""How many of the last lines of the log are enough to find the reason."""
_SHOWN = 20
_BEFORE = 4
_HEAD = 4
_CALLS = 4
_MAX_LENGTH = 1000

_TRACEBACK = "Traceback (most recent call last):"
_FROM_WORKER = re.compile(r"An exception was thrown from the Python worker|PythonException: ")
_IN_MAIN = re.compile(r'Exception in thread "[^"]*" (?P<thrown>.*)')
_CLASS = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*")
_LOST_TASK = re.compile(r"most recent failure: Lost task .*?\(TID \d+\) \(.*?\): (.*)")
_SYNTAX = re.compile(r"(?P<thrown>(?:SyntaxError|IndentationError|TabError): .*)")
_CALL = re.compile(r"\s+at ")
_FOREIGN_CALL = re.compile(
    r"\s+at (?:[\w.]+/)?(?:org\.apache\.spark\.(?!examples)|org\.apache\.hadoop|java\.|javax\.|jdk\.|sun\."
    r"|scala\.|py4j\.)"
    r"|\s+\.\.\. \d+ more"
    r'|\s+File "[^"]*(?:pyspark\.zip|py4j|/pyspark/)[^"]*", line'
)

_CERTAIN = {
    re.compile(r"^(The program sets the master yarn, and there is no YARN here\.)"): r"\1",
    re.compile(r"java\.lang\.OutOfMemoryError: (.*)"): r"OutOfMemoryError: \1",
    re.compile(r"(Container killed by YARN for exceeding \w* ?memory limits)"): r"\1",
}
"""What ends a driver whatever it throws then."""
_NOT_STARTED = {
    re.compile(r"^(The local DLI could not start the job: .*)"): r"\1",
    re.compile(r"^\S*python\S*: (can't open file .*)"): r"\1",
    re.compile(
        r"^Error: (Failed to load class .*|Could not find or load main class .*|Unable to access jarfile .*"
        r"|No main class set in JAR.*|Main method not found .*)"
    ): r"\1",
}
_ENDED = {
    re.compile(r"(?:[eE]xit ?code:? |exited with (?:status|code) |ended with exit code )(\d+)"): (
        r"the program ended with exit code \1"
    ),
    re.compile(r"process ended by (SIG[A-Z]+)"): r"the program was killed by \1",
    re.compile(r"^The job was cancelled\.$"): "the job was cancelled",
}
_BARE = {re.compile(r"^((?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?:: .*)?)$"): r"\1"}
_SIGNALS = {"134": "SIGABRT", "137": "SIGKILL", "139": "SIGSEGV", "143": "SIGTERM"}
"""The signals that shells and Spark report as 128 and a number."""
_BY_SIGNAL = re.compile(rf"^the program ended with exit code ({'|'.join(_SIGNALS)})$")
_DIRECT_CAUSE = "The above exception was the direct cause"
_CLASSIFIED = re.compile(r"\[[A-Z_.]+\] ")
"""The beginning of a message that Spark wrote for its users."""
_EXIT_1 = re.compile(r"exit code 1$")
_INNER_HEADER = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d [A-Z]+ ")
_WRAPPERS = {"Py4JJavaError", "PythonException", "SparkException", "StreamingQueryException"}
_WITHOUT_JVM = {"Py4JNetworkError", "Py4JError", "ConnectionRefusedError", "ConnectionResetError", "EOFError"}
"""What Python sees when the JVM of the driver has gone."""


class _Kind(Enum):
    DRIVER = auto()
    """Python code or the main thread of the driver threw it. The job cannot go on, unless it catches it."""
    WORKER = auto()
    """Python code in a worker threw it."""
    JAVA = auto()
    """It is in the stack of another one, as its cause."""
    LOGGED = auto()
    """A logger wrote it."""


_LOGGED = (re.compile(r"(?P<thrown>(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)(?:: .*)?$)"), _Kind.LOGGED)
"""The line below the message of a logger."""
_PATTERNS = (
    (_IN_MAIN, _Kind.DRIVER),
    (re.compile(r"User class threw exception: (?P<thrown>.*)"), _Kind.DRIVER),
    (_SYNTAX, _Kind.DRIVER),
    (re.compile(r"Caused by: (?P<thrown>.*)"), _Kind.JAVA),
    (re.compile(r": (?P<thrown>(?:[a-z_]\w*\.)+[A-Z]\w*.*)"), _Kind.JAVA),  # below a Py4JJavaError
)


@dataclass(frozen=True)
class _Thrown:
    """Something that was thrown."""

    start: int
    """The number of the first line about it."""
    line: int
    """The number of the line that names it."""
    text: str
    kind: _Kind
    is_of_main: bool = False
    """The main thread of the JVM threw it, so a cause may follow. Python names the cause before."""

    @property
    def type(self) -> str:
        """The name of its class, without the package."""
        return self.text.partition(":")[0].rpartition(".")[2].strip()

    @property
    def may_be_wrapper(self) -> bool:
        """True if a cause may be named below."""
        return self.is_of_main or self.type in _WRAPPERS

    @property
    def message(self) -> str:
        """What follows the name of its class."""
        return self.text.partition(":")[2].strip()


@dataclass(frozen=True)
class FailureReason:
    """Why a job failed, as far as its log tells, ready for the screen."""

    text: str | None
    """One line that names what was thrown, or how the program ended: `ValueError: invalid literal for int()`.

    None if the log does not tell.
    """
    lines: tuple[str, ...]
    """The lines of the log around it, without the framework's; else the last lines that the job wrote. 20 at most."""


def failure_reason(log: Sequence[str], secrets: Sequence[str] | None = None) -> FailureReason:
    """Find why a dead job failed.

    Args:
        log: The last lines of its driver log, `LINES` of them if there are as many.
        secrets: The texts to mask.
    """
    lines = [_visible(line) for line in masked_lines(log, secrets) or ()]
    thrown = [*_all_thrown(lines)]
    reason = _reason(lines, thrown)
    if reason is None:
        return FailureReason(None, tuple(shown_lines(_last_job_lines(lines), secrets)))
    starts = [one.start for one in thrown if one.kind is _Kind.DRIVER and one.start <= reason.line]
    around = _around(lines, max([reason.start, *starts[-1:]]), reason.line)
    return FailureReason(shown_line(_short(reason.text), secrets), tuple(shown_lines([*around], secrets)))


def _last_job_lines(lines: Sequence[str]) -> list[str]:
    """Return the last lines that the job wrote, or that the framework wrote if the job wrote none."""
    jobs = JobLines()
    written = [line for line in lines if jobs.is_of_job(line) and line.strip()]
    return (written or [line for line in lines if line.strip()])[-_SHOWN:]


def _visible(line: str) -> str:
    """Return what a terminal shows of a line at last, and not more than 1,000 characters of it."""
    parts = [part for part in line.rstrip("\r\n").split("\r") if part.strip()]
    return parts[-1][:_MAX_LENGTH] if parts else ""


def _all_thrown(lines: Sequence[str]) -> Iterator[_Thrown]:
    is_below_header = False
    for number, line in enumerate(lines):
        header = header_of(line)
        text = header.message if header else line
        if text.endswith(_TRACEBACK):
            yield from _in_traceback(lines, number, is_of_worker=_is_quoted(text, lines[:number]))
            continue
        below_header, is_below_header = is_below_header, header is not None
        for pattern, kind in (*_PATTERNS, *([_LOGGED] if below_header else [])):
            if match := pattern.match(text):
                text = _with_message(match["thrown"], lines[number + 1 :])
                yield _Thrown(number, number, text, kind, is_of_main=pattern is not _SYNTAX)
                break


def _in_traceback(lines: Sequence[str], start: int, *, is_of_worker: bool) -> Iterator[_Thrown]:
    """Yield what ends a traceback of Python: the first line after it that is not indented."""
    for number in range(start + 1, len(lines)):
        if lines[number] and not lines[number][0].isspace():
            kind = _Kind.WORKER if is_of_worker else _Kind.DRIVER
            yield _Thrown(start, number, _with_message(lines[number], lines[number + 1 :]), kind)
            return


def _with_message(thrown: str, following: Sequence[str]) -> str:
    """Return what was thrown, with the first line of its message if that begins below.

    Python and Java write to one log, so a message of Spark may begin in the middle of a line of Python.
    """
    thrown = _INNER_HEADER.split(thrown)[0].rstrip()
    below = next((line.strip() for line in following if line.strip() and header_of(line) is None), "")
    if thrown.endswith(":") and _CLASS.fullmatch(thrown[:-1]):
        return f"{thrown} {below}"
    return f"{thrown}{below}" if below.startswith(": ") and ":" not in thrown else thrown


def _is_quoted(text: str, before: Sequence[str]) -> bool:
    """Return whether a traceback is a part of another message: the driver repeats what a worker threw."""
    last = next((line for line in reversed(before) if line.strip()), "")
    return _FROM_WORKER.search(f"{last}\n{text}") is not None


def _reason(lines: Sequence[str], thrown: Sequence[_Thrown]) -> _Thrown | None:
    """Return what ended the driver."""
    drivers = [one for one in thrown if one.kind is _Kind.DRIVER]
    certain, ended = _last(lines, _CERTAIN), _last(lines, _ENDED)
    if certain is not None and _is_cause_of(certain, drivers):
        return certain
    if not drivers or _went_on(lines, thrown, ended):
        return _last(lines, _NOT_STARTED) or _without_traceback(lines, ended) or next(reversed(thrown), None)
    if drivers[-1].may_be_wrapper:
        return _innermost([drivers[-1], *_causes(drivers[-1], thrown)])
    return _first_of_chain(lines, drivers)


def _without_traceback(lines: Sequence[str], ended: _Thrown | None) -> _Thrown | None:
    """Return how the program ended, or the exception whose traceback is above the lines that we have."""
    if ended is not None and not _EXIT_1.search(ended.text):
        return ended
    return _last(lines, _BARE) or ended


def _is_cause_of(certain: _Thrown, drivers: Sequence[_Thrown]) -> bool:
    """Return whether the driver ended because of this, whatever it threw at last."""
    return not drivers or drivers[-1].type in _WITHOUT_JVM or drivers[-1].start <= certain.line


def _went_on(lines: Sequence[str], thrown: Sequence[_Thrown], ended: _Thrown | None) -> bool:
    """Return whether the job caught the last exception and went on, so that it ended by itself."""
    if ended is None or _EXIT_1.search(ended.text):
        return False
    after = lines[max(one.line for one in thrown) + 1 : ended.line]
    jobs = JobLines()
    return any(jobs.is_of_job(line) and line.strip() and not line[0].isspace() for line in after)


def _first_of_chain(lines: Sequence[str], drivers: Sequence[_Thrown]) -> _Thrown:
    """Return what made Python throw the last exception: `raise Y from X` names X above Y."""
    last = drivers[-1]
    for one in reversed(drivers[:-1]):
        between = [line for line in lines[one.line + 1 : last.start] if line.strip()]
        if not between or not between[-1].startswith(_DIRECT_CAUSE):
            break
        last = one
    return last


def _causes(last: _Thrown, thrown: Sequence[_Thrown]) -> Iterator[_Thrown]:
    """Yield the causes that are named below an exception, and the one that Spark has logged before it."""
    position = thrown.index(last)
    if last.type == "StreamingQueryException":
        message = last.message.rpartition("terminated with exception: ")[2]
        yield from [one for one in thrown[:position] if one.message and message.startswith(one.message)][-1:]
    yield from takewhile(lambda one: one.kind is not _Kind.LOGGED, thrown[position + 1 :])


def _innermost(thrown: Sequence[_Thrown]) -> _Thrown:
    """Return the cause of what ended the driver: what the job's own code or data brought about."""
    workers = [one for one in thrown if one.kind is _Kind.WORKER]
    if workers:
        return workers[-1]
    kept = thrown[0]
    for one in thrown[1:]:
        if not _says_more(kept, one):
            kept = one
    return kept


def _says_more(outer: _Thrown, cause: _Thrown) -> bool:
    """Return whether an exception says more than the one that is named as its cause."""
    if outer.type in _WRAPPERS:
        return cause.type in _short(outer.text) and not cause.message
    return outer.message == cause.message or _CLASSIFIED.match(outer.message) is not None


def _last(lines: Sequence[str], patterns: Mapping[re.Pattern[str], str]) -> _Thrown | None:
    """Return the last line that one of the patterns finds, with its text."""
    for number in range(len(lines) - 1, -1, -1):
        for pattern, text in patterns.items():
            if match := pattern.search(lines[number]):
                return _Thrown(number, number, match.expand(text), _Kind.JAVA)
    return None


def _short(text: str) -> str:
    """Return what was thrown without packages, and without what Spark writes around it."""
    if match := _LOST_TASK.search(text):
        text = match[1]
    if match := _BY_SIGNAL.search(text):
        return f"the program was killed by {_SIGNALS[match[1]]}"
    name, colon, message = text.partition(":")
    return f"{name.rpartition('.')[2] if _CLASS.fullmatch(name) else name}{colon}{message}".strip()


def _around(lines: Sequence[str], first: int, last: int) -> Iterator[str]:
    """Yield the job's own lines from `first` to `last`, with some before and the job's own calls after."""
    written = [*_own_lines(lines)]
    before = [number for number in written if number < first]
    calls = [number for number in written if last < number <= _end_of_stack(lines, last)][:_CALLS]
    block = sorted({first, last, *calls}.union(number for number in written if first < number < last))
    too_many = len(block) + min(len(before), _BEFORE) - _SHOWN
    if too_many > 0:
        del block[_HEAD : _HEAD + too_many]
    yield from (lines[number] for number in (*before[len(block) - _SHOWN :], *block))


def _own_lines(lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that the job wrote, without the calls of Spark and of Java in a stack."""
    jobs = JobLines()
    is_foreign_call = False
    for number, line in enumerate(lines):
        is_of_job = jobs.is_of_job(line)
        if not line.startswith("    ") or not is_foreign_call:  # below a line of a Python stack is its source
            is_foreign_call = _FOREIGN_CALL.match(line) is not None
        if is_of_job and line.strip() and not is_foreign_call:
            yield number


def _end_of_stack(lines: Sequence[str], start: int) -> int:
    """Return the number of the last line of the stack that follows a line."""
    following = range(start + 1, len(lines))
    return next((number - 1 for number in following if not _CALL.match(lines[number])), len(lines) - 1)
