"""The arguments of a wait: `WaitInputs` parses and checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pydantic.alias_generators import to_camel

from pulumi_dli.api.clock import parse_duration
from pulumi_dli.jobs import validation as values
from pulumi_dli.jobs.inputs import Properties, Value
from pulumi_dli.jobs.validation import RefusedError, Unknown
from pulumi_dli.jobs.wait_goals import Until


@dataclass(frozen=True)
class WaitInputs:
    """The parsed arguments of a wait. Each field is one argument. Its property name is the same name in camelCase.

    A value that breaks a rule stays unchanged, and `failures` has the reason.
    """

    job_id: Value[str] = None
    """None in an `up` with --continue-on-error if the job failed. The engine then skips the wait."""
    until: Until | Unknown = Until.SUCCESS
    timeout: Value[float] = None
    """In seconds."""
    job_name: str = "batch job"
    submitted_to: Value[Properties] = None
    """The location where the job runs: `region` and `projectId`."""
    rerun_on_failure: bool | Unknown = True
    redact: Sequence[str] | None = None
    """The secret texts to mask in the job's log."""
    waited: float = 0.0
    """The seconds that the wait gate in the program has already waited."""

    properties: Properties = field(default_factory=dict)
    """The declared properties by their names, and `until` with its default. They go into the state."""
    failures: tuple[str, ...] = ()
    """Why the check fails, in words for the user."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Parse and check each property separately. A null counts as absent; an unknown value breaks no rule."""
        declared = {"until": str(Until.SUCCESS)} | {name: one for name, one in properties.items() if one is not None}
        typed, failures = {**declared}, []
        for name in (name for name in _RULES if name in declared):
            try:
                typed[name] = values.at("", _RULES[name], declared[name])
            except RefusedError as refused:
                failures.append(f"{name}: {refused}")
        return cls(
            **{_FIELDS[name]: value for name, value in typed.items() if name in _FIELDS},
            properties=declared,
            failures=tuple(failures),
        )


_FIELDS = {to_camel(one.name): one.name for one in fields(WaitInputs) if one.name not in ("properties", "failures")}

WAIT_ARGUMENTS: tuple[str, ...] = tuple(_FIELDS)
"""The property names of a wait's arguments."""


def _until(value: Any) -> Until:
    if value not in tuple(Until):
        raise RefusedError(f"must be one of {', '.join(Until)}")
    return Until(value)


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise RefusedError(str(error)) from error


def _location(value: Any) -> Any:
    if not isinstance(value, Mapping) or not set(value) <= {"region", "projectId"}:
        raise RefusedError("must be a map with region and projectId, and nothing else")
    return value


_RULES: dict[str, Callable[[Any], Any]] = {
    "jobId": values.batch_id,
    "jobName": lambda value: str(value) or WaitInputs.job_name,
    "until": _until,
    "timeout": _seconds,
    "submittedTo": _location,
}
