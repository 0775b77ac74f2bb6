"""The batch jobs in the state of a stack, as `pulumi stack export --show-secrets` prints it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_dli.api.models import normal_id
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.outputs import VERDICT, StoredJob

JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"
WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"
# `program.types` has the same two names, but it imports Pulumi. A test compares them.

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks an object of the state in which Pulumi wraps a value (sdk/go/common/resource/sig)."""


@dataclass(frozen=True)
class StackJob:
    """A batch job in the state of a stack.

    Args:
        name: The logical name.
        parent: The logical name of the parent. Empty if the parent is the stack itself.
        batch_id: The id of the run.
        stored: The stored outputs.
        is_read_only: Whether the stack only reads the job (`BatchJob.get`).
        is_pending_delete: Whether a new job of the same name has replaced the job, and Pulumi has not deleted it yet.
    """

    name: str
    parent: str
    batch_id: str
    stored: StoredJob = field(repr=False)  # it may contain secrets
    is_read_only: bool = False
    is_pending_delete: bool = False


@dataclass(frozen=True)
class Stack:
    """The facts about batch jobs in the state of a stack.

    Args:
        name: The name of the stack. Empty if the state has no resource.
        jobs: The jobs, in the order of the state.
        seen_ends: For each run whose end a wait has seen, the outputs of its waits, by the id of the run.
        secrets: The texts to mask in the log of each run, by its id.
    """

    name: str
    jobs: tuple[StackJob, ...]
    seen_ends: Mapping[str, Properties] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @property
    def words(self) -> str:
        """The stack in words, for a message."""
        return f"stack {self.name}" if self.name else "the stack"

    def verdict(self, batch_id: str) -> Properties:
        """Return the outputs of a wait that has seen the end of a run, or an empty map."""
        outputs = self.seen_ends.get(batch_id, {})
        return {name: outputs[name] for name in VERDICT if outputs.get(name) is not None}


def parse_export(export: Mapping[str, Any]) -> Stack:
    """Parse the output of `pulumi stack export --show-secrets`."""
    deployment = export.get("deployment") or {}
    resources = [_plain(one) for one in deployment.get("resources") or ()]
    # A resource without an id has no run.
    jobs = tuple(job for job in map(_job, _of_type(JOB_TYPE, resources)) if job.batch_id)
    waits = [(_run_of(one), _outputs(one)) for one in _of_type(WAIT_TYPE, resources)]
    stored = [(job.batch_id, job.stored.properties) for job in jobs]
    return Stack(_stack_name(resources), jobs, _seen_ends(waits), _secrets([*stored, *waits]))


def _of_type(token: str, resources: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in resources if one.get("type") == token]


def _stack_name(resources: Iterable[Mapping[str, Any]]) -> str:
    """Return the name of the stack, which each URN has, or an empty string: `urn:pulumi:<stack>::<project>::…`."""
    urns = (str(one.get("urn", "")) for one in resources)
    return next((urn.split(":")[2] for urn in urns if urn.startswith("urn:pulumi:")), "")


def _outputs(resource: Mapping[str, Any]) -> Properties:
    return resource.get("outputs") or {}


def _plain(value: Any) -> Any:
    """Return a value of the state with the plain value in place of each secret."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _SIGNATURE in value and "plaintext" in value:
        return _plain(json.loads(value["plaintext"]))
    return {key: _plain(item) for key, item in value.items()}


def _job(resource: Mapping[str, Any]) -> StackJob:
    parent = str(resource.get("parent") or "")
    return StackJob(
        _name_in(str(resource.get("urn", ""))),
        "" if "::pulumi:pulumi:Stack::" in parent else _name_in(parent),
        normal_id(str(resource.get("id", ""))),
        StoredJob.parse(_outputs(resource)),
        bool(resource.get("external")),
        bool(resource.get("delete")),
    )


def _name_in(urn: str) -> str:
    """Return the logical name in a URN: `urn:pulumi:<stack>::<project>::<types>::<name>`. The name may contain `::`."""
    return (urn.split("::", 3) + [""] * 3)[3]


def _run_of(wait: Mapping[str, Any]) -> str:
    return normal_id(str(_outputs(wait).get("jobId", "")))


def _seen_ends(waits: Iterable[tuple[str, Properties]]) -> dict[str, Properties]:
    """Return the outputs of the waits that have seen the end of a run, by the id of the run.

    The outputs of waits that have seen the same end are joined. Not every wait has all outputs: older versions have
    stored no reason, and a log may have been empty.
    """
    ends: dict[str, Properties] = {}
    for batch_id, outputs in waits:
        if _has_end(outputs):
            first = ends.get(batch_id, {})
            known = {name: value for name, value in outputs.items() if value is not None}
            ends[batch_id] = {**first, **known} if first.get("state") == outputs.get("state") else outputs
    return ends


def _has_end(outputs: Properties) -> bool:
    state = BatchState.parse(str(outputs.get("state")))
    return state is not None and state.is_final


def _secrets(stored: Iterable[tuple[str, Properties]]) -> dict[str, tuple[str, ...]]:
    """Return the hidden input `redact` of each run, joined from its jobs and its waits: a transform may change one."""
    found: dict[str, dict[str, None]] = {}
    for batch_id, properties in stored:
        found.setdefault(batch_id, {}).update(dict.fromkeys(_texts(properties.get("redact"))))
    return {batch_id: tuple(texts) for batch_id, texts in found.items()}


def _texts(value: Any) -> Iterator[str]:
    yield from (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
