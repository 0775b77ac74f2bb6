"""The settings of a provider resource."""

import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.credentials import configuration_keys
from pulumi_dli.account.settings import Settings
from pulumi_dli.account.sign_in import SignIn
from pulumi_dli.api.errors import NoCredentialsError, SettingsError
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.plugin.configuration import checked, configuration_of, failures
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.urn import Urn
from tests.fakes import PROJECT, Answer, Call, ScriptedService
from tests.plugin.engine import Plugin, PluginError, job_urn
from tests.project import FOREIGN

DEFAULT = Urn.parse("urn:pulumi:dev::jobs::pulumi:providers:dli::default_0_1_0")
EXPLICIT = Urn.parse("urn:pulumi:dev::jobs::pulumi:providers:dli::second-account")
OWN = Urn.parse("urn:pulumi:dev::dli::pulumi:providers:dli::default")


def test_the_state_gets_settings_and_the_engines_own_keys_only() -> None:
    values = {"region": "eu-de", "jobs": '{"load": {"args": ["hunter2"]}}', "jobDefaults": "{}", "regoin": "x"}
    kept = checked(Properties({**values, "version": "0.1.0", "pluginDownloadURL": "https://example.org"}))
    assert kept.values == {"region": "eu-de", "version": "0.1.0", "pluginDownloadURL": "https://example.org"}


def test_every_setting_is_kept() -> None:
    values = {key.removeprefix("dli:"): "x" for key in configuration_keys()}
    assert checked(Properties(values)).values == values


def test_what_signs_in_becomes_secret_and_what_is_secret_stays_so() -> None:
    found = checked(Properties({"secretKey": "x", "accessKey": "y"}, frozenset({"region"}))).secrets
    secrets = {"secretKey", "password", "token", "securityToken", "applicationCredentialSecret"}
    assert found == {"region"} | secrets


@pytest.mark.parametrize(
    ("urn", "message"),
    [
        (DEFAULT, "dli:regoin: there is no such setting; did you mean dli:region? "
                  "Remove it: `pulumi config rm dli:regoin`"),
        (EXPLICIT, "regoin: there is no such setting; did you mean region?"),
    ],
)  # fmt: skip
def test_a_mistyped_setting_fails(urn: Urn, message: str) -> None:
    assert [*failures(Properties({"regoin": "x", "region": "y", "jobs": "", "version": "1"}), urn)] == [message]


@pytest.mark.parametrize(("urn", "prefix"), [(DEFAULT, "dli:"), (OWN, "dli:"), (EXPLICIT, "")])
@pytest.mark.parametrize("name", ["endpoint", "authUrl"])
def test_an_address_with_a_password_does_not_get_into_the_state(urn: Urn, prefix: str, name: str) -> None:
    (failure,) = failures(Properties({name: "https://me:hunter2@dli.example.org"}), urn)
    assert failure.startswith(f"{prefix}{name}: must be an address without a user name and a password.")
    assert "hunter2" not in failure


def test_a_project_named_dli_has_keys_of_its_own() -> None:
    assert [*failures(Properties({"anything": "x"}), OWN)] == []


@pytest.mark.parametrize(
    ("urn", "today", "region"),
    [
        (DEFAULT, json.dumps({"region": "today"}), "today"),
        (DEFAULT, json.dumps({"dli:region": "today"}), "today"),
        (DEFAULT, "{}", None),  # the environment has the settings today
        (DEFAULT, None, "state"),
        (None, json.dumps({"region": "today"}), "today"),
        (EXPLICIT, json.dumps({"region": "today"}), "state"),
    ],
)
def test_todays_configuration_counts_for_a_default_provider(urn: Urn | None, today: str | None, region: Any) -> None:
    assert configuration_of({"region": "state"}, urn, today).get("dli:region") == region


def test_values_become_the_text_that_the_settings_read() -> None:
    inputs = {"insecure": True, "adopt": False, "maxRetries": 3.0, "scope": "x", "jobs": "{}", "region": None}
    assert configuration_of(inputs, EXPLICIT, None) == {
        "dli:insecure": "true",
        "dli:adopt": "false",
        "dli:maxRetries": "3",
        "dli:scope": "x",
    }


def error_of(inputs: dict[str, Any], urn: Urn) -> str:
    """Return the error about the credentials or the address of a provider with these arguments."""
    configuration = configuration_of(inputs, urn, None)
    with pytest.raises(SettingsError) as raised:
        assert load_credentials(configuration)
        Settings.load(configuration).dli(configuration.get("dli:region"))
    return str(raised.value)


KEY = {"accessKey": "ak", "secretKey": "sk"}


def test_an_error_about_the_arguments_of_an_explicit_provider_names_the_provider_and_the_arguments() -> None:
    place = "in the arguments of the provider second-account"
    assert error_of({"accessKey": "ak"}, EXPLICIT).startswith(
        f"half a set of credentials {place}: accessKey without secretKey. A set"
    )
    assert f"\n  {place}: token, accessKey with secretKey, " in error_of({}, EXPLICIT)
    assert error_of(KEY, EXPLICIT).startswith(
        "no region: set the argument region of the provider second-account, or DLI_REGION, "
    )
    assert "the argument endpoint of the provider second-account, or DLI_ENDPOINT (" in error_of(
        {**KEY, "region": "eu-ed"}, EXPLICIT
    )
    assert error_of({**KEY, "endpoint": "a b@c"}, EXPLICIT).startswith(
        "the argument endpoint of the provider second-account, or DLI_ENDPOINT (environment): must be an address"
    )
    assert error_of({**KEY, "retryPause": "soon"}, EXPLICIT).startswith(
        "the argument retryPause of the provider second-account: "
    )


@pytest.mark.parametrize(
    ("urn", "told"),
    [
        (EXPLICIT, "(endpoint), but https://iam.eu-de.otc.t-systems.com/v3 (made from region eu-de) is an address of"),
        (DEFAULT, "(dli:endpoint), but https://iam.eu-de.otc.t-systems.com/v3 (made from dli:region eu-de) is an"),
    ],
)
def test_credentials_for_another_cloud_are_told_with_the_settings_as_their_place_has_them(urn: Urn, told: str) -> None:
    inputs = {**KEY, "region": "eu-de", "endpoint": "https://dli.cn-north-4.myhuaweicloud.com"}
    configuration = configuration_of(inputs, urn, None)
    sign_in = SignIn(Settings.load(configuration), load_credentials(configuration), RetryPolicy())
    with pytest.raises(SettingsError) as raised:
        sign_in.project_id("eu-de")
    assert told in str(raised.value)


def test_an_error_about_a_default_provider_names_the_stacks_configuration() -> None:
    assert error_of({"accessKey": "ak"}, DEFAULT).startswith(
        "half a set of credentials in the stack's configuration: dli:accessKey without dli:secretKey. A set"
    )
    assert error_of(KEY, DEFAULT).startswith("no region: set dli:region (pulumi config set), or DLI_REGION, ")


def test_an_error_about_the_environment_of_an_explicit_provider_names_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OS_ACCESS_KEY", "ak")
    assert error_of({"region": "eu-de"}, EXPLICIT).startswith(
        "half a set of credentials in the environment: OS_ACCESS_KEY without OS_SECRET_KEY. A set"
    )
    monkeypatch.setenv("OS_SECRET_KEY", "sk")
    monkeypatch.setenv("DLI_RETRY_PAUSE", "soon")
    assert error_of({"region": "eu-de"}, EXPLICIT).startswith("DLI_RETRY_PAUSE: ")


def test_where_no_credentials_are_the_error_tells_the_provider() -> None:
    for urn, provider in [(EXPLICIT, "second-account"), (DEFAULT, None)]:
        with pytest.raises(NoCredentialsError) as raised:
            load_credentials(configuration_of({}, urn, None))
        assert raised.value.provider == provider


# What the provider tells after a call to a service


@pytest.fixture
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


USER = {"username": "me", "password": "pw", "domainName": "d"}


def refusal(status: int, code: str) -> Answer:
    return Answer({"error_code": code, "error_msg": "no"}, status)


def unscoped_token(_: Call) -> Answer:
    expires = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Answer({"token": {"expires_at": expires}}, 201, {"X-Subject-Token": "t"})


def submission_refused(call: Call) -> Answer:
    return Answer({"sessions": []}) if call.method == "GET" else refusal(410, "IAM.0020")


AFTER_A_CALL: dict[str, tuple[Mapping[str, str], Callable[[Call], Answer] | None, str]] = {
    "nobody listens at the endpoint": (
        {**KEY, "projectId": PROJECT},
        None,
        "Check the endpoint ({endpoint}, or made from {region}) and the network.",
    ),
    "nobody listens to a user at IAM": (
        USER,
        None,
        "Check the address of IAM ({authUrl}, or made from {region}) and the network.",
    ),
    "nobody listens to a key at IAM": (
        KEY,
        None,
        "Check the address of IAM ({authUrl}, or made from {region}) and the network.",
    ),
    "IAM answers with a page": (USER, lambda _: Answer(b"<html>", 201), "Check that {authUrl} is an address of IAM."),
    "IAM cannot read the sign-in": (
        USER,
        lambda _: refusal(400, "IAM.0011"),
        "IAM cannot read the call: no. Check that {authUrl} is an address of IAM.",
    ),
    "IAM cannot read the search for the project": (
        KEY,
        lambda _: refusal(400, "IAM.0011"),
        "IAM cannot read the call: no. Check that {authUrl} is an address of IAM.",
    ),
    "IAM has moved": (USER, lambda _: refusal(410, "IAM.0020"), "Set {authUrl} to the IAM of another region."),
    "a submission is refused": (
        {**KEY, "projectId": PROJECT},
        submission_refused,
        "Set {authUrl} to the IAM of another region.",
    ),
    "a token belongs to no project": (
        USER,
        unscoped_token,
        "the token belongs to no project. Set {projectId} or {projectName}",
    ),
    "a token is refused": (
        {"token": "t"},
        lambda _: refusal(401, "IAM.0067"),
        "Where no id of a project is set ({projectId}), the token is exchanged for one of the project; it must not "
        "have expired.",
    ),
    "the jobs must not be listed": (
        {**KEY, "projectId": PROJECT},
        lambda _: refusal(403, "DLI.0003"),
        "This needs the IAM action dli:jobs:list. Ask for this permission, or set {adopt} to false.",
    ),
}


def named(told: str, provider: str) -> str:
    """Put the settings into a text, as messages about this provider name them."""
    keys = [key.removeprefix("dli:") for key in configuration_keys()]
    form = "dli:{}" if provider == "default" else f"the argument {{}} of the provider {provider}"
    return told.format(**{key: form.format(key) for key in keys})


def error_after_a_call(provider: str, arguments: Mapping[str, str]) -> str:
    """Return the error of a provider with these arguments that submits a job."""
    with (
        Plugin(configuration={"region": "eu-de", "maxRetries": "0", **arguments}, provider_name=provider) as plugin,
        pytest.raises(PluginError) as raised,
    ):
        plugin.declare(job_urn(), {"file": "obs://demo/load.py", "queue": "default"})
    assert not raised.value.is_defect
    return str(raised.value)


@pytest.mark.usefixtures("_bare_environment")
@pytest.mark.parametrize("provider", ["default", "second"])
@pytest.mark.parametrize("case", AFTER_A_CALL)
def test_an_error_after_a_call_names_the_settings_as_their_place_has_them(case: str, provider: str) -> None:
    arguments, answer, told = AFTER_A_CALL[case]
    with ScriptedService(is_listening=answer is not None) as service:
        service.answer = answer or service.answer
        addresses = dict.fromkeys(("endpoint", "authUrl"), service.location.endpoint)
        assert named(told, provider) in error_after_a_call(provider, {**addresses, **arguments})


@pytest.mark.usefixtures("_bare_environment")
@pytest.mark.parametrize("provider", ["default", "second"])
@pytest.mark.parametrize("credentials", [{**KEY, "projectId": PROJECT}, KEY, USER], ids=["DLI", "projects", "tokens"])
def test_missing_certificates_are_told_with_the_setting_as_its_place_has_it(
    credentials: Mapping[str, str], provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    addresses = dict.fromkeys(("endpoint", "authUrl"), "https://127.0.0.1:1")
    told = "invalid path: /nowhere/ca.pem. Check {caCert}, OS_CACERT and REQUESTS_CA_BUNDLE."
    assert named(told, provider) in error_after_a_call(provider, {**addresses, **credentials})
