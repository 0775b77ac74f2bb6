"""What is reported of each call, who it says that it comes from, and that nothing secret is reported."""

import logging
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, NotSentError
from pulumi_dli.api.http_session import HttpCall, HttpSession, request_id_of, route_of, user_agent
from pulumi_dli.api.location import Location
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import KeyAuth, TokenAuth
from tests.fakes import CUT, PROJECT, Answer, FakeClock, ScriptedService

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
JOB = Answer({"id": ID, "state": "running"}, 200, {"X-Request-Id": "6f0c2d6e8a414b7d"})


@pytest.fixture
def calls() -> list[HttpCall]:
    return []


@pytest.fixture
def client(service: ScriptedService, calls: list[HttpCall]) -> Client:
    return Client(service.location, TokenAuth("the-token"), RetryPolicy(clock=FakeClock()), observe=calls.append)


# One report a call


def test_a_call_is_reported_with_its_route_its_outcome_and_its_request_id(
    service: ScriptedService, client: Client, calls: list[HttpCall]
) -> None:
    service.script(JOB)
    client.details(ID)
    assert calls == [HttpCall("GET", "/v2.0/{project_id}/batches/{batch_id}", 200, 0, 1, "6f0c2d6e8a414b7d")]
    assert str(calls[0]) == (
        "GET /v2.0/{project_id}/batches/{batch_id}: 200 in 0 ms, attempt 1, request id 6f0c2d6e8a414b7d"
    )


def test_each_attempt_is_reported_and_counted(service: ScriptedService, client: Client, calls: list[HttpCall]) -> None:
    service.script(Answer(b"", 503), CUT, JOB, JOB)
    client.details(ID)
    client.details(ID)
    assert [(call.attempt, call.status) for call in calls] == [(1, 503), (2, None), (3, 200), (1, 200)]
    assert str(calls[1]).endswith(": no answer (ConnectionError) in 0 ms, attempt 2")


def test_a_password_of_netrc_is_not_sent(
    service: ScriptedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    service.script(JOB, JOB)
    assert requests.get(service.location.endpoint, timeout=10).request.headers["Authorization"].startswith("Basic ")
    HttpSession().get(service.location.endpoint, timeout=10)
    assert service.calls[-1].headers["Authorization"] is None


def test_the_proxies_of_the_environment_are_kept_for_ten_seconds(
    service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    session = HttpSession(now=clock.now)
    with ScriptedService(JOB, JOB) as first, ScriptedService(JOB) as second:
        for proxy, pause in ((first, 0.0), (second, 10.0), (second, 0.5)):
            clock.sleep(pause)
            monkeypatch.setenv("http_proxy", proxy.location.endpoint)
            session.get("http://dli.example.com/v2.0", timeout=10)
        service.script(JOB)
        session.get(service.location.endpoint, timeout=10)
        assert [len(one.calls) for one in (first, second, service)] == [2, 1, 1]


def test_a_call_that_finds_no_connection_is_reported(calls: list[HttpCall]) -> None:
    with ScriptedService(is_listening=False) as service:
        policy = RetryPolicy(max_retries=0, clock=FakeClock())
        with pytest.raises(NotSentError):
            Client(service.location, TokenAuth("t"), policy, observe=calls.append).details(ID)
    assert [(call.status, call.failure) for call in calls] == [(None, "ConnectionError")]


def test_the_time_of_a_call_is_in_milliseconds(service: ScriptedService, calls: list[HttpCall]) -> None:
    times = iter([10.0, 10.0, 10.1234])
    service.script(JOB)
    HttpSession(calls.append, lambda: next(times)).get(f"{service.location.endpoint}/v3/projects")
    assert (calls[0].milliseconds, calls[0].route) == (123, "/v3/projects")


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("https://dli.example.com/v2.0/p1/batches", "/v2.0/{project_id}/batches"),
        ("https://dli.example.com/v2.0/p1/batches/a/state", "/v2.0/{project_id}/batches/{batch_id}/state"),
        ("https://dli.example.com/v2.0/p1/batches/a/log?type=driver", "/v2.0/{project_id}/batches/{batch_id}/log"),
        ("https://me:s3cret@proxy.example.com/s3cret/v2.0/p1/batches", "/{}/v2.0/{project_id}/batches"),
        ("https://iam.example.com/v3/auth/tokens?nocatalog", "/v3/auth/tokens"),
        ("https://iam.example.com", "/{}"),
    ],
)
def test_a_route_has_only_words_of_the_api(url: str, route: str) -> None:
    assert route_of(url) == route


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({}, ""),
        ({"X-Request-Id": "a-1.b_2"}, "a-1.b_2"),
        ({"X-Openstack-Request-Id": "req-7"}, "req-7"),
        ({"X-Request-Id": "no id at all", "X-Openstack-Request-Id": "req-7"}, "req-7"),
        ({"X-Request-Id": "a" * 65}, ""),
    ],
)
def test_a_request_id_is_reported_if_it_looks_like_one(headers: dict[str, str], request_id: str) -> None:
    response = requests.Response()
    response.headers.update(headers)
    assert request_id_of(response) == request_id


# Who calls


def test_each_call_says_who_calls(service: ScriptedService, client: Client) -> None:
    service.script(JOB)
    client.details(ID)
    agent = service.calls[0].headers["User-Agent"]
    assert agent == user_agent()
    name, python, pulumi = agent.split()
    assert name.startswith("pulumi-dli")
    assert python.startswith("python/3.")
    assert pulumi == f"pulumi/{version('pulumi')}"


# Nothing secret

secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#%\\"), min_size=8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(secret=secrets, status=st.sampled_from([200, 302, 400, 401, 403, 404, 500]), is_key=st.booleans())
def test_no_secret_of_a_header_a_body_or_an_address_is_logged(
    service: ScriptedService, caplog: pytest.LogCaptureFixture, *, secret: str, status: int, is_key: bool
) -> None:
    caplog.clear()
    caplog.set_level(logging.DEBUG, logger="pulumi_dli")
    service.answer = lambda _: Answer(
        {"id": secret, "error_code": secret, "error_msg": secret, "req_body": secret},
        status,
        {"X-Subject-Token": secret, "Set-Cookie": secret, "X-Request-Id": "6f0c2d6e"},
    )
    auth = KeyAuth(secret, secret, security_token=secret) if is_key else TokenAuth(secret)
    place = Location(f"{service.location.endpoint}/{quote(secret)}", secret, secret)
    client = Client(place, auth, RetryPolicy(max_retries=1, clock=FakeClock()))
    for call in (
        lambda: client.create({"args": [secret], "conf": {secret: secret}}),
        lambda: client.details(secret),
        lambda: client.log(secret),
        lambda: client.page({"job_name": secret}),
    ):
        with suppress(DliError):
            call()
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("pulumi_dli")]
    assert len(lines) >= 4
    written = "\n".join(lines)
    assert secret not in written
    assert quote(secret) not in written
    assert all(record.exc_info is None for record in caplog.records if record.name.startswith("pulumi_dli"))


def test_the_project_is_not_reported(service: ScriptedService, client: Client, calls: list[HttpCall]) -> None:
    service.script(Answer({"sessions": []}))
    client.page({})
    assert PROJECT not in str(calls[0])
