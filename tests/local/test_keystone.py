from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.keystone import LOCK_AFTER
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, Clock


def sign_in(account: Credentials, *, user_domain: dict[str, str], project: dict[str, object]) -> dict[str, Any]:
    user = {"name": account.username, "password": account.password, "domain": user_domain}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}}


def by_names(account: Credentials) -> dict[str, Any]:
    domain = {"name": account.domain_name}
    return sign_in(account, user_domain=domain, project={"name": account.project_name, "domain": domain})


def issue(api: Api, document: object) -> requests.Response:
    return api.call("POST", "/v3/auth/tokens", headers={}, json=document)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(tmp_path: Path, clock: Clock) -> Iterator[Api]:
    with LocalDli(tmp_path, engine="timeline", now=clock) as dli:
        yield Api(dli.credentials)


def test_a_token_is_issued_for_user_password_and_project(timed: Api, clock: Clock) -> None:
    reply = issue(timed, by_names(timed.account))
    assert reply.status_code == 201
    token = reply.json()["token"]
    assert token["project"]["id"] == timed.account.project_id
    assert token["user"]["name"] == timed.account.username
    assert datetime.fromisoformat(token["issued_at"]) == datetime.fromtimestamp(clock.seconds, UTC)
    assert (
        timed.call("GET", timed.batches, headers={"X-Auth-Token": reply.headers["X-Subject-Token"]}).status_code == 200
    )


def test_a_token_ends_when_it_says(timed: Api, clock: Clock) -> None:
    reply = issue(timed, by_names(timed.account))
    headers = {"X-Auth-Token": reply.headers["X-Subject-Token"]}
    expires = datetime.fromisoformat(reply.json()["token"]["expires_at"]).timestamp()
    assert expires - clock.seconds == 24 * 3600
    clock.seconds = expires - 1
    assert timed.call("GET", timed.batches, headers=headers).status_code == 200
    clock.seconds = expires
    late = timed.call("GET", timed.batches, headers=headers)
    assert (late.status_code, late.json()["error_code"]) == (401, "APIGW.0307")


def test_the_token_of_the_credentials_file_never_ends(timed: Api, clock: Clock) -> None:
    clock.seconds += 10 * 365 * 24 * 3600
    assert timed.sessions() == []


def test_project_and_domain_may_be_named_by_their_ids(api: Api) -> None:
    account = api.account
    domain = {"id": account.domain_id}
    document = sign_in(account, user_domain=domain, project={"id": account.project_id})
    assert issue(api, document).status_code == 201


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "somebody"},
        {"password": "wrong"},
        {"password": "pässwörd"},
        {"domain_name": "elsewhere"},
        {"project_name": "eu-de"},
    ],
    ids=repr,
)
def test_no_token_for_wrong_credentials(api: Api, wrong: dict[str, str]) -> None:
    reply = issue(api, by_names(replace(api.account, **wrong)))
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == 401
    assert "X-Subject-Token" not in reply.headers


@pytest.mark.parametrize("project", [{}, {"id": "0" * 32}, {"name": None}, {"colour": "red"}], ids=repr)
def test_no_token_without_a_project_of_the_account(api: Api, project: dict[str, object]) -> None:
    document = sign_in(api.account, user_domain={"name": api.account.domain_name}, project=project)
    assert issue(api, document).status_code == 401


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"auth": None},
        {"auth": {"identity": {"methods": ["token"]}}},
        {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "local-user"}}}}},
        {"auth": {"identity": {"methods": ["totp"]}}},
    ],
)
def test_no_token_for_a_body_of_another_form(api: Api, document: object) -> None:
    reply = issue(api, document)
    assert (reply.status_code, reply.json()["error"]["title"]) == (400, "Bad Request")


def test_no_token_for_a_scope_of_another_form(api: Api) -> None:
    for scope in ({"project": []}, {"domain": {"name": "elsewhere"}}, {"system": {"all": True}}, "everything"):
        document = by_names(api.account)
        document["auth"]["scope"] = scope
        assert issue(api, document).status_code == 400


@pytest.mark.parametrize("scope", [None, "unscoped", {"domain": {"name": "local-domain"}}], ids=repr)
def test_a_token_of_no_project_is_issued_and_good_for_iam_alone(api: Api, scope: object) -> None:
    document = by_names(api.account)
    document["auth"]["scope"] = scope
    reply = issue(api, document)
    assert reply.status_code == 201
    assert "project" not in reply.json()["token"]
    headers = {"X-Auth-Token": reply.headers["X-Subject-Token"]}
    assert api.call("GET", "/v3/projects", headers=headers).status_code == 200
    refused = api.call("GET", api.batches, headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "APIGW.0302")


def by_token(token: str, scope: object) -> dict[str, Any]:
    return {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}}


def test_a_token_is_exchanged_for_one_of_the_project(api: Api) -> None:
    document = by_names(api.account)
    del document["auth"]["scope"]
    unscoped = issue(api, document).headers["X-Subject-Token"]
    reply = issue(api, by_token(unscoped, {"project": {"name": api.account.project_name}}))
    assert reply.json()["token"]["project"]["id"] == api.account.project_id
    headers = {"X-Auth-Token": reply.headers["X-Subject-Token"]}
    assert api.call("GET", api.batches, headers=headers).status_code == 200


def test_only_a_token_that_is_valid_is_exchanged(timed: Api, clock: Clock) -> None:
    project = {"project": {"id": timed.account.project_id}}
    assert issue(timed, by_token("wrong", project)).status_code == 401
    token = issue(timed, by_names(timed.account)).headers["X-Subject-Token"]
    assert issue(timed, by_token(token, project)).status_code == 201
    clock.seconds += 24 * 3600
    assert issue(timed, by_token(token, project)).status_code == 401


def by_application_credential(account: Credentials, **changes: str) -> dict[str, Any]:
    own = {"id": account.application_credential_id, "secret": account.application_credential_secret}
    return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": own | changes}}}


def test_an_application_credential_gets_a_token_of_its_project(api: Api) -> None:
    reply = issue(api, by_application_credential(api.account))
    assert reply.json()["token"]["project"]["id"] == api.account.project_id
    headers = {"X-Auth-Token": reply.headers["X-Subject-Token"]}
    assert api.call("GET", api.batches, headers=headers).status_code == 200


def test_an_application_credential_must_be_right_and_names_no_project(api: Api) -> None:
    for wrong in ({"id": "another"}, {"secret": "another"}):
        assert issue(api, by_application_credential(api.account, **wrong)).status_code == 401
    document = by_application_credential(api.account)
    document["auth"]["scope"] = {"project": {"id": api.account.project_id}}
    assert issue(api, document).status_code == 400


def test_a_token_that_was_revoked_is_no_token_any_more(api: Api) -> None:
    token = issue(api, by_names(api.account)).headers["X-Subject-Token"]
    headers = {"X-Auth-Token": api.account.token, "X-Subject-Token": token}
    assert api.call("DELETE", "/v3/auth/tokens", headers=headers).status_code == 204
    refused = api.call("GET", api.batches, headers={"X-Auth-Token": token})
    assert (refused.status_code, refused.json()["error_code"]) == (401, "APIGW.0301")
    assert api.call("DELETE", "/v3/auth/tokens", headers=headers).status_code == 404


def test_nobody_revokes_a_token_without_one(api: Api) -> None:
    for headers in ({"X-Subject-Token": api.account.token}, {"X-Auth-Token": "x", "X-Subject-Token": "x"}):
        assert api.call("DELETE", "/v3/auth/tokens", headers=headers).status_code == 401
    api.sessions()  # the token of the file is still good


def signed_request(
    api: Api, key: tuple[str, str], clock: Clock, security_token: str | None = None, *, method: str = "GET"
) -> SdkRequest:
    request = SdkRequest(
        method=method,
        host=api.account.endpoint.removeprefix("http://"),
        resource_path=api.batches,
        query_params=[],
        header_params={"X-Sdk-Date": f"{datetime.fromtimestamp(clock.seconds, UTC):%Y%m%dT%H%M%SZ}"}
        | ({"X-Security-Token": security_token} if security_token else {}),
    )
    Signer(BasicCredentials(*key)).sign(request)
    return request


def signed_get(api: Api, key: tuple[str, str], clock: Clock, security_token: str | None = None) -> requests.Response:
    request = signed_request(api, key, clock, security_token)
    return api.call("GET", request.uri, headers=request.header_params)


def told(reply: requests.Response) -> str:
    assert (reply.status_code, reply.json()["error_code"]) == (401, "APIGW.0301")
    return str(reply.json()["error_msg"])


def test_five_wrong_signatures_in_a_row_lock_a_key_for_five_minutes(timed: Api, clock: Clock) -> None:
    account = timed.account
    right, wrong = (account.access_key, account.secret_key), (account.access_key, "wrong")
    for _ in range(4):
        assert "verify aksk signature fail" in told(signed_get(timed, wrong, clock))
    assert signed_get(timed, right, clock).status_code == 200
    for _ in range(5):
        assert "verify aksk signature fail" in told(signed_get(timed, wrong, clock))
    for key in (right, wrong):
        assert "AK access failed to reach the limit" in told(signed_get(timed, key, clock))
    assert timed.sessions() == []  # a token goes on
    clock.seconds += 299
    assert "limit" in told(signed_get(timed, right, clock))
    clock.seconds += 1
    assert signed_get(timed, right, clock).status_code == 200


def test_calls_that_began_before_a_key_was_locked_are_refused_too(timed: Api, clock: Clock) -> None:
    wrong = signed_request(timed, (timed.account.access_key, "wrong"), clock, method="POST")
    connections = [HTTPConnection(timed.account.endpoint.removeprefix("http://"), timeout=30) for _ in range(7)]
    for connection in connections:
        connection.putrequest("POST", wrong.uri, skip_host=True)
        for name, value in {**wrong.header_params, "Content-Length": "2", "Expect": "100-continue"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        begun = connection.sock.recv(100)
        assert begun.startswith(b"HTTP/1.1 100 "), "the server asks for the body as soon as it has checked the headers"
    answers = []
    for connection in connections:
        connection.send(b"{}")
        answers.append(connection.getresponse().read().decode())
        connection.close()
    assert ["limit" in answer for answer in answers] == [False] * LOCK_AFTER + [True] * 2


def test_an_access_key_that_nobody_has_is_refused_as_such(timed: Api, clock: Clock) -> None:
    for _ in range(6):
        assert "ak not exist" in told(signed_get(timed, ("SOMEBODY", "s"), clock))


def issue_key(api: Api, **identity: Any) -> requests.Response:
    document = {"auth": {"identity": {"methods": ["token"], **identity}}}
    return api.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", json=document)


def test_a_temporary_key_signs_with_its_security_token_until_it_ends(timed: Api, clock: Clock) -> None:
    reply = issue_key(timed, token={"duration_seconds": 1200})
    assert reply.status_code == 201
    issued = reply.json()["credential"]
    key = issued["access"], issued["secret"]
    assert datetime.fromisoformat(issued["expires_at"]).timestamp() == clock.seconds + 1200
    clock.seconds += 1199
    assert signed_get(timed, key, clock, issued["securitytoken"]).status_code == 200
    assert "X-Security-Token is missing" in told(signed_get(timed, key, clock))
    clock.seconds += 1
    assert "the security token has expired" in told(signed_get(timed, key, clock, issued["securitytoken"]))


def test_a_temporary_key_lives_a_quarter_of_an_hour_unless_it_is_said(timed: Api, clock: Clock) -> None:
    for identity in ({}, {"token": {"id": "x"}}, {"token": None}):
        expires = issue_key(timed, **identity).json()["credential"]["expires_at"]
        assert datetime.fromisoformat(expires).timestamp() == clock.seconds + 900


@pytest.mark.parametrize("seconds", [899, 86401, "900", 900.5, True, None])
def test_no_temporary_key_for_another_time(api: Api, seconds: object) -> None:
    assert issue_key(api, token={"duration_seconds": seconds}).status_code == 400


def test_no_temporary_key_for_a_body_of_another_form_or_for_nobody(api: Api) -> None:
    path = "/v3.0/OS-CREDENTIAL/securitytokens"
    assert api.call("POST", path, json={"auth": {"identity": {"methods": ["assume_role"]}}}).status_code == 400
    assert api.call("POST", path, headers={}, json={}).status_code == 401


def test_the_project_is_looked_up_by_its_name(api: Api) -> None:
    account = api.account
    [project] = api.ask("GET", "/v3/projects", params={"name": account.project_name})["projects"]
    assert (project["id"], project["name"]) == (account.project_id, account.project_name)
    assert api.ask("GET", "/v3/projects")["projects"] == [project]
    assert api.ask("GET", "/v3/projects", params={"name": "eu-de"})["projects"] == []


def test_the_domain_is_that_of_the_user(api: Api) -> None:
    [domain] = api.ask("GET", "/v3/auth/domains")["domains"]
    assert (domain["id"], domain["name"]) == (api.account.domain_id, api.account.domain_name)
