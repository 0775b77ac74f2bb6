"""The batch jobs in the state of a stack: those of dynamic resources, and those of the native provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi_dli.api.models import normal_id
from pulumi_dli.api.states import BatchState
from pulumi_dli.cli.state import State, StateResource
from pulumi_dli.jobs.inputs import Properties
from pulumi_dli.jobs.outputs import VERDICT, StoredJob
from pulumi_dli.plugin import types as native
from pulumi_dli.plugin.configuration import configuration_of, is_default
from pulumi_dli.plugin.job_properties import stored_job, texts_of
from pulumi_dli.plugin.urn import Urn

JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"
WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"
# `program.types` has the same two names, but it imports Pulumi. A test compares them.

_JOB_TYPES, _WAIT_TYPES = (JOB_TYPE, native.JOB), (WAIT_TYPE, native.WAIT)


@dataclass(frozen=True)
class StackJob:
    """A batch job in the state of a stack.

    Args:
        urn: The URN.
        name: The logical name.
        parent: The logical name of the parent. Empty if the parent is the stack itself.
        batch_id: The id of the run.
        stored: The stored outputs.
        is_native: Whether the job is a resource of the native provider, and not a dynamic one.
        provider_settings: The settings of the job's explicit provider, by keys such as `dli:region`. None if the
            configuration of the stack counts.
        is_read_only: Whether the stack only reads the job (`BatchJob.get`).
        is_pending_delete: Whether a new job of the same name has replaced the job, and Pulumi has not deleted it yet.
    """

    urn: str
    name: str
    parent: str
    batch_id: str
    stored: StoredJob = field(repr=False)  # it may contain secrets
    is_native: bool = False
    provider_settings: Mapping[str, str] | None = field(default=None, repr=False)
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
    state = State.parse(export)
    explicit = _explicit_providers(state)
    # A resource without an id has no run.
    jobs = tuple(_job(one, explicit) for one in state.resources if one.type in _JOB_TYPES and one.id)
    waits = [one.outputs.values for one in state.resources if one.type in _WAIT_TYPES]
    return Stack(state.stack_name, jobs, _seen_ends(waits), _joined(_secrets(state)))


def _explicit_providers(state: State) -> dict[str, Mapping[str, str]]:
    """Return the settings of each explicit provider, by its reference. The stack's configuration does not count there.

    The engine makes a default provider of the configuration. Its state may be old, so it is not read.
    """
    providers = (one for one in state.resources if one.type == native.PROVIDER)
    return {
        f"{one.urn}::{one.id}": configuration_of(one.inputs.values, Urn.parse(one.urn), None)
        for one in providers
        if not is_default(Urn.parse(one.urn))
    }


def _job(resource: StateResource, explicit_providers: Mapping[str, Mapping[str, str]]) -> StackJob:
    return StackJob(
        resource.urn,
        resource.name,
        resource.parent_name,
        normal_id(resource.id),
        _stored_job(resource),
        resource.type == native.JOB,
        explicit_providers.get(resource.provider),
        resource.is_read_only,
        resource.is_pending_delete,
    )


def _stored_job(resource: StateResource) -> StoredJob:
    if resource.type == native.JOB:
        return stored_job(Urn.parse(resource.urn), resource.outputs, resource.inputs)
    return StoredJob.parse(resource.outputs.values)


def _seen_ends(waits: Iterable[Properties]) -> dict[str, Properties]:
    """Return the outputs of the waits that have seen the end of a run, by the id of the run.

    The outputs of waits that have seen the same end are joined. Not every wait has all outputs: older versions have
    stored no reason, and a log may have been empty.
    """
    ends: dict[str, Properties] = {}
    for outputs in filter(_has_end, waits):
        batch_id = normal_id(str(outputs.get("jobId", "")))
        first = ends.get(batch_id, {})
        known = {name: value for name, value in outputs.items() if value is not None}
        ends[batch_id] = {**first, **known} if first.get("state") == outputs.get("state") else outputs
    return ends


def _has_end(outputs: Properties) -> bool:
    state = BatchState.parse(str(outputs.get("state")))
    return state is not None and state.is_final


def _secrets(state: State) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the id of a run and texts to mask in its log, for each job and each wait, as the provider masks them.

    A native wait is in the state only after it has ended. Before, only its component or a pending operation has the
    texts that the program has given to the wait.
    """
    for resource in (*state.resources, *state.pending):
        if resource.type == native.JOB:
            yield resource.id, texts_of(Urn.parse(resource.urn), resource.outputs, resource.inputs)
        elif resource.type == JOB_TYPE:
            # A transform may change a job without its wait, so the wait's texts count too.
            yield resource.id, _texts(resource.outputs.values.get("redact"))
        elif resource.type in (*_WAIT_TYPES, native.COMPLETION):
            for one in (resource.inputs.values, resource.outputs.values):
                yield str(one.get("jobId") or one.get("batchJob") or ""), _texts(one.get("redact"))


def _joined(secrets: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """Return all texts of each run, by its id."""
    found: dict[str, dict[str, None]] = {}
    for batch_id, texts in secrets:
        if batch_id:
            found.setdefault(normal_id(batch_id), {}).update(dict.fromkeys(texts))
    return {batch_id: tuple(texts) for batch_id, texts in found.items()}


def _texts(value: Any) -> Iterator[str]:
    yield from (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
