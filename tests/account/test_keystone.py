import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from keystoneauth1.identity import v3

from pulumi_dli.account.keystone import KeystoneAuth
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, NotSentError, SettingsError, SignInError
from pulumi_dli.api.http_session import HttpCall, user_agent
from tests.fakes import CERTIFICATE, CUT, SILENCE, Answer, Call, ScriptedService
from tests.local.api import eventually

PROJECT = "48cc2c48765f481480c7db940d6409d1"
DAY = timedelta(hours=24)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def iam() -> Iterator[ScriptedService]:
    with ScriptedService() as scripted:
        yield scripted


def keystone_auth(iam: ScriptedService, **options: Any) -> KeystoneAuth:
    plugin = v3.Password(
        f"{iam.location.endpoint}/v3",
        username="me",
        password="s3cret",
        user_domain_name="my domain",
        project_name="eu-de",
        include_catalog=False,
    )
    chosen: dict[str, Any] = {"source": "OS_USERNAME in the environment", "verify": True, "timeout": 5.0} | options
    return KeystoneAuth(plugin, **chosen)


def issued(token: str, *, project: str | None = PROJECT, life: timedelta = DAY) -> Answer:
    expires = (datetime.now(UTC) + life).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    scope = {} if project is None else {"project": {"id": project, "name": "eu-de", "domain": {"id": "d", "name": "d"}}}
    return Answer({"token": {"expires_at": expires, **scope}}, 201, {"X-Subject-Token": token})


def denied(status: int, message: str = "no") -> Answer:
    return Answer({"error": {"code": status, "message": message, "title": "No"}}, status)


def signed(auth: KeystoneAuth) -> requests.PreparedRequest:
    return requests.Request("GET", "https://dli.example.com/v2.0/p1/batches", auth=auth).prepare()


def token_of(auth: KeystoneAuth) -> str:
    return signed(auth).headers["X-Auth-Token"]


def test_a_token_is_issued_when_the_first_request_needs_it_and_serves_the_others(iam: ScriptedService) -> None:
    auth = keystone_auth(iam)
    assert iam.calls == []
    iam.script(issued("t1"))
    assert [token_of(auth), token_of(auth), auth.project_id] == ["t1", "t1", PROJECT]
    (call,) = iam.calls
    assert (call.method, call.url) == ("POST", "/v3/auth/tokens?nocatalog")
    user = {"name": "me", "password": "s3cret", "domain": {"name": "my domain"}}
    assert call.json["auth"] == {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"name": "eu-de"}},
    }


def test_a_token_is_renewed_before_it_ends(iam: ScriptedService) -> None:
    auth = keystone_auth(iam)
    iam.script(issued("t1", life=timedelta(seconds=110)), issued("t2"))
    assert [token_of(auth), token_of(auth), token_of(auth)] == ["t1", "t2", "t2"]


def test_a_token_that_was_refused_is_given_up_once_by_however_many_threads(iam: ScriptedService) -> None:
    auth = keystone_auth(iam)
    iam.script(issued("t1"), issued("t2"))
    refused = [signed(auth) for _ in range(8)]
    ready = threading.Barrier(8)

    def renew(request: requests.PreparedRequest) -> str:
        ready.wait()
        assert auth.renew(request)
        return token_of(auth)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(renew, refused)) == {"t2"}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_of_iam_says_what_was_asked_with_what_and_what_it_means(iam: ScriptedService, status: int) -> None:
    iam.script(denied(status, "The username or password is wrong."))
    with pytest.raises(SignInError) as raised:
        token_of(keystone_auth(iam, advice="Or the domain is."))
    message = str(raised.value)
    assert message.startswith(
        f"POST {iam.location.endpoint}/v3/auth/tokens with OS_USERNAME in the environment, for project eu-de: "
        f"HTTP {status}, "
    )
    assert ": The username or password is wrong." in message
    assert message.endswith("Or the domain is.")
    assert "s3cret" not in message
    assert raised.value.retry is RetryClass.NEVER


def test_a_code_of_iam_is_looked_up_in_the_table(iam: ScriptedService) -> None:
    iam.script(Answer({"error_code": "IAM.0061", "error_msg": "Account locked."}, 401))
    with pytest.raises(SignInError, match=r"IAM\.0061 401, the user is locked: Account locked\. Wait a quarter"):
        token_of(keystone_auth(iam))


@pytest.mark.parametrize(("status", "pause"), [(429, 7.0), (500, None), (503, None)])
def test_where_iam_itself_fails_it_is_worth_another_try(iam: ScriptedService, status: int, pause: float | None) -> None:
    iam.script(Answer(b"<html>", status, {"Retry-After": "7"} if pause else {}), issued("t1"))
    auth = keystone_auth(iam)
    with pytest.raises(SignInError) as raised:
        token_of(auth)
    assert (raised.value.retry, raised.value.retry_after) == (RetryClass.BACKOFF, pause)
    assert token_of(auth) == "t1"


UNREADABLE = {
    "no JSON": Answer(b"<html>", 201),
    "a redirect": Answer(b"", 302, {"Location": "http://127.0.0.1:1/"}),
    "no token": Answer({}, 201, {"X-Subject-Token": "t"}),
    "a list": Answer([], 201, {"X-Subject-Token": "t"}),
    "a number": Answer(7, 201, {"X-Subject-Token": "t"}),
    "a token that is text": Answer({"token": "t"}, 201, {"X-Subject-Token": "t"}),
    "no header": Answer({"token": {"expires_at": "2099-01-01T00:00:00.000000Z"}}, 201),
}


@pytest.mark.parametrize("answer", UNREADABLE)
def test_an_answer_of_iam_that_cannot_be_read_is_no_sign_in_and_is_forgotten(iam: ScriptedService, answer: str) -> None:
    iam.script(UNREADABLE[answer], issued("t1"))
    auth = keystone_auth(iam)
    with pytest.raises(NotSentError, match=r"the answer cannot be read\. Check that dli:authUrl is an address of IAM"):
        token_of(auth)
    assert token_of(auth) == "t1"


@pytest.mark.parametrize(("answer", "told"), [(CUT, "without response"), (SILENCE, "timed out")])
def test_a_silent_iam_is_no_sign_in(iam: ScriptedService, answer: Answer, told: str) -> None:
    iam.script(answer)
    with pytest.raises(NotSentError, match=f"no answer from {iam.address}: .*{told}.*dli:authUrl"):
        token_of(keystone_auth(iam, timeout=0.05 if answer is SILENCE else 5.0))
    eventually(iam.asked, bool)  # a slow service reads the call after its caller has gone


def test_an_address_of_iam_that_refuses_connections_is_named_with_what_to_check() -> None:
    with ScriptedService(is_listening=False) as iam, pytest.raises(NotSentError) as raised:
        token_of(keystone_auth(iam))
    message = str(raised.value)
    assert f"no answer from {iam.address}: " in message
    assert "refused" in message
    assert message.endswith("Check the address of IAM (dli:authUrl, or made from dli:region) and the network.")


def test_certificates_are_checked_as_it_is_said() -> None:
    with ScriptedService(issued("t1"), tls=True) as iam:
        with pytest.raises(NotSentError, match="CERTIFICATE_VERIFY_FAILED"):
            token_of(keystone_auth(iam))
        assert token_of(keystone_auth(iam, verify=str(CERTIFICATE))) == "t1"
        with pytest.raises(SettingsError, match=r"invalid path: /nowhere/ca\.pem\. Check dli:caCert, OS_CACERT and"):
            token_of(keystone_auth(iam, verify="/nowhere/ca.pem"))


def test_a_token_of_no_project_is_said_before_any_call_is_made_with_it(iam: ScriptedService) -> None:
    iam.script(issued("t1", project=None))
    with pytest.raises(SettingsError, match=r"the token belongs to no project\. Set dli:projectId or dli:projectName"):
        token_of(keystone_auth(iam))


def test_a_token_of_another_project_is_said_before_any_call_is_made_with_it(iam: ScriptedService) -> None:
    iam.script(issued("t1"))
    with pytest.raises(
        SettingsError, match=f"the token belongs to project {PROJECT}, not to project p2. Use credentials of project p2"
    ):
        token_of(keystone_auth(iam, project_id="p2"))


def test_a_second_factor_that_iam_wants_is_said(iam: ScriptedService) -> None:
    receipt = {"receipt": {"methods": ["password"], "user": {}, "expires_at": "2099-01-01T00:00:00.000000Z"}}
    headers = {"Openstack-Auth-Receipt": "r", "Content-Type": "application/json"}
    iam.script(Answer({**receipt, "required_auth_methods": [["password", "totp"]]}, 401, headers))
    with pytest.raises(SettingsError, match="Not all required auth rules"):
        token_of(keystone_auth(iam))


def test_a_refused_call_is_explained_by_where_the_credentials_were_found(iam: ScriptedService) -> None:
    assert keystone_auth(iam).explain(requests.Response()) == "Signed in with OS_USERNAME in the environment."


def test_what_fails_in_one_thread_fails_in_none_for_good(iam: ScriptedService) -> None:
    answers = [denied(503), issued("t1")]
    lock = threading.Lock()

    def answer(_: Call) -> Answer:
        with lock:
            return answers.pop(0)

    iam.answer = answer
    auth = keystone_auth(iam)

    def try_it(_: int) -> str:
        try:
            return token_of(auth)
        except DliError:
            return ""

    with ThreadPoolExecutor(8) as threads:
        assert sorted(set(threads.map(try_it, range(8)))) == ["", "t1"]


def test_a_call_to_iam_is_reported_and_says_who_calls(iam: ScriptedService) -> None:
    calls: list[HttpCall] = []
    iam.script(denied(503), issued("t1"))
    auth = keystone_auth(iam, observe=calls.append)
    with pytest.raises(SignInError):
        token_of(auth)
    token_of(auth)
    assert [(call.method, call.route, call.status) for call in calls] == [
        ("POST", "/v3/auth/tokens", 503),
        ("POST", "/v3/auth/tokens", 201),
    ]
    assert "s3cret" not in str(calls)
    assert iam.calls[0].headers["User-Agent"].startswith(user_agent() + " ")
