"""Provider processes that start in milliseconds: forked off a process that has everything imported already.

Each is a process of its own with the real host in it, and can be killed like one.
"""

import contextlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.project import clean_environment

PROGRAMS = {
    "pulumi.dynamic": (
        "dill",
        "grpc",
        "pulumi.dynamic",
        "pulumi_dli.provider",
        "pulumi_dli.operations.batch_job",
        "pulumi_dli.operations.batch_job_wait",
    ),
    "pulumi_dli.plugin.__main__": (
        "grpc.aio",
        "pulumi_dli.plugin.servicer",
        "pulumi_dli.plugin.configuration",
        "pulumi_dli.plugin.configured",
    ),
}
"""The modules that each program imports before it is forked, by the name of the program's own module."""
DYNAMIC, NATIVE = PROGRAMS


class Host:
    """One provider process."""

    def __init__(self, pid: int, port: int, log: Path) -> None:
        self.port = port
        self._pid = pid
        self._log = log
        self._is_killed = False

    def kill(self) -> list[str]:
        """Kill the process, once: its number may belong to another one later. Give the lines that it wrote."""
        if not self._is_killed:
            self._is_killed = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        return self._log.read_text().splitlines()


class ForkServer:
    """The process that others are forked off. `program` is one of `PROGRAMS`."""

    def __init__(self, folder: Path, program: str = DYNAMIC) -> None:
        self._folder = folder
        self._program = program
        self._hosts: list[Host] = []

    def __enter__(self) -> Self:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            # -u: a host tells its port at once.
            [sys.executable, "-u", "-m", "tests.campaign.hosts", str(theirs.fileno()), self._program],
            env=clean_environment({"PULUMI_PROJECT": "jobs"}),
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._socket = ours
        self._replies = ours.makefile()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for host in self._hosts:
            host.kill()
        self._replies.close()
        self._socket.close()
        self._process.wait(30)

    def start(self, environment: Mapping[str, str]) -> Host:
        """Start a provider process with these variables."""
        log = self._folder / f"{self._program}-{len(self._hosts)}.log"
        request = {"environment": dict(environment), "log": str(log)}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        reply = json.loads(self._replies.readline())
        self._hosts.append(Host(reply["pid"], reply["port"], log))
        return self._hosts[-1]


def _fork_hosts(program: str, requests: Iterator[str], replies: socket.socket) -> None:
    for line in requests:
        request = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(writer, 1)
            os.dup2(log, 2)
            replies.close()
            os.environ.update(request["environment"])
            sys.argv = [program, *(["127.0.0.1:0"] if program == DYNAMIC else [])]
            runpy.run_module(program, run_name="__main__")
        os.close(writer)
        with os.fdopen(reader) as pipe:
            port = int(pipe.readline())
        replies.sendall(json.dumps({"pid": pid, "port": port}).encode() + b"\n")


def main() -> None:
    """Fork off one process for each request that comes, until nobody gives any."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's zombies
    descriptor, program = sys.argv[1:]
    for name in PROGRAMS[program]:
        __import__(name)
    connection = socket.socket(fileno=int(descriptor))
    _fork_hosts(program, iter(connection.makefile()), connection)


if __name__ == "__main__":
    main()
