"""The local DLI in a process of its own, as the command line starts it, and a port that it may have."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = [sys.executable, "-m", "pulumi_dli.local"]


@contextmanager
def serving(data: Path, *options: str, engine: str = "timeline") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `serve`; give the process and its first line. It has ended, or is killed, afterwards."""
    command = [*PROGRAM, "serve", "--data", str(data), "--engine", engine, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@contextmanager
def kept_port() -> Iterator[int]:
    """Keep a port that nobody gets by chance. While nobody listens there, Linux gives it to a server that asks for it.

    So it does where both have SO_REUSEADDR, as servers have.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]
