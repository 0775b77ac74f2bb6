"""The pages about a job: in the console of its cloud, or in the local DLI."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from pulumi_dli.api.location import Location, is_loopback
from pulumi_dli.api.regions import CLOUDS

_PAGE_OF_JOB = "#/main/jobs/spark/submitLog/{id}?type=RUN"
"""Seen in a log of DataArts Studio on Huawei Cloud, 2024-07-02: `https://console.huaweicloud.com/dli/#/main/jobs/…`."""


def console_url(location: Location, batch_id: str) -> str | None:
    """Return the address of a job in the console of its cloud, or None if the cloud is not known.

    It shows the driver log. `?region=`, and the page in other consoles than that of Huawei Cloud, are guesses: no cloud
    documents these addresses.
    """
    host = urlsplit(location.endpoint).hostname or ""
    cloud = next((cloud for cloud in CLOUDS if host.endswith(f".{cloud.domain}")), None)
    if cloud is None or cloud.console is None:
        return None
    region = f"?region={quote(location.region)}" if location.region else ""
    return f"{cloud.console}/dli/{region}{_PAGE_OF_JOB.format(id=quote(batch_id))}"


def page_url(location: Location, batch_id: str) -> str | None:
    """Return the address of a job in the console, or on the page of a local DLI.

    The local DLI may have another port next time, so this address is not for the state.
    """
    if is_loopback(location.endpoint):
        return f"{location.endpoint.rstrip('/')}/jobs/{quote(batch_id)}"
    return console_url(location, batch_id)
