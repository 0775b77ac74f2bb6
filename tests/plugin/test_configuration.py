"""The settings of a provider resource."""

import json
from typing import Any

import pytest

from pulumi_dli.account.credentials import configuration_keys
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
