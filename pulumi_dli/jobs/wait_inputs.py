"""The arguments of a wait: `WaitInputs` holds what a program has given, parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pydantic.alias_generators import to_camel

from pulumi_dli.api.clock import parse_duration
from pulumi_dli.jobs import validation as values
from pulumi_dli.jobs.inputs import Given, Properties
from pulumi_dli.jobs.validation import RefusedError, Unknown
from pulumi_dli.jobs.wait_goals import Until


@dataclass(frozen=True)
class WaitInputs:
    """The arguments of a wait, parsed. Each field is one argument; its property name is the field's in camelCase.

    A value that breaks a rule stays as it was given: `failures` tells.
    """

    job_id: Given[str] = None
    """In an `up` with --continue-on-error the id of a job that failed is absent, and the engine skips its wait."""
    until: Until | Unknown = Until.SUCCESS
    timeout: Given[float] = None
    """In seconds."""
    job_name: str = "batch job"
    submitted_to: Given[Properties] = None
    """The place where the job was submitted: `region` and `projectId`."""
    rerun_on_failure: bool | Unknown = True
    redact: Sequence[str] | None = None
    """The secret texts to be masked in the job's log."""
    waited: float = 0.0
    """The seconds that the gate in the program has already waited."""

    properties: Properties = field(default_factory=dict)
    """What was given, by property name, with `until`: this goes into the state."""
    failures: tuple[str, ...] = ()
    """What is refused, in words."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Judge each property for itself. What is null is absent, what is unknown is not judged."""
        given = {"until": str(Until.SUCCESS)} | {name: one for name, one in properties.items() if one is not None}
        typed, failures = {**given}, []
        for name in (name for name in _RULES if name in given):
            try:
                typed[name] = values.at("", _RULES[name], given[name])
            except RefusedError as refused:
                failures.append(f"{name}: {refused}")
        return cls(
            **{_FIELDS[name]: value for name, value in typed.items() if name in _FIELDS},
            properties=given,
            failures=tuple(failures),
        )


_FIELDS = {to_camel(one.name): one.name for one in fields(WaitInputs) if one.name not in ("properties", "failures")}

WAIT_ARGUMENTS: tuple[str, ...] = tuple(_FIELDS)
"""The arguments of a wait, by property name."""


def _job_id(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise RefusedError("must be the id of a batch job")
    return value


def _until(value: Any) -> Until:
    if value not in tuple(Until):
        raise RefusedError(f"must be one of {', '.join(Until)}")
    return Until(value)


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _place(value: Any) -> Any:
    if not isinstance(value, Mapping) or not set(value) <= {"region", "projectId"}:
        raise RefusedError("must be a map with region and projectId, and nothing else")
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "jobId": _job_id,
    "jobName": lambda value: str(value) or WaitInputs.job_name,
    "until": _until,
    "timeout": _seconds,
    "submittedTo": _place,
}
