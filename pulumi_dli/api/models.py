"""The wire: bodies of DLI's batch-job calls, with the tables of the API page.

Models keep what they read: `model_validate` then `to_wire` gives the same document back, unknown keys included.
Normalising is not done here (see `pulumi_dli.jobs.properties`).

Source unless said otherwise: DLI API reference, "Creating a Batch Processing Job" (dli_02_0124), 2023-11, with the
additions of 2026-04.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)


class BatchState(StrEnum):
    """A state of a batch job (table 7 of the page)."""

    STARTING = "starting"
    """Accepted, and being started; also while the queue has no free capacity."""
    RUNNING = "running"
    """At work."""
    RECOVERING = "recovering"
    """Failed once, and being started again (`auto_recovery`)."""
    SUCCESS = "success"
    """Ended well. Final."""
    DEAD = "dead"
    """Exited: failed, cancelled, or given up for want of resources after about three hours. Final."""

    @property
    def is_final(self) -> bool:
        """True where the job has ended."""
        return self in (BatchState.SUCCESS, BatchState.DEAD)

    @classmethod
    def parse(cls, text: str | None) -> BatchState | None:
        """Read a state as the service writes it; None for one that nobody knows.

        The page of the state call shows `Success` with a capital letter. `error`, `killed` and `failed` come from
        Livy, of which this API is a relative; they are taken as dead.
        """
        word = (text or "").strip().lower()
        if word in ("error", "killed", "failed"):
            return cls.DEAD
        return cls(word) if word in cls._value2member_map_ else None


LIVE_STATES = (BatchState.STARTING, BatchState.RUNNING, BatchState.RECOVERING)
"""The states of a job that has not ended, in the order of a job's life."""


@dataclass(frozen=True)
class ResourceType:
    """A compute resource type (table 3 of the page): what a job gets where it gives no sizes of its own."""

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
DEFAULT_MAX_RETRY_TIMES = 20
MAX_RETRY_TIMES = 100
MAX_NAME_LENGTH = 128
MAX_INTEGER = 2**31 - 1
"""The largest of what the page calls Integer."""

_CU_MIB = 4096
_MEMORY = re.compile(r"\s*(\d{1,9})\s*([MG])B?\s*", re.IGNORECASE)


def memory_mib(text: str) -> int:
    """Read a memory size, `2G`, `2048M` or the page's `2 GB`, in MiB.

    Raises ValueError where there is no unit or the size is 0: the service fails to start such a job.
    """
    match = _MEMORY.fullmatch(text)
    size = int(match[1]) * (1024 if match[2] in "gG" else 1) if match else 0
    if not size:
        raise ValueError(f"not a memory size with a unit: {text!r}")
    return size


@dataclass(frozen=True)
class Sizing:
    """What a job takes: a driver, and executors that are all alike."""

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
        """Give the sizes of a resource type, A where it is None, with a job's own before them."""
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
        """The vCPUs of driver and executors."""
        return self.driver_cores + self.num_executors * self.executor_cores

    @property
    def memory_mib(self) -> int:
        """The memory of driver and executors. Raises ValueError for a memory without a unit."""
        return memory_mib(self.driver_memory) + self.num_executors * memory_mib(self.executor_memory)

    @property
    def cus(self) -> int:
        """The compute units: 1 CU is 1 vCPU with 4 GB. Raises ValueError for a memory without a unit."""
        return max(self.vcpus, -(-self.memory_mib // _CU_MIB))


class WireModel(BaseModel):
    """A JSON object of the API."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)  # it may be secret

    def to_wire(self) -> dict[str, Any]:
        """Give the JSON object in the API's own spelling, with just the keys that were set."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Resource(WireModel):
    """A package that was uploaded before (table 4 of the page)."""

    name: str | None = None
    type: str | None = None


class Group(WireModel):
    """A package group that was uploaded before (table 5 of the page)."""

    name: str | None = None
    resources: list[Resource] | None = None


def _older(name: str, *older: str) -> Any:
    """Declare a field that is written as `name` and also read under the names that older clients send."""
    return Field(default=None, validation_alias=AliasChoices(name, *older), serialization_alias=name)


class BatchRequest(WireModel):
    """The body of `POST /v2.0/{project_id}/batches` (table 2 of the page, and four parameters of later pages).

    The API mixes spellings: what Spark names is camelCase, what DLI added is snake_case. Bodies of before 2023 have
    all in snake_case; they are read as well.
    """

    file: str
    class_name: str | None = _older("className", "class_name")
    queue: str | None = None
    cluster_name: str | None = None
    args: list[str] | None = None
    sc_type: Literal["A", "B", "C"] | None = None
    jars: list[str] | None = None
    py_files: list[str] | None = _older("pyFiles", "python_files")
    files: list[str] | None = None
    modules: list[str] | None = None
    resources: list[Resource] | None = None
    groups: list[Group] | None = None
    conf: dict[str, str | int | float | bool | None] | None = None
    name: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    driver_memory: str | None = _older("driverMemory", "driver_memory")
    driver_cores: int | None = _older("driverCores", "driver_cores")
    executor_memory: str | None = _older("executorMemory", "executor_memory")
    executor_cores: int | None = _older("executorCores", "executor_cores")
    num_executors: int | None = _older("numExecutors", "num_executors")
    obs_bucket: str | None = None
    auto_recovery: bool | None = None
    max_retry_times: int | None = Field(default=None, ge=0, le=MAX_RETRY_TIMES)
    catalog_name: str | None = None
    feature: str | None = None
    spark_version: str | None = None
    image: str | None = None
    execution_agency_urn: str | None = None

    @property
    def sizing(self) -> Sizing:
        """What the job takes."""
        return Sizing.of(
            sc_type=self.sc_type,
            driver_cores=self.driver_cores,
            driver_memory=self.driver_memory,
            executor_cores=self.executor_cores,
            executor_memory=self.executor_memory,
            num_executors=self.num_executors,
        )


_Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""The page's Long. JSON has larger numbers, but nobody could take them."""


class Reply(WireModel):
    """A reply of the service. A field of an unexpected type counts as absent: an id must never be lost for it."""

    @model_validator(mode="wrap")
    @classmethod
    def _forgive(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not isinstance(data, Mapping):
                raise
            unreadable = {problem["loc"][0] for problem in error.errors() if problem["loc"]}
            return handler({key: value for key, value in data.items() if key not in unreadable})


class Batch(Reply):
    """A batch job as the service describes it (table 6 of the page; details page dli_02_0126, list page dli_02_0125).

    Everything but the id may be absent, empty or null. Times are milliseconds since 1970, `duration` milliseconds.
    `app_id` was a list in 2021. `req_body`, the request with its defaults filled in, is a JSON document in a string.
    """

    id: str = Field(min_length=1)
    app_id: str | list[str] | None = Field(default=None, alias="appId")
    name: str | None = None
    owner: str | None = None
    proxy_user: str | None = Field(default=None, alias="proxyUser")
    state: str | None = None
    kind: str | None = None
    log: list[str] | None = None
    sc_type: str | None = None
    cluster_name: str | None = None
    queue: str | None = None
    create_time: _Long | None = None
    update_time: _Long | None = None
    duration: _Long | None = None
    req_body: str | dict[str, Any] | None = None
    image: str | None = None
    feature: str | None = None
    spark_version: str | None = None

    @property
    def batch_state(self) -> BatchState | None:
        """The state, or None where it is absent or unknown."""
        return BatchState.parse(self.state)

    @property
    def is_final(self) -> bool:
        """True where the job is known to have ended."""
        state = self.batch_state
        return state is not None and state.is_final

    @property
    def is_described(self) -> bool:
        """True where the reply says what the examples of the pages say: all but what depends on the state."""
        queue = self.queue or self.cluster_name
        return None not in (self.batch_state, self.create_time) and all((self.name, self.owner, self.sc_type, queue))

    def request(self) -> dict[str, Any] | None:
        """Read `req_body`; None where it is absent or unreadable.

        Its keys are the service's internal names: `autoRecovery` and `maxRetryTimes` for what the create call names
        `auto_recovery` and `max_retry_times`.
        """
        document: Any = self.req_body
        for _ in range(2):  # seen as an object, as a string, and may be a string in a string
            if isinstance(document, str):
                try:
                    document = json.loads(document)
                except ValueError:
                    return None
        return document if isinstance(document, dict) else None


class BatchList(WireModel):
    """A page of the list of jobs (dli_02_0125). `from` is the number of jobs passed over, not a page number.

    Raises ValidationError where the jobs cannot be read: an unreadable list must not look like an empty one.
    """

    sessions: list[Batch]
    start: Any = Field(default=None, alias="from")
    total: Any = None
    create_time: Any = None


class BatchStateReply(Reply):
    """The state of a job (dli_02_0127)."""

    id: str | None = None
    state: str | None = None


class BatchLog(Reply):
    """Lines of a job's log (dli_02_0128). `from` is the first line, a string in the replies of before 2024."""

    id: str | None = None
    start: int | str | None = Field(default=None, alias="from")
    total: int | None = None
    log: list[str] = []


class CancelReply(Reply):
    """The reply to a cancel (dli_02_0129): `{"msg": "deleted"}`. The job's record stays."""

    msg: str | None = None
