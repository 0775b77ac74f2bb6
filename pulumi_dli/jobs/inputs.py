"""The arguments of a batch job: `JobInputs` declares each one once, and holds what a program has given.

To add an argument that is sent: a field in `api.models.BatchRequest`, one here, and one in `program.batch_job`. A test
(`tests/jobs/test_inputs.py`) names the place that is missing.
"""

# ruff: noqa: RUF009  the defaults of the dataclass are fields, which functions of ours make

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self, TypeAlias, TypeVar

from pydantic.alias_generators import to_camel

from pulumi_dli.api.models import DEFAULT_MAX_RETRY_TIMES, MAX_INTEGER, MAX_RETRY_TIMES, BatchRequest
from pulumi_dli.api.sizes import DEFAULT_SC_TYPE, RESOURCE_TYPES
from pulumi_dli.jobs import validation as values
from pulumi_dli.jobs.validation import Unknown, is_known

Properties = Mapping[str, Any]
"""Values by property name, as Pulumi's wire carries them."""

T = TypeVar("T")
Given: TypeAlias = T | Unknown | None
"""The value of an argument, unknown in a plan, or None where it is not given."""


class OnRecordExpired(StrEnum):
    """What happens when the service has deleted a job's record before its end was seen."""

    KEEP = "keep"
    RERUN = "rerun"


class WhenRunning(StrEnum):
    """What happens when a job must run again while it runs."""

    CANCEL = "cancel"
    REFUSE = "refuse"


class OnChange(StrEnum):
    """What a plan does where the value of an argument has changed."""

    RERUN = "rerun"
    """The job runs again."""
    MOVE = "move"
    """The job runs again if it ran in another place."""
    UPDATE = "update"
    """The new value is stored. No call to the service."""
    IGNORE = "ignore"


@dataclass(frozen=True)
class Argument:
    """All that is known of an argument, but for its name and type.

    `check` judges and normalises a known value. It shows a value that it refuses only with `values.shown` around it.
    """

    check: Callable[[Any], Any]
    on_change: OnChange
    is_sent: bool = False
    is_hidden: bool = False
    """The program passes it for the provider's own use: no user gives it."""
    choices: tuple[str, ...] = ()
    """The words that it may be, if it is one of a few."""
    default: Any = None
    """What the provider takes where it is not given."""
    service_default: Any = None
    """What the service takes where it is not given."""
    is_filled_in: bool = False
    """The service may add it to a request that leaves it open."""
    is_kept_on_update: bool = False
    """An update keeps the stored value: a new one comes too late."""
    is_transient: bool = False
    """The check takes it and drops it: it counts in this process only, and the state must not differ by it."""


def _sent(check: Callable[[Any], Any], **facts: Any) -> Any:
    return _argument(Argument(check, OnChange.RERUN, is_sent=True, **facts))


def _option(check: Callable[[Any], Any], on_change: OnChange = OnChange.UPDATE, **facts: Any) -> Any:
    return _argument(Argument(check, on_change, **facts))


def _choice(default: StrEnum) -> Any:
    words = tuple(type(default))
    return _option(values.choice(*words), choices=words, default=default)


def _hidden(on_change: OnChange, check: Callable[[Any], Any] = lambda value: value, **facts: Any) -> Any:
    return _argument(Argument(check, on_change, is_hidden=True, **facts))


def _argument(argument: Argument) -> Any:
    return field(default=argument.default, metadata={"argument": argument})


_FEATURES = ("basic", "ai", "custom")
_PACKAGE = values.object_of(name=values.path, type=values.name)
_GROUP = values.object_of(name=values.name, resources=values.list_of(_PACKAGE))
_SHOWN_NAME = values.shown(values.name)
_COUNT = values.integer(0, MAX_INTEGER)


@dataclass(frozen=True)
class JobInputs:
    """The arguments of a job, parsed. Each field is one argument; its property name is the field's in camelCase.

    A value that breaks a rule stays as it was given: `failures` tells, and an old state may have such values.
    """

    # What is sent, in the order of the API page. Its spelling there is in `api.models.BatchRequest`.
    file: Given[str] = _sent(values.path)
    class_name: Given[str] = _sent(values.class_name)
    queue: Given[str] = _sent(_SHOWN_NAME, is_filled_in=True)
    cluster_name: Given[str] = _sent(_SHOWN_NAME)
    args: Given[Sequence[str]] = _sent(values.list_of(values.text))
    sc_type: Given[str] = _sent(
        values.shown(values.choice(*RESOURCE_TYPES)), choices=tuple(RESOURCE_TYPES), service_default=DEFAULT_SC_TYPE
    )
    jars: Given[Sequence[str]] = _sent(values.list_of(values.path))
    py_files: Given[Sequence[str]] = _sent(values.list_of(values.path))
    files: Given[Sequence[str]] = _sent(values.list_of(values.path))
    modules: Given[Sequence[str]] = _sent(values.list_of(values.name))
    resources: Given[Sequence[Properties]] = _sent(values.list_of(_PACKAGE))
    groups: Given[Sequence[Properties]] = _sent(values.list_of(_GROUP))
    conf: Given[Mapping[str, str]] = _sent(values.map_of(values.scalar))
    name: Given[str] = _sent(values.job_name)
    driver_memory: Given[str] = _sent(values.memory)
    driver_cores: Given[int] = _sent(_COUNT)
    executor_memory: Given[str] = _sent(values.memory)
    executor_cores: Given[int] = _sent(_COUNT)
    num_executors: Given[int] = _sent(_COUNT)
    obs_bucket: Given[str] = _sent(values.name, is_filled_in=True)
    auto_recovery: Given[bool] = _sent(values.flag, service_default=False)
    max_retry_times: Given[int] = _sent(values.integer(0, MAX_RETRY_TIMES), service_default=DEFAULT_MAX_RETRY_TIMES)
    catalog_name: Given[str] = _sent(values.name)
    feature: Given[str] = _sent(values.choice(*_FEATURES), choices=_FEATURES, is_filled_in=True)
    spark_version: Given[str] = _sent(values.name, is_filled_in=True)
    image: Given[str] = _sent(values.name, is_filled_in=True)
    execution_agency_urn: Given[str] = _sent(values.name, is_filled_in=True)

    # Options of the provider.
    region: Given[str] = _option(values.name, OnChange.MOVE)
    project_id: Given[str] = _option(values.name, OnChange.MOVE)
    triggers: Given[Properties] = _option(values.map_of(values.anything), OnChange.RERUN)
    replacement_trigger: Any = _option(values.anything, OnChange.IGNORE)  # Pulumi itself replaces the job for it
    rerun_on_failure: bool | Unknown = _option(values.flag, default=True)
    on_record_expired: OnRecordExpired | Unknown = _choice(OnRecordExpired.KEEP)
    when_running: WhenRunning | Unknown = _choice(WhenRunning.CANCEL)
    cancel_timeout: int | Unknown = _option(values.integer(0), default=300)
    adopt_id: Given[str] = _option(values.name, OnChange.IGNORE, is_kept_on_update=True)

    # What the program and `check` pass for the provider's own use.
    resource_name: str | None = _hidden(OnChange.IGNORE)
    """The logical name."""
    scope: str | None = _hidden(OnChange.IGNORE)
    """What tells this job from the jobs of all stacks: the hash in the submission's name."""
    redact: Sequence[str] | None = _hidden(OnChange.UPDATE)
    """The secret texts among the arguments, to be masked in what the service and the job write."""
    ends_seen: Given[Mapping[str, str]] = _hidden(OnChange.IGNORE, values.map_of(values.text), is_transient=True)
    """The final states of earlier runs by batch id, which the program has read from the waits in the stack's state."""
    waits_unread: Given[bool] = _hidden(OnChange.IGNORE, values.flag, is_transient=True)
    """True where the job has a wait, but the program could not read the stack's state."""
    sizing: str | None = _hidden(OnChange.IGNORE)
    """What the job takes, in words."""

    properties: Properties = field(default_factory=dict)
    """What was given, normalised, by property name: this goes into the state. Without defaults."""
    unknown: tuple[str, ...] = ()
    """The properties of which a part at least is not known yet."""
    failures: tuple[str, ...] = ()
    """What is refused, in words."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Judge and normalise each property for itself. What is null is absent; what is unknown is not judged.

        No key of a map is changed and no item of a list is moved: the engine knows a secret by its path.
        """
        given: dict[str, Any] = {}
        failures: list[str] = []
        for name, value in properties.items():
            if value is None:
                continue
            if name not in ARGUMENTS:
                failures.append(f"{name}: there is no such property of a batch job")
                continue
            try:
                given[name] = values.at("", ARGUMENTS[name].check, value)
            except values.RefusedError as refused:
                failures.append(f"{name}{refused.path}: {refused}")
                given[name] = value
        return cls(
            **{_FIELDS[name]: _enum_member(name, value) for name, value in given.items()},
            properties=given,
            unknown=tuple(name for name, value in given.items() if not is_known(value)),
            failures=tuple(failures),
        )


_FIELDS: dict[str, str] = {to_camel(one.name): one.name for one in fields(JobInputs) if one.metadata}

ARGUMENTS: dict[str, Argument] = {
    to_camel(one.name): one.metadata["argument"] for one in fields(JobInputs) if one.metadata
}
"""What is known of each argument, by property name."""

_ENUMS = {name: type(one.default) for name, one in ARGUMENTS.items() if isinstance(one.default, StrEnum)}


def _enum_member(name: str, value: Any) -> Any:
    return _ENUMS[name](value) if name in _ENUMS and value in ARGUMENTS[name].choices else value


WIRE_NAMES: dict[str, str] = {
    to_camel(name): info.serialization_alias or name for name, info in BatchRequest.model_fields.items()
}
"""The API's spelling of each property that is sent, by property name, in the order of the page."""

OPTIONS: tuple[str, ...] = tuple(name for name, one in ARGUMENTS.items() if not one.is_sent and not one.is_hidden)
"""The properties that a user may give and that are never sent in the body."""
