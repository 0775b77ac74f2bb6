import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, NoAnswerError, NotSentError, ServiceError
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import KeyAuth, TokenAuth
from pulumi_dli.api.states import BatchState
from tests.fakes import CUT, Answer, Call, FakeClock, ScriptedService

ID = "07a3e4e6-9a28-4e92-8d3f-9c538621a166"
OTHER = "1b2f9a64-52c1-4c2f-8a5e-0d9e8f3b7c11"
JOB = Answer({"id": ID, "state": "running"})
EMPTY_LIST = Answer({"from": 0, "total": 0, "sessions": []})
BODY = {"file": "obs://demo/a.py", "className": "", "args": ["Grüße"]}

HTML = b"<html>not the answer</html>"
GARBAGE = Answer(HTML)


@pytest.fixture(scope="module")
def unreliable() -> Iterator[ScriptedService]:
    """A service for all the inputs of one test."""
    with ScriptedService() as scripted:
        yield scripted


@pytest.fixture
def client(service: ScriptedService, clock: FakeClock) -> Client:
    return client_of(service, clock)


def client_of(service: ScriptedService, clock: FakeClock, **options: Any) -> Client:
    return Client(service.location, TokenAuth("the-token"), RetryPolicy(clock=clock, **options))


def refusal(code: str, status: int = 400, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error_code": code, "error_msg": "no"}, status, named)


def listing(*ids: str) -> Answer:
    return Answer({"from": 0, "total": len(ids), "sessions": [{"id": batch_id} for batch_id in ids]})


# What is asked


@pytest.mark.parametrize(
    ("call", "answer", "asked", "query", "result"),
    [
        (lambda client: client.create(BODY).id, JOB, "POST", {}, ID),
        (lambda client: client.details(ID).id, JOB, f"GET /{ID}", {}, ID),
        (lambda client: client.find(ID).id, JOB, f"GET /{ID}", {}, ID),
        (
            lambda client: client.state(ID),
            Answer({"id": ID, "state": "Success"}),
            f"GET /{ID}/state",
            {},
            BatchState.SUCCESS,
        ),
        (lambda client: client.state(ID), Answer({"id": ID, "state": "idle"}), f"GET /{ID}/state", {}, None),
        (lambda client: client.cancel(ID), Answer({"msg": "deleted"}), f"DELETE /{ID}", {}, None),
        (lambda client: client.cancel(ID), Answer(b"", 204), f"DELETE /{ID}", {}, None),
        (
            lambda client: client.log(ID).log,
            Answer({"log": ["a", "b"]}),
            f"GET /{ID}/log",
            {"type": "driver", "index": "0", "size": "100"},
            ["a", "b"],
        ),
        (
            lambda client: client.log(ID, start=0, size=5, index=2).log,
            Answer({"log": ["a"]}),
            f"GET /{ID}/log",
            {"type": "driver", "index": "2", "size": "5", "from": "0"},
            ["a"],
        ),
        (
            lambda client: [batch.id for batch in client.batches({"job_name": "a b/ü*~&"})],
            listing(ID),
            "GET",
            {"job_name": "a b/ü*~&", "from": "0", "size": "100"},
            [ID],
        ),
        (lambda client: client.details("a/b?c").id, Answer({"id": "A/B?c"}), "GET /a%2Fb%3Fc", {}, "A/B?c"),
    ],
)
def test_a_call_asks_what_the_api_says_and_gives_what_it_answers(
    *,
    service: ScriptedService,
    client: Client,
    call: Callable[[Client], object],
    answer: Answer,
    asked: str,
    query: dict[str, str],
    result: object,
) -> None:
    service.script(answer)
    assert call(client) == result
    assert service.asked() == [asked]
    assert service.calls[0].query == query
    assert service.calls[0].headers["X-Auth-Token"] == "the-token"
    assert service.calls[0].headers["X-Language"] == "en-us"


def test_a_submission_sends_its_body_as_json(service: ScriptedService, client: Client) -> None:
    service.script(JOB)
    client.create(BODY)
    assert service.calls[0].json == BODY
    assert service.calls[0].headers["Content-Type"] == "application/json"


def test_the_jobs_that_have_not_ended_are_listed_in_the_order_of_a_jobs_life(
    service: ScriptedService, client: Client
) -> None:
    service.script(listing(ID), listing(ID, OTHER), EMPTY_LIST)
    assert [batch.id for batch in client.live()] == [ID, ID, OTHER]
    assert [call.query["state"] for call in service.calls] == ["starting", "running", "recovering"]


@pytest.mark.parametrize("id_", [None, "", 7])
def test_an_accepted_submission_without_an_id_is_no_answer(
    service: ScriptedService, client: Client, id_: object
) -> None:
    service.script(Answer({"id": id_, "state": "starting"}))
    with pytest.raises(NoAnswerError, match=r"^POST …/batches: the answer cannot be read \(status 200\)$"):
        client.create(BODY)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_an_answer_with_an_id_is_an_accepted_job_whatever_else_it_says(
    service: ScriptedService, client: Client, status: int
) -> None:
    # Seen: a real reply of 2024 says success false, and has an error code that is null.
    reply = {"id": ID, "state": "starting", "success": False, "is_success": False, "error_code": None, "log": []}
    service.script(Answer(reply, status))
    assert client.create(BODY).id == ID


def test_a_submission_is_sent_once(service: ScriptedService, client: Client, clock: FakeClock) -> None:
    service.script(CUT)
    with pytest.raises(NoAnswerError):
        client.create(BODY)
    assert clock.slept == []


def test_a_read_is_repeated_but_for_an_impatient_look(
    service: ScriptedService, client: Client, clock: FakeClock
) -> None:
    service.script(CUT, JOB, CUT)
    assert client.details(ID).id == ID
    with pytest.raises(NoAnswerError):
        client.details(ID, retry=False)
    assert len(clock.slept) == 1


def test_an_address_that_refuses_connections_is_named_with_the_setting_to_check() -> None:
    with ScriptedService(is_listening=False) as service, pytest.raises(NotSentError) as raised:
        client_of(service, FakeClock()).details(ID)
    assert str(raised.value).endswith("Check the endpoint (dli:endpoint, or made from dli:region) and the network.")


def test_the_signature_fits_the_request_as_it_arrives(service: ScriptedService, clock: FakeClock) -> None:
    auth = KeyAuth("the-access-key", "the-secret-key", security_token="the-security-token", project_id="the-project")
    client = Client(service.location, auth, RetryPolicy(clock=clock))
    service.script(JOB, listing(ID))
    client.create(BODY)
    list(client.batches({"job_name": "a b/ü*~&", "queue_name": ""}))
    for call in service.calls:
        signed = call.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        assert {"host", "content-type", "x-sdk-date", "x-project-id", "x-security-token"} <= set(signed)
        url = urlsplit(call.url)
        request = SdkRequest(
            method=call.method,
            resource_path=url.path,
            query_params=parse_qsl(url.query, keep_blank_values=True),
            header_params={name: call.headers[name] for name in signed} | {"X-Sdk-Date": call.headers["X-Sdk-Date"]},
            body=call.body,
        )
        del request.header_params["x-sdk-date"]
        expected = Signer(BasicCredentials("the-access-key", "the-secret-key")).sign(request)
        assert call.headers["Authorization"] == expected.header_params["Authorization"]


# Going through the list


class JobList:
    """A list of jobs that changes between the pages: before each page, `removed` jobs end and `added` begin."""

    def __init__(self, count: int, changes: list[tuple[int, int]], page_size: int = 100) -> None:
        self.ids = [f"job-{number}" for number in range(count)]
        self.lasting = set(self.ids)
        self._changes = list(changes)
        self._page_size = page_size

    def __call__(self, call: Call) -> Answer:
        if self._changes and call.query["from"] != "0":
            removed, added = self._changes.pop(0)
            self.lasting -= set(self.ids[:removed])
            self.ids = [f"new-{len(self._changes)}-{number}" for number in range(added)] + self.ids[removed:]
        start = int(call.query["from"])
        page = self.ids[start : start + min(int(call.query["size"]), self._page_size)]
        return Answer({"from": start, "total": len(self.ids), "sessions": [{"id": batch_id} for batch_id in page]})


def test_pages_overlap_by_ten(service: ScriptedService, client: Client) -> None:
    service.answer = jobs = JobList(250, [])
    assert [batch.id for batch in client.batches({"state": "dead"})] == jobs.ids
    assert [(call.query["from"], call.query["state"]) for call in service.calls] == [
        ("0", "dead"),
        ("90", "dead"),
        ("180", "dead"),
    ]


def test_jobs_that_end_meanwhile_do_not_make_it_start_over_while_the_last_one_seen_is_in_the_overlap(
    service: ScriptedService, client: Client
) -> None:
    service.answer = jobs = JobList(150, [(9, 0)])
    assert jobs.lasting <= {batch.id for batch in client.batches({})}
    # The total is below what was seen by now, so it does not end the list.
    assert [call.query["from"] for call in service.calls] == ["0", "90", "131"]


def test_it_starts_over_where_the_last_one_seen_is_missing(service: ScriptedService, client: Client) -> None:
    service.answer = jobs = JobList(150, [(10, 0)])
    assert jobs.lasting <= {batch.id for batch in client.batches({})}
    assert [call.query["from"] for call in service.calls] == ["0", "90", "0", "90"]


@settings(deadline=None, max_examples=50)
@given(
    count=st.integers(0, 350),
    changes=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8),
    page_size=st.sampled_from([100, 37, 10, 7]),
)
@example(count=101, changes=[(40, 40)], page_size=100)
@example(count=175, changes=[(6, 0), (9, 0)], page_size=37)  # 15 have ended, and 15 are unseen
def test_no_job_that_is_there_all_the_time_is_missed_and_none_comes_twice(
    count: int, changes: list[tuple[int, int]], page_size: int
) -> None:
    with ScriptedService() as service:
        service.answer = jobs = JobList(count, changes, page_size)
        listed = [batch.id for batch in client_of(service, FakeClock()).batches({})]
    assert jobs.lasting <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("body", [{}, {"total": 1}, {"sessions": [{"state": "running"}]}, {"sessions": ["x"]}])
def test_a_list_that_cannot_be_read_does_not_look_like_an_empty_one(
    service: ScriptedService, clock: FakeClock, body: dict[str, Any]
) -> None:
    service.script(Answer(body))
    with pytest.raises(NoAnswerError):
        list(client_of(service, clock, max_retries=0).batches({}))


# Whether a job is still there


@pytest.mark.parametrize(
    "answer",
    [
        refusal("DLI.0002"),
        refusal("DLI.0023"),
        refusal("DLI.12004"),
        refusal("DLI.0023", 404),
        refusal("DLI.4711", 404),
    ],
)
def test_a_job_is_gone_where_the_service_says_so(service: ScriptedService, client: Client, answer: Answer) -> None:
    service.script(answer)
    assert client.find(ID) is None


@pytest.mark.parametrize("code", ["DLI.0001", "DLI.0007", "DLI.0999"])
class TestACodeThatMayMeanGone:
    def client(self, service: ScriptedService) -> Client:
        return client_of(service, FakeClock(), max_retries=0)

    def test_means_it_where_the_job_is_not_listed(self, service: ScriptedService, code: str) -> None:
        service.script(refusal(code), listing(OTHER))
        assert self.client(service).find(ID) is None
        assert service.calls[1].query["job-id"] == ID

    def test_does_not_mean_it_where_the_job_is_listed(self, service: ScriptedService, code: str) -> None:
        service.script(refusal(code), listing(OTHER, ID))
        with pytest.raises(ServiceError, match=code):
            self.client(service).find(ID)

    def test_does_not_mean_it_where_the_job_is_far_down_a_list_that_ignores_the_filter(
        self, service: ScriptedService, code: str
    ) -> None:
        others = JobList(150, [])
        others.ids.append(ID)
        service.answer = lambda call: others(call) if call.query else refusal(code)
        with pytest.raises(ServiceError, match=code):
            self.client(service).find(ID)

    @pytest.mark.parametrize("failure", [CUT, GARBAGE, refusal("APIG.0302", 403)])
    def test_does_not_mean_it_where_the_list_does_not_answer(
        self, service: ScriptedService, code: str, failure: Answer
    ) -> None:
        service.script(refusal(code), failure)
        with pytest.raises(DliError):
            self.client(service).find(ID)

    @pytest.mark.parametrize("batch_id", ["7", "batch-session-" + ID, ID[:-1]])
    def test_does_not_mean_it_for_what_is_no_uuid(self, service: ScriptedService, code: str, batch_id: str) -> None:
        service.script(refusal(code))
        with pytest.raises(ServiceError, match=code):
            self.client(service).find(batch_id)

    @pytest.mark.parametrize("status", [401, 403, 500, 503])
    def test_does_not_mean_it_with_another_status(self, service: ScriptedService, code: str, status: int) -> None:
        service.script(refusal(code, status))
        with pytest.raises(ServiceError, match=code):
            self.client(service).find(ID)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"", 401),
        refusal("DLI.0002", 403),
        refusal("DLI.0023", 500),
        refusal("APIG.0101", 404),
        refusal("APIGW.0101", 404),
        Answer(HTML, 404),
        refusal("DLI.0003"),
        CUT,
    ],
)
def test_a_job_is_not_gone_where_it_could_not_be_asked_for(
    service: ScriptedService, clock: FakeClock, answer: Answer
) -> None:
    service.script(answer)
    with pytest.raises(DliError):
        client_of(service, clock, max_retries=0).find(ID)


# Whatever is answered

any_text = st.text(st.characters())  # lone surrogates too: they are JSON, but not text
scalars = st.none() | st.booleans() | st.integers() | st.sampled_from([10**400, -0.5, 1e300]) | any_text
junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3), max_leaves=6
)
keys = st.sampled_from(
    [
        *("id", "state", "name", "appId", "log", "req_body", "create_time", "sessions", "total", "from", "msg"),
        *("error_code", "error_msg", "errorCode", "code", "message", "error", "request_id"),
    ]
)
documents = junk | st.dictionaries(keys, junk | st.dictionaries(keys, junk, max_size=3) | st.just(ID), max_size=5)
contents = documents.map(json.dumps).map(str.encode) | st.binary() | st.sampled_from([b"NaN", b"1e999"])
statuses = st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
CALLS: list[Callable[[Client], object]] = [
    lambda client: client.create(BODY),
    lambda client: client.details(ID),
    lambda client: client.find(ID),
    lambda client: client.state(ID),
    lambda client: client.cancel(ID),
    lambda client: client.log(ID),
    lambda client: list(client.batches({})),
]


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300], ids=["too deep", "deep"])
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_nested_deep_is_an_error_like_any_other(
    service: ScriptedService, client: Client, content: bytes, status: int
) -> None:
    service.script(Answer(content, status))
    with pytest.raises(NoAnswerError if status == 200 else ServiceError):
        client.create(BODY)


def test_what_is_no_text_in_an_answer_is_replaced(service: ScriptedService, client: Client) -> None:
    service.script(Answer(b'{"id": "1", "log": ["half a smile: \\ud83d", "a whole one: \\ud83d\\ude00"]}'))
    assert client.details("1").log == ["half a smile: ?", "a whole one: \U0001f600"]


@given(st.sampled_from(CALLS), statuses, contents)
def test_any_answer_is_read_or_is_an_error_for_the_user(
    unreliable: ScriptedService, call: Callable[[Client], object], status: int, content: bytes
) -> None:
    unreliable.calls.clear()
    unreliable.answer = lambda _: Answer(content, status)
    try:
        read = call(client_of(unreliable, FakeClock(), max_retries=0))
    except DliError as error:
        str(error).encode()
    else:
        str(read).encode()


@given(st.dictionaries(keys, junk, max_size=5), st.sampled_from([200, 201, 202]))
def test_an_accepted_job_has_its_id_whatever_else_is_answered(
    unreliable: ScriptedService, document: dict[str, Any], status: int
) -> None:
    unreliable.answer = lambda _: Answer(document | {"id": ID}, status)
    job = client_of(unreliable, FakeClock(), max_retries=0).create(BODY)
    assert job.id == ID
    assert json.loads(json.dumps(job.to_wire(), ensure_ascii=False).encode())["id"] == ID
