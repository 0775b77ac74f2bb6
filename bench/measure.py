"""What measurements share: the lines of a table, and running a command with its wall time, CPU time and memory."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench import process_tree
from tests.project import Project

PROGRAM = "pulumi-language-python-exec"
POLL_INTERVAL = 0.05


@dataclass(frozen=True)
class Row:
    """A line of the table. `limit` is what it may be, None where nothing is promised."""

    figure: str
    value: float
    limit: float | None
    how: str

    @property
    def is_within_limit(self) -> bool:
        """True where the value is what was promised, or nothing was."""
        return self.limit is None or self.value <= self.limit

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"{self.limit:g}"
        verdict = "" if self.limit is None else "yes" if self.is_within_limit else "**no**"
        return f"| {self.figure} | {self.value:.3g} | {limit} | {verdict} | {self.how} |"


def print_heading(how: str, *columns: str) -> None:
    """Print when, on what machine and how is measured; begin the table."""
    columns = columns or ("figure", "value", "at most", "held", "how")
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    if not process_tree.COUNTS_ORPHANS:
        how += "; CPU without processes that their parents did not wait for"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {how}\n")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)


@dataclass(frozen=True)
class Measured:
    """What a command took.

    seconds: wall time from its start to its end.
    cpu_seconds: user and system time of all its processes.
    program_mib: MiB of the Python program that declares the resources, at its largest.
    """

    seconds: float
    cpu_seconds: float
    program_mib: float


def medians_of(runs: Iterable[Measured]) -> Measured:
    """Give the median of each measured value."""
    columns = zip(*((run.seconds, run.cpu_seconds, run.program_mib) for run in runs), strict=True)
    return Measured(*(statistics.median(column) for column in columns))


def pulumi(project: Project, command: str) -> Measured:
    """Measure a command of Pulumi that has to work."""
    options = [] if command == "preview" else ["--yes", "--skip-preview"]
    return measure(project.start, "pulumi", command, *options, "--non-interactive")


def measure(start: Callable[..., subprocess.Popen[str]], *command: str) -> Measured:
    """Measure a command that has to work. `start` begins it, with its screen in a pipe."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        process = start(sys.executable, "-I", process_tree.__file__, str(report), *command)
        peak = [0.0]
        watcher = threading.Thread(target=_watch_memory, args=(process.pid, peak))
        watcher.start()
        screen, _ = process.communicate()
        watcher.join()
        if process.returncode:
            raise SystemExit(f"`{' '.join(command)}` failed:\n{screen[-4000:]}")
        return Measured(**json.loads(report.read_text()), program_mib=peak[0])


def _watch_memory(pid: int, peak: list[float]) -> None:
    program: psutil.Process | None = None
    while psutil.pid_exists(pid):
        try:
            program = program or _program_of(pid)
            if program is not None:
                peak[0] = max(peak[0], program.memory_info().rss / 2**20)
        except psutil.Error:
            program = None
        time.sleep(POLL_INTERVAL)


def _program_of(pid: int) -> psutil.Process | None:
    for process in psutil.Process(pid).children(recursive=True):
        if any(PROGRAM in word for word in process.cmdline()):
            return process
    return None
