"""The bodies of DLI's batch-job calls as pydantic models.

A model keeps everything that it reads: `to_wire` returns the document that `model_validate` got, unknown keys included.
`pulumi_dli.jobs.inputs` normalises the values.

Source unless said otherwise: DLI API reference, "Creating a Batch Processing Job" (dli_02_0124), 2023-11, with the
additions of 2026-04.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from pulumi_dli.api.sizes import Sizing
from pulumi_dli.api.states import BatchState

DEFAULT_MAX_RETRY_TIMES = 20
MAX_RETRY_TIMES = 100
MAX_NAME_LENGTH = 128
MAX_INTEGER = 2**31 - 1
"""The largest value of the type that the page calls Integer."""


class WireModel(BaseModel):
    """A JSON object of the API."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)  # the input may be secret

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object with the API's own names and only the keys that were set."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Resource(WireModel):
    """A package that the user uploaded earlier (table 4 of the page)."""

    name: str | None = None
    type: str | None = None


class Group(WireModel):
    """A group of packages that the user uploaded earlier (table 5 of the page)."""

    name: str | None = None
    resources: list[Resource] | None = None


SERVICE_ONLY = "SERVICE_ONLY"
"""Marks a parameter that has an effect only at the real service. The local DLI accepts it with a warning."""


def _also_read_as(name: str, *older: str) -> Any:
    """Declare a field that is written as `name` and also read under the names that older clients send."""
    return Field(default=None, validation_alias=AliasChoices(name, *older), serialization_alias=name)


class BatchRequest(WireModel):
    """The body of `POST /v2.0/{project_id}/batches` (table 2 of the page, and four parameters of later pages).

    Names that come from Spark are camelCase; names that DLI added are snake_case. Until 2023, all names were
    snake_case. The model reads both forms.
    """

    file: str
    class_name: str | None = _also_read_as("className", "class_name")
    queue: str | None = None
    cluster_name: str | None = None
    args: list[str] | None = None
    sc_type: Literal["A", "B", "C"] | None = None
    jars: list[str] | None = None
    py_files: list[str] | None = _also_read_as("pyFiles", "python_files")
    files: list[str] | None = None
    modules: Annotated[list[str] | None, SERVICE_ONLY] = None
    resources: list[Resource] | None = None
    groups: list[Group] | None = None
    conf: dict[str, str | int | float | bool | None] | None = None
    name: str | None = Field(default=None, max_length=MAX_NAME_LENGTH)
    driver_memory: str | None = _also_read_as("driverMemory", "driver_memory")
    driver_cores: int | None = _also_read_as("driverCores", "driver_cores")
    executor_memory: str | None = _also_read_as("executorMemory", "executor_memory")
    executor_cores: int | None = _also_read_as("executorCores", "executor_cores")
    num_executors: int | None = _also_read_as("numExecutors", "num_executors")
    obs_bucket: Annotated[str | None, SERVICE_ONLY] = None
    auto_recovery: bool | None = None
    max_retry_times: int | None = Field(default=None, ge=0, le=MAX_RETRY_TIMES)
    catalog_name: Annotated[str | None, SERVICE_ONLY] = None
    feature: Annotated[str | None, SERVICE_ONLY] = None
    spark_version: Annotated[str | None, SERVICE_ONLY] = None
    image: Annotated[str | None, SERVICE_ONLY] = None
    execution_agency_urn: Annotated[str | None, SERVICE_ONLY] = None

    @property
    def sizing(self) -> Sizing:
        """The cores and the memory of the job, with the defaults of its resource type."""
        return Sizing.of(
            sc_type=self.sc_type,
            driver_cores=self.driver_cores,
            driver_memory=self.driver_memory,
            executor_cores=self.executor_cores,
            executor_memory=self.executor_memory,
            num_executors=self.num_executors,
        )


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_uuid(batch_id: str) -> bool:
    """Return whether an id has the form of the service's own ids."""
    return _UUID.fullmatch(batch_id) is not None


def normal_id(batch_id: str) -> str:
    """Return an id as the service writes it, in lower case, so that ids can be compared. Only UUIDs change."""
    return batch_id.lower() if is_uuid(batch_id) else batch_id


def _milliseconds(value: Any) -> Any:
    """Read a time that is written as text (ISO 8601) as milliseconds since 1970. Any other value stays."""
    if not (isinstance(value, str) and "-" in value):
        return value
    try:
        time = datetime.fromisoformat(value)
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return value


def _whole(value: Any) -> Any:
    return round(value) if isinstance(value, float) and math.isfinite(value) else value


def _text_lines(value: Any) -> Any:
    """Leave out what is no text, so that one line does not cost the others."""
    return [line for line in value if isinstance(line, str)] if isinstance(value, list) else value


_Lines = Annotated[list[str], BeforeValidator(_text_lines)]
_Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""The type that the page calls Long: 64 bits with a sign. In a reply, a number outside this range counts as absent."""
_Time = Annotated[_Long, BeforeValidator(_milliseconds), BeforeValidator(_whole)]


class Reply(WireModel):
    """A reply of the service. A field of an unexpected type counts as absent, so that the reply's id is never lost."""

    @model_validator(mode="wrap")
    @classmethod
    def _drop_unreadable_fields(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            if not isinstance(data, Mapping):
                raise
            unreadable = {problem["loc"][0] for problem in error.errors() if problem["loc"]}
            return handler({key: value for key, value in data.items() if key not in unreadable})


class Batch(Reply):
    """A batch job as the service describes it (table 6 of the page; details page dli_02_0126, list page dli_02_0125).

    Every field except the id may be absent, empty or null. Times are milliseconds since 1970; `duration` is in
    milliseconds. `app_id` was a list in 2021. `req_body` is the request with its defaults filled in, as JSON text.
    """

    id: Annotated[str, Field(min_length=1), AfterValidator(normal_id)]
    app_id: str | list[str] | None = Field(default=None, alias="appId")
    name: str | None = None
    owner: str | None = None
    proxy_user: str | None = Field(default=None, alias="proxyUser")
    state: str | None = None
    kind: str | None = None
    log: _Lines | None = None
    sc_type: str | None = None
    cluster_name: str | None = None
    queue: str | None = None
    create_time: _Time | None = None
    update_time: _Time | None = None
    duration: Annotated[_Long | None, BeforeValidator(_whole)] = None
    req_body: str | dict[str, Any] | None = None
    image: str | None = None
    feature: str | None = None
    spark_version: str | None = None

    @property
    def batch_state(self) -> BatchState | None:
        """The state, or None if it is absent or unknown."""
        return BatchState.parse(self.state)

    @property
    def is_final(self) -> bool:
        """True if the state says that the job has ended."""
        state = self.batch_state
        return state is not None and state.is_final

    @property
    def is_failure(self) -> bool:
        """True if the state says that the job has failed."""
        state = self.batch_state
        return state is not None and state.is_failure

    @property
    def is_described(self) -> bool:
        """True if the reply has the fields that the pages' examples have in every state of a job."""
        queue = self.queue or self.cluster_name
        return None not in (self.batch_state, self.create_time) and all((self.name, self.owner, self.sc_type, queue))

    def request(self) -> dict[str, Any] | None:
        """Return the document in `req_body`, or None if it is absent or unreadable.

        Its keys are the service's internal names. For example, `auto_recovery` and `max_retry_times` of the create
        call are `autoRecovery` and `maxRetryTimes` here.
        """
        document: Any = self.req_body
        for _ in range(2):  # it may be an object, JSON text, or JSON text inside JSON text
            if isinstance(document, str):
                try:
                    document = json.loads(document)
                except ValueError:
                    return None
        return document if isinstance(document, dict) else None


class BatchList(WireModel):
    """A page of the list of jobs (dli_02_0125). `from` is the number of jobs before the page, not a page number.

    If there are no jobs, `sessions` may be null, or absent together with a `total` of 0. Validation fails if the jobs
    cannot be read: an unreadable list must not look like an empty list.
    """

    sessions: list[Batch]
    start: Any = Field(default=None, alias="from")
    total: Any = None
    create_time: Any = None

    @model_validator(mode="before")
    @classmethod
    def _read_no_jobs(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        is_empty = data["sessions"] is None if "sessions" in data else data.get("total") in (0, "0")
        return {**data, "sessions": []} if is_empty else data


class BatchStateReply(Reply):
    """The reply with the state of a job (dli_02_0127)."""

    id: str | None = None
    state: str | None = None


class BatchLog(Reply):
    """Lines of a job's log (dli_02_0128). `from` is the number of the first line. Until 2024 it was a string."""

    id: str | None = None
    start: int | str | None = Field(default=None, alias="from")
    total: int | None = None
    log: _Lines = []


class CancelReply(Reply):
    """The reply to a cancel (dli_02_0129): `{"msg": "deleted"}`. The service keeps the job's record."""

    msg: str | None = None
