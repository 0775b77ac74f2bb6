"""The component `dli:index:BatchJobCompletion`: a wait that occupies none of the engine's slots.

The engine creates at most 4 x CPUs resources at a time, and a resource that waits occupies one of these slots. It
bounds `Construct` by nothing. So the component waits there, and registers its `BatchJobWait` when the job has ended.
The child reads the job once, and keeps the outcome in the state.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from pulumi_dli.api.clock import parse_duration
from pulumi_dli.api.errors import DliError, JobError
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.validation import is_known
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations.notifier import Level
from pulumi_dli.plugin import wire
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.rows import call_about, spelled
from pulumi_dli.plugin.secret_texts import secret_texts
from pulumi_dli.plugin.session import Session
from pulumi_dli.plugin.types import JOB, WAIT, package_of
from pulumi_dli.plugin.urn import Urn
from pulumi_dli.plugin.wait_gate import WaitGate, interruption_text
from pulumi_dli.plugin.wait_resource import REDACT, WAIT_INPUTS, declared_wait

BATCH_JOB = "batchJob"
"""The input with the job's id. The child has it as `jobId`."""

_INPUTS = (WAIT_INPUTS - {"jobId"}) | {BATCH_JOB}

_CHANNEL_OPTIONS = [
    ("grpc.enable_http_proxy", 0),  # the engine is on this machine
    ("grpc.max_receive_message_length", 400 * 1024 * 1024),
    ("grpc.max_send_message_length", 400 * 1024 * 1024),
]

_CONTINUED = (
    f"The wait has failed, and the row of its {WAIT} has the reason. With --continue-on-error too, nothing starts that "
    "the program declares from here on: the engine does not know that a component has failed."
)


def child_urn(urn: str) -> str:
    """Return the URN of the wait below a component."""
    stack, project, types, name = urn.split("::", 3)
    return "::".join((stack, project, f"{types}${WAIT}", name))


class Completion:
    """Answers `Construct`. It belongs to one event loop.

    Args:
        session: The session of the provider.
        gate: Holds back the child until the job has ended.
        provider: The reference of this process's provider resource, `URN::ID`. The child belongs to this provider.
    """

    def __init__(self, session: Session, gate: WaitGate, provider: str) -> None:
        self._session = session
        self._gate = gate
        self._provider = provider
        self._monitors: dict[str, Any] = {}
        self._waited: dict[str, float] = {}
        self._held: set[asyncio.Task[None]] = set()
        self._open: set[asyncio.Future[None]] = set()
        self._ends = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        """End all constructions: the command ends, and the gate has ended all waits."""
        self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        if self._held:  # each of them still tells the user
            await asyncio.wait(self._held)
        self._ends.set()

    def take_waited(self, wait_urn: str) -> float | None:
        """Return the seconds that a component has waited for this child of it, once. None if it has not waited."""
        return self._waited.pop(wait_urn, None)

    async def ended(self) -> None:
        """Return when the engine has the answers of all constructions, after at most a second."""
        if self._open:
            await asyncio.wait(self._open, timeout=1.0)

    def opened(self, context: Any) -> None:
        """Follow a request of the engine until the engine has its answer."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(sent)
        sent.add_done_callback(self._open.discard)
        context.add_done_callback(lambda _: sent.cancel())

    async def construct(self, request: Any) -> Any:
        """Register the component, wait for the job, and register the wait as its child.

        Raises JobError if the declaration breaks a rule, or if the wait fails in an `up` that goes on after errors.
        """
        read = wire.read(request.inputs)
        inputs = Properties(read.values, read.secrets | {REDACT})  # no check of a component can mark them
        child = _child_inputs(request, inputs)
        declared = _checked(request, inputs, child)
        answer = asyncio.ensure_future(self._construct(request, inputs, child, declared))
        end = asyncio.ensure_future(self._ends.wait())
        try:
            await asyncio.wait((answer, end), return_when=asyncio.FIRST_COMPLETED)
            # When the command ends, the engine answers no registration any more, and starts nothing. The program gets
            # this empty answer. With an error in its place, it would end with a traceback.
            return answer.result() if answer.done() else provider_pb2.ConstructResponse()
        finally:
            answer.cancel()
            end.cancel()

    async def _construct(self, request: Any, inputs: Properties, child: Properties, declared: WaitInputs) -> Any:
        monitor = self._monitor(request.monitorEndpoint)
        component = await monitor.RegisterResource(_component(request, inputs))
        if component.result != resource_pb2.Result.SUCCESS:  # something that it depends on has failed
            return provider_pb2.ConstructResponse(urn=component.urn)
        self._session.rows.add(component.urn)
        if not request.dryRun and is_known(child.values):
            await self._hold(component.urn, declared)
        provider = request.providers.get(package_of(WAIT)) or self._provider
        wait = await monitor.RegisterResource(_child(request, component.urn, child, provider))
        if wait.result != resource_pb2.Result.SUCCESS:
            # The engine would start what depends on the component: it does not know that the component has failed.
            raise JobError(_CONTINUED)
        state = _state(wait)
        outputs = resource_pb2.RegisterResourceOutputsRequest(urn=component.urn, outputs=state)
        await monitor.RegisterResourceOutputs(outputs)
        dependency = provider_pb2.ConstructResponse.PropertyDependencies(urns=[wait.urn])
        dependencies = dict.fromkeys(state.fields, dependency)
        return provider_pb2.ConstructResponse(urn=component.urn, state=state, stateDependencies=dependencies)

    async def _hold(self, urn: str, declared: WaitInputs) -> None:
        """Wait until the job has ended or the time is over. After an interruption of the command, do not return."""
        with call_about(urn):
            held = asyncio.create_task(self._wait(urn, declared))
        self._held.add(held)
        held.add_done_callback(self._held.discard)
        await held
        if self._session.clock.is_interrupted:
            await asyncio.Event().wait()  # `construct` cancels this

    async def _wait(self, urn: str, declared: WaitInputs) -> None:
        try:
            self._waited[child_urn(urn)] = await self._gate.wait(urn, declared)
        except DliError:
            # The child meets the same error, and fails with it. But after an interruption the engine creates no child.
            if self._session.clock.is_interrupted:
                text, rows = interruption_text(declared), self._session.rows
                await asyncio.to_thread(rows.notify, Level.WARNING, Urn.parse(urn).name, text)

    def _monitor(self, address: str) -> Any:
        """Return the stub of the engine's resource monitor. Each command has an address of its own."""
        if address not in self._monitors:
            channel = grpc.aio.insecure_channel(address, options=_CHANNEL_OPTIONS)
            self._monitors[address] = resource_pb2_grpc.ResourceMonitorStub(channel)
        return self._monitors[address]


def _child_inputs(request: Any, inputs: Properties) -> Properties:
    """Return the inputs of the child. By default it has the name of the job on which the component depends."""
    values = {"jobName": _job_name(request), **{name: one for name, one in inputs.values.items() if one is not None}}
    if BATCH_JOB in values:
        values["jobId"] = values.pop(BATCH_JOB)
    secrets = frozenset("jobId" if path == BATCH_JOB else path for path in inputs.secrets)
    return Properties(values, secrets)


def _job_name(request: Any) -> str:
    """Return the logical name of the job whose id is an input, or the component's name if that is not known."""
    dependencies = {name: one.urns for name, one in request.inputDependencies.items()}
    jobs = [urn for urn in map(Urn.parse, dependencies.get(BATCH_JOB, ())) if urn.type == JOB]
    return jobs[0].name if len(jobs) == 1 else str(request.name)


def _checked(request: Any, inputs: Properties, child: Properties) -> WaitInputs:
    """Return the parsed declaration of the child. Raises JobError if it breaks a rule."""
    declared = declared_wait(request.name, child)
    unknown = [name for name in inputs.values if name not in _INPUTS]
    failures = [f"{name}: there is no such property of a BatchJobCompletion" for name in unknown]
    if inputs.values.get(BATCH_JOB) is None:
        failures.append(f"{BATCH_JOB}: must be the id of a batch job")
    failures.extend(re.sub("^jobId:", f"{BATCH_JOB}:", one) for one in declared.failures)
    if failures:
        text = "; ".join(spelled(masked(one, secret_texts(inputs, request.name))) for one in failures)
        raise JobError(f"{request.name}: {text}")
    if declared.timeout is None and request.customTimeouts.create:
        return replace(declared, timeout=parse_duration(request.customTimeouts.create))
    return declared


def _state(wait: Any) -> Any:
    """Return the outputs of the component: those of its child."""
    found = wire.read(wait.object)
    values = {BATCH_JOB if name == "jobId" else name: value for name, value in found.values.items()}
    return wire.write(values, (BATCH_JOB if path == "jobId" else path for path in found.secrets))


def _component(request: Any, inputs: Properties) -> Any:
    """Return the registration of the component itself, with the options that the program has set."""
    return resource_pb2.RegisterResourceRequest(
        type=request.type,
        name=request.name,
        parent=request.parent,
        object=wire.write(inputs.values, inputs.secrets),
        propertyDependencies=_property_dependencies(request, {}),
        providers=dict(request.providers),
        aliases=request.aliases,
        aliasSpecs=True,
        hooks=_hooks(request),
        **_common(request),
    )


def _child(request: Any, parent: str, inputs: Properties, provider: str) -> Any:
    """Return the registration of the wait below the component."""
    return resource_pb2.RegisterResourceRequest(
        type=WAIT,
        name=request.name,
        parent=parent,
        custom=True,
        object=wire.write(inputs.values, inputs.secrets),
        propertyDependencies=_property_dependencies(request, {BATCH_JOB: "jobId"}),
        provider=provider,
        customTimeouts=resource_pb2.RegisterResourceRequest.CustomTimeouts(
            create=request.customTimeouts.create, update=request.customTimeouts.update
        ),
        **_common(request),
    )


def _common(request: Any) -> dict[str, Any]:
    """Return what the registrations of the component and of its child have in common."""
    return {
        "dependencies": request.dependencies,
        "acceptSecrets": True,
        "acceptResources": True,
        "supportsPartialValues": True,
        "supportsResultReporting": True,
        "deletedWith": request.deletedWith,
        **({"protect": True} if request.protect else {}),
    }


def _property_dependencies(request: Any, renamed: Mapping[str, str]) -> dict[str, Any]:
    kind = resource_pb2.RegisterResourceRequest.PropertyDependencies
    return {renamed.get(name, name): kind(urns=one.urns) for name, one in request.inputDependencies.items()}


def _hooks(request: Any) -> Any:
    """Return the program's hooks for the component. They are names, which the engine resolves."""
    hooks: Iterable[tuple[Any, Any]] = request.resource_hooks.ListFields()
    return resource_pb2.RegisterResourceRequest.ResourceHooksBinding(**{field.name: names for field, names in hooks})
