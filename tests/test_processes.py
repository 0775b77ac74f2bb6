import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.local.api import eventually
from tests.processes import supervised

ROOT = Path(__file__).parent.parent
STARTER = "sleep 3600 >/dev/null & echo $!; wait"
"""A program that starts another, writes its id, and waits for it."""


def test_what_a_command_starts_ends_with_the_block_that_an_error_leaves() -> None:
    with pytest.raises(KeyError), supervised(["sh", "-c", STARTER], env=os.environ) as process:
        assert process.stdout is not None
        started = int(process.stdout.readline())
        raise KeyError
    eventually(lambda: psutil.pid_exists(started), lambda exists: not exists)


def test_what_a_command_starts_ends_with_the_tests_even_if_these_are_killed() -> None:
    tests = f"""
import os, time
from tests.processes import supervised
with supervised(["sh", "-c", {STARTER!r}], env=os.environ) as process:
    print(process.stdout.readline(), flush=True)
    time.sleep(3600)
"""
    with subprocess.Popen([sys.executable, "-c", tests], cwd=ROOT, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        started = int(killed.stdout.readline())
        killed.kill()
    eventually(lambda: psutil.pid_exists(started), lambda exists: not exists)
