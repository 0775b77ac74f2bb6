"""The settings of a provider resource."""

import json
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
