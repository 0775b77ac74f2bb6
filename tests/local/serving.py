"""The local DLI in a process of its own, as the command line starts it."""

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
