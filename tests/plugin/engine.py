"""The native provider as Pulumi's engine drives it: a gRPC server in a thread of the tests, and its client."""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_dli.plugin import wire
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.servicer import Servicer, add_to

Values = dict[str, Any]
NOTHING = Properties()
JOB_TYPE, WAIT_TYPE = "dli:index:BatchJob", "dli:index:BatchJobWait"


class PluginError(Exception):
    """A call that failed. The text is what the engine shows; `is_defect` says that it shows a traceback."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.is_defect = error.code() is not grpc.StatusCode.UNKNOWN


def job_urn(name: str = "load", types: str = JOB_TYPE) -> str:
    return f"urn:pulumi:dev::jobs::{types}::{name}"


def wait_urn(name: str = "done") -> str:
    return f"urn:pulumi:dev::jobs::{WAIT_TYPE}::{name}"


@dataclass(frozen=True)
class Plan:
    """The answer of `diff`. `detail` has the name of the kind of each change by its path."""

    changes: bool
    replaces: list[str]
    detail: dict[str, str]
    delete_before_replace: bool


@dataclass
class Stored:
    """A resource as the engine stores it."""

    urn: str
    id: str
    inputs: Properties
    outputs: Properties

    def __getitem__(self, name: str) -> Any:
        return self.outputs.values.get(name)


@dataclass
class Plugin:
    """A provider process in a thread, configured. `configuration` is the stack's, without `dli:`."""

    engine_address: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    provider_name: str = "default"
    provider_id: str = "0f9e8d7c"

    @property
    def provider_urn(self) -> str:
        return f"urn:pulumi:dev::jobs::pulumi:providers:dli::{self.provider_name}"

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        self.connect(port)
        return self

    def connect(self, port: int) -> None:
        """Configure the provider that listens at this port."""
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address=self.engine_address))
        self.configure()

    def disconnect(self) -> None:
        """Close the connection."""
        self._channel.close()

    async def _start(self) -> int:
        self._server = grpc.aio.server()
        self.servicer = Servicer("")
        add_to(self._server, self.servicer)
        port: int = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return port

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self.servicer.interrupt)
        self.disconnect()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        await self._server.stop(5)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    def call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request, timeout=60)
        except grpc.RpcError as error:
            raise PluginError(error) from None

    def configure(self) -> None:
        arguments = wire.write(self.configuration)
        request = provider_pb2.ConfigureRequest(urn=self.provider_urn, id=self.provider_id, args=arguments)
        self.call("Configure", request)

    def check(
        self, urn: str, news: Values, secrets: Iterable[str] = (), olds: Properties = NOTHING
    ) -> tuple[Properties, list[str]]:
        """Give the checked inputs, and the failures."""
        request = provider_pb2.CheckRequest(
            urn=urn, news=wire.write(news, secrets), olds=wire.write(olds.values, olds.secrets)
        )
        reply = self.call("Check", request)
        assert all(not failure.property for failure in reply.failures), "the engine would print the value"
        return wire.read(reply.inputs), [failure.reason for failure in reply.failures]

    def checked(self, urn: str, news: Values, secrets: Iterable[str] = (), olds: Properties = NOTHING) -> Properties:
        """Give the checked inputs of a declaration that is accepted."""
        inputs, failures = self.check(urn, news, secrets, olds)
        assert not failures
        return inputs

    def diff(self, stored: Stored, news: Properties, urn: str = "") -> Plan:
        request = provider_pb2.DiffRequest(
            id=stored.id,
            urn=urn or stored.urn,
            olds=written(stored.outputs),
            old_inputs=written(stored.inputs),
            news=written(news),
        )
        reply = self.call("Diff", request)
        assert reply.changes != provider_pb2.DiffResponse.DIFF_UNKNOWN
        assert reply.hasDetailedDiff == bool(reply.detailedDiff)
        kinds = {path: provider_pb2.PropertyDiff.Kind.Name(one.kind) for path, one in reply.detailedDiff.items()}
        changes = reply.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Plan(changes, list(reply.replaces), kinds, reply.deleteBeforeReplace)

    def create(self, urn: str, inputs: Properties, *, preview: bool = False, timeout: float = 0) -> Stored:
        request = provider_pb2.CreateRequest(urn=urn, properties=written(inputs), preview=preview, timeout=timeout)
        reply = self.call("Create", request)
        return Stored(urn, reply.id, inputs, wire.read(reply.properties))

    def declare(self, urn: str, news: Values, secrets: Iterable[str] = ()) -> Stored:
        """Check and create, as the engine does for something new."""
        return self.create(urn, self.checked(urn, news, secrets))

    def read(self, stored: Stored) -> Stored:
        request = provider_pb2.ReadRequest(
            id=stored.id, urn=stored.urn, properties=written(stored.outputs), inputs=written(stored.inputs)
        )
        reply = self.call("Read", request)
        return Stored(stored.urn, reply.id, wire.read(reply.inputs), wire.read(reply.properties))

    def update(self, stored: Stored, news: Properties, *, preview: bool = False) -> Stored:
        request = provider_pb2.UpdateRequest(
            id=stored.id,
            urn=stored.urn,
            olds=written(stored.outputs),
            old_inputs=written(stored.inputs),
            news=written(news),
            preview=preview,
        )
        return Stored(stored.urn, stored.id, news, wire.read(self.call("Update", request).properties))

    def delete(self, stored: Stored, timeout: float = 0) -> None:
        request = provider_pb2.DeleteRequest(
            id=stored.id,
            urn=stored.urn,
            properties=written(stored.outputs),
            old_inputs=written(stored.inputs),
            timeout=timeout,
        )
        self.call("Delete", request)


def written(properties: Properties) -> Any:
    return wire.write(properties.values, properties.secrets)
