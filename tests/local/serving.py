"""The local DLI in a process of its own, as the command line starts it, and a port that it may have."""

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = [sys.executable, "-m", "pulumi_dli.local"]
USABLE_FOR_TABLES = "dli ü漢🎉 %41 !\"$&'()+-.<=>@^_`|}~"
"""The name of a data directory with every printable ASCII character with which all jobs work, and with others."""
USABLE_BY_SPARK = "\\;" + USABLE_FOR_TABLES
"""The name of a data directory with every printable ASCII character with which jobs without metadata work."""


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


def free_port() -> int:
    """Find a free port below those that systems give away by themselves, so that nobody gets it by chance."""
    while True:
        port = random.randint(20_000, 30_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
