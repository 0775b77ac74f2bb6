"""Reads the ends of runs from the waits in the stack's own state.

The engine calls the provider for a job before it calls it for the job's wait. So the provider cannot know in time which
end the wait has seen. But the program can read it: Pulumi has a function that returns the outputs of a stack's
resources. The function is not documented. StackReference of the SDKs uses a similar one.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Mapping
from contextvars import copy_context
from typing import Any, NamedTuple

import pulumi
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto.resource_pb2 import ResourceInvokeRequest
from pulumi.runtime.settings import get_monitor

from pulumi_dli.api.states import BatchState
from pulumi_dli.program.mocks import is_mocked
from pulumi_dli.program.types import JOB_TYPE, WAIT_TYPE

_FUNCTION = "pulumi:pulumi:readStackResourceOutputs"


class _Wait(NamedTuple):
    job_name: str
    batch_id: str
    state: str


class _State(NamedTuple):
    """The names of the jobs in the stack's state, and its waits that have seen an end."""

    job_names: frozenset[str]
    waits: tuple[_Wait, ...]


def ends_seen_inputs(job_name: str, *, is_renamed: bool) -> dict[str, Any]:
    """Return the hidden inputs of a job with the ends that the waits in the state have seen.

    Args:
        job_name: The logical name of the job.
        is_renamed: Whether the job may have another name in the state.
    """
    inputs = asyncio.ensure_future(_inputs(job_name, is_renamed=is_renamed))
    known: pulumi.Output[dict[str, Any]] = pulumi.Output.from_input(inputs)
    return {name: known.apply(lambda values, name=name: values.get(name)) for name in ("endsSeen", "waitsUnread")}  # type: ignore[misc]


def declare_wait(job_name: str | None) -> None:
    """Record that the program declares a wait for this job. None if the wait has no job name."""
    _declared_waits().add(job_name)


def _declared_waits() -> set[str | None]:
    return _waits.setdefault(asyncio.get_event_loop(), set())


async def _inputs(job_name: str, *, is_renamed: bool) -> dict[str, Any]:
    state = await _read_once()  # after this, the program has declared all its waits
    if state is None:
        return {"endsSeen": {}, "waitsUnread": bool({job_name, None} & _declared_waits())}
    ends = {
        wait.batch_id: wait.state
        for wait in state.waits
        # If the program calls BatchJobWait itself, the wait may have any job name.
        if is_renamed or wait.job_name == job_name or wait.job_name not in state.job_names
    }
    return {"endsSeen": ends, "waitsUnread": False}


_waits: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, set[str | None]] = weakref.WeakKeyDictionary()
_states: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[_State | None]] = (
    weakref.WeakKeyDictionary()
)


async def _read_once() -> _State | None:
    loop = asyncio.get_running_loop()
    if loop not in _states:
        _states[loop] = asyncio.ensure_future(_read())
    return await _states[loop]


async def _read() -> _State | None:
    """Return the state after the last command. If that fails, warn the user and return None."""
    if is_mocked():
        return _State(frozenset(), ())
    arguments = Struct()
    arguments.update({"stackName": f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"})
    request = ResourceInvokeRequest(tok=_FUNCTION, args=arguments)
    monitor: Any = get_monitor()
    context = copy_context()  # Pulumi stores the engine of the program in the context
    try:
        # Do not use pulumi.runtime.invoke: it converts all outputs to objects, and a failure ends the program.
        reply = await asyncio.to_thread(context.run, monitor.Invoke, request)
        reason = reply.failures[0].reason if reply.failures else ""
    except Exception as error:  # noqa: BLE001  after any error, the provider takes no risk
        reason = str(error) or repr(error)
    if not reason:
        return _state_of(MessageToDict(getattr(reply, "return")).get("outputs") or {})
    pulumi.log.warn(
        f"dli: the program could not read this stack's own state: {reason}. If a job has a wait and the service has "
        "deleted its record, the job does not run again, although onRecordExpired is rerun."
    )
    return None


def _state_of(resources: Mapping[str, Any]) -> _State:
    """Return the needed parts of all resources. Drop the rest, because it contains secrets. `resources` is by URN."""
    names = (urn.rpartition("::")[2] for urn, resource in resources.items() if resource.get("type") == JOB_TYPE)
    found = (resource.get("outputs") or {} for resource in resources.values() if resource.get("type") == WAIT_TYPE)
    waits = (_Wait(*(str(outputs.get(name)) for name in ("jobName", "jobId", "state"))) for outputs in found)
    return _State(frozenset(names), tuple(wait for wait in waits if _is_end(wait.state)))


def _is_end(state: str) -> bool:
    parsed = BatchState.parse(state)
    return parsed is not None and parsed.is_final
