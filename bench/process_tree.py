"""Run a command and count the CPU seconds of its whole process tree: process_tree.py REPORT COMMAND...

The kernel adds a process's CPU time to its parent's account when the parent waits for it. If a parent ends first, the
time is lost. On Linux this launcher becomes the subreaper: it inherits each descendant whose parent is gone, and waits
for it. The launcher's own time is not counted.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36  # prctl(2), linux/prctl.h
GRACE_PERIOD = 10.0  # seconds that descendants get to end after the command
COUNTS_ORPHANS = sys.platform == "linux"
"""Whether the count includes processes that nobody waited for. macOS has no subreaper."""


def main(report: str, *command: str) -> int:
    """Run the command. Write a report with its wall seconds and the CPU seconds of all its processes."""
    if COUNTS_ORPHANS and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
    began = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    seconds = time.monotonic() - began
    if COUNTS_ORPHANS:
        wait_for_orphans(time.monotonic() + GRACE_PERIOD)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(report).write_text(json.dumps({"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime}))
    return code if code >= 0 else 128 - code


def wait_for_orphans(deadline: float) -> None:
    """Wait for every inherited process. Fail if one still runs at the deadline: its time would be missing."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        if time.monotonic() > deadline:
            orphans = psutil.Process().children(recursive=True)
            for orphan in orphans:
                orphan.kill()
            raise SystemExit(f"These processes still ran {GRACE_PERIOD:.0f} s after their command: {orphans}")
        time.sleep(0.01)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
