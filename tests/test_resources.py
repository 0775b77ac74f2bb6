"""What a program's resources register with the engine. Pulumi's mocks stand in for it: no provider runs."""

import asyncio
import base64
import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, get_args

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pydantic.alias_generators import to_camel

import pulumi_dli as dli
from pulumi_dli import lifecycle, properties
from pulumi_dli.batch_job_wait import DECLARED as WAIT_DECLARED
from pulumi_dli.batch_job_wait import VERDICT
from pulumi_dli.provider import BatchJobProvider, BatchJobWaitProvider
from pulumi_dli.types import OnRecordExpired, Until, WhenRunning

JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"
WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"
BATCH_ID = "5f0c2d6e-8a41-4b7d-9a53-1c6f0e7b2d94"
HIDDEN = {*properties.HIDDEN, "replacementTrigger", "__provider"}

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

    def __init__(self) -> None:
        super().__init__(_Provider())
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


class _Provider(Mocks):
    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"nothing is invoked, but {args.token} was")

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
    with ThreadPoolExecutor(initializer=use_new_loop) as executor:
        loops[0].set_default_executor(executor)
        yield
    asyncio.set_event_loop(None)
    for loop in loops:
        loop.close()


Program = Callable[[], Mapping[str, Any]]


class Run(Protocol):
    def __call__(self, program: Program, *, stack: str = "dev") -> tuple[Registrations, dict[str, Any]]: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program that returns outputs; give what was registered, and the outputs' values."""
    monkeypatch.setenv("DLI_WAIT", "0")

    def run_program(program: Program, *, stack: str = "dev") -> tuple[Registrations, dict[str, Any]]:
        sent = Registrations()
        values: dict[str, Any] = {}

        @pulumi.runtime.test
        def awaited() -> pulumi.Output[None]:
            return pulumi.Output.all(**program()).apply(values.update)

        with event_loops():
            set_mocks(sent.mocks, project="demo", stack=stack, preview=False, monitor=sent, organization="data")
            awaited()
        return sent, values

    return run_program


def parameters(resource: type) -> set[str]:
    return set(inspect.signature(resource).parameters) - {"resource_name", "opts"}


def job_with_every_argument() -> dli.BatchJob:
    return dli.BatchJob("etl", **EVERY_ARGUMENT)


def test_the_arguments_are_the_declared_properties() -> None:
    declared = {*properties.WIRE_NAMES, *properties.OPTIONS} - {"replacementTrigger"}
    assert {to_camel(name) for name in parameters(dli.BatchJob)} == declared
    assert {to_camel(name) for name in parameters(dli.BatchJobWait)} == {*WAIT_DECLARED} - {"waited"}
    assert set(EVERY_ARGUMENT) == parameters(dli.BatchJob)


def test_the_outputs_are_what_is_declared_and_what_the_provider_says() -> None:
    declared = {*properties.WIRE_NAMES, *properties.OPTIONS} - {"replacementTrigger"}
    job_outputs = {to_camel(name) for name in inspect.get_annotations(dli.BatchJob)}
    assert job_outputs == declared | {*lifecycle.OBSERVED, "sizing"}
    wait_outputs = {to_camel(name) for name in inspect.get_annotations(dli.BatchJobWait)}
    assert wait_outputs == {*WAIT_DECLARED, *VERDICT} - {"waited"}


def test_the_choices_of_an_argument_are_those_that_the_plan_accepts() -> None:
    assert get_args(OnRecordExpired) == properties.CHOICES["onRecordExpired"]
    assert get_args(WhenRunning) == properties.CHOICES["whenRunning"]
    assert get_args(Until) == tuple(lifecycle.Until)


def test_every_argument_goes_over_the_wire_in_camel_case_and_keys_of_maps_as_they_are(run: Run) -> None:
    sent, _ = run(lambda: {"id": job_with_every_argument().id})
    assert sent.requests["etl"].type == JOB_TYPE
    assert sent.inputs("etl") == {to_camel(name): value for name, value in EVERY_ARGUMENT.items()}


def test_what_is_not_given_is_not_sent(run: Run) -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("small", file="obs://demo/a.py").id})
    assert sent.inputs("small") == {"file": "obs://demo/a.py"}


def test_every_output_is_an_attribute_in_snake_case(run: Run) -> None:
    def program() -> dict[str, Any]:
        job = job_with_every_argument()
        return {name: getattr(job, name) for name in inspect.get_annotations(dli.BatchJob)}

    _, values = run(program)
    assert {name: values[name] for name in EVERY_ARGUMENT} == EVERY_ARGUMENT
    assert values["app_id"] == "batch-session-17"
    assert values["record_expired"] is False
    assert values["owner"] is None


def test_outputs_have_the_types_that_they_are_declared_with(run: Run) -> None:
    def program() -> dict[str, Any]:
        job = job_with_every_argument()
        return {
            "place": job.submitted_to.apply(lambda place: (type(place), place.region, place.project_id)),
            "group": job.groups.apply(lambda groups: groups and (type(groups[0]), groups[0].name)),
            "package": job.groups.apply(lambda groups: groups and groups[0].resources and groups[0].resources[0].name),
            "created": job.create_time.apply(lambda created: (type(created), created)),
        }

    _, values = run(program)
    assert values["place"] == (dli.SubmittedTo, "eu-de", "5e1c")
    assert values["group"] == (dli.Group, "lib")
    assert values["package"] == "b.jar"
    assert values["created"] == (int, 1_700_000_000_000)


def test_a_secret_argument_is_sent_as_a_secret(run: Run) -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", args=pulumi.Output.secret(["key"])).id})
    assert rpc.is_rpc_secret(sent.inputs("j")["args"])


def test_the_texts_of_secret_arguments_go_as_a_secret_to_the_job_and_its_wait(run: Run) -> None:
    def program() -> dict[str, Any]:
        key = pulumi.Output.secret("hunter2")
        job = dli.BatchJob("load", file="a.py", args=["in", key], conf={"a": key, "b": pulumi.Output.secret("load")})
        return {"id": job.wait().id, "other": dli.BatchJobWait("w", job_id=job.id, redact=["swordfish"]).id}

    sent, _ = run(program)
    for name, text in (("load", "hunter2"), ("load-success", "hunter2"), ("w", "swordfish")):
        redact = rpc.deserialize_properties(sent.requests[name].object)["redact"]
        assert rpc.is_rpc_secret(redact)
        assert rpc.unwrap_rpc_secret(redact) == [text]


def test_without_a_secret_argument_there_is_nothing_to_mask(run: Run) -> None:
    sent, _ = run(lambda: {"id": job_with_every_argument().wait().id})
    for name in ("etl", "etl-success"):
        assert "redact" not in sent.requests[name].object


@pytest.mark.parametrize("opts", [None, pulumi.ResourceOptions(protect=True)])
def test_the_old_run_is_deleted_before_it_is_replaced(run: Run, opts: pulumi.ResourceOptions | None) -> None:
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", opts=opts).id})
    assert sent.requests["j"].deleteBeforeReplace
    assert sent.requests["j"].deleteBeforeReplaceDefined


def test_a_replacement_trigger_reaches_the_engine_and_the_provider(run: Run) -> None:
    opts = pulumi.ResourceOptions(replacement_trigger="2026-11-24")
    sent, _ = run(lambda: {"id": dli.BatchJob("j", file="a.py", opts=opts).id})
    assert sent.requests["j"].replacement_trigger.string_value == "2026-11-24"
    assert sent.requests["j"].object["replacementTrigger"] == "2026-11-24"


def test_the_scope_tells_a_job_from_one_of_the_same_name_under_another_parent(run: Run) -> None:
    def scope(stack: str, parent: str | None) -> str:
        def program() -> dict[str, Any]:
            component = parent and pulumi.ComponentResource("demo:index:Nightly", parent)
            return {"id": dli.BatchJob("j", file="a.py", opts=pulumi.ResourceOptions(parent=component or None)).id}

        sent, _ = run(program, stack=stack)
        assert sent.requests["j"].object["resourceName"] == "j"
        return str(sent.requests["j"].object["scope"])

    assert scope("dev", "east") == scope("dev", "east")
    assert len({scope("dev", "east"), scope("dev", "west"), scope("dev", None), scope("prod", "east")}) == 4


def test_a_wait_is_a_child_of_its_job_and_knows_where_it_runs(run: Run) -> None:
    def program() -> dict[str, Any]:
        done = dli.BatchJob("etl", file="a.py", rerun_on_failure=False).wait(until="finished", timeout="2h")
        return {name: getattr(done, name) for name in inspect.get_annotations(dli.BatchJobWait)}

    sent, values = run(program)
    request = sent.requests["etl-finished"]
    assert request.type == WAIT_TYPE
    assert request.parent.endswith(f"{JOB_TYPE}::etl")
    assert not request.deleteBeforeReplace
    assert sent.inputs("etl-finished") == {
        "jobId": BATCH_ID,
        "until": "finished",
        "timeout": "2h",
        "jobName": "etl",
        "submittedTo": {"region": "eu-de", "projectId": "5e1c"},
        "rerunOnFailure": False,
        "waited": 0,
    }
    assert values["job_id"] == BATCH_ID
    assert values["submitted_to"]["project_id"] == "5e1c"
    assert values["state"] is None


def test_a_wait_has_the_options_that_it_is_given(run: Run) -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("etl", file="a.py")
        return {"id": job.wait(opts=pulumi.ResourceOptions(protect=True)).id}

    sent, _ = run(program)
    assert sent.requests["etl-success"].protect
    assert sent.requests["etl-success"].parent.endswith("::etl")


def test_a_wait_for_a_job_of_elsewhere_needs_its_id_only(run: Run) -> None:
    sent, _ = run(lambda: {"id": dli.BatchJobWait("w", job_id=BATCH_ID).id})
    assert sent.inputs("w") == {"jobId": BATCH_ID, "until": "success", "jobName": "w"}


def test_get_reads_a_job_by_its_id_and_declares_nothing(run: Run) -> None:
    def program() -> dict[str, Any]:
        opts = pulumi.ResourceOptions(additional_secret_outputs=["log"])
        job = dli.BatchJob.get("theirs", "another-id", region="eu-de", project_id="5e1c", opts=opts)
        return {
            "id": job.id,
            "state": job.state,
            "file": job.file,
            "place": job.submitted_to.apply(lambda place: place.project_id),
        }

    sent, values = run(program)
    request = sent.requests["theirs"]
    assert (type(request).__name__, request.id) == ("ReadResourceRequest", "another-id")
    assert list(request.additionalSecretOutputs) == ["log"]
    assert sent.inputs("theirs") == {"region": "eu-de", "projectId": "5e1c"}
    assert (values["id"], values["state"], values["file"]) == ("another-id", "running", None)
    assert values["place"] == "5e1c"


@pytest.mark.parametrize(
    ("name", "pinned", "provider"),
    [
        (
            "etl",
            "gASVLwAAAAAAAACME3B1bHVtaV9kbGkucHJvdmlkZXKUjBBCYXRjaEpvYlByb3ZpZGVylJOUKYGULg==",
            BatchJobProvider,
        ),
        (
            "etl-success",
            "gASVMwAAAAAAAACME3B1bHVtaV9kbGkucHJvdmlkZXKUjBRCYXRjaEpvYldhaXRQcm92aWRlcpSTlCmBlC4=",
            BatchJobWaitProvider,
        ),
    ],
)
def test_the_provider_in_the_state_of_every_user_stays_as_it_is(
    run: Run, name: str, pinned: str, provider: type
) -> None:
    sent, _ = run(lambda: {"id": job_with_every_argument().wait().id})
    stored = sent.requests[name].object["__provider"]
    # The first two bytes are the version of the pickle, which a newer Python may raise.
    assert base64.b64decode(stored)[2:] == base64.b64decode(pinned)[2:]
    assert type(pickle.loads(base64.b64decode(pinned))) is provider  # noqa: S301  as the engine's host does
