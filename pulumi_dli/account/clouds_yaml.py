"""Reads clouds from clouds.yaml, the file of OpenStack's tools. It needs openstacksdk, from the extra `clouds`."""

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
    """A cloud from the file: its region, how to check certificates (as in requests), and the plugin that signs in."""

    region: str | None
    verify: bool | str
    plugin: v3.Auth


def find_cloud(name: str, region: str | None, source: str) -> FoundCloud:
    """Return the cloud with this name from clouds.yaml.

    Raises SettingsError if openstacksdk is missing, if there is no such cloud, or if the cloud cannot sign in.

    Args:
        name: The name of the cloud in the file.
        region: The region to use if the cloud has several. None for the cloud's own region.
        source: Where the name was found, for error messages.
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
        file = config.config_filename or _describe_searched_files(loader.CONFIG_SEARCH_PATH)
        options: dict[str, Any] = {"cloud": name, "region_name": region or ""}
        as_written = config.get_one(**options, validate=False).config
        auth_type = _versioned_auth_type(as_written.get("auth_type"))
        cloud = config.get_one(**options, auth_type=auth_type, auth=_with_project_domain(as_written.get("auth") or {}))
        plugin = cloud.get_auth()
        verify, _ = cloud.get_requests_verify_args()
    except (SDKException, ClientException, KeyError, TypeError, AttributeError, ValueError) as error:
        raise SettingsError(f"{source}: cloud {name!r} cannot be used: {error} Searched: {file}") from error
    if not isinstance(plugin, v3.Auth):
        raise SettingsError(f"{source}: cloud {name!r} signs in by {auth_type}, which Keystone v3 does not have")
    return FoundCloud(cloud.region_name or None, True if verify is None else verify, plugin)


def _describe_searched_files(folders: Iterable[str]) -> str:
    """Return the places that were searched for a clouds.yaml in vain, in words."""
    variable = os.environ.get(_FILE_VARIABLE) or "not set"
    return f"{_FILE_VARIABLE} ({variable}), clouds.yaml in {', '.join(dict.fromkeys(folders))}: none is there"


def _versioned_auth_type(auth_type: str | None) -> str:
    """Return the name of the plugin for Keystone v3. A plugin without a version makes a call to find the version."""
    name = auth_type or ""
    return name if name.startswith("v3") else f"v3{name or 'password'}"


def _with_project_domain(auth: dict[str, Any]) -> dict[str, Any]:
    """Add the domain of the project, which Keystone v3 needs beside its name. These clouds use the user's domain."""
    if "project_name" not in auth:
        return auth
    domain = {key: auth.get(f"project_{key}", auth.get(f"user_{key}")) for key in ("domain_id", "domain_name")}
    return auth | {f"project_{key}": value for key, value in domain.items() if value}
