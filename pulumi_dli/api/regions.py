"""The clouds and the regions where DLI is offered. A cloud is one row, a region is one line.

Left out, because no document that we have says them: the addresses of the consoles, and those of OBS.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """A cloud that offers DLI.

    Args:
        name: What people call it.
        domain: How the addresses of its services end.
        undocumented: Properties of a job, by their names on the wire, of which its documents do not speak.
    """

    name: str
    domain: str
    undocumented: tuple[str, ...] = ()


@dataclass(frozen=True)
class Region:
    """A region of a cloud. `iam` is the address of IAM where the region has none of its own."""

    cloud: Cloud
    iam: str | None = None


OPEN_TELEKOM_CLOUD = Cloud("Open Telekom Cloud", "otc.t-systems.com", ("feature", "sparkVersion", "image"))
HUAWEI_CLOUD = Cloud("Huawei Cloud", "myhuaweicloud.com")
HUAWEI_CLOUD_EUROPE = Cloud("Huawei Cloud Europe", "myhuaweicloud.eu")

_IAM_OF_HUAWEI_CLOUD = "https://iam.myhuaweicloud.com"

# Open Telekom Cloud: "Regions and Endpoints", 2026-04. Huawei Cloud: huaweicloudsdkdli 3.1.219
# (v1/region/dli_region.py); its huaweicloudsdkcore knows no IAM in two of the regions.
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
"""Regions of these clouds that do not offer DLI, and what to tell who asks for one."""


def cloud_of(region: str | None) -> Cloud | None:
    """Give the cloud of a region; None for a region that is not known to have DLI."""
    known = REGIONS.get(region or "")
    return known.cloud if known else None


def dli_address(region: str) -> str | None:
    """Give DLI's address; None for a region that is not known to have DLI."""
    return _address("dli", region)


def iam_address(region: str) -> str | None:
    """Give IAM's address, without `/v3`; None for a region that is not known to have DLI."""
    known = REGIONS.get(region)
    return (known.iam if known else None) or _address("iam", region)


def _address(service: str, region: str) -> str | None:
    cloud = cloud_of(region)
    return f"https://{service}.{region}.{cloud.domain}" if cloud else None
