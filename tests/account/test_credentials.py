import pytest

from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.credentials import (
    ApplicationCredential,
    Cloud,
    Credentials,
    KeyPair,
    Password,
    Token,
    configuration_keys,
)
from pulumi_dli.account.settings import Settings, names_of

# kind of credentials: its settings, the variables of each of them that belong together, in their order
SETS: list[tuple[type[Credentials], list[str], list[list[str]]]] = [
    (Token, ["token"], [["OS_TOKEN"], ["OS_AUTH_TOKEN"], ["HW_AUTH_TOKEN"]]),
    (
        KeyPair,
        ["accessKey", "secretKey", "securityToken"],
        [
            ["OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_SECURITY_TOKEN"],
            ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"],
            ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"],
        ],
    ),
    (
        Password,
        ["username", "password", "domainName"],
        [
            ["OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME"],
            ["OS_USERNAME", "OS_PASSWORD", "OS_DOMAIN_NAME"],
            ["HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_NAME"],
        ],
    ),
    (
        Password,
        ["username", "password", "domainId"],
        [
            ["OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_ID"],
            ["OS_USERNAME", "OS_PASSWORD", "OS_DOMAIN_ID"],
            ["HW_USER_NAME", "HW_USER_PASSWORD", "HW_DOMAIN_ID"],
        ],
    ),
    (
        Password,
        ["userId", "password"],
        [["OS_USER_ID", "OS_PASSWORD"], ["HW_USER_ID", "HW_USER_PASSWORD"]],
    ),
    (
        ApplicationCredential,
        ["applicationCredentialId", "applicationCredentialSecret"],
        [["OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_SECRET"]],
    ),
    (Cloud, ["cloud"], [["OS_CLOUD"]]),
]
SECRETS = {"token", "secretKey", "securityToken", "password", "applicationCredentialSecret"}


def test_every_setting_has_a_key_in_the_stacks_configuration() -> None:
    of_settings = [names_of(info)[0] for info in Settings.model_fields.values()]
    of_credentials = dict.fromkeys(f"dli:{key}" for _, keys, _ in SETS for key in keys)
    assert configuration_keys() == [*of_settings, *of_credentials]


@pytest.mark.parametrize(("kind", "keys"), [(kind, keys) for kind, keys, _ in SETS])
def test_no_secret_is_shown_in_a_representation(kind: type[Credentials], keys: list[str]) -> None:
    configuration = {f"dli:{key}": "s3cret" if key in SECRETS else "shown" for key in keys}
    credentials = load_credentials(configuration)
    shown = f"{credentials!r} {credentials} {credentials.source} {Settings.load(configuration)!r}"
    assert "s3cret" not in shown
    assert ("**********" in shown) is bool(SECRETS & set(keys))
