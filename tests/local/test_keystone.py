from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from pulumi_dli.local.credentials import Credentials
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


@pytest.mark.parametrize("document", [[], {}, {"auth": None}, {"auth": {"identity": {"methods": ["token"]}}}])
def test_no_token_for_a_body_of_another_form(api: Api, document: object) -> None:
    assert issue(api, document).status_code == 401


def test_the_project_is_looked_up_by_its_name(api: Api) -> None:
    account = api.account
    [project] = api.ask("GET", "/v3/projects", params={"name": account.project_name})["projects"]
    assert (project["id"], project["name"]) == (account.project_id, account.project_name)
    assert api.ask("GET", "/v3/projects")["projects"] == [project]
    assert api.ask("GET", "/v3/projects", params={"name": "eu-de"})["projects"] == []


def test_the_domain_is_that_of_the_user(api: Api) -> None:
    [domain] = api.ask("GET", "/v3/auth/domains")["domains"]
    assert (domain["id"], domain["name"]) == (api.account.domain_id, api.account.domain_name)
