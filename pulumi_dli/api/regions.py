"""The clouds and regions that offer DLI: one row for each cloud, one line for each region."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """A cloud that offers DLI.

    Args:
        name: The name that users know.
        domain: The end of the addresses of its services.
        console: The address of its console, or None if it is not known.
        undocumented: Properties of a job that its documentation does not mention, by their names in Pulumi's state.
    """

    name: str
    domain: str
    console: str | None = None
    undocumented: tuple[str, ...] = ()


@dataclass(frozen=True)
class Region:
    """A region of a cloud. `iam` is the address of IAM if the region has no IAM of its own."""

    cloud: Cloud
    iam: str | None = None


# The consoles: user guides of Open Telekom Cloud (DWS, `https://console.otc.t-systems.com/dws/`) and of Huawei Cloud
# (IEF, `https://console.huaweicloud.com/dli`). No source has that of Huawei Cloud Europe.
OPEN_TELEKOM_CLOUD = Cloud(
    "Open Telekom Cloud",
    "otc.t-systems.com",
    "https://console.otc.t-systems.com",
    undocumented=("feature", "sparkVersion", "image"),
)
HUAWEI_CLOUD = Cloud("Huawei Cloud", "myhuaweicloud.com", "https://console.huaweicloud.com")
HUAWEI_CLOUD_EUROPE = Cloud("Huawei Cloud Europe", "myhuaweicloud.eu")

_IAM_OF_HUAWEI_CLOUD = "https://iam.myhuaweicloud.com"

CLOUDS = (OPEN_TELEKOM_CLOUD, HUAWEI_CLOUD, HUAWEI_CLOUD_EUROPE)

# Sources: Open Telekom Cloud: "Regions and Endpoints", 2026-04. Huawei Cloud: huaweicloudsdkdli 3.1.219
# (v1/region/dli_region.py); huaweicloudsdkcore has no IAM of its own for two of the regions.
REGIONS: dict[str, Region] = {
    "eu-de": Region(OPEN_TELEKOM_CLOUD),
    "ae-ad-1": Region(HUAWEI_CLOUD),
    "af-north-1": Region(HUAWEI_CLOUD, iam=_IAM_OF_HUAWEI_CLOUD),
    "af-south-1": Region(HUAWEI_CLOUD),
    "ap-southeast-1": Region(HUAWEI_CLOUD),
    "ap-southeast-2": Region(HUAWEI_CLOUD),
    "ap-southeast-3": Region(HUAWEI_CLOUD),
    "ap-southeast-4": Region(HUAWEI_CLOUD),
    "cn-east-2": Region(HUAWEI_CLOUD),
    "cn-east-3": Region(HUAWEI_CLOUD),
    "cn-east-4": Region(HUAWEI_CLOUD),
    "cn-east-5": Region(HUAWEI_CLOUD),
    "cn-north-1": Region(HUAWEI_CLOUD),
    "cn-north-2": Region(HUAWEI_CLOUD),
    "cn-north-4": Region(HUAWEI_CLOUD),
    "cn-north-9": Region(HUAWEI_CLOUD),
    "cn-south-1": Region(HUAWEI_CLOUD),
    "cn-southwest-2": Region(HUAWEI_CLOUD),
    "eu-west-0": Region(HUAWEI_CLOUD),
    "eu-west-101": Region(HUAWEI_CLOUD_EUROPE),
    "la-north-2": Region(HUAWEI_CLOUD),
    "la-south-2": Region(HUAWEI_CLOUD),
    "me-east-1": Region(HUAWEI_CLOUD),
    "my-kualalumpur-1": Region(HUAWEI_CLOUD),
    "na-mexico-1": Region(HUAWEI_CLOUD),
    "ru-moscow-1": Region(HUAWEI_CLOUD),
    "ru-northwest-2": Region(HUAWEI_CLOUD, iam=_IAM_OF_HUAWEI_CLOUD),
    "sa-brazil-1": Region(HUAWEI_CLOUD),
    "tr-west-1": Region(HUAWEI_CLOUD),
}

WITHOUT_DLI = {"eu-nl": "Open Telekom Cloud offers DLI in eu-de only"}
"""Regions of these clouds that do not offer DLI, each with the sentence for the user."""


def cloud_of(region: str | None) -> Cloud | None:
    """Return the cloud of a region, or None if the region is not in the table."""
    known = REGIONS.get(region or "")
    return known.cloud if known else None


def dli_address(region: str, domain: str | None = None) -> str | None:
    """Return the address of DLI, or None if the region is not in the table.

    `domain` is the domain of the cloud, for example `myhuaweicloud.eu`. With it the region need not be in the table.
    """
    return _address("dli", region, domain)


def iam_address(region: str, domain: str | None = None) -> str | None:
    """Return the address of IAM without `/v3`, as `dli_address` does."""
    known = REGIONS.get(region)
    shared = known.iam if known is not None and domain is None else None
    return shared or _address("iam", region, domain)


def _address(service: str, region: str, domain: str | None) -> str | None:
    cloud = cloud_of(region)
    domain = domain or (cloud.domain if cloud else None)
    return f"https://{service}.{region}.{domain}" if domain else None
