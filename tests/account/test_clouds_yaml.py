import os
import sys
from pathlib import Path

import pytest
from keystoneauth1.identity import v3

from pulumi_dli.account.clouds_yaml import FoundCloud, find_cloud
from pulumi_dli.api.errors import SettingsError

CLOUDS = """
clouds:
  by-password:
    auth:
      auth_url: https://iam.example.com/v3
      username: me
      password: s3cret
      user_domain_name: my domain
      project_name: eu-de
    region_name: eu-de
  in-two-domains:
    auth:
      auth_url: https://iam.example.com/v3
      username: me
      password: s3cret
      user_domain_id: mine
      project_domain_id: theirs
      project_name: eu-de
  by-token:
    auth_type: token
    auth: {auth_url: "https://iam.example.com/v3", token: s3cret, project_id: p1}
    verify: false
  by-application-credential:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://iam.example.com/v3", application_credential_id: a, application_credential_secret: s3cret}
    cacert: ~/ca.pem
  of-a-vendor:
    profile: otc
    auth: {username: me, password: s3cret, user_domain_name: my domain, project_name: eu-de}
  of-two-regions:
    auth: {auth_url: "https://iam.example.com/v3", username: me, password: s3cret, user_domain_name: d}
    regions: [eu-de, eu-nl]
  incomplete:
    auth: {username: me, password: s3cret, user_domain_name: my domain}
  without-auth: 7
  of-no-keystone:
    auth_type: none
    auth: {endpoint: "https://dli.example.com"}
  by-an-unknown-way:
    auth_type: v3magic
    auth: {auth_url: "https://iam.example.com/v3"}
"""


@pytest.fixture(autouse=True)
def _clouds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.setenv("HOME", str(tmp_path))


def find(name: str, region: str | None = None) -> FoundCloud:
    return find_cloud(name, region, "OS_CLOUD in the environment")


@pytest.mark.parametrize(
    ("name", "kind", "region", "verify"),
    [
        ("by-password", v3.Password, "eu-de", True),
        ("by-token", v3.Token, None, False),
        ("by-application-credential", v3.ApplicationCredential, None, "~/ca.pem"),
    ],
)
def test_a_cloud_signs_in_as_its_file_says(name: str, kind: type[v3.Auth], region: str | None, verify: object) -> None:
    cloud = find(name)
    assert type(cloud.plugin) is kind
    assert cloud.plugin.auth_url == "https://iam.example.com/v3"
    assert cloud.region == region
    assert cloud.verify == (verify if isinstance(verify, bool) else str(Path(str(verify)).expanduser()))


def test_the_domain_of_the_user_is_that_of_the_project_unless_it_is_said() -> None:
    plugin = find("by-password").plugin
    assert (plugin.project_name, plugin.project_domain_name, plugin.project_domain_id) == ("eu-de", "my domain", None)
    plugin = find("in-two-domains").plugin
    assert (plugin.project_name, plugin.project_domain_name, plugin.project_domain_id) == ("eu-de", None, "theirs")


def test_a_vendors_profile_knows_the_address_of_iam() -> None:
    plugin = find("of-a-vendor", "eu-de").plugin
    assert plugin.auth_url == "https://iam.eu-de.otc.t-systems.com/v3"


def test_the_region_chooses_where_a_cloud_has_several() -> None:
    assert find("of-two-regions").region == "eu-de"
    assert find("of-two-regions", "eu-nl").region == "eu-nl"
    with pytest.raises(SettingsError, match="Region eu-moon is not a valid region name"):
        find("of-two-regions", "eu-moon")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "Cloud nowhere was not found"),
        ("incomplete", "auth_url"),
        ("without-auth", "cannot be used"),
        ("of-no-keystone", "cannot be used"),
        ("by-an-unknown-way", "v3magic"),
    ],
)
def test_a_cloud_that_cannot_sign_in_is_named_with_its_file_and_no_secret(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        find(name)
    message = str(raised.value)
    assert message.startswith(f"OS_CLOUD in the environment: cloud '{name}' cannot be used: ")
    assert str(tmp_path / "clouds.yaml") in message
    assert "s3cret" not in message


def test_without_a_file_the_error_names_every_place_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/nowhere/clouds.yaml")
    monkeypatch.setattr("openstack.config.loader.CONFIG_FILES", [])
    with pytest.raises(SettingsError, match="Cloud otc was not found") as raised:
        find("otc")
    message = str(raised.value)
    assert "Searched: OS_CLIENT_CONFIG_FILE (/nowhere/clouds.yaml), clouds.yaml in " in message
    assert "/etc/openstack" in message
    assert message.endswith(": none is there")


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openstack.config", None)
    with pytest.raises(SettingsError) as raised:
        find("by-password")
    message = str(raised.value)
    assert message.startswith(
        "OS_CLOUD in the environment: clouds.yaml is read by openstacksdk, which cannot be imported ("
    )
    assert message.endswith("It comes with the extra `clouds`: pip install 'pulumi-dli[clouds]'")
