"""The gRPC service of the native provider, which the engine calls. It passes each request on to its resource.

The modules with the operations are imported when the engine configures the provider, so that the schema is there fast.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from pulumi_dli.plugin.answers import answering
from pulumi_dli.plugin.interruption import InterruptibleClock
from pulumi_dli.plugin.types import COMPLETION, JOB, WAIT

if TYPE_CHECKING:
    from pulumi_dli.plugin.configured import Configured
    from pulumi_dli.plugin.job_resource import JobResource
    from pulumi_dli.plugin.wait_resource import WaitResource

_THREADS = 32
_WAIT_THREADS = 256
"""Threads for waits that the gate cannot hold back. They must not take the threads of other requests."""

_SCHEMA = Path(__file__).parent / "schema.json"
"""The package schema, which `make schema` writes. The repository has the same text in `schema.json`, for people."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine. Calls that may block run in threads; waits run on the event loop.

    Args:
        engine_address: The engine's gRPC address, `host:port`. The handshake may tell another one.
    """

    def __init__(self, engine_address: str) -> None:
        self._engine_address = engine_address
        self._clock = InterruptibleClock()
        self._threads = ThreadPoolExecutor(_THREADS)
        self._wait_threads = ThreadPoolExecutor(_WAIT_THREADS)
        self._configured: Configured | None = None

    def interrupt(self) -> None:
        """End all waits. Submissions go on."""
        self._clock.interrupt()
        if self._configured is not None:
            self._configured.interrupt()

    # The process

    async def Handshake(self, request: Any, context: Any) -> Any:
        """Remember the engine's address, and tell the engine what this provider understands."""
        self._engine_address = request.engine_address
        self._clock.reset()
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Any, context: Any) -> Any:
        """Remember the engine's address: the engine has found a provider that ran already."""
        self._engine_address = request.address
        return empty_pb2.Empty()

    async def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Return the version of this package."""
        return plugin_pb2.PluginInfo(version=version("pulumi-dli"))

    async def GetSchema(self, request: Any, context: Any) -> Any:
        """Return the package schema."""
        return provider_pb2.GetSchemaResponse(schema=_SCHEMA.read_text(encoding="utf-8"))

    @answering
    async def CheckConfig(self, request: Any, context: Any) -> Any:
        """Return the settings that the state of the provider resource may contain, or what is wrong with them."""
        from pulumi_dli.plugin import configuration, wire  # noqa: PLC0415
        from pulumi_dli.plugin.urn import Urn  # noqa: PLC0415

        news = wire.read(request.news)
        failures = [
            provider_pb2.CheckFailure(reason=one) for one in configuration.failures(news, Urn.parse(request.urn))
        ]
        checked = configuration.checked(news)
        return provider_pb2.CheckResponse(inputs=wire.write(checked.values, checked.secrets), failures=failures)

    @answering
    async def DiffConfig(self, request: Any, context: Any) -> Any:
        """Return whether the settings have changed. It never replaces the provider: that would run all jobs again."""
        response = provider_pb2.DiffResponse
        return response(changes=response.DIFF_SOME if request.olds != request.news else response.DIFF_NONE)

    @answering
    async def Configure(self, request: Any, context: Any) -> Any:
        """Begin to work with these settings. The first call that needs a setting reads it and may fail."""
        await self._run(self._threads, self._configure, request)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def _configure(self, request: Any) -> None:
        from pulumi_dli.plugin import configuration, wire  # noqa: PLC0415
        from pulumi_dli.plugin.configured import Configured  # noqa: PLC0415
        from pulumi_dli.plugin.urn import Urn  # noqa: PLC0415

        self._clock.reset()
        urn = Urn.parse(request.urn) if request.urn else None
        # In a refresh and in a destroy, the engine passes the settings that are in the state.
        today = os.environ.get("PULUMI_CONFIG")
        settings = configuration.configuration_of(wire.read(request.args).values, urn, today)
        reference = f"{request.urn}::{request.id}"
        self._configured = Configured(settings, self._engine_address, self._clock, self._wait_threads, reference)
        if not gc.isenabled():  # the start is over
            # The modules stay until the process ends. Each full collection would look at all their objects: 30 ms.
            gc.freeze()
            gc.enable()

    async def Cancel(self, request: Any, context: Any) -> Any:
        """End all waits. The engine calls this when the user interrupts a command, and when a command has ended."""
        self.interrupt()
        if self._configured is not None:
            # The engine may close the connection as soon as it has this answer.
            await self._configured.completion.ended()
        return empty_pb2.Empty()

    # The resources

    @answering
    async def Check(self, request: Any, context: Any) -> Any:
        """Validate and normalise what the program declares."""
        return await self._run(self._threads, self._resource(request).check, request)

    @answering
    async def Diff(self, request: Any, context: Any) -> Any:
        """Decide what happens to a resource."""
        return await self._run(self._threads, self._resource(request).diff, request)

    @answering
    async def Create(self, request: Any, context: Any) -> Any:
        """Create a resource."""
        resource = self._resource(request)
        if resource is self._now.jobs:
            return await self._run(self._threads, self._now.jobs.create, request)
        if request.preview:
            return provider_pb2.CreateResponse(properties=self._now.planned_wait(request.properties))
        batch_id, properties = await self._wait(request, request.properties)
        return provider_pb2.CreateResponse(id=batch_id, properties=properties)

    @answering
    async def Read(self, request: Any, context: Any) -> Any:
        """Refresh a resource, or read one that the stack does not manage."""
        return await self._run(self._threads, self._resource(request).read, request)

    @answering
    async def Update(self, request: Any, context: Any) -> Any:
        """Update a resource."""
        resource = self._resource(request)
        if resource is self._now.jobs or not self._now.waits.waits_again(request):
            return await self._run(self._threads, resource.update, request)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=self._now.planned_wait(request.news))
        _, properties = await self._wait(request, request.news)
        return provider_pb2.UpdateResponse(properties=properties)

    @answering
    async def Delete(self, request: Any, context: Any) -> Any:
        """Delete a resource."""
        await self._run(self._threads, self._resource(request).delete, request)
        return empty_pb2.Empty()

    @answering
    async def Construct(self, request: Any, context: Any) -> Any:
        """Construct a component."""
        if request.type != COMPLETION:
            raise RuntimeError(f"the provider has no component of type {request.type}")
        self._now.completion.opened(context)
        return await self._now.completion.construct(request)

    @property
    def _now(self) -> Configured:
        if self._configured is None:
            raise RuntimeError("the engine has not configured the provider")
        return self._configured

    def _resource(self, request: Any) -> JobResource | WaitResource:
        """Return what answers a request, by the type of its resource."""
        configured = self._now
        configured.session.rows.add(request.urn)
        resource_type = request.urn.split("::", 3)[2].rpartition("$")[2]
        resources: dict[str, JobResource | WaitResource] = {JOB: configured.jobs, WAIT: configured.waits}
        if resource_type not in resources:
            raise RuntimeError(f"the provider has no resource of type {resource_type}")
        return resources[resource_type]

    async def _wait(self, request: Any, properties: Any) -> Any:
        """Wait for a job, and return the id and the outputs of the wait."""
        from pulumi_dli.plugin import wire  # noqa: PLC0415

        configured, inputs = self._now, wire.read(properties)
        declared, waited = await configured.wait(request, inputs)
        return await self._run(self._wait_threads, configured.outcome, declared, inputs, waited)

    async def _run(self, threads: Executor, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function that may block in a thread, with the context of this request."""
        call = functools.partial(contextvars.copy_context().run, function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(threads, call)


def add_to(server: grpc.aio.Server, servicer: Servicer) -> None:
    """Let a server answer with a servicer."""
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
