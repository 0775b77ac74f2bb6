import json
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pulumi_dli.local.credentials import Credentials, CredentialsError

ADDRESS = "http://127.0.0.1:8080"


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    account = Credentials.make().at(ADDRESS)
    account.save(tmp_path)
    assert Credentials.load(tmp_path) == Credentials.load_or_make(tmp_path) == account


def test_a_file_of_the_first_version_gets_what_it_lacks(tmp_path: Path) -> None:
    account = asdict(Credentials.make().at(ADDRESS))
    for name in ("application_credential_id", "application_credential_secret"):
        del account[name]
    (tmp_path / "credentials.json").write_text(json.dumps(account))
    loaded = asdict(Credentials.load(tmp_path))
    assert account.items() <= loaded.items()
    assert all(loaded.values())


def test_the_file_has_everything_that_signs_in_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    Credentials.make().at(ADDRESS).save(tmp_path)
    path = tmp_path / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_text())
    assert document.keys() >= {
        *("endpoint", "auth_url", "region", "project_id", "project_name", "domain_name"),
        *("username", "password", "access_key", "secret_key", "token"),
        *("application_credential_id", "application_credential_secret"),
    }
    assert all(document.values())
    assert (document["endpoint"], document["auth_url"]) == (ADDRESS, f"{ADDRESS}/v3")


def test_a_file_that_others_could_read_is_private_when_it_is_saved_again(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(asdict(Credentials.make())))
    path.chmod(0o644)
    Credentials.load(tmp_path).save(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_address_may_change_and_the_account_stays() -> None:
    account = Credentials.make().at(ADDRESS)
    moved = account.at("http://127.0.0.1:9")
    assert moved.endpoint == "http://127.0.0.1:9"
    assert replace(moved, endpoint=account.endpoint, auth_url=account.auth_url) == account


def test_no_secret_can_be_taken_for_an_option_of_a_command() -> None:
    account = Credentials.make()
    given = (account.password, account.secret_key, account.token, account.application_credential_secret)
    assert all(secret.isalnum() for secret in given)


def test_each_account_has_secrets_of_its_own() -> None:
    one, other = asdict(Credentials.make()), asdict(Credentials.make())
    for secret in ("password", "access_key", "secret_key", "token", "project_id"):
        assert one[secret] != other[secret]


def test_secrets_are_not_shown_by_accident() -> None:
    account = Credentials.make()
    assert account.secret_key not in repr(account)


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=rf"does not exist\. Start the service first: .*serve --data {tmp_path}"):
        Credentials.load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"endpoint": "http://127.0.0.1:1"}', "\udcff"])
def test_an_unreadable_file_says_how_to_get_another(tmp_path: Path, text: str) -> None:
    (tmp_path / "credentials.json").write_text(text, errors="surrogateescape")
    for load in (Credentials.load, Credentials.load_or_make):
        with pytest.raises(CredentialsError, match=r"credentials\.json cannot be read .*\. Remove it"):
            load(tmp_path)


def test_a_directory_in_its_place_is_an_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").mkdir()
    with pytest.raises(CredentialsError, match=r"cannot be read .*\. Remove it"):
        Credentials.load(tmp_path)
