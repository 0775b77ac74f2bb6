"""Whatever a service answers: no traceback, and no outcome that the body does not say.

The answers go through the real HTTP client, but over no network, so that there can be many of them.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.settings import Settings
from pulumi_dli.api.errors import DliError, JobDeadError, JobUnknownError, SubmissionError
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.diff import Action
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.operations import context
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.batch_job_wait import BatchJobWaits
from pulumi_dli.operations.context import ProviderContext
from tests.api.test_client import contents, junk
from tests.fakes import FakeClock, FakeNotifier

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
OTHER = "0d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
NAME = "load-0a1b2c3d-4e5f6071-abcdef"
JOB = {"file": "a.py", "resourceName": "load", "scope": "0a1b2c3d", "cancelTimeout": 5.0}
CONFIGURATION = {
    "dli:endpoint": "http://127.0.0.1:9",
    "dli:region": "eu-de",
    "dli:projectId": "5e1c",
    "dli:token": "the-token",
    "dli:maxRetries": "1",
}
CLOSED_WORDS = {"success": "success", "dead": "dead", "error": "dead", "killed": "dead", "failed": "dead"}

# Bodies that are nearly right

ids = st.sampled_from([ID, ID, ID.upper(), OTHER, ""]) | junk
states = st.sampled_from([*BatchState, "Success", "DEAD", "killed", "resting", "", " running "]) | junk
names = st.sampled_from([NAME, NAME.upper(), NAME[:20], "other-11111111-22222222-333333", "daily", ""]) | junk
lines = st.lists(st.text() | junk, max_size=3) | junk
requests_kept = st.sampled_from(['{"autoRecovery": true}', '"{\\"file\\": \\"a.py\\"}"', "{", {"file": "a.py"}]) | junk
times = st.sampled_from([1_700_000_000_000, "2026-11-29T10:00:00Z", 1e18, "2026-13-45", 1.5]) | junk
jobs = st.fixed_dictionaries(
    {"id": ids, "state": states},
    optional={"name": names, "log": lines, "req_body": requests_kept, "create_time": times, "update_time": times},
)
lists = st.fixed_dictionaries({"sessions": st.lists(jobs, max_size=3) | junk}, optional={"total": st.integers() | junk})
codes = st.sampled_from(["DLI.0001", "DLI.0002", "DLI.0023", "DLI.0999", "DLI.10001", "APIG.0302", "APIGW.0307"]) | junk
errors = st.dictionaries(
    st.sampled_from(["error_code", "error_msg", "errors", "error", "msg", "error_json_opt", "status", "path"]),
    codes | st.lists(codes, max_size=2),
    max_size=4,
)
bodies = (jobs | lists | errors).map(json.dumps).map(str.encode) | contents
types = st.sampled_from(
    ["application/json", "application/json; charset=undefined", "text/html; charset=utf-16", "text/plain; charset=\0"]
)
statuses = st.sampled_from([200, 200, 200, 202, 204, 301, 400, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504])


@dataclass(frozen=True)
class Reply:
    """What the service answers to each call with one method."""

    content: bytes
    status: int
    content_type: str

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def document(self) -> Any:
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def says(self, job: str) -> str | None:
        """Give the end of a job that this body tells, as `success` or `dead`. None where it tells none."""
        job_id, state = (
            (self.document.get(key) for key in ("id", "state")) if isinstance(self.document, dict) else (0, 0)
        )
        is_about_it = isinstance(job_id, str) and job_id.lower() == job
        return CLOSED_WORDS.get(state.strip().lower()) if is_about_it and isinstance(state, str) else None

    def lists_as_dead(self, job: str) -> bool:
        sessions = self.document.get("sessions") if isinstance(self.document, dict) else None
        listed = sessions if isinstance(sessions, list) else []
        return any(Reply(json.dumps(one).encode(), 200, "").says(job) == "dead" for one in listed)


replies = st.builds(Reply, bodies, statuses, types)


@contextmanager
def answering(answer: Callable[[requests.PreparedRequest], Reply]) -> Iterator[None]:
    """Have the HTTP client get these answers."""

    def send(self: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        reply = answer(request)
        headers = {"Content-Type": reply.content_type, "Location": "http://[", "Date": "Sun, 29 Nov 2026 10:00:00 GMT"}
        raw = HTTPResponse(io.BytesIO(reply.content), headers, reply.status, preload_content=False)
        return self.build_response(request, raw)

    with patch.object(HTTPAdapter, "send", send):
        yield


def a_context() -> ProviderContext:
    return ProviderContext(CONFIGURATION, FakeNotifier(lambda _, message: str(message.encode())), FakeClock())


def outcome_of(operation: Callable[[], Any]) -> Any:
    """Do an operation, and give what it returns or its error for the user. A traceback fails the test."""
    try:
        done = operation()
    except DliError as error:
        assert str(error).encode()
        return error
    assert str(done).encode()
    return done


def judge_wait(reply: Reply, until: str) -> None:
    """Raise AssertionError if a wait has an outcome that the body does not say."""
    waits = BatchJobWaits(a_context())
    inputs = WaitInputs.parse({"jobId": ID, "jobName": "load", "until": until, "timeout": 5})
    with answering(lambda _: reply):
        outcome = outcome_of(lambda: waits.wait(inputs))
    if isinstance(outcome, Mapping):
        assert reply.is_good
        assert until == "running" or outcome["state"] == reply.says(ID)
    if isinstance(outcome, JobDeadError):
        assert reply.is_good
        assert reply.says(ID) == "dead"
    if isinstance(outcome, JobUnknownError):
        assert reply.status in (400, 404)


def judge_read(reply: Reply) -> None:
    """Raise AssertionError if a refresh stores what the body does not say."""
    with answering(lambda _: reply):
        stored = outcome_of(lambda: BatchJobs(a_context()).read(ID, StoredJob.parse({**JOB, "state": "running"})))
    if isinstance(stored, Mapping):
        assert reply.status in (400, 404) if stored["recordExpired"] else reply.is_good
        assert stored["state"] not in ("success", "dead") or stored["state"] == reply.says(ID)


def judge_plan(reply: Reply) -> None:
    """Raise AssertionError if a job is to run again for an end that the body does not say."""
    operations = BatchJobs(a_context())
    declared = JobInputs.parse(operations.check(JobInputs.parse(JOB)).properties)
    with answering(lambda _: reply):
        decision = outcome_of(lambda: operations.plan(ID, StoredJob.parse({**JOB, "state": "running"}), declared))
    if decision.action is not Action.NONE:
        assert reply.is_good
        assert reply.lists_as_dead(ID)


def judge_create(reply: Reply) -> None:
    """Raise AssertionError if a submission is told to have failed though the answer does not say so.

    The service has accepted it, and lists it if it must.
    """
    accepted: list[str] = []

    def answer(request: requests.PreparedRequest) -> Reply:
        if request.method == "POST":
            accepted.append(json.loads(request.body or b"{}")["name"])
            return reply
        listed = [{"id": ID, "name": accepted[0], "state": "running"}] if accepted else []
        document = {"sessions": listed, "total": len(listed)} if "/batches?" in (request.url or "") else listed[0]
        return Reply(json.dumps(document).encode(), 200, "application/json")

    with answering(answer):
        made = outcome_of(lambda: BatchJobs(a_context()).create(JobInputs.parse(JOB)))
    if isinstance(made, SubmissionError) and "nothing runs" in str(made):
        assert not reply.is_good
    if isinstance(made, tuple) and made[0] != ID:
        assert reply.is_good
        assert reply.document["id"] == made[0]


def judge_delete(to_reads: Reply, to_cancels: Reply) -> None:
    """Raise AssertionError if a job leaves the state though nothing says that its run has ended or is cancelled."""
    calls: list[str] = []

    def answer(request: requests.PreparedRequest) -> Reply:
        calls.append(request.method or "")
        return to_cancels if request.method == "DELETE" else to_reads

    with answering(answer):
        done = outcome_of(lambda: BatchJobs(a_context()).delete(ID, StoredJob.parse({**JOB, "state": "running"})))
    if done is None:
        has_ended = to_reads.is_good and to_reads.says(ID) is not None
        assert has_ended or (to_reads.status in (400, 404) and "DELETE" in calls)


JUDGES: dict[str, Callable[[Reply, Reply], None]] = {
    "a wait for success": lambda reply, _: judge_wait(reply, "success"),
    "a wait for the end": lambda reply, _: judge_wait(reply, "finished"),
    "a wait until it runs": lambda reply, _: judge_wait(reply, "running"),
    "a refresh": lambda reply, _: judge_read(reply),
    "a plan": lambda reply, _: judge_plan(reply),
    "a submission": lambda reply, _: judge_create(reply),
    "a delete": judge_delete,
}
PARTS = 10
"""How many tests share the very many answers, so that each is over in a minute."""
ALL = pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)


@pytest.fixture(autouse=True, scope="module")
def _settings_that_are_read_once() -> Iterator[None]:
    """Reading the settings takes longer than an operation."""
    values, credentials = Settings.load(CONFIGURATION), load_credentials(CONFIGURATION)
    with (
        patch.object(context.Settings, "load", lambda _: values),
        patch.object(context, "load_credentials", lambda _: credentials),
    ):
        yield


@ALL
@settings(max_examples=1000 // len(JUDGES) + 1)
@given(reply=replies, other=replies)
def test_no_answer_is_a_traceback_or_an_outcome_that_it_does_not_say(
    judge: Callable[[Reply, Reply], None], reply: Reply, other: Reply
) -> None:
    judge(reply, other)


@pytest.mark.slow
@ALL
@pytest.mark.parametrize("_part", range(PARTS))
@settings(max_examples=100_000 // len(JUDGES) // PARTS + 1, derandomize=False)
@given(reply=replies, other=replies)
def test_none_of_very_many_answers_is_one(
    judge: Callable[[Reply, Reply], None], _part: int, reply: Reply, other: Reply
) -> None:
    judge(reply, other)
