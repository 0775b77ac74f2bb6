"""Running a command and measuring it: wall time, and the most memory that the program in it took."""

import subprocess
import threading
import time
from dataclasses import dataclass

import psutil

from tests.project import Project

PROGRAM = "pulumi-language-python-exec"
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end; MiB of the Python program that declares the resources, at its largest."""

    seconds: float
    program_mib: float


def pulumi(project: Project, *arguments: str) -> Measured:
    """Run a command of Pulumi that has to work."""
    began = time.monotonic()
    process = subprocess.Popen(
        ["pulumi", *arguments, "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
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
