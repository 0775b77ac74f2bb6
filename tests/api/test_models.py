import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import ServiceError
from pulumi_dli.api.models import (
    Batch,
    BatchList,
    BatchLog,
    BatchRequest,
    BatchStateReply,
    CancelReply,
    Reply,
    WireModel,
)
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.api.sizes import Sizing, memory_mib
from pulumi_dli.api.states import LIVE_STATES, BatchState
from tests.fakes import Answer, ScriptedService

Json = dict[str, Any]

patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FOLDER = Path(__file__).parents[1] / "data" / "bodies"

MODELS: dict[str, type[WireModel]] = {
    "create_request": BatchRequest,
    "create_request_2021": BatchRequest,
    "create_request_getting_started": BatchRequest,
    "create_reply": Batch,
    "create_reply_sparse": Batch,
    "list_reply": BatchList,
    "details_reply": Batch,
    "details_reply_sdk": Batch,
    "details_reply_2021": Batch,
    "state_reply": BatchStateReply,
    "cancel_reply": CancelReply,
    "log_reply": BatchLog,
    "log_reply_2023": BatchLog,
}

ERRORS = {
    "error_dli": (400, "DLI.0002", "The queue nightly is not there", ""),
    "error_gateway": (401, "APIG.0307", "The token has to be renewed", "9c1d7f3a5e2b4860a1f0c8d9e7b65432"),
    "error_iam": (401, "IAM.0101", "The token of the request is not valid", ""),
    "error_keystone": (401, "", "Please sign in", ""),
}

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
unknown_keys = st.dictionaries(st.text().map("later_".__add__), json_values, max_size=3)

packages = st.fixed_dictionaries({}, optional={"name": st.none() | st.text(), "type": st.none() | st.text()})
texts = st.none() | st.lists(st.text(), max_size=3)
requests = st.fixed_dictionaries(
    {"file": st.text()},
    optional={
        "className": st.none() | st.text(),
        "args": texts,
        "sc_type": st.sampled_from([None, "A", "B", "C"]),
        "pyFiles": texts,
        "resources": st.none() | st.lists(packages, max_size=2),
        "groups": st.lists(st.fixed_dictionaries({}, optional={"resources": st.lists(packages)}), max_size=2),
        "conf": st.none() | st.dictionaries(st.text(), scalars, max_size=3),
        "name": st.text(max_size=128),
        "driverMemory": st.none() | st.text(),
        "numExecutors": st.none() | st.integers(),
        "auto_recovery": st.none() | st.booleans(),
        "max_retry_times": st.none() | st.integers(0, 100),
    },
)


def body(name: str) -> Json:
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert document["page"]
    assert document["date"]
    content: Json = document["body"]
    return content


def test_every_body_is_read_here() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {*MODELS, *ERRORS}


@pytest.mark.parametrize("name", [name for name in MODELS if name != "create_request_2021"])
def test_a_body_of_a_page_is_written_back_as_it_was_read(name: str) -> None:
    model = MODELS[name].model_validate(body(name))
    assert model.to_wire() == body(name)
    assert type(model).model_validate_json(json.dumps(body(name))).to_wire() == body(name)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "create_request_2021"])
def test_keys_that_nobody_knows_are_kept(name: str) -> None:
    later = {**body(name), "laterField": {"a": [1, None]}}
    assert MODELS[name].model_validate(later).to_wire() == later


@patiently
@given(requests, unknown_keys)
def test_any_request_is_written_back_as_it_was_read(request_body: Json, later: Json) -> None:
    document = {**request_body, **later}
    assert BatchRequest.model_validate(document).to_wire() == document


def test_a_body_in_the_older_spelling_says_the_same() -> None:
    older = body("create_request_2021")
    renamed = {
        "class_name": "className",
        "python_files": "pyFiles",
        "driver_memory": "driverMemory",
        "driver_cores": "driverCores",
        "executor_memory": "executorMemory",
        "executor_cores": "executorCores",
        "num_executors": "numExecutors",
    }
    today = {renamed.get(key, key): value for key, value in older.items()}
    assert BatchRequest.model_validate(older).to_wire() == today
    assert BatchRequest.model_validate(today).to_wire() == today


def test_reading_does_not_normalise() -> None:
    written = {"file": " a.py ", "driverMemory": "2048 MB", "queue": " batch", "args": [], "conf": {"k": True}}
    assert BatchRequest.model_validate(written).to_wire() == written


@pytest.mark.parametrize("bad", [{}, {"file": None}, {"file": "a.py", "sc_type": "D"}, {"file": "a.py", "args": "x"}])
def test_a_request_that_the_api_does_not_know_is_refused(bad: Json) -> None:
    with pytest.raises(ValidationError):
        BatchRequest.model_validate(bad)


@patiently
@given(st.dictionaries(st.sampled_from([*BatchRequest.model_fields, "className", "pyFiles"]) | st.text(), json_values))
def test_junk_is_refused_or_read_in_a_way_that_stays(junk: Json) -> None:
    try:
        read = BatchRequest.model_validate(junk)
    except ValidationError:
        return
    assert BatchRequest.model_validate(read.to_wire()) == read


REPLY_KEYS = sorted({key for name, field in Batch.model_fields.items() for key in (name, field.alias or name)} - {"id"})


@patiently
@given(st.text(min_size=1), st.dictionaries(st.sampled_from(REPLY_KEYS), json_values), unknown_keys)
def test_a_reply_gives_its_id_whatever_else_is_in_it(batch_id: str, fields: Json, later: Json) -> None:
    batch = Batch.model_validate({**fields, **later, "id": batch_id})
    assert batch.id == batch_id
    assert later.items() <= batch.to_wire().items()
    assert batch.batch_state in (None, *BatchState)
    assert isinstance(batch.request(), dict | None)


def test_a_field_of_an_unexpected_type_counts_as_absent() -> None:
    reply = {"id": "1", "state": ["running"], "create_time": "soon", "update_time": 2**63, "owner": "somebody"}
    batch = Batch.model_validate(reply)
    assert (batch.state, batch.create_time, batch.update_time, batch.owner) == (None, None, None, "somebody")


@pytest.mark.parametrize("bad", [{}, {"id": ""}, {"id": None}, {"id": 7}, [], None, "text"])
def test_a_reply_without_an_id_is_no_job(bad: Any) -> None:
    with pytest.raises(ValidationError):
        Batch.model_validate(bad)


def test_what_cannot_be_read_is_not_shown_since_it_may_be_secret() -> None:
    with pytest.raises(ValidationError) as caught:
        BatchRequest.model_validate({"file": "a.py", "args": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "empty", [{"sessions": []}, {"sessions": None}, {"sessions": None, "total": 0}, {"total": 0}, {"total": "0"}]
)
def test_a_list_without_jobs_may_be_null_or_absent(empty: Json) -> None:
    assert BatchList.model_validate(empty).sessions == []


@pytest.mark.parametrize("bad", [{}, {"total": 3}, {"sessions": [{"state": "running"}]}, {"sessions": ["1"]}])
def test_a_list_that_cannot_be_read_is_not_an_empty_one(bad: Json) -> None:
    with pytest.raises(ValidationError):
        BatchList.model_validate(bad)


@pytest.mark.parametrize("model", [BatchStateReply, BatchLog, CancelReply])
@patiently
@given(st.dictionaries(st.sampled_from(["id", "state", "from", "total", "log", "msg"]), json_values))
def test_a_small_reply_is_read_whatever_is_in_it(model: type[Reply], junk: Json) -> None:
    model.model_validate(junk)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        *[(state.value, state) for state in BatchState],
        ("Success", BatchState.SUCCESS),
        (" RUNNING ", BatchState.RUNNING),
        ("error", BatchState.DEAD),
        ("killed", BatchState.DEAD),
        ("Failed", BatchState.DEAD),
        ("idle", None),
        ("", None),
        (None, None),
    ],
)
def test_a_state_is_read_in_any_case_and_livys_words_for_a_failure_are_dead(
    text: str | None, state: BatchState | None
) -> None:
    assert BatchState.parse(text) is state
    assert Batch(id="1", state=text).batch_state is state


def test_a_job_is_live_or_final() -> None:
    assert [state for state in BatchState if not state.is_final] == list(LIVE_STATES)
    assert not Batch(id="1", state="unheard of").is_final


REQUEST = {"file": "job.py", "autoRecovery": True}


@pytest.mark.parametrize(
    ("req_body", "request_body"),
    [
        (REQUEST, REQUEST),
        (json.dumps(REQUEST), REQUEST),
        (json.dumps(json.dumps(REQUEST)), REQUEST),
        (None, None),
        ("", None),
        ("{", None),
        ("[1]", None),
        ('"{"', None),
    ],
)
def test_the_request_of_a_job_is_read_from_text_or_object(req_body: Any, request_body: Json | None) -> None:
    assert Batch.model_validate({"id": "1", "req_body": req_body}).request() == request_body


def test_the_request_in_the_details_names_the_application() -> None:
    request = Batch.model_validate(body("details_reply")).request()
    assert request is not None
    assert (request["file"], request["className"]) == ("obs://demo/jobs/orders.py", "")


@pytest.mark.parametrize(
    ("text", "mib"),
    [("2G", 2048), ("2048M", 2048), ("2 GB", 2048), ("2048 MB", 2048), (" 1g ", 1024), ("512mb", 512)],
)
def test_a_memory_size_is_read_with_its_unit(text: str, mib: int) -> None:
    assert memory_mib(text) == mib


@pytest.mark.parametrize("text", ["", "2", "G", "0G", "-1G", "1.5G", "2T", "2 G B", "2GiB", "1" * 10 + "M"])
def test_what_is_no_memory_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a memory size with a unit"):
        memory_mib(text)


@pytest.mark.parametrize(
    ("request_body", "sizing", "vcpus", "mib", "cus"),
    [
        ({}, Sizing(2, "7G", 1, "4G", 6), 8, 31 * 1024, 8),
        ({"sc_type": "A"}, Sizing(2, "7G", 1, "4G", 6), 8, 31 * 1024, 8),
        ({"sc_type": "B"}, Sizing(2, "7G", 2, "8G", 7), 16, 63 * 1024, 16),
        ({"sc_type": "C"}, Sizing(4, "15G", 2, "8G", 14), 32, 127 * 1024, 32),
        ({"driverCores": 1, "executorCores": 4}, Sizing(1, "7G", 4, "4G", 6), 25, 31 * 1024, 25),
        ({"driverMemory": "9G", "executorMemory": "4097M"}, Sizing(2, "9G", 1, "4097M", 6), 8, 33798, 9),
        ({"numExecutors": 0}, Sizing(2, "7G", 1, "4G", 0), 2, 7 * 1024, 2),
        ({"driverCores": 0, "numExecutors": 0}, Sizing(0, "7G", 1, "4G", 0), 0, 7 * 1024, 2),
    ],
    ids=str,
)
def test_a_job_takes_a_cu_for_each_vcpu_or_each_4_gb_whichever_are_more(
    request_body: Json, sizing: Sizing, vcpus: int, mib: int, cus: int
) -> None:
    found = BatchRequest.model_validate({"file": "a.py"} | request_body).sizing
    assert (found, found.vcpus, found.memory_mib, found.cus) == (sizing, vcpus, mib, cus)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedService]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedService() as scripted:
        yield scripted


@pytest.mark.parametrize(("name", "expected"), ERRORS.items())
def test_an_error_body_of_a_page_is_read(service: ScriptedService, name: str, expected: tuple[Any, ...]) -> None:
    service.script(Answer(body(name), expected[0]))
    with pytest.raises(ServiceError) as raised:
        Client(service.location, TokenAuth("token")).details("1")
    error = raised.value
    assert (error.status, error.code, error.message.rstrip("."), error.request_id) == expected


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (1607589874156, 1607589874156),
        ("1607589874156", 1607589874156),
        (1607589874156.7, 1607589874157),
        ("2020-12-10T08:44:34.156Z", 1607589874156),
        ("2020-12-10T08:44:34.156", 1607589874156),
        ("2020-12-10T09:44:34.156+01:00", 1607589874156),
        ("yesterday", None),
        ("9999-12-31T23:59:59-23:59", 253402387139000),
    ],
)
def test_a_time_is_read_as_milliseconds_however_it_is_written(written: Any, milliseconds: int | None) -> None:
    assert Batch.model_validate({"id": "a", "create_time": written}).create_time == milliseconds


def test_a_duration_with_a_fraction_is_rounded() -> None:
    assert Batch.model_validate({"id": "a", "duration": 1499.6}).duration == 1500


def test_one_line_that_is_no_text_does_not_cost_the_others() -> None:
    assert Batch.model_validate({"id": "a", "log": ["one", None, 7, "two"]}).log == ["one", "two"]
    assert BatchLog.model_validate({"log": [None, "one"]}).log == ["one"]
