import os
from collections.abc import Mapping

import pytest

from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.settings import Settings
from pulumi_dli.account.sign_in import SignIn
from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.retry import RetryPolicy
from tests.project import FOREIGN

OTC = {"region": "eu-de", "iam": "https://iam.eu-de.otc.t-systems.com/v3", "dli": "https://dli.eu-de.otc.t-systems.com"}
HUAWEI_IAM = "https://iam.cn-north-4.myhuaweicloud.com/v3"
HUAWEI_DLI = "https://dli.cn-north-4.myhuaweicloud.com"
ORANGE_IAM = "https://iam.eu-west-0.prod-cloud-ocb.orange-business.com/v3"
ORANGE_DLI = "https://dli.eu-west-0.prod-cloud-ocb.orange-business.com"
LOCAL = "http://127.0.0.1:8080"
PRIVATE = "https://dli.internal.example"

PASSWORD = {"dli:username": "u", "dli:password": "p", "dli:domainName": "d"}
TOKEN = {"dli:token": "t"}
KEYS = {"dli:accessKey": "a", "dli:secretKey": "s"}
OF_OTC = {"dli:region": "eu-de"}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)


def sign_in(stack: Mapping[str, str], warned: list[str] | None = None) -> SignIn:
    told = [] if warned is None else warned
    return SignIn(Settings.load(stack), load_credentials(stack), RetryPolicy(), warn=told.append)


def addresses(stack: Mapping[str, str], variables: Mapping[str, str], region: str | None = None) -> tuple[str, str]:
    """Give the addresses of DLI and of IAM to which the credentials go. Raises SettingsError."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        account = sign_in(stack)
        region = region or account.region
        dli = account.location("p1", region).endpoint
        return dli, str(account.auth("p1", region)._plugin.auth_url) if "dli:password" in stack else ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("stack", "variables", "parts"),
    [
        # a password or a token of the stack, and what another cloud has left in the environment
        (
            PASSWORD | OF_OTC,
            {"OS_AUTH_URL": HUAWEI_IAM},
            ("Open Telekom Cloud", "dli:region", "Huawei Cloud", "OS_AUTH_URL"),
        ),
        (PASSWORD | OF_OTC, {"HUAWEICLOUD_SDK_IAM_ENDPOINT": LOCAL}, ("Open Telekom Cloud", "this machine")),
        (TOKEN | OF_OTC, {"DLI_ENDPOINT": LOCAL}, ("Open Telekom Cloud", "dli:region", "this machine", "DLI_ENDPOINT")),
        (TOKEN | OF_OTC, {"DLI_ENDPOINT": PRIVATE}, ("Open Telekom Cloud", "internal.example")),
        (
            TOKEN | OF_OTC,
            {"HUAWEICLOUD_SDK_REGION_DLI_EU_DE": LOCAL},
            ("this machine", "HUAWEICLOUD_SDK_REGION_DLI_EU_DE"),
        ),
        (KEYS | OF_OTC, {"DLI_ENDPOINT": HUAWEI_DLI}, ("Open Telekom Cloud", "Huawei Cloud")),
        (TOKEN | {"dli:endpoint": LOCAL}, {"DLI_REGION": "eu-de", "OS_AUTH_URL": HUAWEI_IAM}, None),  # IAM is not asked
        # a token of the environment, and a region or an address of the stack
        (
            OF_OTC,
            {"OS_TOKEN": "t", "OS_AUTH_URL": HUAWEI_IAM},
            ("Huawei Cloud", "OS_AUTH_URL", "Open Telekom Cloud", "dli:region"),
        ),
        (
            OF_OTC,
            {"OS_TOKEN": "t", "OS_REGION_NAME": "cn-north-4"},
            ("Huawei Cloud", "OS_REGION_NAME", "Open Telekom Cloud"),
        ),
        ({"dli:endpoint": LOCAL}, {"OS_TOKEN": "t", "OS_REGION_NAME": "eu-de"}, ("Open Telekom Cloud", "this machine")),
        # both in one place, but surely of two clouds, or one is made from the region alone
        (
            {},
            {"OS_TOKEN": "t", "OS_REGION_NAME": "eu-west-0", "OS_AUTH_URL": ORANGE_IAM},
            ("orange-business.com", "Huawei Cloud", "OS_REGION_NAME"),
        ),
        (
            {},
            {"OS_TOKEN": "t", "DLI_ENDPOINT": LOCAL, "OS_AUTH_URL": OTC["iam"]},
            ("Open Telekom Cloud", "this machine"),
        ),
        (TOKEN | OF_OTC | {"dli:endpoint": HUAWEI_DLI}, {}, ("Open Telekom Cloud", "Huawei Cloud")),
        # the tools of two clouds in one environment
        (
            {},
            {"HW_AUTH_TOKEN": "t", "HW_REGION_NAME": "cn-north-4", "OS_REGION_NAME": "eu-de"},
            ("Huawei Cloud", "HW_REGION_NAME", "Open Telekom Cloud"),
        ),
    ],
)
def test_a_secret_is_not_sent_to_another_cloud_and_the_error_names_both(
    stack: dict[str, str], variables: dict[str, str], parts: tuple[str, ...] | None
) -> None:
    if parts is None:
        addresses(stack, variables)
        return
    with pytest.raises(SettingsError) as raised:
        addresses(stack, variables)
    assert [part for part in parts if part not in str(raised.value)] == []
    assert "are not sent there" in str(raised.value)


@pytest.mark.parametrize(
    ("stack", "variables", "expected"),
    [
        (TOKEN | OF_OTC, {}, OTC["dli"]),
        (TOKEN | OF_OTC, {"DLI_ENDPOINT": OTC["dli"]}, OTC["dli"]),
        (
            TOKEN | OF_OTC,
            {"DLI_ENDPOINT": "https://dli.eu-nl.otc.t-systems.com"},
            "https://dli.eu-nl.otc.t-systems.com",
        ),
        (PASSWORD | OF_OTC, {"OS_AUTH_URL": "https://iam-pub.eu-de.otc.t-systems.com/v3"}, OTC["dli"]),
        (KEYS, {"OS_REGION_NAME": "eu-de"}, OTC["dli"]),  # usual in CI
        (KEYS, {"DLI_ENDPOINT": LOCAL}, LOCAL),
        (TOKEN | OF_OTC | {"dli:endpoint": LOCAL}, {}, LOCAL),
        (TOKEN | OF_OTC | {"dli:endpoint": PRIVATE, "dli:authUrl": OTC["iam"]}, {}, PRIVATE),
        (
            {},
            {"OS_TOKEN": "t", "OS_AUTH_URL": f"{LOCAL}/v3", "DLI_ENDPOINT": LOCAL, "OS_REGION_NAME": "local-1"},
            LOCAL,
        ),
        (OF_OTC, {"OS_TOKEN": "t", "OS_AUTH_URL": f"{LOCAL}/v3", "DLI_ENDPOINT": LOCAL}, LOCAL),
        (OF_OTC, {"OS_TOKEN": "t"}, OTC["dli"]),
        (
            {},
            {"OS_TOKEN": "t", "OS_AUTH_URL": OTC["iam"], "OS_REGION_NAME": "eu-de"}
            | {"HUAWEICLOUD_SDK_REGION_DLI_EU_DE": PRIVATE},
            PRIVATE,
        ),
        (OF_OTC, {"HW_ACCESS_KEY": "a", "HW_SECRET_KEY": "s", "OS_AUTH_URL": ORANGE_IAM}, OTC["dli"]),
        (
            {},
            {"OS_TOKEN": "t", "OS_REGION_NAME": "eu-west-0", "OS_AUTH_URL": ORANGE_IAM, "DLI_ENDPOINT": ORANGE_DLI},
            ORANGE_DLI,
        ),
        (
            {},
            {
                "OS_TOKEN": "t",
                "OS_REGION_NAME": "eu-west-0",
                "OS_AUTH_URL": ORANGE_IAM,
                "HW_CLOUD": "prod-cloud-ocb.orange-business.com",
            },
            ORANGE_DLI,
        ),
        ({}, {"HW_AUTH_TOKEN": "t", "HW_REGION_NAME": "af-north-1"}, "https://dli.af-north-1.myhuaweicloud.com"),
    ],
)
def test_a_secret_goes_to_an_address_of_its_own_cloud(
    stack: dict[str, str], variables: dict[str, str], expected: str
) -> None:
    assert addresses(stack, variables)[0] == expected


def test_a_set_address_of_dli_serves_the_region_of_the_settings_only() -> None:
    stack = TOKEN | {"dli:endpoint": OTC["dli"], "dli:region": "eu-de"}
    assert addresses(stack, {}, "eu-de")[0] == OTC["dli"]
    with pytest.raises(SettingsError, match="Huawei Cloud"):
        addresses(stack, {}, "cn-north-4")
    with pytest.raises(SettingsError, match="region 'eu-moon' is not known to have DLI"):
        addresses(stack, {}, "eu-moon")
    other = "https://dli.eu-nl.otc.t-systems.com"
    assert addresses(stack, {"HUAWEICLOUD_SDK_REGION_DLI_EU_NL": other}, "eu-nl")[0] == other


def test_without_a_region_in_the_settings_a_set_address_serves_the_regions_that_it_may_serve() -> None:
    assert addresses(TOKEN | {"dli:endpoint": PRIVATE}, {}, "eu-de")[0] == PRIVATE
    assert addresses(TOKEN | {"dli:endpoint": OTC["dli"]}, {}, "eu-de")[0] == OTC["dli"]
    with pytest.raises(SettingsError, match="Huawei Cloud"):
        addresses(TOKEN | {"dli:endpoint": OTC["dli"]}, {}, "cn-north-4")


def test_a_project_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(SettingsError, match="the project's id has a character that cannot be sent"):
        sign_in(TOKEN | OF_OTC).location("prøject", "eu-de")


def test_an_address_without_encryption_is_warned_of_but_not_on_this_machine() -> None:
    warned: list[str] = []
    sign_in(TOKEN | {"dli:endpoint": "http://dli.internal.example"}, warned).location("p1", None)
    (warning,) = warned
    assert warning.startswith("http://dli.internal.example (dli:endpoint) is not encrypted")
    for url in (LOCAL, "http://localhost:1", "http://[::1]:8080", "https://dli.internal.example"):
        sign_in(TOKEN | {"dli:endpoint": url}, warned).location("p1", None)
    assert len(warned) == 1
    sign_in(PASSWORD | {"dli:authUrl": "http://iam.internal.example"}, warned).auth("p1", None)
    assert warned[1].startswith("http://iam.internal.example/v3 (dli:authUrl) ")


def test_the_address_of_a_project_is_checked_once_however_many_jobs_ask_for_it() -> None:
    warned: list[str] = []
    account = sign_in(TOKEN | {"dli:endpoint": "http://dli.internal.example"}, warned)
    places = [account.location(project, None) for project in ("p1", "p1", "p2", "p1")]
    assert [place.project_id for place in places] == ["p1", "p1", "p2", "p1"]
    assert len(warned) == 2
