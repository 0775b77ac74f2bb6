from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from pulumi_dli.api.error_codes import ERROR_CODES, STATUSES, ErrorCode, RetryClass
from pulumi_dli.api.errors import NoAnswerError, NotSentError, ServiceError, SettingsError, SignInError
from pulumi_dli.api.models import Batch, CancelReply, WireModel
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import Auth, TokenAuth
from pulumi_dli.api.transport import Transport
from tests.fakes import CERTIFICATE, CUT, SILENCE, Answer, FakeClock, ScriptedService, Tunnel
from tests.local.api import eventually

JOB = Answer({"id": "a", "state": "running"})
BODY = {"file": "obs://demo/a.py", "args": ["Grüße"]}
NAME = "GET …/batches/a"

HTML = b"<html>\n <body>Bad\n Gateway</body></html>"
GARBAGE = Answer(HTML)
CUT_SHORT = Answer(b'{"id": "', headers={"Content-Length": "1000"})


ELSEWHERE = "dli.example"
"""A host that only a proxy can reach. The certificate of the scripted service has its name."""


class Caller:
    """Somebody who calls a scripted service. `policy` as in RetryPolicy."""

    def __init__(
        self,
        service: ScriptedService,
        clock: FakeClock,
        *,
        auth: Auth | None = None,
        verify: bool | str = True,
        host: str = "127.0.0.1",
        **policy: Any,
    ) -> None:
        endpoint = service.location.endpoint.replace("127.0.0.1", host)
        self._address = f"{endpoint}/v2.0/{service.location.project_id}/batches"
        setting = "the endpoint (dli:endpoint)"
        auth = auth or TokenAuth("the-token", source="OS_TOKEN in the environment")
        self._transport = Transport(auth, RetryPolicy(clock=clock, **policy), verify=verify, setting=setting)

    def submit(self) -> Batch:
        return self._transport.call(Batch, "POST", self._address, name="POST …/batches", body=BODY)

    def read(self, **options: Any) -> Batch:
        return self._transport.call(Batch, "GET", f"{self._address}/a", name=NAME, **options)

    def cancel(self) -> CancelReply:
        return self._transport.call(CancelReply, "DELETE", f"{self._address}/a", name="DELETE …/batches/a")

    def do(self, method: str) -> WireModel:
        return {"GET": self.read, "DELETE": self.cancel, "POST": self.submit}[method]()


@pytest.fixture
def caller(service: ScriptedService, clock: FakeClock) -> Caller:
    return Caller(service, clock)


def refusal(code: str, status: int = 400, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer({"error_code": code, "error_msg": "no"}, status, named)


# What is repeated

UNCLEAR = {
    "cut": (CUT, NoAnswerError),
    "cut short": (CUT_SHORT, NoAnswerError),
    "garbage": (GARBAGE, NoAnswerError),
    "a list for an object": (Answer([JOB.body]), NoAnswerError),
    "500": (Answer(HTML, 500), ServiceError),
    "502 of the gateway": (refusal("APIG.0201", 502), ServiceError),
    "503": (Answer(b"", 503), ServiceError),
    "500 with the code of a refusal": (refusal("DLI.0001", 500), ServiceError),
    "DLI.0999": (refusal("DLI.0999"), ServiceError),
    "DLI.0019": (refusal("DLI.0019"), ServiceError),
}
REFUSED = {
    "a parameter": refusal("DLI.0001"),
    "no such object": refusal("DLI.0002"),
    "401": Answer(b"", 401),
    "a wrong signature": refusal("APIGW.0301", 401),
    "403": refusal("APIG.0302", 403),
    "no such address": refusal("APIGW.0101", 404),
    "a redirect": Answer(b"", 302, {"Location": "http://127.0.0.1:1/"}),
}


@pytest.mark.parametrize("failure", [*UNCLEAR, "429", "DLI.0012"])
@pytest.mark.parametrize(("method", "answer"), [("GET", JOB), ("DELETE", Answer({"msg": "deleted"}))])
def test_what_reads_or_cancels_is_repeated_after_whatever_may_pass(
    *, service: ScriptedService, caller: Caller, clock: FakeClock, method: str, answer: Answer, failure: str
) -> None:
    failed = {"429": refusal("APIG.0308", 429), "DLI.0012": refusal("DLI.0012")}.get(failure) or UNCLEAR[failure][0]
    service.script(failed, failed, answer)
    caller.do(method)
    assert len(clock.slept) == 2


@pytest.mark.parametrize("failure", UNCLEAR)
def test_a_submission_that_may_have_been_accepted_is_not_sent_again(
    service: ScriptedService, caller: Caller, clock: FakeClock, failure: str
) -> None:
    answer, error = UNCLEAR[failure]
    service.script(answer)
    with pytest.raises(error):
        caller.submit()
    assert clock.slept == []


def test_a_submission_that_finds_no_resources_is_not_sent_again(
    service: ScriptedService, caller: Caller, clock: FakeClock
) -> None:
    service.script(refusal("DLI.0012"))
    with pytest.raises(ServiceError):
        caller.submit()
    assert clock.slept == []


def test_a_submission_that_is_one_call_too_many_is_sent_again_when_the_service_says(
    service: ScriptedService, caller: Caller, clock: FakeClock
) -> None:
    service.script(refusal("APIG.0308", 429, Retry_After="7"), refusal("APIG.0308", 429), JOB)
    assert caller.submit().id == "a"
    assert clock.slept[0] == 7
    assert len({call.body for call in service.calls}) == 1


def test_a_submission_that_was_never_sent_is_sent_when_there_is_a_connection() -> None:
    with ScriptedService(JOB, is_listening=False) as service:
        clock = FakeClock(during_sleep=lambda: service.listen() if len(clock.slept) == 2 else None)
        assert Caller(service, clock).submit().id == "a"
        assert service.asked() == ["POST"]
        assert len(clock.slept) == 2


@pytest.mark.parametrize("failure", REFUSED)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_what_is_refused_is_not_asked_again(
    service: ScriptedService, caller: Caller, clock: FakeClock, method: str, failure: str
) -> None:
    service.script(REFUSED[failure])
    with pytest.raises(ServiceError):
        caller.do(method)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("options", "middles"),
    [({}, [0.5, 1, 2, 4, 8, 16, 30, 30]), ({"retry_pause": 0.01}, [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28])],
)
def test_without_a_word_from_the_service_the_pauses_double_with_jitter_up_to_half_a_minute(
    service: ScriptedService, clock: FakeClock, options: dict[str, float], middles: list[float]
) -> None:
    service.script(*[Answer(b"", 503)] * 9)
    with pytest.raises(ServiceError):
        Caller(service, clock, max_retries=8, **options).read()
    for pause, middle in zip(clock.slept, middles, strict=True):
        assert 0.75 * middle <= pause <= min(1.25 * middle, 30)


def test_a_pause_that_the_service_asks_for_is_kept_in_full(
    service: ScriptedService, caller: Caller, clock: FakeClock
) -> None:
    service.script(refusal("", 503, Retry_After="120"), refusal("APIG.0308", 429, Retry_After="0"), JOB)
    caller.read()
    assert clock.slept == [120, 0]


def test_a_pause_of_more_than_five_minutes_is_left_to_the_user(
    service: ScriptedService, caller: Caller, clock: FakeClock
) -> None:
    service.script(refusal("APIG.0308", 429, Retry_After="301"))
    with pytest.raises(ServiceError):
        caller.read()
    assert clock.slept == []


@pytest.mark.parametrize("max_retries", [0, 3])
def test_after_the_last_repetition_the_last_error_is_raised(
    service: ScriptedService, clock: FakeClock, max_retries: int
) -> None:
    service.script(*[CUT] * max_retries, refusal("DLI.0999"))
    with pytest.raises(ServiceError, match=r"DLI\.0999"):
        Caller(service, clock, max_retries=max_retries).read()


def test_a_call_may_be_less_patient_than_the_others(service: ScriptedService, caller: Caller) -> None:
    service.script(CUT)
    with pytest.raises(NoAnswerError):
        caller.read(max_retries=0)


def test_a_service_that_stays_silent_gives_no_answer(service: ScriptedService, clock: FakeClock) -> None:
    service.script(SILENCE)
    with pytest.raises(NoAnswerError, match=f"no answer from {service.address}: timed out"):
        Caller(service, clock, timeout=0.05).submit()
    eventually(service.asked, bool)  # a slow service reads the call after its caller has gone


# Who asks


class RenewableAuth(Auth):
    """Signs in with the first of some tokens; renewed, with the next."""

    def __init__(self, *tokens: str, failure: ServiceError | NotSentError | None = None) -> None:
        super().__init__("dli:username in the stack's configuration")
        self._tokens = list(tokens)
        self._failure = failure

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        request.headers["X-Auth-Token"] = self._tokens[0]
        return request

    def renew(self, refused: requests.PreparedRequest) -> bool:
        if refused.headers["X-Auth-Token"] == self._tokens[0]:
            self._tokens.pop(0)
        return True


ENDED = {
    "401": Answer(b"", 401),
    "an expired token": refusal("APIGW.0307", 401),
    "a token that the gateway calls wrong": refusal("APIG.0301", 401),
    "a token that DLI cannot read": refusal("DLI.0015", 400),
    "a user that DLI does not know": refusal("DLI.0013", 401),
}


@pytest.mark.parametrize("refused", ENDED)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
@pytest.mark.parametrize("max_retries", [0, 5])
def test_a_call_whose_sign_in_has_run_out_is_made_once_more_with_a_new_one(
    *, service: ScriptedService, clock: FakeClock, method: str, refused: str, max_retries: int
) -> None:
    service.script(ENDED[refused], JOB)
    Caller(service, clock, auth=RenewableAuth("old", "new"), max_retries=max_retries).do(method)
    assert [call.headers["X-Auth-Token"] for call in service.calls] == ["old", "new"]
    assert len({call.body for call in service.calls}) == 1
    assert clock.slept == []


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_new_sign_in_that_is_refused_too_is_the_last(service: ScriptedService, clock: FakeClock, method: str) -> None:
    service.script(*[refusal("APIGW.0307", 401)] * 2)
    with pytest.raises(ServiceError, match=r"the token has expired .* Signed in with dli:username in the stack's"):
        Caller(service, clock, auth=RenewableAuth("old", "new", "newer")).do(method)
    assert clock.slept == []


def test_a_submission_whose_sign_in_did_not_work_was_not_sent_and_is_repeated(
    service: ScriptedService, clock: FakeClock
) -> None:
    for failure in (NotSentError("no answer from IAM"), SignInError(status=503), SignInError(status=429)):
        service.script(JOB)
        assert Caller(service, clock, auth=RenewableAuth("new", failure=failure)).submit().id == "a"
    assert len(clock.slept) == 3


def test_a_sign_in_that_is_refused_is_not_repeated(service: ScriptedService, clock: FakeClock) -> None:
    for status in (400, 401, 403):
        failure = SignInError(status=status, message="The password is wrong", call="POST …/auth/tokens")
        with pytest.raises(SignInError, match="The password is wrong"):
            Caller(service, clock, auth=RenewableAuth("new", failure=failure)).read()
    assert service.calls == []
    assert clock.slept == []


# The connection


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_that_refuses_connections_is_named_with_what_to_check(method: str) -> None:
    with ScriptedService(is_listening=False) as service:
        clock = FakeClock()
        with pytest.raises(NotSentError) as raised:
            Caller(service, clock, max_retries=2).do(method)
        assert len(clock.slept) == 2
    message = str(raised.value)
    assert f"no connection to {service.address}: " in message
    assert "refused" in message
    assert "HTTPConnectionPool" not in message
    assert message.endswith("Check the endpoint (dli:endpoint) and the network.")


def test_a_certificate_that_nobody_knows_stops_the_call_before_it_is_sent(clock: FakeClock) -> None:
    with ScriptedService(tls=True) as service:
        with pytest.raises(NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
            Caller(service, clock, max_retries=0).submit()
        assert service.calls == []


def test_a_certificate_that_is_given_is_trusted(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())
    with ScriptedService(JOB, tls=True) as service:
        assert Caller(service, clock, verify=str(CERTIFICATE)).read().id == "a"


def test_without_verification_any_certificate_will_do(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with ScriptedService(JOB, tls=True) as service, pytest.warns(InsecureRequestWarning):
        assert Caller(service, clock, verify=False).read().id == "a"


def test_a_file_of_certificates_that_is_not_there_is_named(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with ScriptedService(tls=True) as service:
        with pytest.raises(SettingsError, match=r"invalid path: /nowhere/ca\.pem\. Check dli:caCert, OS_CACERT"):
            Caller(service, clock).read()
        assert service.calls == []


@contextmanager
def behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch,
    *script: Answer,
    target: Sequence[Answer] = (),
    tls: bool = False,
    is_listening: bool = True,
) -> Iterator[tuple[ScriptedService, ScriptedService]]:
    """A proxy that answers as it is told, and a service to which it should lead, with its own answers."""
    with ScriptedService(*script, is_listening=is_listening) as proxy, ScriptedService(*target, tls=tls) as service:
        monkeypatch.setenv("NO_PROXY", "")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.address}")
        yield proxy, service


def test_a_connection_through_a_proxy_that_is_cut_may_have_submitted(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind_a_proxy(monkeypatch, CUT) as (proxy, service):
        with pytest.raises(NoAnswerError):
            Caller(service, clock, host=ELSEWHERE).submit()
        assert len(proxy.calls) == 1


def test_no_proxy_is_asked_for_this_machine(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with behind_a_proxy(monkeypatch, target=[Answer({"id": "a"})]) as (proxy, service):
        assert Caller(service, clock).read().id == "a"
        assert (len(proxy.calls), len(service.calls)) == (0, 1)


def test_a_tunnel_that_is_cut_may_have_submitted(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy leads to a service that hangs up when it has the request."""
    with ScriptedService(CUT, tls=True) as service, Tunnel(service.address) as tunnel:
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("HTTPS_PROXY", f"http://{tunnel.address}")
        with pytest.raises(NoAnswerError):
            Caller(service, clock, verify=str(CERTIFICATE), host=ELSEWHERE).submit()
        assert len(service.calls) == 1


@pytest.mark.parametrize("listening", [True, False], ids=["that says no", "that is not there"])
def test_a_proxy_through_which_nothing_went_has_submitted_nothing(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, *, listening: bool
) -> None:
    script = [Answer(b"", 407)] * 3 if listening else []
    with behind_a_proxy(monkeypatch, *script, tls=True, is_listening=listening) as (_, service):
        with pytest.raises(NotSentError, match="407" if listening else "refused"):
            Caller(service, clock, max_retries=2, host=ELSEWHERE).submit()
        assert service.calls == []
    assert len(clock.slept) == 2


# What an error says


@pytest.mark.parametrize(
    ("answer", "code", "message", "request_id"),
    [
        (Answer({"error_code": "DLI.0001", "error_msg": "Bad queue"}, 400), "DLI.0001", "Bad queue", ""),
        (
            Answer({"error_code": "APIG.0101", "error_msg": "No such API", "request_id": "r1"}, 404),
            "APIG.0101",
            "No such API",
            "r1",
        ),
        (
            Answer({"error": {"code": 401, "message": "Sign in", "title": "Unauthorized"}}, 401),
            "",
            "Sign in",
            "",
        ),
        (Answer({"error_msg": "Bad token", "error_code": "IAM.0101"}, 401), "IAM.0101", "Bad token", ""),
        (Answer({"errorCode": "DLI.0003", "errorMsg": "Not yours"}, 400), "DLI.0003", "Not yours", ""),
        (
            Answer({"request_id": "r2", "error": {"error_code": "DLI.0008", "error_msg": "Metadata"}}, 400),
            "DLI.0008",
            "Metadata",
            "r2",
        ),
        (Answer({"error_code": "DLI.0002"}, 400), "DLI.0002", "", ""),
        (Answer({"error_code": None, "message": "Not now"}, 400), "", "Not now", ""),
        (Answer(HTML, 502), "", "<html> <body>Bad Gateway</body></html>", ""),
        (Answer(HTML, 502, {"X-Request-Id": "r3"}), "", "<html> <body>Bad Gateway</body></html>", "r3"),
        (Answer(b"x" * 1000, 500), "", "x" * 200, ""),
        (Answer(b"", 500), "", "", ""),
        (Answer(["what"], 400), "", "", ""),
    ],
)
def test_an_error_body_of_any_kind_is_read(
    *, service: ScriptedService, clock: FakeClock, answer: Answer, code: str, message: str, request_id: str
) -> None:
    service.script(answer)
    with pytest.raises(ServiceError) as raised:
        Caller(service, clock, max_retries=0).read()
    error = raised.value
    assert (error.status, error.code, error.message, error.request_id) == (answer.status, code, message, request_id)
    assert str(error).startswith(f"{NAME}: {code or 'HTTP'} {answer.status}, ")
    assert message in str(error)


@pytest.mark.parametrize("row", [*ERROR_CODES.values(), *STATUSES.values()], ids=lambda row: row.code or row.status)
def test_every_row_of_the_error_table_is_told_when_the_service_answers_so(
    service: ScriptedService, clock: FakeClock, row: ErrorCode
) -> None:
    body = {"error_code": row.code, "error_msg": "Said by the service.", "request_id": "r1"} if row.code else b""
    service.script(Answer(body, row.status))
    with pytest.raises(ServiceError) as raised:
        Caller(service, clock, max_retries=0).read()
    error = raised.value
    assert error.retry is row.retry
    signed_in = "Signed in with OS_TOKEN in the environment."
    is_explained = row.status in (401, 403) or row.retry is RetryClass.AFTER_REAUTH
    said = ": Said by the service." if row.code else "."
    parts = [f"{NAME}: {row.code or 'HTTP'} {row.status}, {row.meaning}{said}", row.hint, signed_in * is_explained]
    parts += ["(request id r1)"] if row.code else []
    assert str(error) == " ".join(part for part in parts if part)


def test_an_error_names_its_own_cause_and_not_that_of_an_earlier_one(
    service: ScriptedService, clock: FakeClock
) -> None:
    service.script(refusal("DLI.0001"), CUT)
    caller = Caller(service, clock, max_retries=0)
    try:
        caller.read()
    except ServiceError:
        with pytest.raises(NoAnswerError, match="closed connection without response"):
            caller.read()


def test_an_error_shows_no_secret(service: ScriptedService, caller: Caller) -> None:
    service.script(refusal("APIG.0301", 401))
    with pytest.raises(ServiceError) as raised:
        caller.submit()
    assert "Grüße" not in str(raised.value)
    assert "the-token" not in str(raised.value)
