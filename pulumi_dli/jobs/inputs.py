"""The arguments of a batch job: `JobInputs` declares each argument once, and holds the parsed values of one job.

To add an argument that is sent, add a field in `api.models.BatchRequest`, here and in `program.batch_job`. A test
(`tests/jobs/test_inputs.py`) names a missing place.
"""

# ruff: noqa: RUF009  the defaults of the dataclass are fields, which our own functions make

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self, TypeAlias, TypeVar

from pydantic.alias_generators import to_camel

from pulumi_dli.api.models import DEFAULT_MAX_RETRY_TIMES, MAX_INTEGER, MAX_RETRY_TIMES, BatchRequest
from pulumi_dli.api.sizes import DEFAULT_SC_TYPE, RESOURCE_TYPES
from pulumi_dli.jobs import exact_numbers
from pulumi_dli.jobs import validation as values
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS, is_secret, shown_path
from pulumi_dli.jobs.validation import Unknown, is_known

Properties = Mapping[str, Any]
"""Values by property name, in the types that Pulumi sends."""

T = TypeVar("T")
Value: TypeAlias = T | Unknown | None
"""The value of an argument: known, unknown in a plan, or None if it is not declared."""


class OnRecordExpired(StrEnum):
    """What a plan does if the service deleted a job's record before any `up` saw the end of the job."""

    KEEP = "keep"
    RERUN = "rerun"


class WhenRunning(StrEnum):
    """What a plan does if a job must run again while its old run still runs."""

    CANCEL = "cancel"
    REFUSE = "refuse"


class OnChange(StrEnum):
    """What a plan does if the value of an argument has changed."""

    RERUN = "rerun"
    """Run the job again."""
    MOVE = "move"
    """Run the job again if its last run was in another location."""
    UPDATE = "update"
    """Store the new value, without a call to the service."""
    IGNORE = "ignore"


@dataclass(frozen=True)
class Argument:
    """The facts about an argument, except its name and type."""

    check: Callable[[Any], Any]
    """The rule: it returns a known value normalised, or raises RefusedError."""
    on_change: OnChange
    is_sent: bool = False
    """The request has it."""
    is_hidden: bool = False
    """The program passes it for the provider's own use. Users cannot set it."""
    choices: tuple[str, ...] = ()
    """The allowed words. Empty if any value is allowed."""
    default: Any = None
    """The provider's value if it is not declared."""
    service_default: Any = None
    """The service's value if it is not declared."""
    is_filled_in: bool = False
    """The service may add a value to a request that does not have it."""
    is_kept_on_update: bool = False
    """An update keeps the stored value, because a new value comes too late."""
    is_transient: bool = False
    """The check reads it and removes it. It counts in this process only and must not change the state."""


def _sent(check: Callable[[Any], Any], **facts: Any) -> Any:
    return _argument(Argument(check, OnChange.RERUN, is_sent=True, **facts))


def _option(check: Callable[[Any], Any], on_change: OnChange = OnChange.UPDATE, **facts: Any) -> Any:
    return _argument(Argument(check, on_change, **facts))


def _choice(default: StrEnum, meaning: str) -> Any:
    words = tuple(type(default))
    return _option(values.choice(*words, meaning=meaning), choices=words, default=default)


def _hidden(on_change: OnChange, check: Callable[[Any], Any] = lambda value: value, **facts: Any) -> Any:
    return _argument(Argument(check, on_change, is_hidden=True, **facts))


def _argument(argument: Argument) -> Any:
    return field(default=argument.default, metadata={"argument": argument})


_RESOURCE_TYPES = ", ".join(f"{one.vcpus} vCPUs and {one.memory_gb} GB" for one in RESOURCE_TYPES.values())
_FEATURES = ("basic", "ai", "custom")
_PACKAGE = values.object_of(name=values.path, type=values.name)
_GROUP = values.object_of(name=values.name, resources=values.list_of(_PACKAGE))
_SHOWN_NAME = values.shown(values.name)
_COUNT = values.integer(0, MAX_INTEGER)


@dataclass(frozen=True)
class JobInputs:
    """The parsed arguments of a job. Each field is one argument. Its property name is the same name in camelCase.

    A value that breaks a rule stays unchanged, and `failures` has the reason. An old state may contain such values.
    """

    # The arguments that are sent, in the order of the API page. `api.models.BatchRequest` has the API's own names.
    file: Value[str] = _sent(values.path)
    class_name: Value[str] = _sent(values.class_name)
    queue: Value[str] = _sent(_SHOWN_NAME, is_filled_in=True)
    cluster_name: Value[str] = _sent(_SHOWN_NAME)
    args: Value[Sequence[str]] = _sent(values.list_of(values.text))
    sc_type: Value[str] = _sent(
        values.shown(values.choice(*RESOURCE_TYPES, meaning=_RESOURCE_TYPES)),
        choices=tuple(RESOURCE_TYPES),
        service_default=DEFAULT_SC_TYPE,
    )
    jars: Value[Sequence[str]] = _sent(values.list_of(values.path))
    py_files: Value[Sequence[str]] = _sent(values.list_of(values.path))
    files: Value[Sequence[str]] = _sent(values.list_of(values.path))
    modules: Value[Sequence[str]] = _sent(values.list_of(values.name))
    resources: Value[Sequence[Properties]] = _sent(values.list_of(_PACKAGE))
    groups: Value[Sequence[Properties]] = _sent(values.list_of(_GROUP))
    conf: Value[Mapping[str, str]] = _sent(values.map_of(values.scalar))
    name: Value[str] = _sent(values.job_name)
    driver_memory: Value[str] = _sent(values.memory)
    driver_cores: Value[int] = _sent(_COUNT)
    executor_memory: Value[str] = _sent(values.memory)
    executor_cores: Value[int] = _sent(_COUNT)
    num_executors: Value[int] = _sent(_COUNT)
    obs_bucket: Value[str] = _sent(values.name, is_filled_in=True)
    auto_recovery: Value[bool] = _sent(values.flag, service_default=False)
    max_retry_times: Value[int] = _sent(values.integer(0, MAX_RETRY_TIMES), service_default=DEFAULT_MAX_RETRY_TIMES)
    catalog_name: Value[str] = _sent(values.name)
    feature: Value[str] = _sent(values.choice(*_FEATURES), choices=_FEATURES, is_filled_in=True)
    spark_version: Value[str] = _sent(values.name, is_filled_in=True)
    image: Value[str] = _sent(values.name, is_filled_in=True)
    execution_agency_urn: Value[str] = _sent(values.name, is_filled_in=True)

    # Options of the provider.
    region: Value[str] = _option(values.name, OnChange.MOVE)
    project_id: Value[str] = _option(values.name, OnChange.MOVE)
    triggers: Value[Properties] = _option(values.map_of(values.anything), OnChange.RERUN)
    replacement_trigger: Any = _option(values.anything, OnChange.IGNORE)  # Pulumi itself replaces the job
    rerun_on_failure: bool | Unknown = _option(values.flag, default=True)
    on_record_expired: OnRecordExpired | Unknown = _choice(
        OnRecordExpired.KEEP, "the last known state, or run the job again"
    )
    when_running: WhenRunning | Unknown = _choice(WhenRunning.CANCEL, "the run that goes on, or the new run")
    cancel_timeout: int | Unknown = _option(values.integer(0), default=300)
    adopt_id: Value[str] = _option(values.batch_id, OnChange.IGNORE, is_kept_on_update=True)

    # Hidden arguments, which the program and `check` pass for the provider's own use.
    resource_name: str | None = _hidden(OnChange.IGNORE)
    """The logical name."""
    scope: str | None = _hidden(OnChange.IGNORE)
    """The fingerprint of the resource, which distinguishes it from the jobs of all stacks."""
    secret_inputs: Value[Sequence[str]] = _hidden(OnChange.IGNORE, values.list_of(values.text))
    """The paths of the secret inputs: see `jobs.secret_paths`."""
    has_secret_size: Value[bool] = _hidden(OnChange.IGNORE, values.flag, is_transient=True)
    """True in a plan if a size is secret while `secret_inputs` is unknown."""
    redact: Sequence[str] | None = _hidden(OnChange.UPDATE)
    """The secret texts among the arguments. The provider masks them in logs and in messages of the service."""
    from_configuration: Value[bool] = _hidden(OnChange.IGNORE, values.flag)
    """True if the job is declared in a file, in which the arguments are spelled in camelCase."""
    ends_seen: Value[Mapping[str, str]] = _hidden(OnChange.IGNORE, values.map_of(values.text), is_transient=True)
    """The final states of earlier runs by batch id, which the program has read from the waits in the stack's state."""
    waits_unread: Value[bool] = _hidden(OnChange.IGNORE, values.flag, is_transient=True)
    """True if the job has a wait, but the program could not read the stack's state."""
    sizing: Value[str] = _hidden(OnChange.IGNORE)
    """The sizes of the job, in words."""
    exact_numbers: Mapping[str, str] | Unknown | None = _hidden(OnChange.IGNORE)
    """The digits of the numbers that Pulumi rounds, by place. `jobs.request` compares them with the numbers."""

    properties: Properties = field(default_factory=dict)
    """The declared properties, normalised, by their names, without defaults. They go into the state."""
    unknown: tuple[str, ...] = ()
    """The names of the properties that are unknown, at least in a part."""
    failures: tuple[str, ...] = ()
    """Why the check fails, in words for the user."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Parse, check and normalise each property separately.

        A null counts as absent. An unknown value breaks no rule. Keys of maps and positions in lists never change,
        because the engine identifies a secret by its path.
        """
        declared: dict[str, Any] = {}
        failures: list[str] = []
        for name, value in properties.items():
            if value is None:
                continue
            if name not in ARGUMENTS:
                failures.append(f"{name}: there is no such property of a batch job")
                continue
            try:
                declared[name] = values.at("", ARGUMENTS[name].check, value)
            except values.RefusedError as refused:
                path = shown_path(f"{name}{refused.path}", properties.get(SECRET_INPUTS))
                failures.append(f"{path}: {_reason(refused, name, properties)}")
                declared[name] = value
        failures += (
            f"{shown_path(path, properties.get(SECRET_INPUTS))}: must be text, since Pulumi rounds whole numbers from "
            f"{exact_numbers.LIMIT} on; put it in quotes"
            for path in exact_numbers.rounded_places(properties, "conf")
        )
        return cls(
            **{_FIELDS[name]: _enum_member(name, value) for name, value in declared.items()},
            properties=declared,
            unknown=tuple(name for name, value in declared.items() if not is_known(value)),
            failures=tuple(failures),
        )


_FIELDS: dict[str, str] = {to_camel(one.name): one.name for one in fields(JobInputs) if one.metadata}

ARGUMENTS: dict[str, Argument] = {
    to_camel(one.name): one.metadata["argument"] for one in fields(JobInputs) if one.metadata
}
"""The facts about each argument, by property name."""


def _reason(refused: values.RefusedError, name: str, properties: Properties) -> str:
    return str(refused) if is_secret(name, properties.get(SECRET_INPUTS)) else refused.with_value


_ENUMS = {name: type(one.default) for name, one in ARGUMENTS.items() if isinstance(one.default, StrEnum)}


def _enum_member(name: str, value: Any) -> Any:
    return _ENUMS[name](value) if name in _ENUMS and value in ARGUMENTS[name].choices else value


WIRE_NAMES: dict[str, str] = {
    to_camel(name): info.serialization_alias or name for name, info in BatchRequest.model_fields.items()
}
"""The API's own name of each property that is sent, by property name, in the order of the page."""

OPTIONS: tuple[str, ...] = tuple(name for name, one in ARGUMENTS.items() if not one.is_sent and not one.is_hidden)
"""The properties that users can set and that are never in the request."""
