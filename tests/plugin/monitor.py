"""The engine's resource monitor, as a component of the native provider uses it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from pulumi_dli.plugin import wire
from tests.grpc_server import serving
from tests.plugin.engine import NOTHING, Plugin, PluginError, Stored, Values, written

COMPLETION_TYPE = "dli:index:BatchJobCompletion"


def completion_urn(name: str = "done") -> str:
    return f"urn:pulumi:dev::jobs::{COMPLETION_TYPE}::{name}"


@dataclass
class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Registers what a component registers: it checks and creates each custom resource with the plugin.

    As the engine, it does not answer the registration of a resource that has failed, unless it goes on after errors.
    """

    plugin: Plugin
    goes_on_after_errors: bool = False
    skips: bool = False
    is_preview: bool = False
    address: str = ""
    requests: list[Any] = field(default_factory=list)
    outputs: dict[str, Values] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    has_failed: Event = field(default_factory=Event)
    ends: Event = field(default_factory=Event)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802  the name is gRPC's
        self.requests.append(request)
        if not request.custom:
            result = resource_pb2.Result.FAIL if self.skips else resource_pb2.Result.SUCCESS
            return resource_pb2.RegisterResourceResponse(urn=completion_urn(request.name), result=result)
        urn = f"{request.parent.rpartition('::')[0]}${request.type}::{request.name}"
        inputs = wire.read(request.object)
        try:
            created = self._created(urn, inputs.values, inputs.secrets)
        except PluginError as error:
            self.errors.append(str(error))
            self.has_failed.set()
            if not self.goes_on_after_errors:
                self.ends.wait()
                context.abort(grpc.StatusCode.UNAVAILABLE, "resource monitor shut down")
            return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=created.id, object=written(created.outputs))

    def _created(self, urn: str, news: Values, secrets: Any) -> Stored:
        return self.plugin.create(urn, self.plugin.checked(urn, news, secrets), preview=self.is_preview)

    def RegisterResourceOutputs(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self.outputs[request.urn] = dict(wire.read(request.outputs).values)
        return empty_pb2.Empty()

    def construct(self, name: str = "done", secrets: Any = (), job: Stored | None = None, **inputs: Any) -> Stored:
        """Construct a completion, as the engine asks for it."""
        values = ({"batchJob": job.id} if job is not None else {}) | inputs
        kind = provider_pb2.ConstructRequest.PropertyDependencies
        request = provider_pb2.ConstructRequest(
            type=COMPLETION_TYPE,
            name=name,
            monitorEndpoint=self.address,
            inputs=wire.write(values, secrets),
            inputDependencies={"batchJob": kind(urns=[job.urn])} if job is not None else {},
            dependencies=[job.urn] if job is not None else [],
            dryRun=self.is_preview,
        )
        answer = self.plugin.call("Construct", request)
        return Stored(answer.urn, "", NOTHING, wire.read(answer.state))


@contextmanager
def running(monitor: Monitor) -> Iterator[Monitor]:
    with serving(monitor, resource_pb2_grpc.add_ResourceMonitorServicer_to_server, threads=64):
        try:
            yield monitor
        finally:
            monitor.ends.set()
