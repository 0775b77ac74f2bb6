"""A process of the native provider, with the methods that the simulated engine calls.

The simulated engine passes a job's logical name with its properties, as the dynamic provider gets it. The native
provider reads the name from the URN instead.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.output import UNKNOWN as PULUMI_UNKNOWN
from pulumi.runtime.proto import provider_pb2

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.plugin import wire
from tests.engine import Host, HostedProcess, Plan, Properties, ProviderError
from tests.plugin.engine import JOB_TYPE, WAIT_TYPE

_URN = "urn:pulumi:dev::jobs"
_IDENTITY = ("resourceName", "scope")
_SECONDS = 60


@dataclass
class NativeProcess(HostedProcess):
    """A provider process to speak to. Its settings come from its environment."""

    environment: Mapping[str, str] = field(repr=False)
    start: Callable[[Mapping[str, str]], Host]

    def _configure(self) -> None:
        self.call("Handshake", provider_pb2.ProviderHandshakeRequest())
        urn = f"{_URN}::pulumi:providers:dli::default"
        self.call("Configure", provider_pb2.ConfigureRequest(urn=urn, id="0f9e8d7c"))

    @property
    def jobs(self) -> "NativeResource":
        """The requests about jobs."""
        return NativeResource(self, JOB_TYPE, "resourceName", _IDENTITY)

    @property
    def waits(self) -> "NativeResource":
        """The requests about waits. A wait has the logical name of its job: the types differ."""
        return NativeResource(self, WAIT_TYPE, "jobName", ())

    def call(self, method: str, request: Any) -> Any:
        """Call a method. Raises ProviderError, with the prefix of messages that are for the user."""
        try:
            return getattr(self._stub, method)(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            prefix = "dli: " if error.code() is grpc.StatusCode.UNKNOWN else f"{error.code()}: "
            raise ProviderError(f"{prefix}{error.details()}") from None


@dataclass(frozen=True)
class NativeResource:
    """The requests about one type of resources.

    Args:
        process: The process that answers them.
        type: The type.
        key: The property that has the logical name.
        hidden: The properties that the native provider does not get.
    """

    process: NativeProcess
    type: str
    key: str
    hidden: tuple[str, ...]

    def check(self, news: Properties, olds: Properties | None = None) -> tuple[Properties, list[str]]:
        """Give the checked inputs, and the failures."""
        request = provider_pb2.CheckRequest(
            urn=self._urn(news), news=self._inputs(news), olds=self._inputs(olds) if olds else None
        )
        reply = self.process.call("Check", request)
        inputs = {**wire.read(reply.inputs).values, self.key: news[self.key]}
        return inputs, [failure.reason for failure in reply.failures]

    def diff(self, resource_id: str, olds: Properties, news: Properties) -> Plan:
        """Compare outputs with checked inputs."""
        request = provider_pb2.DiffRequest(
            id=resource_id, urn=self._urn(news), olds=_written(olds), news=self._inputs(news)
        )
        reply = self.process.call("Diff", request)
        changes = reply.changes == provider_pb2.DiffResponse.DIFF_SOME
        return Plan(changes, list(reply.replaces), reply.deleteBeforeReplace)

    def create(self, inputs: Properties) -> tuple[str, Properties]:
        """Create; give the id and the outputs."""
        request = provider_pb2.CreateRequest(urn=self._urn(inputs), properties=self._inputs(inputs))
        reply = self.process.call("Create", request)
        return reply.id, dict(wire.read(reply.properties).values)

    def read(self, resource_id: str, outputs: Properties) -> tuple[str, Properties]:
        """Refresh; give the id and the outputs."""
        request = provider_pb2.ReadRequest(id=resource_id, urn=self._urn(outputs), properties=_written(outputs))
        reply = self.process.call("Read", request)
        return reply.id, dict(wire.read(reply.properties).values)

    def update(self, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Update; give the outputs."""
        request = provider_pb2.UpdateRequest(
            id=resource_id, urn=self._urn(news), olds=_written(olds), news=self._inputs(news)
        )
        return dict(wire.read(self.process.call("Update", request).properties).values)

    def delete(self, resource_id: str, outputs: Properties) -> None:
        """Delete."""
        request = provider_pb2.DeleteRequest(id=resource_id, urn=self._urn(outputs), properties=_written(outputs))
        self.process.call("Delete", request)

    def _urn(self, properties: Properties) -> str:
        return f"{_URN}::{self.type}::{properties[self.key]}"

    def _inputs(self, properties: Properties) -> Any:
        return _written({name: value for name, value in properties.items() if name not in self.hidden})


def _written(properties: Properties) -> Any:
    return wire.write({name: _with_unknowns(value) for name, value in properties.items()})


def _with_unknowns(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_unknowns(item) for item in value]
    return UNKNOWN if value is PULUMI_UNKNOWN else value
