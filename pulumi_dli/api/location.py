"""Where the jobs of a project run: region, project and endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine. Without a scheme, `url` begins with the host."""
    try:
        host = (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:  # a host name, or no URL
        return False


@dataclass(frozen=True)
class Location:
    """The address of DLI, the region (None if unknown) and the id of the project."""

    endpoint: str
    region: str | None
    project_id: str
