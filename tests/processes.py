"""Programs that start others, as the demo starts a service. All of them end with the test."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pulumi_dli.local.engines import supervisor

_GRACE = 5.0
"""The seconds that the processes get to end before they are killed."""


@contextmanager
def supervised(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command at most until the end of the block. Every process that comes from it ends then.

    They end even if this process is killed: the supervisor of the local DLI ends them at the end of its standard input.
    Everything that they write comes out at `stdout`. The command has no input.
    """
    reader, writer = os.pipe()  # not a pipe of Popen, because `communicate` would close it at once
    with (
        os.fdopen(reader, "rb") as standard_input,
        subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, str(_GRACE), *command],
            env={**env, supervisor.JOB_VARIABLE: str(uuid4())},
            cwd=cwd,
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # on macOS the supervisor ends its whole session
        ) as process,
        os.fdopen(writer, "wb"),  # it is closed before the wait for the process
    ):
        yield process


def run_supervised(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | None = None, timeout: float = 240
) -> tuple[int, str]:
    """Run a command for at most `timeout` seconds, and give its exit code and what it wrote."""
    with supervised(command, env=env, cwd=cwd) as process:
        screen, _ = process.communicate(timeout=timeout)
    return process.returncode, screen
