"""What measurements share: the lines of a table, and running a command with its time and memory."""

import os
import platform
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from tests.project import Project

PROGRAM = "pulumi-language-python-exec"
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Row:
    """A line of the table. `most` is what it may be, None where nothing is promised."""

    figure: str
    value: float
    most: float | None
    how: str

    @property
    def is_held(self) -> bool:
        """True where the value is what was promised, or nothing was."""
        return self.most is None or self.value <= self.most

    def __str__(self) -> str:
        most = "" if self.most is None else f"{self.most:g}"
        verdict = "" if self.most is None else "yes" if self.is_held else "**no**"
        return f"| {self.figure} | {self.value:.3g} | {most} | {verdict} | {self.how} |"


def print_heading(how: str) -> None:
    """Say when, on what machine and how is measured; begin the table."""
    machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {how}\n")
    print("| figure | value | at most | held | how |\n|---|---|---|---|---|", flush=True)


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end; MiB of the Python program that declares the resources, at its largest."""

    seconds: float
    program_mib: float


def pulumi(project: Project, *arguments: str) -> Measured:
    """Run a command of Pulumi that has to work."""
    began = time.monotonic()
    process = project.start("pulumi", *arguments, "--yes", "--skip-preview", "--non-interactive")
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak))
    watcher.start()
    screen, _ = process.communicate()
    seconds = time.monotonic() - began
    watcher.join()
    if process.returncode:
        raise SystemExit(f"`pulumi {' '.join(arguments)}` failed:\n{screen[-4000:]}")
    return Measured(seconds, peak[0])


def _watch(pid: int, peak: list[float]) -> None:
    program: psutil.Process | None = None
    while psutil.pid_exists(pid):
        try:
            program = program or _program_of(pid)
            if program is not None:
                peak[0] = max(peak[0], program.memory_info().rss / 2**20)
        except psutil.Error:
            program = None
        time.sleep(LOOK_EVERY)


def _program_of(pid: int) -> psutil.Process | None:
    for process in psutil.Process(pid).children(recursive=True):
        if any(PROGRAM in word for word in process.cmdline()):
            return process
    return None
