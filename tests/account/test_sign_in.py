"""Every way to sign in, from every place it can come from, against the local DLI over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from pulumi_dli.api.errors import DliError, ServiceError, SettingsError, SignInError
from pulumi_dli.jobs.messages import forget_advice_message
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.wait_inputs import WaitInputs
from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.testing import Service
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.batch_job_wait import BatchJobWaits
from pulumi_dli.operations.context import ProviderContext
from tests.engine import ProviderProcess
from tests.fakes import CERTIFICATE, CUT, PROJECT, Answer, FakeClock, FakeNotifier, ScriptedService
from tests.project import FOREIGN, Project, clean_environment

DAY = 24 * 3600.0
BODY = {"file": "obs://demo/load.py", "className": "", "queue": "default"}
ENDLESS = {"conf": {"spark.dli.local.timeline": "starting:0s,running"}}


class Clock:
    """The service's clock: this machine's, put forward or back."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def dli(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("dli"), now=clock) as running:
        yield running


@pytest.fixture
def account(dli: Service, clock: Clock) -> Iterator[Credentials]:
    """The account of the local DLI, whose clock is right when a test begins."""
    clock.offset = 0.0
    yield dli.server.credentials
    clock.offset = 0.0


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


# Each way to sign in: its settings, as `pulumi config set` names them


def temporary_key(account: Credentials) -> dict[str, str]:
    issued = requests.post(
        f"{account.auth_url}.0/OS-CREDENTIAL/securitytokens",
        json={"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": 900}}}},
        headers={"X-Auth-Token": account.token},
        timeout=10,
    ).json()["credential"]
    return {
        "accessKey": issued["access"],
        "secretKey": issued["secret"],
        "securityToken": issued["securitytoken"],
    }


def way(name: str, account: Credentials) -> dict[str, str]:
    user = {"username": account.username, "password": account.password}
    ways = {
        "token": lambda: {"token": account.token},
        "key": lambda: {"accessKey": account.access_key, "secretKey": account.secret_key},
        "temporary key": lambda: temporary_key(account),
        "password, domain by name": lambda: user | {"domainName": account.domain_name},
        "password, domain by id": lambda: user | {"domainId": account.domain_id},
        "password, user by id": lambda: {"userId": account.user_id, "password": account.password},
        "application credential": lambda: {
            "applicationCredentialId": account.application_credential_id,
            "applicationCredentialSecret": account.application_credential_secret,
        },
    }
    return ways[name]()


KEYSTONE = ["password, domain by name", "password, domain by id", "password, user by id", "application credential"]
WAYS = ["token", "key", "temporary key", *KEYSTONE]
PROJECTS = ["by its id", "by its name", "by the region's name"]

VARIABLES = {
    "OpenStack's variables": {
        "region": "OS_REGION_NAME",
        "authUrl": "OS_AUTH_URL",
        "projectId": "OS_PROJECT_ID",
        "projectName": "OS_PROJECT_NAME",
        "token": "OS_TOKEN",
        "accessKey": "OS_ACCESS_KEY",
        "secretKey": "OS_SECRET_KEY",
        "securityToken": "OS_SECURITY_TOKEN",
        "username": "OS_USERNAME",
        "userId": "OS_USER_ID",
        "password": "OS_PASSWORD",
        "domainName": "OS_USER_DOMAIN_NAME",
        "domainId": "OS_USER_DOMAIN_ID",
        "applicationCredentialId": "OS_APPLICATION_CREDENTIAL_ID",
        "applicationCredentialSecret": "OS_APPLICATION_CREDENTIAL_SECRET",
    },
    "variables of Terraform on Huawei Cloud": {
        "region": "HW_REGION_NAME",
        "authUrl": "HW_AUTH_URL",
        "projectId": "HW_PROJECT_ID",
        "projectName": "HW_PROJECT_NAME",
        "token": "HW_AUTH_TOKEN",
        "accessKey": "HW_ACCESS_KEY",
        "secretKey": "HW_SECRET_KEY",
        "securityToken": "HW_SECURITY_TOKEN",
        "username": "HW_USER_NAME",
        "userId": "HW_USER_ID",
        "password": "HW_USER_PASSWORD",
        "domainName": "HW_DOMAIN_NAME",
        "domainId": "HW_DOMAIN_ID",
    },
    "variables of Huawei Cloud's SDK": {
        "region": "DLI_REGION",
        "authUrl": "HUAWEICLOUD_SDK_IAM_ENDPOINT",
        "projectId": "HUAWEICLOUD_SDK_PROJECT_ID",
        "projectName": "OS_TENANT_NAME",
        "accessKey": "HUAWEICLOUD_SDK_AK",
        "secretKey": "HUAWEICLOUD_SDK_SK",
        "securityToken": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
}
FILE_KEYS = {"accessKey": "ak", "secretKey": "sk", "securityToken": "security_token"}
CLOUD_KEYS = {
    "authUrl": "auth_url",
    "projectId": "project_id",
    "projectName": "project_name",
    "token": "token",
    "username": "username",
    "userId": "user_id",
    "password": "password",
    "domainName": "user_domain_name",
    "domainId": "user_domain_id",
    "applicationCredentialId": "application_credential_id",
    "applicationCredentialSecret": "application_credential_secret",
}
CLOUD_TYPES = {"token": "v3token", "application credential": "v3applicationcredential"}

OPENSTACK, TERRAFORM, _ = VARIABLES
PLACES = {
    "key": [*VARIABLES, "the SDK's file"],
    "temporary key": [*VARIABLES, "the SDK's file"],
    "application credential": [OPENSTACK, "clouds.yaml"],
    "password, user by id": [OPENSTACK, TERRAFORM],  # in clouds.yaml the name of a project needs its domain
}
TABLE = [
    (kind, place)
    for kind in WAYS
    for place in ("the stack's configuration", *PLACES.get(kind, [OPENSTACK, TERRAFORM, "clouds.yaml"]))
]


def context(configuration: Mapping[str, str], clock: FakeClock | None = None) -> ProviderContext:
    return ProviderContext({"dli:retryPause": "0.001", **configuration}, FakeNotifier(), clock)


def put(place: str, values: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> dict[str, str]:
    """Put settings in a place; give the stack's configuration, which also has what the place has no name for."""
    if place in VARIABLES:
        for key in list(values):
            monkeypatch.setenv(VARIABLES[place][key], values.pop(key))
    elif place == "the SDK's file":
        section = {FILE_KEYS[key]: values.pop(key) for key in list(values) if key in FILE_KEYS}
        section["iam_endpoint"] = values.pop("authUrl").removesuffix("/v3")
        if "projectId" in values:
            section["project_id"] = values.pop("projectId")
        (folder / ".huaweicloud").mkdir()
        lines = ["[basic]", *(f"{key} = {value}" for key, value in section.items())]
        (folder / ".huaweicloud" / "credentials").write_text("\n".join(lines))
    elif place == "clouds.yaml":
        cloud: dict[str, Any] = {"region_name": values.pop("region"), "auth_type": CLOUD_TYPES.get(kind, "password")}
        cloud["auth"] = {CLOUD_KEYS[key]: values.pop(key) for key in list(values)}
        if kind == "token":
            cloud["auth"]["project_domain_name"] = "local-domain"
        (folder / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"mine": cloud}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "clouds.yaml"))
        monkeypatch.setenv("OS_CLOUD", "mine")
    return {f"dli:{key}": value for key, value in values.items()}


def known(account: Credentials) -> dict[str, str]:
    """Say where the local DLI is, in the stack's configuration."""
    return {"dli:endpoint": account.endpoint, "dli:region": account.region, "dli:authUrl": account.auth_url}


def configured(account: Credentials, kind: str, **changes: str) -> dict[str, str]:
    return known(account) | {f"dli:{key}": value for key, value in (way(kind, account) | changes).items()}


@pytest.mark.parametrize("project", ["its id", "its name", "the region's name"])
@pytest.mark.parametrize(("kind", "place"), TABLE)
def test_a_job_is_submitted_and_read_by_each_way_from_each_place(
    *, account: Credentials, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, place: str, project: str
) -> None:
    values = {"region": account.region, "authUrl": account.auth_url, **way(kind, account)}
    if (kind, place) != ("application credential", "clouds.yaml"):  # there it must not name a project
        named = {"its id": {"projectId": account.project_id}, "its name": {"projectName": account.project_name}}
        values |= named.get(project, {})
    configuration = put(place, values, tmp_path, monkeypatch, kind)
    client = context(configuration | {"dli:endpoint": account.endpoint}).client()
    batch = client.create({**BODY, "name": f"{kind} {place}"})
    assert client.details(batch.id).owner == account.username
    assert client.location.project_id == account.project_id


@pytest.mark.parametrize("kind", WAYS)
def test_a_provider_process_signs_in_by_the_stacks_configuration(account: Credentials, kind: str) -> None:
    with ProviderProcess({}, configured(account, kind)) as provider:
        _, outputs = provider.jobs.declare({"resourceName": "load", "scope": "0a1b2c3d", "file": "a.py"})
    assert outputs["owner"] == account.username
    assert outputs["submittedTo"] == {"region": account.region, "projectId": account.project_id}


# What is asked of IAM


def asked(dli: Service) -> dict[str, int]:
    """Count what was asked of IAM since this was called last."""
    counts = {route: count for route, count in dli.calls().items() if "/v3" in route}
    dli.reset_calls()
    return counts


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("key", {"GET /v3/projects": 1}),
        ("token", {"POST /v3/auth/tokens": 1}),
        *((kind, {"POST /v3/auth/tokens": 1}) for kind in KEYSTONE),
    ],
)
def test_iam_is_asked_once_however_many_jobs_and_threads_there_are(
    dli: Service, account: Credentials, kind: str, calls: dict[str, int]
) -> None:
    signed_in = context(configured(account, kind))
    asked(dli)
    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(lambda _: signed_in.client().page({}), range(20)))
    stored = {"region": account.region, "projectId": account.project_id}
    pages.append(signed_in.client_of(stored).page({}))
    assert len(pages) == 21
    assert asked(dli) == calls


@pytest.mark.parametrize("kind", ["key", "token"])
def test_with_the_projects_id_a_key_and_a_token_need_no_iam(dli: Service, account: Credentials, kind: str) -> None:
    asked(dli)
    context(configured(account, kind, projectId=account.project_id, authUrl="http://127.0.0.1:1")).client().page({})
    assert asked(dli) == {}


def test_a_key_imports_nothing_of_openstack(account: Credentials) -> None:
    program = """
        import json, os, sys
        from pulumi_dli.engine_log import StderrLog
        from pulumi_dli.operations.context import ProviderContext
        ProviderContext(json.loads(os.environ["CONFIGURATION"]), StderrLog()).client().page({})
        print(sorted({name.split(".")[0] for name in sys.modules} & {"keystoneauth1", "openstack", "stevedore"}))
    """
    lines = "\n".join(line.strip() for line in program.splitlines())
    imported = {}
    for kind in ("key", "application credential"):
        environment = clean_environment({"CONFIGURATION": json.dumps(configured(account, kind))})
        command = [sys.executable, "-c", lines]
        imported[kind] = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert imported["key"] == "[]\n"
    assert "keystoneauth1" in imported["application credential"]
    assert "openstack" not in imported["application credential"]


# The end of a token


def revoke_token_of(signed_in: ProviderContext, account: Credentials) -> None:
    auth = signed_in.sign_in.auth(account.project_id, account.region)
    token = requests.Request("GET", account.endpoint, auth=auth).prepare().headers["X-Auth-Token"]
    headers = {"X-Auth-Token": account.token, "X-Subject-Token": token}
    requests.delete(f"{account.auth_url}/auth/tokens", headers=headers, timeout=10).raise_for_status()


@pytest.mark.parametrize("kind", ["token", *KEYSTONE])
@pytest.mark.parametrize("end", ["expires", "is revoked"])
def test_a_token_that_ends_in_the_middle_of_a_wait_is_renewed_once(
    *, dli: Service, account: Credentials, clock: Clock, kind: str, end: str
) -> None:
    looks = 0

    def during_sleep() -> None:
        nonlocal looks
        looks += 1
        if looks == 2 and end == "expires":
            clock.offset += DAY
        elif looks == 2:
            revoke_token_of(signed_in, account)
        elif looks == 4:
            dli.cancel(batch.id)

    signed_in = context(configured(account, kind), FakeClock(during_sleep))
    batch = signed_in.client().create({**BODY, **ENDLESS})
    asked(dli)
    outputs = BatchJobWaits(signed_in).wait(
        WaitInputs.parse({"jobId": batch.id, "jobName": "load", "until": "finished"})
    )
    assert outputs["state"] == "dead"
    assert looks >= 4
    assert asked(dli)["POST /v3/auth/tokens"] == 1


@pytest.mark.parametrize("kind", KEYSTONE)
def test_a_submission_whose_token_has_ended_is_made_once_with_a_new_one(
    dli: Service, account: Credentials, clock: Clock, kind: str
) -> None:
    client = context(configured(account, kind, maxRetries="0")).client()
    client.page({})
    clock.offset += DAY
    asked(dli)
    name = f"submitted with a new token, {kind}"
    client.create({**BODY, "name": name})
    assert len(dli.jobs(name)) == 1
    assert asked(dli) == {"POST /v3/auth/tokens": 1}


@pytest.mark.parametrize("kind", KEYSTONE)
def test_a_token_is_renewed_before_the_service_refuses_it(
    dli: Service, account: Credentials, clock: Clock, kind: str
) -> None:
    clock.offset = 100 - DAY  # what is issued now ends in 100 seconds
    client = context(configured(account, kind)).client()
    clock.offset = 0
    dli.reset_calls()
    client.page({})
    assert dli.calls() == {"POST /v3/auth/tokens": 1, "GET /batches": 1}


# What is refused

Refusal = tuple[str, dict[str, str], type[DliError], list[str]]
NO_TELLING = "IAM gives the same answer for a wrong domain and for a wrong password."
FROM_STACK = "in the stack's configuration"
FOREIGN_PROJECT = {"projectId": "0" * 32}
REFUSED: dict[str, Refusal] = {
    "a wrong password": (
        "password, domain by name",
        {"password": "wrong"},
        SignInError,
        ["HTTP 401, not authenticated: The username or password is wrong.", NO_TELLING],
    ),
    "a wrong domain": (
        "password, domain by name",
        {"domainName": "elsewhere"},
        SignInError,
        [f"with dli:username, dli:password and dli:domainName {FROM_STACK}, for project local-1: HTTP 401", NO_TELLING],
    ),
    "a wrong name of the project, with a password": (
        "password, domain by id",
        {"projectName": "eu-de"},
        SignInError,
        ["HTTP 401", "The project is not one of this user"],
    ),
    "a wrong name of the project, with a key": (
        "key",
        {"projectName": "eu-de"},
        SettingsError,
        ["no project: IAM (", "was asked for the name 'eu-de': no project has this name. Set dli:projectId"],
    ),
    "a foreign project, with a key": (
        "key",
        FOREIGN_PROJECT,
        ServiceError,
        [
            "APIGW.0302 403, the user may not call this API",
            f"Signed in with dli:accessKey and dli:secretKey {FROM_STACK}.",
        ],
    ),
    "a foreign project, with a password": (
        "password, domain by name",
        FOREIGN_PROJECT,
        SignInError,
        ["HTTP 401", "The project is not one of this user"],
    ),
    "a foreign project, with an application credential": (
        "application credential",
        FOREIGN_PROJECT,
        SettingsError,
        ["the token belongs to project ", f"not to project {'0' * 32}."],
    ),
    "a wrong application credential": (
        "application credential",
        {"applicationCredentialSecret": "wrong"},
        SignInError,
        ["HTTP 401", "The application credential is not valid"],
    ),
    "a wrong token": (
        "token",
        {"token": "wrong", "projectId": "p1"},
        ServiceError,
        [
            "APIGW.0301 401, wrong credentials or signature: ",
            "decrypt token fail. Check the key pair or token",
            f"Signed in with dli:token {FROM_STACK}, which is sent as it is and has to be a token of project p1.",
        ],
    ),
    "a wrong token that is to be exchanged": (
        "token",
        {"token": "wrong"},
        SignInError,
        ["HTTP 401", "The token is not valid or has expired.", "the token is exchanged for one of the project"],
    ),
    "a wrong secret key": (
        "temporary key",
        {"secretKey": "wrong", "projectId": "p1"},
        ServiceError,
        ["APIGW.0301 401", "verify aksk signature fail", "Five wrong signatures in a row lock a key for 5 minutes."],
    ),
    "an access key that nobody has": (
        "key",
        {"accessKey": "SOMEBODY"},
        ServiceError,
        ["GET ", "/v3/projects: APIGW.0301 401", "ak not exist", "Check the key pair or token"],
    ),
    "a temporary key without its security token": (
        "temporary key",
        {"securityToken": "", "projectId": "p1"},
        ServiceError,
        ["APIGW.0301 401", "X-Security-Token is missing"],
    ),
    "a security token beside a key that is not temporary": (
        "key",
        {"securityToken": "any", "projectId": "p1"},
        ServiceError,
        ["APIGW.0301 401", "the access key is permanent", "dli:accessKey, dli:secretKey and dli:securityToken"],
    ),
}


def refused(configuration: Mapping[str, str], error: type[DliError], told: list[str], account: Credentials) -> str:
    """Sign in, which has to fail with these parts in the message and no secret; give the message."""
    with pytest.raises(error) as raised:
        context(configuration).client().page({})
    message = str(raised.value)
    assert [part for part in told if part not in message] == [], message
    secrets = {account.password, account.token, account.secret_key, account.application_credential_secret}
    secrets |= {value for key, value in configuration.items() if key.endswith(("Key", "Token", "password", "Secret"))}
    assert [secret for secret in secrets if len(secret) > 5 and secret in message] == []
    return message


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_services_refuse_is_said_with_what_to_do(account: Credentials, case: str) -> None:
    kind, changes, error, told = REFUSED[case]
    refused(configured(account, kind, **changes), error, told, account)


def test_a_token_of_no_project_is_refused_by_dli_and_exchanged_where_no_project_is_given(account: Credentials) -> None:
    user = {"name": account.username, "password": account.password, "domain": {"name": account.domain_name}}
    document = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    reply = requests.post(f"{account.auth_url}/auth/tokens", json=document, timeout=10)
    unscoped = configured(account, "token", token=reply.headers["X-Subject-Token"])
    told = ["APIGW.0302 403", f"which is sent as it is and has to be a token of project {account.project_id}."]
    refused({**unscoped, "dli:projectId": account.project_id}, ServiceError, told, account)
    assert context(unscoped).client().location.project_id == account.project_id


def test_a_token_of_the_user_that_has_expired_is_told(account: Credentials, clock: Clock) -> None:
    auth = context(configured(account, KEYSTONE[0])).sign_in.auth(account.project_id, account.region)
    token = requests.Request("GET", account.endpoint, auth=auth).prepare().headers["X-Auth-Token"]
    clock.offset += DAY
    told = ["APIGW.0307 401, the token has expired or is of another region", "Get a new token, of this region."]
    refused(configured(account, "token", token=token, projectId=account.project_id), ServiceError, told, account)


def test_a_temporary_key_that_has_expired_is_told(account: Credentials, clock: Clock) -> None:
    clock.offset = -14 * 60
    configuration = configured(account, "temporary key", projectId=account.project_id)
    clock.offset = 0
    context(configuration).client().page({})
    clock.offset = 60
    refused(configuration, ServiceError, ["APIGW.0301 401", "the security token has expired"], account)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_wrong_is_told(account: Credentials, clock: Clock, minutes: int) -> None:
    clock.offset = minutes * 60
    told = ["APIGW.0301 401", "signature expired, signature time:", "With a key, check the clock of this machine too"]
    refused(configured(account, "key", projectId=account.project_id), ServiceError, told, account)


def test_a_key_that_is_locked_is_told_and_opens_after_five_minutes(account: Credentials, clock: Clock) -> None:
    right = configured(account, "temporary key", projectId=account.project_id)
    for _ in range(5):
        refused({**right, "dli:secretKey": "wrong"}, ServiceError, ["verify aksk signature fail"], account)
    told = ["AK access failed to reach the limit", "Five wrong signatures in a row lock a key for 5 minutes."]
    refused(right, ServiceError, told, account)
    clock.offset += 300
    context(right).client().page({})


def test_a_wrong_signature_is_not_tried_again(dli: Service, account: Credentials) -> None:
    configuration = configured(account, "temporary key", secretKey="wrong", projectId="p1", maxRetries="5")
    dli.reset_calls()
    refused(configuration, ServiceError, ["verify aksk signature fail"], account)
    assert dli.calls() == {"GET /batches": 1}


# Where it is signed in


@pytest.mark.parametrize(
    ("kind", "missing", "told"),
    [
        ("key", ["region", "authUrl"], "no project: set dli:projectId (pulumi config set), or DLI_PROJECT_ID"),
        (
            "key",
            ["authUrl"],
            "or the address of IAM, which finds it by its name: dli:authUrl (pulumi config set), or OS",
        ),
        (
            KEYSTONE[0],
            ["region"],
            "or its name, dli:projectName (pulumi config set), or OS_PROJECT_NAME, OS_TENANT_NAME",
        ),
        (
            KEYSTONE[0],
            ["authUrl"],
            "no address of IAM: set dli:authUrl (pulumi config set), or OS_AUTH_URL, HW_AUTH_URL",
        ),
        ("token", ["authUrl"], "no address of IAM: set dli:authUrl (pulumi config set), or OS_AUTH_URL, HW_AUTH_URL"),
    ],
)
def test_what_is_missing_is_named_with_every_place_where_it_was_looked_for(
    account: Credentials, kind: str, missing: list[str], told: str
) -> None:
    configuration = configured(account, kind)
    for key in missing:
        del configuration[f"dli:{key}"]
    refused(configuration, SettingsError, [told], account)


def test_two_projects_of_one_name_are_not_chosen_from() -> None:
    projects = [{"id": "p1", "name": "eu-de"}, {"id": "p2", "name": "eu-de"}, {"id": "p3", "name": "eu-de-other"}]
    with ScriptedService(Answer({"projects": projects})) as iam:
        configuration = {"dli:accessKey": "a", "dli:secretKey": "s", "dli:region": "eu-de"}
        with pytest.raises(SettingsError, match=r"2 projects have the name 'eu-de': p1, p2\. Set dli:projectId"):
            context({**configuration, "dli:authUrl": iam.location.endpoint}).client()
        assert iam.calls[0].url == "/v3/projects?name=eu-de"
        assert "X-Project-Id" not in iam.calls[0].headers


@pytest.mark.parametrize("kind", ["key", KEYSTONE[0]])
def test_an_iam_that_fails_for_a_moment_is_asked_again(account: Credentials, kind: str) -> None:
    token = {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": "p1", "name": "n", "domain": {"id": "d"}}}
    answers = {
        "key": Answer({"projects": [{"id": "p1", "name": account.region}]}),
        KEYSTONE[0]: Answer({"token": token}, 201, {"X-Subject-Token": "t"}),
    }
    with ScriptedService(Answer(b"", 503), CUT, answers[kind]) as iam:
        client = context(configured(account, kind, authUrl=iam.location.endpoint)).client()
    assert client.location.project_id == "p1"


def test_a_job_of_another_project_gets_a_token_of_that_project(account: Credentials) -> None:
    with pytest.raises(SignInError, match="The project is not one of this user"):
        context(configured(account, KEYSTONE[0])).client_of({"region": None, "projectId": "0" * 32}).page({})


@pytest.mark.parametrize("project", ["projectId", "projectName"])
def test_a_job_is_looked_up_where_it_was_submitted_and_a_refusal_names_both_projects(
    account: Credentials, project: str
) -> None:
    own = {"projectId": account.project_id, "projectName": account.project_name}[project]
    jobs = BatchJobs(context(configured(account, "key", **{project: own})))
    elsewhere = {"resourceName": "load", "submittedTo": {"region": account.region, "projectId": "0" * 32}}
    with pytest.raises(DliError) as raised:
        jobs.read("7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b", StoredJob.parse(elsewhere))
    assert str(raised.value).startswith(
        f"load: The job was submitted in region {account.region}, project {'0' * 32}. The settings now name region "
        f"{account.region}, project {account.project_id}. GET "
    )
    assert str(raised.value).endswith(f" {forget_advice_message('0' * 32)}")


def test_certificates_are_checked_for_a_cloud_as_its_file_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = {
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "project": {"id": PROJECT, "name": "n", "domain": {"id": "d"}},
    }
    answers = Answer({"token": token}, 201, {"X-Subject-Token": "t"}), Answer({"sessions": []})
    with ScriptedService(*answers, tls=True) as service:
        values = {"region": "eu-de", "authUrl": f"{service.location.endpoint}/v3", "token": "t", "projectId": PROJECT}
        put("clouds.yaml", values, tmp_path, monkeypatch, "token")
        cloud = yaml.safe_load((tmp_path / "clouds.yaml").read_text())
        cloud["clouds"]["mine"]["cacert"] = str(CERTIFICATE)
        (tmp_path / "clouds.yaml").write_text(yaml.safe_dump(cloud))
        assert context({"dli:endpoint": service.location.endpoint}).client().page({}).sessions == []


# Several stacks


def test_two_stacks_with_two_accounts_in_one_process_do_not_mix(
    dli: Service, account: Credentials, tmp_path: Path
) -> None:
    with Service(tmp_path / "other") as other:
        sessions = [context(configured(one, KEYSTONE[0])) for one in (account, other.server.credentials)]
        with ThreadPoolExecutor(8) as threads:
            for turn in range(20):
                threads.submit(lambda own=turn % 2: sessions[own].client().create({**BODY, "name": f"of {own}"}))
        assert len(dli.jobs("of 0")) == len(other.jobs("of 1")) == 10
        assert dli.jobs("of 1") == other.jobs("of 0") == []


PROGRAM = """
    job = dli.BatchJob("load", file="load.py", queue="default")
    pulumi.export("owner", job.owner)
    pulumi.export("state", job.wait().state)
"""


def test_two_stacks_at_once_each_sign_in_by_their_own_secrets_in_program_and_provider(tmp_path: Path) -> None:
    with Service(tmp_path / "a") as one, Service(tmp_path / "b") as other:
        somebody = {"OS_TOKEN": "of somebody else", "DLI_ENDPOINT": "http://127.0.0.1:9"}
        projects = [Project(tmp_path / f"project-{dli.server.data.name}", somebody) for dli in (one, other)]
        for project, dli in zip(projects, (one, other), strict=True):
            project.write(PROGRAM)
            for key, value in configured(dli.server.credentials, KEYSTONE[0], pollInterval="0.2s").items():
                project.pulumi("config", "set", *(["--secret"] if key == "dli:password" else []), key, value)
        with ThreadPoolExecutor(2) as threads:
            screens = list(threads.map(lambda project: project.up(), projects))
        for project, dli, screen in zip(projects, (one, other), screens, strict=True):
            assert project.output("state") == "success"
            assert project.output("owner") == dli.server.credentials.username
            assert len(dli.jobs()) == 1
            stored = json.dumps(project.state_of("load")) + (project.folder / "Pulumi.dev.yaml").read_text()
            assert dli.server.credentials.password not in stored + screen
            assert dli.calls()["POST /v3/auth/tokens"] == 2  # for the gate in the program, for the provider
