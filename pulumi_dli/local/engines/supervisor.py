"""Runs the command of a job, and ends every process that comes from it.

This is a program of its own: `python -I supervisor.py GRACE COMMAND...`, with the job's id in the environment. It ends
the processes of the job when the command has ended, when it gets SIGTERM, and when its standard input ends. The local
DLI holds the other end of that pipe, so no process outlives the local DLI, even if that is killed.

On Linux this program is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): a process whose parent has ended becomes its
child. So each process of the job stays its descendant, whatever session and environment the process has. On macOS there
is no such call. There, a process is found by its parent, its session, or the job's id in its environment.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

JOB_VARIABLE = "PULUMI_DLI_LOCAL_JOB"
"""The environment variable that contains the job's id in all its processes, unless they remove it."""

_PR_SET_CHILD_SUBREAPER = 36
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_POLL_INTERVAL = 0.1
_STANDARD_INPUT = 0


def become_subreaper() -> bool:
    """Make this process the parent of its orphaned descendants. Return False if this system cannot do it."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415  other systems do not need it

    arguments = [ctypes.c_ulong(number) for number in (1, 0, 0, 0)]
    return int(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, *arguments)) == 0


def marked_processes(job_id: str, session: int | None) -> list[psutil.Process]:
    """Return the processes of a session, and those with the job's id in their environment."""
    import psutil  # noqa: PLC0415  most jobs leave no process

    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            # PySpark's workers leave the process group of the job, but stay in its session.
            if os.getsid(process.pid) == session or process.environ().get(JOB_VARIABLE) == job_id:
                found.append(process)
        except (OSError, psutil.Error):  # it has ended meanwhile, or belongs to another user
            continue
    return found


def main(arguments: list[str]) -> int:
    """Run a command, and return its exit code when no process of it is left."""
    grace, *command = arguments
    is_subreaper = become_subreaper()
    events = _Events()
    try:
        job = _Job(command, is_subreaper=is_subreaper)
    except OSError as error:
        print(f"The local DLI could not start the job: {error}", file=sys.stderr)
        return 1
    while job.has_processes() and job.status is None and not events.must_stop:
        events.wait()
    _end(job, events, float(grace))
    return _exit_code(job.status)


class _Events:
    """What this program waits for: ended children, signals to stop, and the end of standard input."""

    def __init__(self) -> None:
        self.must_stop = False
        self._reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *_STOP_SIGNALS):
            signal.signal(number, lambda _number, _frame: None)  # it only wakes `wait`

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the next event, at most `timeout` seconds."""
        awaited = [self._reader] if self.must_stop else [self._reader, _STANDARD_INPUT]
        ready, _, _ = select.select(awaited, [], [], timeout)
        if _STANDARD_INPUT in ready and not os.read(_STANDARD_INPUT, 1024):
            self.must_stop = True
        if self._reader in ready and not {*os.read(self._reader, 1024)}.isdisjoint(_STOP_SIGNALS):
            self.must_stop = True


class _Job:
    """The processes that come from a command.

    Args:
        command: The command.
        is_subreaper: Whether orphaned processes of the job become children of this process.
    """

    def __init__(self, command: list[str], *, is_subreaper: bool) -> None:
        """Start the command. Raises OSError."""
        self.status: int | None = None
        """How the command ended, as waitpid(2) reports it. None while it runs."""
        self._is_subreaper = is_subreaper
        self._command = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, _STANDARD_INPUT, os.devnull, os.O_RDONLY, 0)],
            setpgroup=0,  # a script that sends a signal to its process group must not reach this process
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them
        )

    def has_processes(self) -> bool:
        """Return whether processes are left. Also collect those that have ended, which stay zombies otherwise."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                if pid == self._command:
                    self.status = status
        except ChildProcessError:  # a subreaper without children has no descendants
            return not self._is_subreaper and bool(self.processes())

    def processes(self) -> list[psutil.Process]:
        """Return the processes that are left."""
        import psutil  # noqa: PLC0415  most jobs leave no process

        found = psutil.Process().children(recursive=True)
        if not self._is_subreaper:
            marked = marked_processes(os.environ.get(JOB_VARIABLE, ""), os.getsid(0))
            found += [process for process in marked if process.pid != os.getpid()]
        return [process for process in found if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    import psutil  # noqa: PLC0415

    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(job: _Job, events: _Events, grace: float) -> None:
    """End all processes of a job: by SIGTERM, and after `grace` seconds by SIGKILL. Report those that stay."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + grace
        signalled: set[psutil.Process] = set()
        while job.has_processes() and time.monotonic() < deadline:
            for process in {*job.processes()} - signalled:
                _send(process, number)
                signalled.add(process)
            events.wait(_POLL_INTERVAL)
    if job.has_processes():
        left = ", ".join(str(process.pid) for process in job.processes())
        print(f"The local DLI could not end these processes of the job: {left}", file=sys.stderr)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    import psutil  # noqa: PLC0415

    with suppress(psutil.Error):  # it has ended meanwhile, or belongs to another user
        process.send_signal(number)


def _exit_code(status: int | None) -> int:
    """Return the exit code of a command. If a signal ended the command, end this process in the same way."""
    code = 1 if status is None else os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    import resource  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
