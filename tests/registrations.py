"""What a program registers with the engine. Pulumi's mocks stand in for it: no provider runs."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks

from pulumi_dli.jobs.inputs import ARGUMENTS

JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"
WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"
BATCH_ID = "5f0c2d6e-8a41-4b7d-9a53-1c6f0e7b2d94"
HIDDEN = {name for name, one in ARGUMENTS.items() if one.is_hidden} | {"replacementTrigger", "__provider"}

OBSERVED = {
    "state": "running",
    "appId": "batch-session-17",
    "createTime": 1.7e12,
    "submittedTo": {"region": "eu-de", "projectId": "5e1c"},
    "recordExpired": False,
}

EVERY_ARGUMENT: dict[str, Any] = {
    "file": "obs://demo/jobs/etl.jar",
    "class_name": "org.example.Etl",
    "queue": "batch",
    "cluster_name": "batch",
    "args": ["obs://demo/in", ""],
    "sc_type": "B",
    "jars": ["obs://demo/lib/a.jar"],
    "py_files": ["obs://demo/lib/a.py"],
    "files": ["obs://demo/lib/a.txt"],
    "modules": ["sys.datasource.rds"],
    "resources": [{"name": "lib/a.jar", "type": "jar"}],
    "groups": [{"name": "lib", "resources": [{"name": "b.jar", "type": "jar"}]}],
    "conf": {"spark.some_key": True, "sc_type": "kept"},
    "name": "nightly",
    "driver_memory": "2G",
    "driver_cores": 1,
    "executor_memory": "4G",
    "executor_cores": 2,
    "num_executors": 3,
    "obs_bucket": "demo",
    "auto_recovery": True,
    "max_retry_times": 5,
    "catalog_name": "dli",
    "feature": "custom",
    "spark_version": "3.3.1",
    "image": "demo/spark:1",
    "execution_agency_urn": "spark-on-obs",
    "triggers": {"some_key": {"project_id": 1}},
    "rerun_on_failure": False,
    "on_record_expired": "rerun",
    "when_running": "refuse",
    "cancel_timeout": 60,
    "adopt_id": BATCH_ID,
    "region": "eu-de",
    "project_id": "5e1c",
}


class Registrations(MockMonitor):
    """Takes registrations as the engine does, and gives back what a provider would."""

    def __init__(self, invoke: Callable[[MockCallArgs], dict[str, Any]]) -> None:
        super().__init__(_Provider(invoke))
        self.requests: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  the name of the gRPC method
        self.requests[request.name] = request
        return super().RegisterResource(request)

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        self.requests[request.name] = request
        return super().ReadResource(request)

    def inputs(self, name: str) -> dict[str, Any]:
        """What was sent for a resource, but for what the program passes for the provider's own use."""
        request = self.requests[name]
        inputs = rpc.deserialize_properties(request.object if hasattr(request, "object") else request.properties)
        return {name: value for name, value in inputs.items() if name not in HIDDEN}


def _nothing_is_invoked(args: MockCallArgs) -> dict[str, Any]:
    raise AssertionError(f"nothing is invoked, but {args.token} was")


class _Provider(Mocks):
    def __init__(self, invoke: Callable[[MockCallArgs], dict[str, Any]]) -> None:
        self._invoke = invoke

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[Any]]:
        return self._invoke(args), []

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return args.resource_id or BATCH_ID, {**args.inputs, **(OBSERVED if args.typ == JOB_TYPE else {})}


@contextmanager
def event_loops() -> Iterator[None]:
    """Give the program and each thread of the mocks an event loop, and close them all."""
    loops = []

    def use_new_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    use_new_loop()
    try:
        with ThreadPoolExecutor(initializer=use_new_loop) as executor:
            loops[0].set_default_executor(executor)
            yield
    finally:
        asyncio.set_event_loop(None)
        for loop in loops:
            loop.close()


def run(
    program: Callable[[], Mapping[str, Any]],
    *,
    stack: str = "dev",
    configuration: Mapping[str, str] | None = None,
    secret_keys: Sequence[str] = (),
    invoke: Callable[[MockCallArgs], dict[str, Any]] = _nothing_is_invoked,
) -> tuple[Registrations, dict[str, Any]]:
    """Run a program that returns outputs; give what was registered, and the outputs' values. No wait is awaited."""
    sent = Registrations(invoke)
    values: dict[str, Any] = {}

    @pulumi.runtime.test
    def awaited() -> pulumi.Output[None]:
        return pulumi.Output.all(**program()).apply(values.update)

    pulumi.runtime.set_all_config({"dli:wait": "false", **(configuration or {})}, [*secret_keys])
    try:
        with event_loops():
            set_mocks(sent.mocks, project="demo", stack=stack, preview=False, monitor=sent, organization="data")
            awaited()
    finally:
        pulumi.runtime.set_all_config({}, [])
    return sent, values
