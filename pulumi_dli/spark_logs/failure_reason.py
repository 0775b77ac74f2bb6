"""Finds why a dead job failed: chooses among all that its driver log names.

Spark prints the reason long before the end: after it come the rest of a Java stack and the messages of its shutdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from pulumi_dli.spark_logs.framework_lines import JobLines, header_of
from pulumi_dli.spark_logs.lines import visible_part
from pulumi_dli.spark_logs.thrown import Kind, Thrown, all_thrown, without_packages

LINES_NEEDED = 300
"""How many of the last lines of the log are enough to find the reason."""
_MAX_LENGTH = 1000
_SHOWN = 20
_SHOWN_BEFORE = 4
_SHOWN_HEAD = 4
_SHOWN_CALLS = 4

_FATAL = {
    re.compile(r"^(The program sets the master yarn, and there is no YARN here\.)"): r"\1",
    re.compile(r"^(The (?:bucket|module) \S+ does not exist in the local DLI\..*)"): r"\1",
    re.compile(r"java\.lang\.OutOfMemoryError: (.*)"): r"OutOfMemoryError: \1",
    re.compile(r"(Container killed by YARN for exceeding \w* ?memory limits)"): r"\1",
}
"""Facts that end a driver, whatever it throws then."""
_NOT_STARTED = {
    re.compile(r"^(The local DLI could not start the job: .*)"): r"\1",
    re.compile(r"^\S*python\S*: (can't open file .*)"): r"\1",
    re.compile(
        r"^Error: (Failed to load class .*|Could not find or load main class .*|Unable to access jarfile .*"
        r"|No main class set in JAR.*|Main method not found .*)"
    ): r"\1",
}
_ENDED = {
    re.compile(
        r"(?:^The job's process ended with exit code |Final app status: FAILED, exitCode: "
        r"|User application exited with status |exited with a non-zero exit code )([1-9]\d*)"
    ): r"the program ended with exit code \1",
    re.compile(r"^The job's process ended by (SIG[A-Z]+)"): r"the program was killed by \1",
    re.compile(r"^The job was cancelled\.$"): "the job was cancelled",
}
"""How the launcher of the program reports its end."""
_BARE_EXCEPTION = {re.compile(r"^((?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?:: .*)?)$"): r"\1"}
_EXIT_1 = re.compile(r"exit code 1$")
_SIGNALS = {"134": "SIGABRT", "137": "SIGKILL", "139": "SIGSEGV", "143": "SIGTERM"}
"""The signals that shells and Spark report as 128 and a number."""
_BY_SIGNAL = re.compile(rf"^the program ended with exit code ({'|'.join(_SIGNALS)})$")
_LOST_TASK = re.compile(r"most recent failure: Lost task .*?\(TID \d+(?:, [^)]*)?\)(?: \(.*?\))?: (.*)")

_WRAPPERS = {"Py4JJavaError", "PythonException", "SparkException", "StreamingQueryException"}
_WITHOUT_JVM = {"Py4JNetworkError", "Py4JError", "ConnectionRefusedError", "ConnectionResetError", "EOFError"}
"""The exceptions of Python when the JVM of the driver has gone."""
_DIRECT_CAUSE = "The above exception was the direct cause"
_CLASSIFIED = re.compile(r"\[[A-Z_.]+\] ")
"""The beginning of a message that Spark wrote for its users."""

_CALL = re.compile(r"\s+at ")
_FOREIGN_CALL = re.compile(
    r"\s+at (?:[\w.]+/)?(?:org\.apache\.spark\.(?!examples)|org\.apache\.hadoop|java\.|javax\.|jdk\.|sun\."
    r"|scala\.|py4j\.)"
    r"|\s+\.\.\. \d+ more"
    r'|\s+File "[^"]*(?:pyspark\.zip|py4j|/pyspark/)[^"]*", line'
)


@dataclass(frozen=True)
class FailureReason:
    """Why a job failed, as far as its log tells."""

    text: str | None
    """One line that names what was thrown, or how the program ended: `ValueError: invalid literal for int()`.

    None if the log does not tell.
    """
    lines: tuple[str, ...]
    """The lines of the log around it, without the framework's; else the last lines that the job wrote. 20 at most."""


def find_failure_reason(log: Sequence[str]) -> FailureReason:
    """Find why a dead job failed.

    Args:
        log: The last lines of its driver log, `LINES_NEEDED` of them if there are as many.
    """
    lines = [visible_part(line)[:_MAX_LENGTH] for line in log]
    thrown = [*all_thrown(lines)]
    reason = _choose(lines, thrown)
    if reason is None:
        return FailureReason(None, tuple(_last_job_lines(lines)))
    starts = [one.start for one in thrown if one.kind is Kind.DRIVER and one.start <= reason.line]
    numbers = _numbers_around(lines, max([reason.start, *starts[-1:]]), reason.line)
    return FailureReason(_shortened(reason.text) or None, tuple(lines[number] for number in numbers))


def _last_job_lines(lines: Sequence[str]) -> list[str]:
    """Return the last lines that the job wrote, or that the framework wrote if the job wrote none."""
    jobs = JobLines()
    written = [line for line in lines if jobs.is_of_job(line) and line.strip()]
    return (written or [line for line in lines if line.strip()])[-_SHOWN:]


def _choose(lines: Sequence[str], thrown: Sequence[Thrown]) -> Thrown | None:
    """Return what ended the driver."""
    drivers = [one for one in thrown if one.kind is Kind.DRIVER]
    fatal, ended = _last(lines, _FATAL), _end(lines)
    if fatal is not None and _is_fatal(lines, fatal, drivers, ended):
        return fatal
    if drivers and not _went_on(lines, thrown[-1].line, ended):
        last = drivers[-1]
        return _root_cause([last, *_causes(last, thrown)]) if _may_wrap(last) else _first_of_chain(lines, drivers)
    return _last(lines, _NOT_STARTED) or _without_traceback(lines, ended)


def _end(lines: Sequence[str]) -> Thrown | None:
    """Return how the launcher reports the end, if nothing of the job follows."""
    ended = _last(lines, _ENDED)
    return ended if ended is not None and not any(_job_lines_after(lines, ended.line)) else None


def _job_lines_after(lines: Sequence[str], number: int) -> Iterator[str]:
    """Yield what the job wrote after a line, without what belongs to a stack."""
    jobs = JobLines()
    for position, line in enumerate(lines):
        is_of_job = jobs.is_of_job(line)
        if position > number and is_of_job and line.strip() and not line[0].isspace():
            yield line


def _went_on(lines: Sequence[str], number: int, ended: Thrown | None) -> bool:
    """Return whether the job caught the exception of a line and went on.

    An uncaught exception of Python and of Java ends the program with exit code 1. What a job prints may come late,
    because it is buffered, but what it logs is not.
    """
    after = [line for line in _job_lines_after(lines, number) if ended is None or line != lines[ended.line]]
    ended_by_itself = ended is not None and not _EXIT_1.search(ended.text)
    return any(ended_by_itself or header_of(line) is not None for line in after)


def _is_fatal(lines: Sequence[str], fatal: Thrown, drivers: Sequence[Thrown], ended: Thrown | None) -> bool:
    """Return whether the driver ended because of this, whatever it threw at last."""
    if drivers and drivers[-1].start > fatal.line:
        return drivers[-1].type in _WITHOUT_JVM
    return not _went_on(lines, fatal.line, ended)


def _without_traceback(lines: Sequence[str], ended: Thrown | None) -> Thrown | None:
    """Return how the program ended, or the exception whose traceback is above the lines that we have."""
    if ended is not None and not _EXIT_1.search(ended.text):
        return ended
    bare = _last(lines, _BARE_EXCEPTION)
    is_last = bare is not None and all(
        ended is not None and line == lines[ended.line] for line in _job_lines_after(lines, bare.line)
    )
    return bare if is_last else ended


def _may_wrap(thrown: Thrown) -> bool:
    """Return whether a cause may be named below an exception. Python names the cause above."""
    return thrown.is_of_main or thrown.type in _WRAPPERS


def _first_of_chain(lines: Sequence[str], drivers: Sequence[Thrown]) -> Thrown:
    """Return what made Python throw the last exception: `raise Y from X` names X above Y."""
    last = drivers[-1]
    for one in reversed(drivers[:-1]):
        between = [line for line in lines[one.line + 1 : last.start] if line.strip()]
        if not between or not between[-1].startswith(_DIRECT_CAUSE):
            break
        last = one
    return last


def _causes(last: Thrown, thrown: Sequence[Thrown]) -> Iterator[Thrown]:
    """Yield the causes that are named below an exception, and the one that Spark has logged before it."""
    position = thrown.index(last)
    if last.type == "StreamingQueryException":
        message = last.message.rpartition("terminated with exception: ")[2]
        yield from [one for one in thrown[:position] if one.message and message.startswith(one.message)][-1:]

    def is_below(one: Thrown) -> bool:
        return one.kind is not Kind.LOGGED or without_packages(one.text) == without_packages(last.text)

    yield from takewhile(is_below, thrown[position + 1 :])


def _root_cause(thrown: Sequence[Thrown]) -> Thrown:
    """Return the cause of what ended the driver: what the job's own code or data brought about."""
    workers = [one for one in thrown if one.kind is Kind.WORKER]
    if workers:
        return workers[-1]
    kept = thrown[0]
    for one in thrown[1:]:
        if not _is_clearer_than_cause(kept, one):
            kept = one
    return kept


def _is_clearer_than_cause(outer: Thrown, cause: Thrown) -> bool:
    """Return whether an exception tells more than the one that is named as its cause."""
    if outer.type in _WRAPPERS:
        return cause.type in _shortened(outer.text) and not cause.message
    return bool(outer.message) and (outer.message == cause.message or _CLASSIFIED.match(outer.message) is not None)


def _last(lines: Sequence[str], patterns: Mapping[re.Pattern[str], str]) -> Thrown | None:
    """Return the last line that one of the patterns finds, with its text."""
    for number in range(len(lines) - 1, -1, -1):
        for pattern, text in patterns.items():
            if match := pattern.search(lines[number]):
                return Thrown(number, number, match.expand(text), Kind.LOGGED)
    return None


def _shortened(text: str) -> str:
    """Return what was thrown without packages, and without what Spark writes around it."""
    if match := _LOST_TASK.search(text):
        text = match[1]
    if match := _BY_SIGNAL.search(text):
        return f"the program was killed by {_SIGNALS[match[1]]}"
    return without_packages(text)


def _numbers_around(lines: Sequence[str], first: int, last: int) -> list[int]:
    """Return the job's own lines from `first` to `last`, with some before and the job's own calls after."""
    written = [*_own_lines(lines)]
    before = [number for number in written if number < first]
    calls = [number for number in written if last < number <= _end_of_stack(lines, last)][:_SHOWN_CALLS]
    block = sorted({first, last, *calls}.union(number for number in written if first < number < last))
    too_many = len(block) + min(len(before), _SHOWN_BEFORE) - _SHOWN
    if too_many > 0:
        del block[_SHOWN_HEAD : _SHOWN_HEAD + too_many]
    return [*before[len(block) - _SHOWN :], *block]


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
