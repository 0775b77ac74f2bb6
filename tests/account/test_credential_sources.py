import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pulumi_dli.account import credential_sources
from pulumi_dli.account.credential_sources import CredentialSource, load_credentials
from pulumi_dli.account.credentials import Credentials, KeyPair
from pulumi_dli.account.settings import Address
from pulumi_dli.api.errors import NoCredentialsError, SettingsError
from tests.account.test_credentials import SETS


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("DLI_", "OS_", "HW_", "HUAWEICLOUD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def in_python(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


FOUND = [
    pytest.param(kind, keys, names, id=f"{kind.__name__} {names[-1]}") for kind, keys, sets in SETS for names in sets
]


def plain(credentials: Credentials) -> dict[str, str]:
    values = {name: getattr(credentials, name) for name in type(credentials).model_fields}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
        if value is not None
    }


def found(stack_configuration: dict[str, str]) -> dict[str, str]:
    return plain(load_credentials(stack_configuration))


def put(monkeypatch: pytest.MonkeyPatch, names: list[str], owner: str) -> list[str]:
    values = [f"value {position} of {owner}" for position, _ in enumerate(names)]
    for name, value in zip(names, values, strict=True):
        monkeypatch.setenv(name, value)
    return values


@pytest.mark.parametrize(("kind", "keys", "names"), FOUND)
def test_credentials_come_from_the_environment(
    kind: type[Credentials], keys: list[str], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = put(monkeypatch, names, "somebody")
    credentials = load_credentials({})
    assert type(credentials) is kind
    assert plain(credentials) == dict(zip(map(in_python, keys), values, strict=True))
    assert credentials.source.endswith(" in the environment")
    assert all(name in credentials.source for name in names)


@pytest.mark.parametrize(("kind", "keys"), [(kind, keys) for kind, keys, _ in SETS])
def test_credentials_of_the_stack_come_before_all_of_the_environment(
    kind: type[Credentials], keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, _, sets in SETS:
        for names in sets:
            put(monkeypatch, names, "the environment")
    credentials = load_credentials({f"dli:{key}": f"the {key}" for key in keys})
    assert type(credentials) is kind
    assert plain(credentials) == {in_python(key): f"the {key}" for key in keys}
    assert credentials.source.endswith(" in the stack's configuration")


@pytest.mark.parametrize("first", range(len(SETS) - 1))
@pytest.mark.parametrize("in_stack", [True, False])
def test_within_one_place_the_kinds_count_in_their_order(
    *, first: int, in_stack: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = {}
    for kind, keys, sets in SETS[first:]:
        if in_stack:
            configuration |= {f"dli:{key}": kind.__name__ for key in keys}
        else:
            for names in sets:
                put(monkeypatch, names, kind.__name__)
    assert type(load_credentials(configuration)) is SETS[first][0]


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (0, 2)])
def test_sets_of_the_environment_are_never_mixed(first: int, second: int, monkeypatch: pytest.MonkeyPatch) -> None:
    key_sets = SETS[1][2]
    put(monkeypatch, key_sets[second], "second")
    values = put(monkeypatch, key_sets[first][:2], "first")
    assert found({}) == dict(zip(("access_key", "secret_key"), values, strict=True))


def test_a_blank_value_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_TOKEN", " ")
    monkeypatch.setenv("HW_AUTH_TOKEN", "the-token")
    assert found({"dli:token": "", "dli:accessKey": " "}) == {"token": "the-token"}


def test_what_stands_around_a_value_is_taken_off_but_for_a_password_that_begins_with_a_blank() -> None:
    assert found({"dli:token": " the-token\n"}) == {"token": "the-token"}
    user = {"dli:username": " me ", "dli:password": " pass wörd\r\n", "dli:domainName": "my domain\n"}
    assert found(user) == {"username": "me", "password": " pass wörd", "domain_name": "my domain"}


HALVES = [
    (["accessKey"], "dli:accessKey without dli:secretKey"),
    (["secretKey"], "dli:secretKey without dli:accessKey"),
    (["secretKey", "securityToken"], "dli:secretKey and dli:securityToken without dli:accessKey"),
    (["securityToken"], "dli:securityToken without dli:accessKey and dli:secretKey"),
    (["username"], "dli:username without dli:password and dli:domainName or dli:domainId"),
    (["username", "password"], "dli:username and dli:password without dli:domainName or dli:domainId"),
    (["password", "domainId"], "dli:password and dli:domainId without dli:username or dli:userId"),
    (["userId"], "dli:userId without dli:password"),
    (["applicationCredentialId"], "dli:applicationCredentialId without dli:applicationCredentialSecret"),
]


@pytest.mark.parametrize(("given", "told"), HALVES)
def test_half_a_set_in_the_stack_is_an_error_even_if_the_environment_has_the_rest(
    given: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _, _, sets in SETS:
        for names in sets:
            put(monkeypatch, names, "somebody")
    with pytest.raises(SettingsError) as raised:
        load_credentials({f"dli:{key}": "s3cret" for key in given})
    assert str(raised.value) == (
        f"half a set of credentials in the stack's configuration: {told}. A set comes from one place as a whole"
    )


@pytest.mark.parametrize("names", [names for _, _, sets in SETS for names in sets if len(names) > 1])
@pytest.mark.parametrize("missing", [0, 1])
def test_half_a_set_in_the_environment_is_an_error(
    names: list[str], missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names[:missing] + names[missing + 1 :]:
        monkeypatch.setenv(name, "s3cret")
    with pytest.raises(
        SettingsError, match=f"half a set of credentials in the environment: .*{names[missing]}"
    ) as told:
        load_credentials({})
    assert "s3cret" not in str(told.value)


def test_a_domain_alone_is_no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_USER_DOMAIN_NAME", "my domain")
    monkeypatch.setenv("OS_CLOUD", "otc")
    assert found({}) == {"cloud": "otc"}
    monkeypatch.delenv("OS_CLOUD")
    with pytest.raises(SettingsError, match=r"(?s)no credentials.* OS_USER_DOMAIN_NAME \(set\)"):
        load_credentials({})


def test_without_credentials_the_error_has_a_line_for_each_place_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_SECRET_KEY", "")
    with pytest.raises(NoCredentialsError) as raised:
        load_credentials({})
    assert str(raised.value).split("\n") == [
        "no credentials. Set a token; or an access key with its secret key; or user, password and domain; or an "
        "application credential; or a cloud of clouds.yaml. Searched, in this order:",
        "  in the stack's configuration (pulumi config set --secret): dli:token, dli:accessKey with dli:secretKey, "
        "dli:username or dli:userId with dli:password and dli:domainName or dli:domainId, dli:applicationCredentialId "
        "with dli:applicationCredentialSecret, dli:cloud",
        "  in the environment: OS_TOKEN or OS_AUTH_TOKEN, HW_AUTH_TOKEN, OS_ACCESS_KEY with OS_SECRET_KEY (empty), "
        "HW_ACCESS_KEY with HW_SECRET_KEY, HUAWEICLOUD_SDK_AK with HUAWEICLOUD_SDK_SK, OS_USERNAME or OS_USER_ID with "
        "OS_PASSWORD and OS_USER_DOMAIN_NAME or OS_DOMAIN_NAME or OS_USER_DOMAIN_ID or OS_DOMAIN_ID, HW_USER_NAME or "
        "HW_USER_ID with HW_USER_PASSWORD and HW_DOMAIN_NAME or HW_DOMAIN_ID, OS_APPLICATION_CREDENTIAL_ID with "
        "OS_APPLICATION_CREDENTIAL_SECRET, OS_CLOUD",
        "  in the file ~/.huaweicloud/credentials, which is not there: [basic] ak with [basic] sk",
    ]


class TestTheFileOfHuaweiCloudsSdk:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        (tmp_path / ".huaweicloud").mkdir()
        return tmp_path / ".huaweicloud" / "credentials"

    def test_has_a_key_and_beside_it_a_project_and_the_address_of_iam(self, file: Path) -> None:
        file.write_text(
            "[basic]\nak = the-ak\nsk = 100%s3cret\nsecurity_token = the-st\nproject_id = p1\niam_endpoint = iam.a\n"
        )
        credentials = load_credentials({})
        assert type(credentials) is KeyPair
        assert plain(credentials) == {"access_key": "the-ak", "secret_key": "100%s3cret", "security_token": "the-st"}
        iam = Address("iam.a", "[basic] iam_endpoint of ~/.huaweicloud/credentials")
        assert (credentials.project_id, credentials.iam_endpoint) == ("p1", iam)
        assert credentials.source.endswith("in the file ~/.huaweicloud/credentials")

    def test_counts_after_the_environment_and_lends_it_nothing(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text("[basic]\nak = the-ak\nsk = the-sk\nproject_id = p1\niam_endpoint = iam.a\n")
        monkeypatch.setenv("HW_AUTH_TOKEN", "the-token")
        credentials = load_credentials({})
        assert plain(credentials) == {"token": "the-token"}
        assert (credentials.project_id, credentials.iam_endpoint) == (None, None)

    def test_is_not_even_read_where_it_is_not_needed(self, file: Path) -> None:
        file.write_text("no INI file")
        assert found({"dli:token": "the-token"}) == {"token": "the-token"}

    def test_may_be_elsewhere(self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text("[basic]\nak = wrong\nsk = wrong\n")
        other = tmp_path / "elsewhere"
        other.write_text("[basic]\nak = the-ak\nsk = the-sk\n")
        monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(other))
        assert found({}) == {"access_key": "the-ak", "secret_key": "the-sk"}

    def test_may_hold_half_a_set(self, file: Path) -> None:
        file.write_text("[basic]\nsk = s3cret\n")
        with pytest.raises(SettingsError) as raised:
            load_credentials({})
        assert str(raised.value).startswith(
            "half a set of credentials in the file ~/.huaweicloud/credentials: [basic] sk without [basic] ak."
        )

    @pytest.mark.parametrize("text", ["[global]\nak = a\nsk = s3cret\n", ""])
    def test_may_have_no_section_for_projects(self, file: Path, text: str) -> None:
        file.write_text(text)
        with pytest.raises(SettingsError, match=r"in the file .*, which has no section \[basic\]: \[basic\] ak with"):
            load_credentials({})

    @pytest.mark.parametrize("text", ["ak = s3cret\n", "[basic]\nak = a\nak = s3cret\n", "[basic]\n\xff"])
    def test_that_cannot_be_read_is_named_and_not_shown(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="latin-1")
        with pytest.raises(SettingsError, match=r"^the file ~/.huaweicloud/credentials cannot be read \(") as raised:
            load_credentials({})
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("key", ["token", "accessKey", "secretKey", "securityToken"])
@pytest.mark.parametrize("bad", ["s3cret\nvalue", "s3crét"])
def test_what_goes_into_a_header_and_cannot_is_refused_without_showing_it(key: str, bad: str) -> None:
    complete = {} if key == "token" else {"dli:accessKey": "ak", "dli:secretKey": "sk"}
    with pytest.raises(SettingsError, match="cannot be sent") as raised:
        load_credentials({**complete, f"dli:{key}": bad})
    assert str(raised.value).startswith(f"dli:{key}: ")
    assert "s3cr" not in str(raised.value)


# A new source


def vault(_stack: Mapping[str, Any]) -> CredentialSource:
    names = {"access_key": ["ak of the vault"], "secret_key": ["sk of the vault"]}
    values = {"ak of the vault": "the-ak", "sk of the vault": "the-sk"}
    return CredentialSource("in the vault", (names,), values, project_id="p1", iam_endpoint=Address("iam.a", "vault"))


@pytest.fixture
def _with_a_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_sources, "SOURCES", (*credential_sources.SOURCES, vault))


@pytest.mark.usefixtures("_with_a_vault")
def test_a_new_source_is_one_function() -> None:
    credentials = load_credentials({})
    assert plain(credentials) == {"access_key": "the-ak", "secret_key": "the-sk"}
    assert credentials.source == "ak of the vault and sk of the vault in the vault"
    assert (credentials.project_id, credentials.iam_endpoint) == ("p1", Address("iam.a", "vault"))


@pytest.mark.usefixtures("_with_a_vault")
def test_a_new_source_counts_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_TOKEN", "the-token")
    assert found({}) == {"token": "the-token"}


def test_a_new_source_is_named_where_there_are_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty_vault(stack: Mapping[str, Any]) -> CredentialSource:
        return replace(vault(stack), values={"ak of the vault": " "})

    monkeypatch.setattr(credential_sources, "SOURCES", (*credential_sources.SOURCES, empty_vault))
    with pytest.raises(SettingsError, match=r"\n  in the vault: ak of the vault \(empty\) with sk of the vault$"):
        load_credentials({})
