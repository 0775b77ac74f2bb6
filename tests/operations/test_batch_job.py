"""The operations on jobs: whatever is declared, stored or answered, no traceback, no wrong acceptance, no lost job."""

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_dli.api.errors import DliError, JobError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.sizes import memory_mib
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.diff import Action
from pulumi_dli.jobs.exact_numbers import is_number, written
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, WIRE_NAMES, JobInputs
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob, of_job
from pulumi_dli.jobs.request import request_body
from pulumi_dli.jobs.validation import UNKNOWN, is_known
from pulumi_dli.local.replies import req_body
from pulumi_dli.local.submissions import read_submission
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.context import ProviderContext
from tests.api.test_client import contents, documents, statuses
from tests.fakes import PROJECT, Answer, Call, FakeClock, FakeNotifier, ScriptedService
from tests.jobs.test_inputs import declarations as properties_of_any_kind
from tests.jobs.test_inputs import values

Properties = dict[str, Any]

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
PLACE = {"region": "eu-de", "projectId": "5e1c"}
KEY = {"resourceName": "load", "scope": "0a1b2c3d"}
"""What the adapter passes with every job."""
CONFIGURATION = {
    "dli:endpoint": "http://127.0.0.1:9",
    "dli:region": "eu-de",
    "dli:projectId": "5e1c",
    "dli:token": "the-token",
}
NOWHERE = ProviderContext(CONFIGURATION, FakeNotifier(), FakeClock())
"""A context of which no service ever answers. Settings are costly to read, so all examples share it."""
NOBODY = ProviderContext({}, FakeNotifier(), FakeClock())
"""A context without credentials."""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DLI_REGION", "DLI_PROJECT_ID", "DLI_ENDPOINT", "OS_TOKEN", "OS_ACCESS_KEY", "OS_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


inputs = JobInputs.parse


def jobs(context: ProviderContext = NOWHERE) -> BatchJobs:
    """The operations, before any check."""
    context.is_preview = False
    return BatchJobs(context)


@pytest.fixture(scope="module")
def unreliable() -> Iterator[ScriptedService]:
    """A service for all the inputs of one test."""
    with ScriptedService() as scripted:
        yield scripted


@pytest.fixture(scope="module")
def operations(unreliable: ScriptedService) -> BatchJobs:
    """The operations at this service."""
    return operations_at(unreliable, FakeClock())


def operations_at(service: ScriptedService, clock: FakeClock, said: list[str] | None = None) -> BatchJobs:
    configuration = {
        "dli:endpoint": service.location.endpoint,
        "dli:region": "eu-de",
        "dli:projectId": service.location.project_id,
        "dli:token": "the-token",
        "dli:maxRetries": "0",
    }
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # refuses what is no text

    def hear(_resource: str, message: str) -> None:
        print(message, file=screen)
        if said is not None:
            said.append(message)

    return BatchJobs(ProviderContext(configuration, FakeNotifier(hear), clock))


# Declarations that are mostly allowed

names = st.sampled_from(["batch", "Batch", "a b"]) | st.text(min_size=1, max_size=4)
paths = st.sampled_from(["a.py", "obs://a/b.py", "lib/b.zip"]) | st.text(min_size=1, max_size=4)
digits = st.integers(0, 9)
numbers = digits | digits.map(float) | digits | digits.map(float) | st.integers() | st.floats(allow_nan=False)
sizes = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", " "]),
    st.integers(0, 4096),
    st.sampled_from(["", " "]),
    st.sampled_from(["G", "g", "GB", "M", "m", "MB"]),
)
packages = st.fixed_dictionaries({}, optional={"name": paths, "type": names})
PLAUSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "file": st.sampled_from(["a.py", "obs://a/b.py", "a.jar", "obs://a/b.jar"]),
    "className": st.sampled_from(["", "org.example.Main"]) | st.text(max_size=4),
    "queue": names,
    "clusterName": names,
    "args": st.lists(st.text(max_size=4), max_size=3),
    "scType": st.sampled_from(ARGUMENTS["scType"].choices),
    "jars": st.lists(paths, max_size=2),
    "pyFiles": st.lists(paths, max_size=2),
    "files": st.lists(paths, max_size=2),
    "modules": st.lists(names, max_size=2),
    "resources": st.lists(packages, max_size=2),
    "groups": st.lists(
        st.fixed_dictionaries({}, optional={"name": names, "resources": st.lists(packages, max_size=2)}), max_size=2
    ),
    "conf": st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4) | st.booleans() | numbers, max_size=3),
    "name": names | st.text(min_size=120, max_size=130),
    "driverMemory": sizes,
    "driverCores": numbers,
    "executorMemory": sizes,
    "executorCores": numbers,
    "numExecutors": numbers,
    "obsBucket": names,
    "autoRecovery": st.booleans(),
    "maxRetryTimes": st.integers(-1, 101) | numbers,
    "catalogName": names,
    "feature": st.sampled_from(ARGUMENTS["feature"].choices),
    "sparkVersion": st.sampled_from(["2.4.5", "3.1.1", "3.3.1"]),
    "image": names,
    "executionAgencyUrn": names,
    "triggers": st.dictionaries(names, st.booleans() | st.integers() | st.text(max_size=2), max_size=2),
    "rerunOnFailure": st.booleans(),
    "onRecordExpired": st.sampled_from(ARGUMENTS["onRecordExpired"].choices),
    "whenRunning": st.sampled_from(ARGUMENTS["whenRunning"].choices),
    "cancelTimeout": numbers,
}


def with_rare(value: st.SearchStrategy[Any], *rare: Any) -> st.SearchStrategy[Any]:
    return value | value | value | st.sampled_from(rare)


pairs = [st.tuples(st.just(name), with_rare(value, None, UNKNOWN)) for name, value in PLAUSIBLE.items()]
plausible = st.lists(st.one_of(pairs), max_size=4).map(lambda properties: {**KEY, "file": "a.py", **dict(properties)})
declarations = properties_of_any_kind.map(lambda properties: {**properties, **KEY})
edits = st.one_of(
    [st.tuples(st.just(name), with_rare(value, None), with_rare(value, None)) for name, value in PLAUSIBLE.items()]
)
"""The name of a property with two values, of which one may be none."""
stored_junk = st.dictionaries(
    st.sampled_from([*OBSERVED, *WIRE_NAMES, *OPTIONS]) | st.text(max_size=4), values, max_size=8
)


class AnyQueue:
    """Every queue is there."""

    def __contains__(self, _name: object) -> bool:
        return True


def meaning(checked: Properties) -> Properties:
    """What the service would run: the request as the local DLI reads it, with what `req_body` leaves out."""
    body = json.loads(json.dumps(request_body(inputs(checked), "name")))
    submission = read_submission(body, AnyQueue())
    sizes = {name: body.get(name) for name in ("driverCores", "executorCores", "numExecutors", "catalog_name")}
    memories = {name: body.get(name) and memory_mib(body[name]) for name in ("driverMemory", "executorMemory")}
    return {
        **json.loads(req_body(submission)),
        **sizes,
        **memories,
        "sc_type": body.get("sc_type", "A"),
        "name": checked.get("name"),
        "triggers": json.dumps(
            {
                key: written(value) if is_number(value) else value
                for key, value in (checked.get("triggers") or {}).items()
            },
            sort_keys=True,
        ),
    }


def over_the_wire(properties: Properties) -> Properties:
    """Properties as the engine gives them back: every number is a float."""
    return {name: _as_float(value) for name, value in properties.items()}


def _as_float(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_float(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_float(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(plausible | declarations)
def test_what_a_check_accepts_the_service_accepts(declared: Properties) -> None:
    checked = jobs().check(inputs(declared))
    is_whole = str(checked.properties.get("file")).endswith((".py", ".jar"))
    if not checked.failures and is_known(checked.properties) and is_whole:
        assert isinstance(checked.properties["sizing"], str)
        assert meaning(checked.properties)


@given(plausible)
def test_what_is_planned_again_as_it_was_stored_is_no_change(declared: Properties) -> None:
    checked = jobs().check(inputs(over_the_wire(declared)))
    assume(not checked.failures and is_known(checked.properties) and "file" in checked.properties)
    stored = of_job(inputs(checked.properties), Batch(id=ID, state=BatchState.SUCCESS), PLACE)
    again = over_the_wire(checked.properties)
    assert jobs().plan(ID, StoredJob.parse(over_the_wire(stored)), inputs(again)).action is Action.NONE


@given(plausible, edits)
def test_no_change_of_what_is_run_is_missed(declared: Properties, edit: tuple[str, Any, Any]) -> None:
    name, before, after = edit
    old, new = jobs().check(inputs({**declared, name: before})), jobs().check(inputs({**declared, name: after}))
    assume(not old.failures and not new.failures and is_known(old.properties) and is_known(new.properties))
    assume("file" in old.properties and "file" in new.properties)
    stored = of_job(inputs(old.properties), Batch(id=ID, state=BatchState.SUCCESS), PLACE)
    decision = jobs().plan(ID, StoredJob.parse(over_the_wire(stored)), inputs(over_the_wire(new.properties)))
    if meaning(old.properties) != meaning(new.properties):
        assert decision.action is Action.REPLACE
    assert set(decision.properties) <= {name, "queue"}


@given(stored_junk | plausible, plausible | declarations, st.sampled_from([NOWHERE, NOBODY]))
def test_a_plan_over_anything_stored_and_declared_is_a_decision_or_an_error_for_the_user(
    stored: Properties, declared: Properties, context: ProviderContext
) -> None:
    operations = jobs(context)
    checked = operations.check(inputs(declared))
    if not checked.failures:
        try:
            decision = operations.plan(ID, StoredJob.parse(stored), inputs(checked.properties))
        except JobError as error:
            assert checked.properties["whenRunning"] == "refuse"
            assert str(error)
        else:
            assert (decision.action is Action.NONE) == (decision.reason == "")


@given(plausible, plausible)
def test_an_unknown_value_that_no_check_has_met_is_no_change(stored: Properties, declared: Properties) -> None:
    assume(not is_known(declared) and declared["file"] is not None)  # without a file there is something to say
    assert jobs().plan(ID, StoredJob.parse(stored), inputs(declared)).action is Action.NONE


@given(documents, statuses, contents)
def test_an_accepted_job_is_never_lost_whatever_else_the_service_says(
    unreliable: ScriptedService, accepted: Any, status: int, details: bytes
) -> None:
    def answer(call: Call) -> Answer:
        if call.method == "POST":
            return Answer({**(accepted if isinstance(accepted, dict) else {}), "id": ID})
        return Answer({"sessions": []}) if call.path == "" else Answer(details, status)

    unreliable.calls.clear()
    unreliable.answer = answer
    name = accepted.get("name") if isinstance(accepted, dict) else None
    assume(not isinstance(name, str) or not name)  # the name of somebody else's job
    batch_id, made = operations_at(unreliable, FakeClock()).create(inputs({"file": "a.py", **KEY}))
    assert batch_id == ID
    stored = Struct()
    stored.update(made)  # as Pulumi's host does
    assert stored.SerializeToString()


def test_the_id_of_a_submission_is_the_one_that_accepted_it() -> None:
    nobody_runs = Answer({"sessions": []})
    of_another_job = Answer({"id": "another", "state": "running", "owner": "somebody"})
    with ScriptedService(*[nobody_runs] * 3, Answer({"id": ID}), of_another_job) as service:
        batch_id, made = operations_at(service, FakeClock()).create(
            inputs({"file": "a.py", "resourceName": "load", "scope": "0a1b2c3d"})
        )
    assert (batch_id, made["owner"]) == (ID, None)


@pytest.mark.parametrize(
    ("secret_inputs", "is_in_name"), [(None, True), (["file"], True), (['triggers["a"]'], False), (["triggers"], False)]
)
def test_a_large_number_is_in_the_name_of_a_submission_unless_it_is_secret(
    secret_inputs: list[str] | None, is_in_name: bool
) -> None:
    """A secret in a name could be tried out offline."""
    digits = "1234567890123456789"
    numbers = {"triggers": {"a": float(digits)}, "exactNumbers": {'triggers["a"]': digits}}
    with ScriptedService(*[Answer({"sessions": []})] * 3, Answer(EXAMPLE)) as service:
        answer_with_sent_name(service)
        declared = {**KEY, "file": "a.py", "secretInputs": secret_inputs, **numbers}
        operations_at(service, FakeClock()).create(inputs(declared))
        (name,) = (call.json["name"] for call in service.calls if call.method == "POST")
    assert name.count("-") == (4 if is_in_name else 3)


def test_an_orphaned_run_is_adopted_after_its_numbers_are_put_in_quotes() -> None:
    numbers: Properties = {"conf": {"a": 3.1}, "triggers": {"b": 42.0}}
    in_quotes: Properties = {"conf": {"a": "3.10"}, "triggers": {"b": "42"}}
    with ScriptedService(*[Answer({"sessions": []})] * 3, Answer(EXAMPLE)) as service:
        answer_with_sent_name(service)
        operations_at(service, FakeClock()).create(inputs({**KEY, "file": "a.py", **numbers}))
        (name,) = (call.json["name"] for call in service.calls if call.method == "POST")
    run = {"id": ID, "name": name, "state": "running"}
    with ScriptedService() as service:
        service.answer = lambda call: Answer({"sessions": [run]} if call.path == "" else run)
        batch_id, _ = operations_at(service, FakeClock()).create(inputs({**KEY, "file": "a.py", **in_quotes}))
        assert "POST" not in {call.method for call in service.calls}
    assert batch_id == ID


def answer_with_sent_name(service: ScriptedService) -> None:
    """Have the answers of the script give the name that was sent, where they give one."""
    scripted, names = service.answer, [""]

    def answer(call: Call) -> Answer:
        if call.method == "POST":
            names.append(call.json["name"])
        given = scripted(call)
        return Answer({**given.body, "name": names[-1]}) if given.body.get("name") else given

    service.answer = answer


EXAMPLE = {
    "id": ID,
    "appId": "",
    "name": "load",
    "owner": "test1",
    "proxyUser": "",
    "state": "starting",
    "kind": "",
    "log": [],
    "sc_type": "CUSTOMIZED",
    "cluster_name": "aaa",
    "queue": "aaa",
    "create_time": 1607589874156,
    "update_time": 1607589874156,
}
"""The answer in the page's example (dli_02_0124, 2023-11), with a name."""


@pytest.mark.parametrize("absent", ["", "name", "owner", "state", "sc_type", "create_time", "queue, cluster_name"])
def test_a_job_is_read_after_its_submission_only_where_the_answer_leaves_something_open(absent: str) -> None:
    nobody_runs = Answer({"sessions": []})
    accepted = {key: value for key, value in EXAMPLE.items() if key not in absent.split(", ")}
    described = [Answer(EXAMPLE)] if absent else []
    with ScriptedService(*[nobody_runs] * 3, Answer(accepted), *described) as service:
        answer_with_sent_name(service)
        batch_id, made = operations_at(service, FakeClock()).create(
            inputs({"file": "a.py", "resourceName": "load", "scope": "0a1b2c3d"})
        )
    assert service.asked()[4:] == ([f"GET /{ID}"] if absent else [])
    names = ("state", "owner", "effectiveScType", "effectiveQueue", "createTime")
    assert batch_id == ID
    assert [made[name] for name in names] == ["starting", "test1", "CUSTOMIZED", "aaa", 1607589874156]
    assert made["submittedName"].startswith("load-")


answers = st.builds(Answer, contents, statuses)


@given(answers, answers)
def test_a_wavering_service_never_makes_a_refresh_a_plan_or_a_delete_a_traceback(
    unreliable: ScriptedService, operations: BatchJobs, to_looks: Answer, to_cancels: Answer
) -> None:
    unreliable.calls.clear()
    unreliable.answer = lambda call: to_looks if call.method == "GET" else to_cancels
    kept = {"file": "a.py", "state": "running", "autoRecovery": True, "cancelTimeout": 0}
    stored = StoredJob.parse(kept)
    for operation in (
        lambda: operations.read(ID, stored),
        lambda: operations.plan(ID, stored, inputs({**kept, **KEY, "file": "b.py"})),
        lambda: operations.delete(ID, stored),
    ):
        try:
            done = operation()
        except DliError as error:
            str(error).encode()
        else:
            str(done).encode()


# What is cancelled is awaited

LIVE = Answer({"id": ID, "state": "running"})
ENDED = Answer({"id": ID, "state": "dead"})
NOT_THERE = Answer({"error_code": "DLI.0023", "error_msg": "no"}, 404)
CANCELLED = Answer({"msg": "deleted"})
STREAM = {"resourceName": "stream", "file": "a.py", "state": "running"}


@pytest.mark.parametrize("end", [ENDED, NOT_THERE])
def test_a_cancelled_job_is_awaited_until_it_has_ended_or_its_record_is_gone(end: Answer) -> None:
    clock = FakeClock()
    with ScriptedService(LIVE, CANCELLED, LIVE, LIVE, end) as service:
        operations_at(service, clock).delete(ID, StoredJob.parse(STREAM))
    assert clock.slept == [0.2, 0.5]


def test_a_job_that_has_ended_since_it_was_stored_is_not_cancelled() -> None:
    with ScriptedService(ENDED) as service:
        operations_at(service, FakeClock()).delete(ID, StoredJob.parse(STREAM))


def test_a_cancelled_job_that_need_not_be_awaited_is_not_looked_at() -> None:
    with ScriptedService(LIVE, CANCELLED) as service:
        operations_at(service, FakeClock()).delete(ID, StoredJob.parse({**STREAM, "cancelTimeout": 0.0}))


@pytest.mark.parametrize(("timeout", "seconds", "words"), [(None, 300, "5 min 0 s"), (60.0, 60, "1 min 0 s")])
def test_a_cancelled_job_that_does_not_end_in_time_stays_in_the_state(
    timeout: float | None, seconds: float, words: str
) -> None:
    clock = FakeClock()
    with ScriptedService() as service:
        service.answer = lambda call: CANCELLED if call.method == "DELETE" else LIVE
        with pytest.raises(
            JobError, match=f"stream: the provider has cancelled batch job {ID}, but it is still running after {words}"
        ):
            operations_at(service, clock).delete(ID, StoredJob.parse({**STREAM, "cancelTimeout": timeout}))
    assert sum(clock.slept) == pytest.approx(seconds)


def test_a_cancelled_job_that_cannot_be_looked_at_stays_in_the_state() -> None:
    with ScriptedService(LIVE, CANCELLED, Answer(b"", 503)) as service:
        operations = operations_at(service, FakeClock())
        with pytest.raises(JobError, match=f"stream: batch job {ID} may still run: .* The job stays in the state"):
            operations.delete(ID, StoredJob.parse(STREAM))


CREATED = 1_700_000_000
UNKNOWN_ID = Answer({"error_code": "DLI.0002", "error_msg": "no"}, 400)
YOUNG = {**STREAM, "createTime": CREATED * 1000}


@pytest.mark.parametrize("answer", [CANCELLED, NOT_THERE])
def test_a_run_whose_end_nobody_saw_is_cancelled_also_if_the_service_does_not_know_it(answer: Answer) -> None:
    with ScriptedService(NOT_THERE, answer, NOT_THERE) as service:
        operations_at(service, FakeClock()).delete(ID, StoredJob.parse(STREAM))
    assert service.asked() == [f"GET /{ID}", f"DELETE /{ID}", f"GET /{ID}"]


def test_a_young_run_that_the_service_does_not_know_yet_is_cancelled_when_it_does() -> None:
    with ScriptedService(UNKNOWN_ID, UNKNOWN_ID, LIVE, CANCELLED, ENDED) as service:
        service.date = CREATED + 5
        operations_at(service, FakeClock()).delete(ID, StoredJob.parse(YOUNG))


def test_a_young_run_that_the_service_does_not_know_in_the_whole_window_is_gone() -> None:
    clock = FakeClock()
    with ScriptedService() as service:
        service.date = CREATED + 5
        service.answer = lambda _: UNKNOWN_ID
        assert operations_at(service, clock).read(ID, StoredJob.parse(YOUNG))["recordExpired"] is True
    assert sum(clock.slept) >= 60


def test_a_refresh_that_sees_the_end_reads_the_log_and_the_list_once() -> None:
    dead, log = {"id": ID, "name": "load-1", "state": "dead"}, Answer({"log": ["ValueError: column swordfish"]})
    listed = Answer({"total": 1, "sessions": [{**dead, "duration": 1_800_000, "sc_type": "A"}]})
    with ScriptedService(Answer(dead), log, listed, Answer(dead), LIVE) as service:
        first = operations_at(service, FakeClock()).read(ID, StoredJob.parse({**STREAM, "redact": ["swordfish"]}))
        second = operations_at(service, FakeClock()).read(ID, StoredJob.parse(first))
        back = operations_at(service, FakeClock()).read(ID, StoredJob.parse({**second, "autoRecovery": True}))
    assert [one["failureReason"] for one in (first, second, back)] == ["ValueError: column [secret]"] * 2 + [None]
    assert [one["estimatedCuHours"] for one in (first, second)] == [4.0, 4.0]
    assert service.asked() == [f"GET /{ID}", f"GET /{ID}/log", "GET", *[f"GET /{ID}"] * 2]


def test_a_refresh_of_a_young_run_does_not_say_that_its_record_is_deleted() -> None:
    with ScriptedService(UNKNOWN_ID, UNKNOWN_ID, LIVE) as service:
        service.date = CREATED + 5
        assert not operations_at(service, FakeClock()).read(ID, StoredJob.parse(YOUNG))["recordExpired"]


def test_a_service_that_refuses_to_cancel_a_run_in_an_unknown_state_gets_an_error_that_names_the_state() -> None:
    resting = Answer({"id": ID, "state": "resting"})
    with ScriptedService(resting, NOT_THERE, resting) as service:
        operations = operations_at(service, FakeClock())
        with pytest.raises(
            JobError, match=r"has the state 'resting', which the provider does not know, so it may have"
        ):
            operations.delete(ID, StoredJob.parse(STREAM))


# Two live runs of one submission

OTHER_ID = "0d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
TWICE = {**KEY, "file": "a.py", "state": "running", "createTime": CREATED * 1000}
TWICE |= {"submittedTo": {"region": "eu-de", "projectId": PROJECT}}
TWICE |= {"submittedName": "load-0a1b2c3d-4e5f6071-abcdef"}


class Twice:
    """A service that has accepted a job twice. It lists both runs, and cancels what it is asked to cancel."""

    def __init__(self, service: ScriptedService) -> None:
        self.states = {ID: "running", OTHER_ID: "running"}
        self.name = TWICE["submittedName"]
        service.date = CREATED + 5
        service.answer = self
        self._service = service

    def __call__(self, call: Call) -> Answer:
        if not call.path:
            wanted = call.query.get("state", "running")
            runs = [self._run(run) for run in self.states if self.states[run] == wanted]
            return Answer({"sessions": runs, "total": len(runs)})
        run = call.path.removeprefix("/")
        if call.method == "DELETE":
            self.states[run] = "dead"
            return CANCELLED
        return Answer(self._run(run))

    def _run(self, run: str) -> Properties:
        return {"id": run, "name": self.name, "state": self.states[run]}

    def lists(self) -> list[str]:
        return [call.query.get("state", "") for call in self._service.calls if not call.path]


@pytest.fixture
def twice(service: ScriptedService) -> Twice:
    return Twice(service)


def declared_again(operations: BatchJobs) -> JobInputs:
    return inputs(operations.check(inputs({"file": "a.py", **KEY})).properties)


def test_a_second_live_run_of_one_submission_is_planned_as_an_update_and_cancelled_by_it(
    service: ScriptedService, twice: Twice
) -> None:
    said: list[str] = []
    operations = operations_at(service, FakeClock(), said)
    stored = StoredJob.parse(TWICE)
    operations.read(ID, stored)
    assert f"these runs of the same submission are live: {OTHER_ID} (running). `pulumi up --refresh` cancels" in said[0]
    assert operations.plan(ID, stored, declared_again(operations)).action is Action.UPDATE
    assert twice.states == {ID: "running", OTHER_ID: "running"}
    operations.update(ID, stored, declared_again(operations))
    assert twice.states == {ID: "running", OTHER_ID: "dead"}
    assert f"keeps batch job {ID}. It cancelled batch job {OTHER_ID}" in said[-1]


def test_a_refresh_lists_the_live_jobs_once_for_all_young_runs(service: ScriptedService, twice: Twice) -> None:
    operations = operations_at(service, FakeClock())
    for name in ("load", "extract"):
        operations.read(ID, StoredJob.parse({**TWICE, "resourceName": name}))
    assert twice.lists() == ["starting", "running", "recovering"]


def test_a_refresh_does_not_list_the_live_jobs_for_an_old_run(service: ScriptedService, twice: Twice) -> None:
    service.date = CREATED + 601
    operations_at(service, FakeClock()).read(ID, StoredJob.parse(TWICE))
    assert twice.lists() == []


def test_a_plan_without_a_change_lists_the_dead_jobs_only(service: ScriptedService, twice: Twice) -> None:
    operations = operations_at(service, FakeClock())
    assert operations.plan(ID, StoredJob.parse(TWICE), declared_again(operations)).action is Action.NONE
    assert twice.lists() == ["dead"]


def test_a_delete_cancels_a_second_live_run_of_one_submission(service: ScriptedService, twice: Twice) -> None:
    operations_at(service, FakeClock()).delete(ID, StoredJob.parse(TWICE))
    assert twice.states == {ID: "dead", OTHER_ID: "dead"}


def test_a_refresh_cancels_nothing(service: ScriptedService, twice: Twice) -> None:
    operations_at(service, FakeClock()).read(ID, StoredJob.parse(TWICE))
    assert twice.states == {ID: "running", OTHER_ID: "running"}


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("load-0a1b2c3d-4e5f6071-abcdee", {}),
        ("daily", {"submittedName": "daily"}),
        (TWICE["submittedName"], {"adoptId": ID}),
    ],
)
def test_a_run_of_another_submission_is_no_duplicate(
    service: ScriptedService, twice: Twice, name: str, stored: Properties
) -> None:
    twice.name = name
    operations_at(service, FakeClock()).delete(ID, StoredJob.parse({**TWICE, **stored}))
    assert twice.states[OTHER_ID] == "running"


def test_a_delete_without_the_permission_to_list_jobs_cancels_the_run(service: ScriptedService, twice: Twice) -> None:
    said: list[str] = []
    forbidden = Answer({"error_code": "APIG.0302", "error_msg": "no"}, 403)
    service.answer = lambda call: twice(call) if call.path else forbidden
    operations_at(service, FakeClock(), said).delete(ID, StoredJob.parse(TWICE))
    assert twice.states == {ID: "dead", OTHER_ID: "running"}
    assert said[0].startswith("the provider could not check whether the service has accepted a job twice, because")


def test_of_two_new_jobs_with_one_adopt_id_one_adopts_and_the_other_is_refused() -> None:
    """The service answers the first read only after the other job was refused."""
    running = {**EXAMPLE, "state": "running", "req_body": json.dumps({"file": "a.py", "className": ""})}
    refused = threading.Event()

    def answer(_call: Call) -> Answer:
        assert refused.wait(30), "both resources read the run"
        return Answer(running)

    with ScriptedService() as service:
        service.answer = answer
        operations = operations_at(service, FakeClock())

        def declare(name: str) -> str:
            try:
                operations.create(inputs({"file": "a.py", "resourceName": name, "scope": "0a1b2c3d", "adoptId": ID}))
            except SubmissionError as error:
                refused.set()
                return str(error)
            return "adopted"

        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(declare, ("one", "two"))
        assert sorted(call.method for call in service.calls) == ["GET"]
    loser, said = ("two", two) if one == "adopted" else ("one", one)
    winner = {"one": "two", "two": "one"}[loser]
    assert "adopted" in (one, two)
    assert said.startswith(
        f"{loser}: adoptId names batch job {ID}, the run of {winner}, which the program still declares."
    )


@pytest.mark.parametrize("missing", ["resourceName", "scope"])
def test_a_job_without_name_or_scope_is_refused_before_any_call(missing: str) -> None:
    declared = {"file": "a.py", **KEY, missing: None}
    with ScriptedService() as service, pytest.raises(ValueError, match="the adapter must pass both"):
        operations_at(service, FakeClock()).create(inputs(declared))
    assert service.calls == []


EXPIRED = {"file": "a.py", "queue": "q", "state": "running", "recordExpired": True, "submittedTo": PLACE}


@pytest.mark.parametrize(
    ("told", "action"),
    [
        ({}, Action.REPLACE),
        ({"endsSeen": {ID: "success"}}, Action.NONE),
        ({"endsSeen": {"another": "success"}}, Action.REPLACE),
        ({"waitsUnread": True}, Action.NONE),
    ],
)
def test_a_check_takes_what_the_waits_have_seen_and_keeps_it_out_of_the_state(told: Properties, action: Action) -> None:
    operations = BatchJobs(ProviderContext(CONFIGURATION, FakeNotifier(), FakeClock()))
    job = {**KEY, "file": "a.py", "queue": "q", "onRecordExpired": "rerun"}
    checked = operations.check(inputs({**job, **told})).properties
    assert not {"endsSeen", "waitsUnread"} & set(checked)
    stored = StoredJob.parse({**KEY, **EXPIRED, "onRecordExpired": "rerun"})
    assert operations.plan(ID, stored, inputs(checked)).action is action


def test_nothing_is_called_for_a_job_of_a_project_that_is_forgotten() -> None:
    said: list[str] = []
    notifier = FakeNotifier(lambda _, message: said.append(message))
    operations = BatchJobs(
        ProviderContext({**CONFIGURATION, "dli:projectId": "6f2d", "dli:forget": "5e1c"}, notifier, FakeClock())
    )
    properties = {**KEY, **EXPIRED, "recordExpired": False}
    stored = StoredJob.parse(properties)
    assert operations.read(ID, stored) == properties
    operations.delete(ID, stored)
    operations.delete(ID, stored)
    changed = {**KEY, "file": "b.py", "queue": "q", "whenRunning": "refuse"}
    assert operations.plan(ID, stored, inputs(changed)).action is Action.REPLACE
    assert len([line for line in said if "dli:forget names project 5e1c" in line]) == 1


def at_another_place(said: list[str]) -> BatchJobs:
    """The operations, with settings that name another project than the one of the stored jobs."""
    notifier = FakeNotifier(lambda _, message: said.append(message))
    settings = {**CONFIGURATION, "dli:projectId": "6f2d", "dli:maxRetries": "0"}
    return BatchJobs(ProviderContext(settings, notifier, FakeClock()))


def test_the_warning_about_another_place_says_what_becomes_of_a_dead_job() -> None:
    said: list[str] = []
    operations = at_another_place(said)
    stored = StoredJob.parse({**KEY, "file": "a.py", "queue": "q", "state": "dead", "submittedTo": PLACE})
    checked = operations.check(inputs({**KEY, "file": "a.py", "queue": "q"})).properties
    assert operations.plan(ID, stored, inputs(checked)).action is Action.REPLACE
    (warning,) = [line for line in said if "The settings now name" in line]
    assert warning.endswith("The new run goes there.")


def test_a_refresh_keeps_a_job_whose_end_is_stored_if_its_place_cannot_be_reached() -> None:
    said: list[str] = []
    ended = {**KEY, "file": "a.py", "queue": "q", "state": "success", "submittedTo": PLACE}
    assert at_another_place(said).read(ID, StoredJob.parse(ended)) == ended
    assert "DLI_FORGET=5e1c" in said[0]
    with pytest.raises(JobError, match="DLI_FORGET=5e1c"):
        at_another_place(said).read(ID, StoredJob.parse({**ended, "state": "running"}))


LARGE: Properties = {"file": "a.py", "queue": "Batch", "numExecutors": 20.0, "executorCores": 4.0}
QUEUES = Answer({"queues": [{"queue_name": "other", "cu_count": 512}, {"queue_name": "batch", "cu_count": 64}, {}]})
TOO_LARGE = "may not fit: 82 CUs, queue Batch has 64. Use fewer or smaller executors, or a larger queue."


def warned_of_size(answer: Answer | None, *declarations: Properties) -> list[str]:
    said: list[str] = []
    with ScriptedService(*([answer] if answer else [])) as service:
        operations = operations_at(service, FakeClock(), said)
        for declared in declarations:
            operations.check(inputs({**KEY, **declared}), is_new=True)
        urls = [call.url.partition("/queues")[2] for call in service.calls]
        assert urls == (["?queue_type=general"] if answer else [])
    return [one for one in said if "may not fit" in one]


@pytest.mark.parametrize(
    ("answer", "declarations", "said"),
    [
        (QUEUES, [LARGE, LARGE | {"resourceName": "other"}], [TOO_LARGE, TOO_LARGE]),
        (QUEUES, [LARGE | {"queue": "other"}, LARGE | {"queue": "unknown"}], []),
        (Answer({"error_code": "DLI.0003"}, 403), [LARGE, LARGE], []),
        (Answer({"queues": "none"}), [LARGE], []),
        (None, [LARGE | {"numExecutors": 2.0}, LARGE | {"region": "eu-nl"}, LARGE | {"adoptId": ID}], []),
        (None, [LARGE | {"secretInputs": ["numExecutors"]}, {"file": "a.py"}], []),
    ],
    ids=["two too large", "fits or unknown", "refused", "junk", "small, elsewhere, adopting", "secret, no queue"],
)
def test_a_plan_warns_of_a_new_job_that_is_larger_than_its_queue_with_one_call(
    answer: Answer | None, declarations: list[Properties], said: list[str]
) -> None:
    assert warned_of_size(answer, *declarations) == said
