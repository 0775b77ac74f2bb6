"""The provider as Pulumi's engine drives it: a process of the dynamic host, spoken to over gRPC."""

import abc
import asyncio
import base64
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import dill
import grpc
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic import ResourceProvider
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_dli.provider import BatchJobProvider, BatchJobWaitProvider
from tests.project import clean_environment

Properties = dict[str, Any]

_PROVIDER_KEY = "__provider"


class ProviderError(Exception):
    """A call that failed; the text is what the host hands to the engine."""


@dataclass(frozen=True)
class Plan:
    """The answer of `diff`."""

    changes: bool
    replaces: list[str]
    delete_before_replace: bool


class Host(Protocol):
    """A process of Pulumi's dynamic host."""

    port: int

    def kill(self) -> list[str]:
        """Kill the process; give the lines that it wrote for the user."""


class NewHost:
    """A host that is started as the engine starts it."""

    def __init__(self, environment: Mapping[str, str], engine: str = "127.0.0.1:0") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.dynamic", engine],
            env=clean_environment({**environment, "PULUMI_PROJECT": "jobs"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> list[str]:
        self._process.kill()
        return self._process.communicate()[1].splitlines()


class HostedProcess(abc.ABC):
    """A process of a provider with a connection to it, until the end of the block."""

    environment: Mapping[str, str]
    start: Callable[[Mapping[str, str]], Host]

    def __enter__(self) -> Self:
        self._host = self.start(self.environment)
        self._said: list[str] | None = None
        self._killing = threading.Lock()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self._host.port}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._configure()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._channel.close()

    @abc.abstractmethod
    def _configure(self) -> None:
        """Make the first calls, as the engine does."""

    def kill(self) -> list[str]:
        """Kill the process, whatever it does; give the lines that it wrote for the user. Threads may do it at once."""
        with self._killing:
            if self._said is None:
                self._said = self._host.kill()
            return self._said


@dataclass
class ProviderProcess(HostedProcess):
    """A provider process to speak to. `configuration` is the stack's, keys as in `dli:region`."""

    environment: Mapping[str, str] = field(repr=False)
    configuration: Properties = field(default_factory=dict)
    start: Callable[[Mapping[str, str]], Host] = NewHost

    def _configure(self) -> None:
        self._call("Configure", provider_pb2.ConfigureRequest(args=_struct(self.configuration)))

    @property
    def jobs(self) -> "Provider":
        """The provider of `BatchJob`."""
        return Provider(self, BatchJobProvider())

    @property
    def waits(self) -> "Provider":
        """The provider of `BatchJobWait`."""
        return Provider(self, BatchJobWaitProvider())

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=60)
        except grpc.RpcError as error:
            raise ProviderError(error.details()) from None


class Provider:
    """One of the providers in a process."""

    def __init__(self, process: ProviderProcess, provider: ResourceProvider) -> None:
        self._call = process._call
        self._pickle = base64.b64encode(dill.dumps(provider, byref=True)).decode()

    def _packed(self, properties: Properties) -> Struct:
        # The engine shows this host every value without its mark.
        plain = {name: rpc.unwrap_rpc_secret(value) for name, value in properties.items()}
        return _struct({**plain, _PROVIDER_KEY: self._pickle})

    def check(self, news: Properties, olds: Properties | None = None, urn: str = "") -> tuple[Properties, list[str]]:
        """Give the checked inputs, and the failures."""
        request = provider_pb2.CheckRequest(urn=urn, olds=self._packed(olds or {}), news=self._packed(news))
        reply = self._call("Check", request)
        assert all(not failure.property for failure in reply.failures), "the engine would print the value"
        return _unpacked(reply.inputs), [failure.reason for failure in reply.failures]

    def diff(self, batch_id: str, olds: Properties, news: Properties) -> Plan:
        """Compare outputs with checked inputs."""
        request = provider_pb2.DiffRequest(id=batch_id, olds=self._packed(olds), news=self._packed(news))
        reply = self._call("Diff", request)
        assert reply.changes != provider_pb2.DiffResponse.DIFF_UNKNOWN
        return Plan(
            reply.changes == provider_pb2.DiffResponse.DIFF_SOME, list(reply.replaces), reply.deleteBeforeReplace
        )

    def create(self, inputs: Properties) -> tuple[str, Properties]:
        """Create; give the id and the outputs."""
        reply = self._call("Create", provider_pb2.CreateRequest(properties=self._packed(inputs)))
        return reply.id, _unpacked(reply.properties)

    def declare(self, news: Properties) -> tuple[str, Properties]:
        """Check and create, as the engine does for something new."""
        inputs, failures = self.check(news)
        assert not failures
        return self.create(inputs)

    def read(self, batch_id: str, properties: Properties) -> tuple[str, Properties]:
        """Refresh; give the id and the outputs."""
        reply = self._call("Read", provider_pb2.ReadRequest(id=batch_id, properties=self._packed(properties)))
        return reply.id, _unpacked(reply.properties)

    def update(self, batch_id: str, olds: Properties, news: Properties) -> Properties:
        """Update; give the outputs."""
        request = provider_pb2.UpdateRequest(id=batch_id, olds=self._packed(olds), news=self._packed(news))
        return _unpacked(self._call("Update", request).properties)

    def delete(self, batch_id: str, properties: Properties) -> None:
        """Delete."""
        self._call("Delete", provider_pb2.DeleteRequest(id=batch_id, properties=self._packed(properties)))


def _struct(properties: Properties) -> Struct:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(rpc.serialize_properties(properties, {}))
    finally:
        loop.close()


def _unpacked(properties: Struct) -> Properties:
    values: Properties = rpc.deserialize_properties(properties, True)
    return {name: value for name, value in values.items() if name != _PROVIDER_KEY}
