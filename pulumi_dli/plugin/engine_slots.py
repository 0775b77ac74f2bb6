"""How many resources the engine creates at a time. A resource that waits occupies one of these slots."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_FLAG = re.compile(r"(?:--parallel|-p)(?:=?(?P<number>-?\d+))?")
_PER_CPU = 4


def available_cpus() -> int:
    """Return the number of CPUs that this process may use, which is also the engine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def slots_of(command_lines: Iterable[Sequence[str]], environment: Mapping[str, str], cpus: int) -> int:
    """Return how many resources the engine creates at a time, as far as this process can know.

    Args:
        command_lines: The command lines of this process's ancestors, the nearest first.
        environment: The environment, which the engine passes on.
        cpus: The number of CPUs.
    """
    declared = [*_flags(command_lines), environment.get("PULUMI_OPTION_PARALLEL"), environment.get("PULUMI_PARALLEL")]
    numbers = (int(one) for one in declared if one is not None and re.fullmatch(r"-?\d+", one))
    number = next(numbers, 0)
    return number if number > 0 else _PER_CPU * cpus


def _flags(command_lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the value of the flag `--parallel` on the command line of `pulumi`."""
    for command, *arguments in filter(None, command_lines):
        if Path(command).name in ("pulumi", "pulumi.exe"):
            for argument, following in itertools.zip_longest(arguments, arguments[1:], fillvalue=""):
                if flag := _FLAG.fullmatch(argument):
                    yield flag["number"] or following
            return


class SlotCounter:
    """Counts the waits that occupy slots of the engine. Threads may share it."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._lock = threading.Lock()
        self._occupied = 0
        self._has_warned = False

    @contextmanager
    def occupied(self) -> Iterator[str | None]:
        """Count one more wait in this block. Give a warning if the waits now occupy all slots, but only once."""
        with self._lock:
            self._occupied += 1
            is_full = self._occupied >= self._slots and not self._has_warned
            self._has_warned |= is_full
        try:
            yield warning_text(self._slots) if is_full else None
        finally:
            with self._lock:
                self._occupied -= 1


def warning_text(slots: int) -> str:
    """Return the warning about waits that occupy all slots."""
    return (
        f"{slots} BatchJobWaits are waiting. Each occupies a slot of the engine, and it has {slots}, so nothing else "
        "starts until one of them ends. Declare BatchJobCompletion in place of BatchJobWait: it occupies no slot. Or "
        "set the environment variable PULUMI_PARALLEL to a larger number than there are waits."
    )
