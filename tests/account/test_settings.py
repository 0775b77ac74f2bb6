import os
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.account.settings import Address, Settings, names_of
from pulumi_dli.api.errors import SettingsError


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("DLI_", "OS_", "HW_", "HUAWEICLOUD_")):
            monkeypatch.delenv(name)


FILES = [__file__, os.__file__]

TABLE: dict[str, tuple[list[str], list[str], list[Any], Any]] = {
    # key: variables in their order, two values as text, how they are read, the default
    "region": (
        ["DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME"],
        ["eu-de", "cn-east-3"],
        ["eu-de", "cn-east-3"],
        None,
    ),
    "projectId": (
        ["DLI_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"],
        ["p1", "p2"],
        ["p1", "p2"],
        None,
    ),
    "projectName": (["OS_PROJECT_NAME", "OS_TENANT_NAME", "HW_PROJECT_NAME"], ["n1", "n2"], ["n1", "n2"], None),
    "cloudDomain": (["HW_CLOUD"], ["myhuaweicloud.eu", "a.example"], ["myhuaweicloud.eu", "a.example"], None),
    "endpoint": (["DLI_ENDPOINT"], ["http://a", "http://b"], ["http://a", "http://b"], None),
    "authUrl": (
        ["OS_AUTH_URL", "HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT"],
        ["http://a", "http://b"],
        ["http://a", "http://b"],
        None,
    ),
    "caCert": (["OS_CACERT"], FILES, [Path(path) for path in FILES], None),
    "insecure": (["OS_INSECURE", "HW_INSECURE"], ["true", "false"], [True, False], False),
    "maxRetries": (["DLI_MAX_RETRIES"], ["0", "7"], [0, 7], 5),
    "requestTimeout": (["DLI_REQUEST_TIMEOUT"], ["2m", "90"], [120.0, 90.0], 60.0),
    "retryPause": (["DLI_RETRY_PAUSE"], ["2m", "90"], [120.0, 90.0], 0.5),
    "pollInterval": (["DLI_POLL_INTERVAL"], ["30s", "0.5"], [30.0, 0.5], 10.0),
    "lookupWindow": (["DLI_LOOKUP_WINDOW"], ["5m", "10"], [300.0, 10.0], 60.0),
    "scope": (["DLI_SCOPE"], ["blue", "green"], ["blue", "green"], ""),
    "forget": (["DLI_FORGET"], ["p1", "p2"], ["p1", "p2"], None),
    "adopt": (["DLI_ADOPT"], ["false", "true"], [False, True], True),
    "wait": (["DLI_WAIT"], ["0", "1"], [False, True], True),
}


def in_python(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def setting(key: str, stack_configuration: dict[str, str]) -> Any:
    return getattr(Settings.load(stack_configuration), in_python(key))


def url_of(address: Address | None) -> str | None:
    return None if address is None else address.url


def test_every_setting_has_a_key_in_the_stacks_configuration() -> None:
    keys = [names_of(info)[0] for info in Settings.model_fields.values()]
    assert sorted(keys) == sorted(f"dli:{key}" for key in TABLE)


@pytest.mark.parametrize("key", TABLE)
def test_a_setting_that_is_not_given_has_its_default(key: str) -> None:
    assert setting(key, {}) == TABLE[key][3]


@pytest.mark.parametrize("key", TABLE)
def test_the_stacks_configuration_comes_before_the_environment(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, (in_stack, in_environment), (expected, _), _ = TABLE[key]
    for variable in variables:
        monkeypatch.setenv(variable, in_environment)
    assert setting(key, {f"dli:{key}": in_stack}) == expected


@pytest.mark.parametrize(
    ("key", "position"), [(key, position) for key, row in TABLE.items() for position in range(len(row[0]))]
)
def test_the_first_variable_that_is_set_counts(key: str, position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, (first, later), (expected, _), _ = TABLE[key]
    for variable in variables[:position]:
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv(variables[position], first)
    for variable in variables[position + 1 :]:
        monkeypatch.setenv(variable, later)
    assert setting(key, {}) == expected


def test_a_blank_value_in_the_stacks_configuration_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_REGION_NAME", "eu-de")
    assert Settings.load({"dli:region": " "}).region == "eu-de"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("maxRetries", "many", "integer"),
        ("maxRetries", "-1", "greater than or equal to 0"),
        ("insecure", "perhaps", "boolean"),
        ("wait", "later", "boolean"),
        (
            "pollInterval",
            "soon",
            "not a duration: 'soon'; write it as in '90s', '20m', '2h', or as a number of seconds",
        ),
        ("requestTimeout", "-5", "not a duration"),
        ("requestTimeout", "0", "greater than 0"),
        ("caCert", "/nowhere/ca.pem", "does not point to a file"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_with_the_name_of_its_place(
    key: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match=problem) as in_stack:
        Settings.load({f"dli:{key}": value})
    assert str(in_stack.value).startswith(f"dli:{key}: ")
    assert "Value error" not in str(in_stack.value)

    variable = TABLE[key][0][-1]
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=problem) as in_environment:
        Settings.load({})
    assert str(in_environment.value).startswith(f"{variable}: ")


def test_without_a_region_the_error_names_every_place_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_REGION_NAME", " ")
    with pytest.raises(SettingsError) as raised:
        Settings.load({}).dli(None)
    assert str(raised.value) == (
        "no region: set dli:region (pulumi config set), or DLI_REGION, OS_REGION_NAME (empty), HW_REGION_NAME "
        "(environment); or the address itself, dli:endpoint (pulumi config set), or DLI_ENDPOINT (environment)"
    )


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ("eu-nl", "Open Telekom Cloud offers DLI in eu-de only"),
        ("eu-ed", "Check its spelling"),
        ("EU-DE", "Check its spelling"),
    ],
)
def test_an_unknown_region_is_refused_with_what_to_do(region: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({}).dli(region)
    message = str(raised.value)
    assert message.startswith(f"region '{region}' is not known to have DLI. {told}")
    variable = f"HUAWEICLOUD_SDK_REGION_DLI_{region.upper().replace('-', '_')}"
    found = [message.find(place) for place in ("dli:endpoint", "DLI_ENDPOINT", variable)]
    assert found == sorted(found)
    assert found[0] > 0


def test_the_addresses_come_from_the_region() -> None:
    settings = Settings.load({"dli:region": "eu-de"})
    made = "made from dli:region eu-de"
    assert settings.dli("eu-de") == Address("https://dli.eu-de.otc.t-systems.com", made, is_set=False)
    assert url_of(settings.iam("eu-de")) == "https://iam.eu-de.otc.t-systems.com/v3"
    assert url_of(settings.iam("cn-north-4")) == "https://iam.cn-north-4.myhuaweicloud.com/v3"
    assert settings.iam("eu-moon") is settings.iam(None) is None


def test_an_address_that_is_given_comes_before_the_one_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    def endpoint(**stack: str) -> str:
        return Settings.load({f"dli:{key}": value for key, value in stack.items()}).dli("eu-de").url

    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_EU_DE", "https://sdk.example.com,https://other.example.com")
    assert endpoint() == "https://sdk.example.com"
    monkeypatch.setenv("DLI_ENDPOINT", "https://variable.example.com")
    assert endpoint() == "https://variable.example.com"
    assert endpoint(endpoint="https://stack.example.com") == "https://stack.example.com"
    assert (
        url_of(Settings.load({"dli:authUrl": "https://iam.example.com"}).iam("eu-de")) == "https://iam.example.com/v3"
    )


def test_the_domain_of_a_cloud_makes_the_addresses_of_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_CLOUD", "myhuaweicloud.eu")
    settings = Settings.load({})
    assert settings.dli("eu-west-999").url == "https://dli.eu-west-999.myhuaweicloud.eu"
    assert url_of(settings.iam("af-north-1")) == "https://iam.af-north-1.myhuaweicloud.eu/v3"
    monkeypatch.setenv("DLI_ENDPOINT", "https://dli.example")
    assert Settings.load({}).dli("eu-west-999").url == "https://dli.example"


def test_a_domain_of_a_cloud_that_makes_no_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_CLOUD", "me@example.com/")
    with pytest.raises(SettingsError, match="HW_CLOUD"):
        Settings.load({}).dli("eu-de")


def test_with_an_address_no_region_is_needed() -> None:
    settings = Settings.load({"dli:endpoint": "http://127.0.0.1:8080"})
    assert settings.dli(None) == Address("http://127.0.0.1:8080", "dli:endpoint")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("dli.example.com", "https://dli.example.com"),
        ("dli.example.com:8443/dli/", "https://dli.example.com:8443/dli"),
        (" http://[::1]:80/ ", "http://[::1]:80"),
        ("https://dli.example.com/v2.0", "https://dli.example.com"),
        ("https://dli.example.com/v2.0/", "https://dli.example.com"),
    ],
)
def test_an_address_is_completed(given: str, address: str) -> None:
    assert Settings.load({"dli:endpoint": given}).dli(None).url == address


@pytest.mark.parametrize(
    "given",
    [
        "iam.a",
        "https://iam.a",
        "https://iam.a/",
        "https://iam.a/v3",
        "https://iam.a/v3/",
        "https://iam.a/v3/auth/tokens",
    ],
)
def test_an_address_of_iam_ends_in_its_version(given: str) -> None:
    assert url_of(Settings.load({"dli:authUrl": given}).iam(None)) == "https://iam.a/v3"


@pytest.mark.parametrize(
    "given",
    [
        "ftp://dli.example.com",
        "https://",
        "https://[::1",
        "https://host:port",
        "https://me:s3cret@dli.example.com",
        "https://dli.example.com?key=s3cret",
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="must be an address") as raised:
        Settings.load({"dli:endpoint": given}).dli(None)
    assert str(raised.value).startswith("dli:endpoint ")
    assert "s3cret" not in str(raised.value)
    with pytest.raises(SettingsError, match=r"^dli:authUrl .*must be an address"):
        Settings.load({"dli:authUrl": given}).iam(None)

    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_EU_DE", given)
    with pytest.raises(SettingsError, match=r"^HUAWEICLOUD_SDK_REGION_DLI_EU_DE: must be an address"):
        Settings.load({}).dli("eu-de")


@pytest.mark.parametrize(
    ("configuration", "verify"),
    [({}, True), ({"dli:caCert": __file__}, __file__), ({"dli:caCert": __file__, "dli:insecure": "true"}, False)],
)
def test_certificates_are_checked_as_it_is_said(configuration: dict[str, str], verify: bool | str) -> None:
    assert Settings.load(configuration).verify == verify
