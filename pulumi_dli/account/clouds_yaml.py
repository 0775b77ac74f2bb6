"""Clouds of clouds.yaml, the file of OpenStack's tools. openstacksdk reads it, which the extra `clouds` brings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_dli.api.errors import SettingsError

if TYPE_CHECKING:
    from keystoneauth1.identity import v3

_FILE_VARIABLE = "OS_CLIENT_CONFIG_FILE"


@dataclass(frozen=True)
class FoundCloud:
    """A cloud as the file describes it: its region, how certificates are checked, what signs in."""

    region: str | None
    verify: bool | str
    plugin: v3.Auth


def find_cloud(name: str, region: str | None, source: str) -> FoundCloud:
    """Read a cloud. `region` chooses where it has several. `source` says where its name was found.

    Raises SettingsError where openstacksdk is missing, there is no such cloud, or it cannot sign in.
    """
    try:
        from openstack.config import OpenStackConfig, loader  # noqa: PLC0415
        from openstack.exceptions import SDKException  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"{source}: clouds.yaml is read by openstacksdk, which cannot be imported ({error}). It comes with the "
            "extra `clouds`: pip install 'pulumi-dli[clouds]'"
        ) from None
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415
    from keystoneauth1.identity import v3  # noqa: PLC0415

    file = "clouds.yaml"
    try:
        config = OpenStackConfig()
        folders = ", ".join(dict.fromkeys(loader.CONFIG_SEARCH_PATH))
        variable = os.environ.get(_FILE_VARIABLE)
        file = config.config_filename or (
            f"{_FILE_VARIABLE} ({variable or 'not set'}), clouds.yaml in {folders}: none is there"
        )
        options: dict[str, Any] = {"cloud": name, "region_name": region or ""}
        described = config.get_one(**options, validate=False).config
        kind, auth = described.get("auth_type") or "", described.get("auth") or {}
        # Of a plugin without a version, Keystone would be asked for its versions first; DLI's clouds have 3. A plugin
        # with one has to be told the domain of the project, which on these clouds is that of the user.
        kind = kind if kind.startswith("v3") else f"v3{kind or 'password'}"
        domain = {key: auth.get(f"project_{key}", auth.get(f"user_{key}")) for key in ("domain_id", "domain_name")}
        auth |= {f"project_{key}": value for key, value in domain.items() if value and "project_name" in auth}
        cloud = config.get_one(**options, auth_type=kind, auth=auth)
        plugin = cloud.get_auth()
        verify, _ = cloud.get_requests_verify_args()
    except (SDKException, ClientException, KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingsError(f"{source}: cloud {name!r} cannot be used: {error} Looked at: {file}") from None
    if not isinstance(plugin, v3.Auth):
        raise SettingsError(f"{source}: cloud {name!r} signs in by {kind}, which is no way of Keystone v3")
    return FoundCloud(cloud.region_name or None, True if verify is None else verify, plugin)
