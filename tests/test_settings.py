import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkdli.v1.region.dli_region import DliRegion

from pulumi_dli.auth import KeyAuth
from pulumi_dli.errors import SettingsError
from pulumi_dli.settings import Credentials, Place, Settings, configuration_keys, sign_in

SECRETS = {"token": "s3cret-token", "secretKey": "s3cret-key", "securityToken": "s3cret-security-token"}


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
        ["DLI_PROJECT_ID", "OS_PROJECT_ID", "HW_PROJECT_ID", "HUAWEICLOUD_SDK_PROJECT_ID"],
        ["p1", "p2"],
        ["p1", "p2"],
        None,
    ),
    "endpoint": (["DLI_ENDPOINT"], ["http://a", "http://b"], ["http://a", "http://b"], None),
    "caCert": (["OS_CACERT"], FILES, [Path(path) for path in FILES], None),
    "insecure": (["OS_INSECURE"], ["true", "false"], [True, False], False),
    "maxRetries": (["DLI_MAX_RETRIES"], ["0", "7"], [0, 7], 5),
    "requestTimeout": (["DLI_REQUEST_TIMEOUT"], ["2m", "90"], [120.0, 90.0], 60.0),
    "retryPause": (["DLI_RETRY_PAUSE"], ["2m", "90"], [120.0, 90.0], 0.5),
    "pollInterval": (["DLI_POLL_INTERVAL"], ["30s", "0.5"], [30.0, 0.5], 10.0),
    "lookupWindow": (["DLI_LOOKUP_WINDOW"], ["5m", "10"], [300.0, 10.0], 60.0),
    "scope": (["DLI_SCOPE"], ["blue", "green"], ["blue", "green"], ""),
    "adopt": (["DLI_ADOPT"], ["false", "true"], [False, True], True),
    "wait": (["DLI_WAIT"], ["0", "1"], [False, True], True),
}
FIELDS = {key: "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key) for key in TABLE}


def setting(key: str, stack_configuration: dict[str, str]) -> Any:
    return getattr(Settings.load(stack_configuration), FIELDS[key])


def test_every_setting_has_a_key_in_the_stacks_configuration() -> None:
    keys = [*TABLE, "token", "accessKey", "secretKey", "securityToken"]
    assert sorted(configuration_keys()) == sorted(f"dli:{key}" for key in keys)


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
    monkeypatch.setenv("OS_TOKEN", "of-the-environment")
    assert Settings.load({"dli:region": " "}).region == "eu-de"
    assert Credentials.load({"dli:token": "", "dli:accessKey": " "}).token is not None


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


KEY_SETS = [
    ("OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_SECURITY_TOKEN"),
    ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"),
    ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
]


def headers_from(stack_configuration: dict[str, str]) -> dict[str, str]:
    auth = sign_in(stack_configuration, "p1")
    return dict(requests.Request("GET", "https://dli.example.com/v2.0/p1/batches", auth=auth).prepare().headers)


def set_keys(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], owner: str) -> None:
    for name, part in zip(names, ("ak", "sk", "st"), strict=False):
        monkeypatch.setenv(name, f"{part}-of-{owner}")


@pytest.mark.parametrize("variable", ["OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN"])
def test_a_token_from_the_environment_signs_in(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, " the-token\n")
    assert headers_from({})["X-Auth-Token"] == "the-token"


@pytest.mark.parametrize("names", KEY_SETS)
def test_a_key_from_the_environment_signs_in(names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, names, "somebody")
    headers = headers_from({})
    request = requests.Request("GET", "https://dli.example.com/v2.0/p1/batches").prepare()
    at = datetime.strptime(headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    expected = KeyAuth(
        "ak-of-somebody", "sk-of-somebody", security_token="st-of-somebody", project_id="p1", now=lambda: at
    )
    assert headers == dict(expected(request).headers)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (0, 2)])
def test_sets_of_the_environment_are_never_mixed(first: int, second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, KEY_SETS[first][:2], "first")
    set_keys(monkeypatch, KEY_SETS[second], "second")
    headers = headers_from({})
    assert "Access=ak-of-first," in headers["Authorization"]
    assert "X-Security-Token" not in headers


def test_a_token_comes_before_a_key_of_the_same_source(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch, KEY_SETS[0], "somebody")
    monkeypatch.setenv("HW_AUTH_TOKEN", "the-token")
    assert headers_from({}) == {"X-Auth-Token": "the-token"}
    assert headers_from({"dli:token": "t", "dli:accessKey": "a", "dli:secretKey": "s"}) == {"X-Auth-Token": "t"}


def test_a_key_of_the_stack_comes_before_a_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_TOKEN", "the-token")
    monkeypatch.setenv("OS_SECURITY_TOKEN", "of-another-key")
    headers = headers_from({"dli:accessKey": "ak-of-stack", "dli:secretKey": "sk"})
    assert "Access=ak-of-stack," in headers["Authorization"]
    assert not headers.keys() & {"X-Auth-Token", "X-Security-Token"}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (["accessKey"], "dli:secretKey"),
        (["secretKey"], "dli:accessKey"),
        (["secretKey", "securityToken"], "dli:accessKey"),
        (["securityToken"], "dli:accessKey and dli:secretKey"),
    ],
)
def test_half_a_set_in_the_stack_is_an_error_even_if_the_environment_has_the_rest(
    given: list[str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for names in KEY_SETS:
        set_keys(monkeypatch, names, "somebody")
    monkeypatch.setenv("OS_TOKEN", "the-token")
    with pytest.raises(SettingsError) as raised:
        sign_in({f"dli:{key}": SECRETS.get(key, "ak") for key in given}, "p1")
    assert str(raised.value).startswith(
        f"half a set of credentials: {' and '.join(f'dli:{key}' for key in given)} without {missing}."
    )
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("names", KEY_SETS)
@pytest.mark.parametrize("given", [0, 1, 2])
def test_half_a_set_in_the_environment_is_an_error(
    names: tuple[str, ...], given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(names[given], "s3cret")
    with pytest.raises(SettingsError) as raised:
        sign_in({}, "p1")
    missing = " and ".join(name for name in names[:2] if name != names[given])
    assert f"{names[given]} without {missing}." in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_without_credentials_the_error_names_every_place_in_order() -> None:
    with pytest.raises(SettingsError, match="no credentials") as raised:
        sign_in({}, "p1")
    places = [
        "dli:token",
        "dli:accessKey with dli:secretKey",
        "OS_TOKEN",
        "OS_AUTH_TOKEN",
        "HW_AUTH_TOKEN",
        *(" with ".join(names[:2]) for names in KEY_SETS),
    ]
    found = [str(raised.value).find(place) for place in places]
    assert found == sorted(found)
    assert found[0] > 0


@pytest.mark.parametrize("key", SECRETS)
@pytest.mark.parametrize("bad", ["s3cret\nvalue", "s3crét"])
def test_a_secret_that_no_header_can_carry_is_refused_without_showing_it(key: str, bad: str) -> None:
    complete = {"dli:accessKey": "ak", "dli:secretKey": "sk"}
    with pytest.raises(SettingsError, match="cannot be sent") as raised:
        sign_in({**complete, f"dli:{key}": bad}, "p1")
    assert str(raised.value).startswith(f"dli:{key}: ")
    assert "s3cr" not in str(raised.value)


def test_no_secret_is_shown_in_a_representation() -> None:
    for configuration in (
        {"dli:token": SECRETS["token"]},
        {"dli:accessKey": "ak", **{f"dli:{key}": SECRETS[key] for key in ("secretKey", "securityToken")}},
    ):
        credentials = Credentials.load(configuration)
        shown = f"{credentials!r} {credentials} {credentials.auth('p1')!r} {Settings.load(configuration)!r}"
        assert "s3cret" not in shown
        assert "**********" in shown


def test_without_a_project_the_error_names_every_place_in_order() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({"dli:region": "eu-de"}).place()
    assert str(raised.value).startswith(
        "no project: set dli:projectId (pulumi config set), or DLI_PROJECT_ID, OS_PROJECT_ID, HW_PROJECT_ID, "
        "HUAWEICLOUD_SDK_PROJECT_ID (environment)."
    )


def test_without_a_region_the_error_names_every_place_in_order() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({"dli:projectId": "p1"}).place()
    assert str(raised.value) == (
        "no region: set dli:region (pulumi config set), or DLI_REGION, OS_REGION_NAME, HW_REGION_NAME (environment); "
        "or the address itself, dli:endpoint (pulumi config set), or DLI_ENDPOINT (environment)"
    )


@pytest.mark.parametrize("region", ["eu-nl", "eu-ed", "EU-DE"])
def test_an_unknown_region_is_refused_with_what_to_do(region: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.load({"dli:projectId": "p1", "dli:region": region}).place()
    message = str(raised.value)
    assert message.startswith(f"region '{region}' is not known to have DLI. Check its spelling")
    variable = f"HUAWEICLOUD_SDK_REGION_DLI_{region.upper().replace('-', '_')}"
    found = [message.find(place) for place in ("dli:endpoint", "DLI_ENDPOINT", variable)]
    assert found == sorted(found)
    assert found[0] > 0


def test_the_address_on_open_telekom_cloud_comes_from_the_region() -> None:
    settings = Settings.load({"dli:projectId": "p1", "dli:region": "eu-de"})
    assert settings.place() == Place("https://dli.eu-de.otc.t-systems.com", "eu-de", "p1")


@pytest.mark.parametrize("region", [*DliRegion.static_fields])
def test_the_address_on_huawei_cloud_is_that_of_the_vendors_own_client(region: str) -> None:
    place = Settings.load({"dli:projectId": "p1", "dli:region": region}).place()
    assert [place.endpoint] == DliRegion.value_of(region).endpoints


def test_an_address_that_is_given_comes_before_the_one_of_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = {"dli:projectId": "p1", "dli:region": "eu-de"}
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_EU_DE", "https://sdk.example.com,https://other.example.com")
    assert Settings.load(configuration).place().endpoint == "https://sdk.example.com"
    monkeypatch.setenv("DLI_ENDPOINT", "https://variable.example.com")
    assert Settings.load(configuration).place().endpoint == "https://variable.example.com"
    configuration["dli:endpoint"] = "https://stack.example.com"
    assert Settings.load(configuration).place().endpoint == "https://stack.example.com"


def test_with_an_address_no_region_is_needed() -> None:
    settings = Settings.load({"dli:projectId": "p1", "dli:endpoint": "http://127.0.0.1:8080"})
    assert settings.place() == Place("http://127.0.0.1:8080", None, "p1")


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("dli.example.com", "https://dli.example.com"),
        ("dli.example.com:8443/dli/", "https://dli.example.com:8443/dli"),
        (" http://[::1]:80/ ", "http://[::1]:80"),
    ],
)
def test_an_address_is_completed(given: str, address: str) -> None:
    assert Settings.load({"dli:projectId": "p1", "dli:endpoint": given}).place().endpoint == address


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
        Settings.load({"dli:projectId": "p1", "dli:endpoint": given}).place()
    assert str(raised.value).startswith("dli:endpoint ")
    assert "s3cret" not in str(raised.value)

    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_EU_DE", given)
    with pytest.raises(SettingsError, match=r"^HUAWEICLOUD_SDK_REGION_DLI_EU_DE: must be an address"):
        Settings.load({"dli:projectId": "p1", "dli:region": "eu-de"}).place()


def test_the_place_of_a_job_comes_before_the_settings() -> None:
    settings = Settings.load({"dli:projectId": "p1", "dli:region": "eu-de"})
    assert settings.place("cn-north-4", "p2") == Place("https://dli.cn-north-4.myhuaweicloud.com", "cn-north-4", "p2")
    assert settings.place(project_id="p2") == Place("https://dli.eu-de.otc.t-systems.com", "eu-de", "p2")


def test_a_project_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(SettingsError, match="the project's id has a character that cannot be sent"):
        Settings.load({"dli:region": "eu-de"}).place(project_id="prøject")
