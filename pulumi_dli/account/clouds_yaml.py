"""Clouds of clouds.yaml, the file of OpenStack's tools. openstacksdk reads it, which the extra `clouds` brings."""

from __future__ import annotations

import os
from collections.abc import Iterable
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
        ) from error
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415
    from keystoneauth1.identity import v3  # noqa: PLC0415

    file = "clouds.yaml"
    try:
        config = OpenStackConfig()
        file = config.config_filename or _searched_files(loader.CONFIG_SEARCH_PATH)
        options: dict[str, Any] = {"cloud": name, "region_name": region or ""}
        described = config.get_one(**options, validate=False).config
        kind = _with_version(described.get("auth_type"))
        cloud = config.get_one(**options, auth_type=kind, auth=_with_project_domain(described.get("auth") or {}))
        plugin = cloud.get_auth()
        verify, _ = cloud.get_requests_verify_args()
    except (SDKException, ClientException, KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingsError(f"{source}: cloud {name!r} cannot be used: {error} Looked at: {file}") from error
    if not isinstance(plugin, v3.Auth):
        raise SettingsError(f"{source}: cloud {name!r} signs in by {kind}, which is no way of Keystone v3")
    return FoundCloud(cloud.region_name or None, True if verify is None else verify, plugin)


def _searched_files(folders: Iterable[str]) -> str:
    """Name the places where a clouds.yaml was looked for and not found."""
    variable = os.environ.get(_FILE_VARIABLE) or "not set"
    return f"{_FILE_VARIABLE} ({variable}), clouds.yaml in {', '.join(dict.fromkeys(folders))}: none is there"


def _with_version(kind: str | None) -> str:
    """Name the plugin of Keystone 3: without a version, Keystone would first be asked for the versions that it has."""
    kind = kind or ""
    return kind if kind.startswith("v3") else f"v3{kind or 'password'}"


def _with_project_domain(auth: dict[str, Any]) -> dict[str, Any]:
    """Add the domain of a project that is named, which Keystone 3 needs: on these clouds it is that of the user."""
    if "project_name" not in auth:
        return auth
    domain = {key: auth.get(f"project_{key}", auth.get(f"user_{key}")) for key in ("domain_id", "domain_name")}
    return auth | {f"project_{key}": value for key, value in domain.items() if value}
