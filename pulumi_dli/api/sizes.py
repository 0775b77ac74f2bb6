"""The sizes of a job: compute resource types, memory sizes, and the total of driver and executors.

Source: DLI API reference, "Creating a Batch Processing Job" (dli_02_0124), 2023-11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self


@dataclass(frozen=True)
class ResourceType:
    """A compute resource type (table 3 of the page). A job gets these sizes unless it sets its own."""

    vcpus: int
    memory_gb: int
    driver_cores: int
    executor_cores: int
    driver_memory: str
    executor_memory: str
    num_executors: int


RESOURCE_TYPES: dict[str, ResourceType] = {
    "A": ResourceType(8, 32, 2, 1, "7G", "4G", 6),
    "B": ResourceType(16, 64, 2, 2, "7G", "8G", 7),
    "C": ResourceType(32, 128, 4, 2, "15G", "8G", 14),
}
"""Table 3 of the page, by `sc_type`."""

DEFAULT_SC_TYPE = "A"

_CU_MIB = 4096
_MEMORY = re.compile(r"\s*(\d{1,9})\s*([MG])B?\s*", re.IGNORECASE)


@lru_cache(16)
def memory_mib(text: str) -> int:
    """Return the MiB of a memory size, which is written as `2G`, `2048M` or, as on the page, `2 GB`.

    Raises ValueError if there is no unit or the size is 0: the service cannot start such a job.
    """
    match = _MEMORY.fullmatch(text)
    size = int(match[1]) * (1024 if match[2] in "gG" else 1) if match else 0
    if not size:
        raise ValueError(f"not a memory size with a unit: {text!r}")
    return size


@dataclass(frozen=True)
class Sizing:
    """The sizes of a job: one driver, and a number of equal executors."""

    driver_cores: int
    driver_memory: str
    executor_cores: int
    executor_memory: str
    num_executors: int

    @classmethod
    def of(
        cls,
        *,
        sc_type: str | None = None,
        driver_cores: int | None = None,
        driver_memory: str | None = None,
        executor_cores: int | None = None,
        executor_memory: str | None = None,
        num_executors: int | None = None,
    ) -> Self:
        """Return a job's own sizes. The resource type, by default A, fills in the sizes that are None."""
        default = RESOURCE_TYPES[sc_type or DEFAULT_SC_TYPE]
        return cls(
            default.driver_cores if driver_cores is None else driver_cores,
            default.driver_memory if driver_memory is None else driver_memory,
            default.executor_cores if executor_cores is None else executor_cores,
            default.executor_memory if executor_memory is None else executor_memory,
            default.num_executors if num_executors is None else num_executors,
        )

    @property
    def vcpus(self) -> int:
        """The vCPUs of driver and executors together."""
        return self.driver_cores + self.num_executors * self.executor_cores

    @property
    def memory_mib(self) -> int:
        """The memory of driver and executors together, in MiB. Raises ValueError for a memory without a unit."""
        return memory_mib(self.driver_memory) + self.num_executors * memory_mib(self.executor_memory)

    @property
    def cus(self) -> int:
        """The compute units that the job needs: 1 CU is 1 vCPU and 4 GB. Raises ValueError as `memory_mib` does."""
        return max(self.vcpus, -(-self.memory_mib // _CU_MIB))
