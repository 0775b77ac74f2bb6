"""The sizes of a job as Spark properties, scaled down to what this machine can spare."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.sizes import memory_mib

_DRIVER_CORES, _DRIVER_MEMORY = "spark.driver.cores", "spark.driver.memory"
_EXECUTOR_CORES, _EXECUTOR_MEMORY = "spark.executor.cores", "spark.executor.memory"
_EXECUTORS = "spark.executor.instances"
_NAMES = {
    _DRIVER_CORES: "Driver cores",
    _DRIVER_MEMORY: "Driver memory",
    _EXECUTOR_CORES: "Executor cores",
    _EXECUTOR_MEMORY: "Executor memory",
    _EXECUTORS: "Number of executors",
}
_MEMORY_SHARE = 0.6
_MIN_MEMORY = 2**30
_AMOUNT = re.compile(r"\s*(\d{1,18})(?:([kmgtp])b?)?\s*", re.ASCII | re.IGNORECASE)
_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40, "p": 2**50}
_NO_UNIT = {_DRIVER_MEMORY: 1, _EXECUTOR_MEMORY: 2**20}  # Java reads driver memory in bytes, Spark the other in MiB


@dataclass(frozen=True)
class Share:
    """What one job may use of the machine: bytes of Java heap, and cores."""

    memory: int
    cores: int

    @classmethod
    def of_machine(cls, slots: int) -> Share:
        """Return the share of a job if `slots` jobs run at once. The rest is for Python and everything else."""
        memory = int(total_memory() * _MEMORY_SHARE / slots)
        return cls(max(memory, _MIN_MEMORY), os.cpu_count() or 1)


def total_memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Return the memory of the machine in bytes, or the limit of the container if that is smaller."""
    total = psutil.virtual_memory().total
    try:
        return min(total, int(limit.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return total


def requested_sizes(request: BatchRequest) -> dict[str, str]:
    """Return the sizes of a job as Spark properties. Its own sizes override those of its `sc_type`."""
    sizing = request.sizing
    return {
        _DRIVER_CORES: str(sizing.driver_cores),
        _DRIVER_MEMORY: f"{memory_mib(sizing.driver_memory)}m",
        _EXECUTOR_CORES: str(sizing.executor_cores),
        _EXECUTOR_MEMORY: f"{memory_mib(sizing.executor_memory)}m",
        _EXECUTORS: str(sizing.num_executors),
    }


def fit_to_share(requested: Mapping[str, str], share: Share, *, on_cluster: bool) -> tuple[dict[str, str], list[str]]:
    """Scale the sizes of a job down to its share. Return the properties that change, and a log line for each such size.

    On a cluster the driver gets half of the memory, and all executors together get the other half. Without a cluster
    executors are threads of the driver, and their sizes have no effect. An invalid size stays: Spark refuses it.
    """
    fitted = _fit_sizes(requested, share, on_cluster=on_cluster)
    changed = {key: value for key, value in fitted.items() if value != requested[key]}
    lines = [f"{_NAMES[key]} {requested[key]} is {_reason(requested[key])}: {value}." for key, value in changed.items()]
    if on_cluster and "spark.cores.max" not in requested:
        changed |= _cores_of_all_executors(fitted)
    return changed, lines


def _fit_sizes(requested: Mapping[str, str], share: Share, *, on_cluster: bool) -> dict[str, str]:
    memory = share.memory // 2 if on_cluster else share.memory
    limits: dict[str, int] = {_DRIVER_CORES: share.cores, _DRIVER_MEMORY: memory}
    if on_cluster:
        limits |= {_EXECUTOR_CORES: share.cores, _EXECUTOR_MEMORY: memory}
    fitted = {key: _capped(key, requested[key], limits.get(key)) for key in _NAMES}
    if on_cluster:
        fitted[_EXECUTORS] = _capped(_EXECUTORS, requested[_EXECUTORS], _max_executors(fitted, share.cores, memory))
    return fitted


def _max_executors(fitted: Mapping[str, str], cores: int, memory: int) -> int | None:
    cores_each, memory_each = (_amount(key, fitted[key]) for key in (_EXECUTOR_CORES, _EXECUTOR_MEMORY))
    if not cores_each or not memory_each:
        return None
    return max(min(cores // cores_each, memory // memory_each), 1)


def _cores_of_all_executors(fitted: Mapping[str, str]) -> dict[str, str]:
    """Return the sum of cores as a property, because a standalone cluster ignores the number of executors."""
    cores, executors = (_amount(key, fitted[key]) for key in (_EXECUTOR_CORES, _EXECUTORS))
    return {"spark.cores.max": str(executors * cores)} if cores and executors else {}


def _capped(key: str, text: str, limit: int | None) -> str:
    amount = _amount(key, text)
    if amount == 0 and key not in _NO_UNIT:
        return "1"
    if amount is None or limit is None or amount <= limit:
        return text
    return f"{limit // 2**20}m" if key in _NO_UNIT else str(limit)


def _reason(text: str) -> str:
    return "more than this machine can spare" if text.strip("0 ") else "not enough for Spark"


def _amount(key: str, text: str) -> int | None:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    unit = _UNITS[found[2].lower()] if found[2] else _NO_UNIT.get(key, 1)
    return int(found[1]) * unit
