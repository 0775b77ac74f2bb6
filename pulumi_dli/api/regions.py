"""The addresses of DLI and of IAM in the regions where DLI is offered."""

from __future__ import annotations

OPEN_TELEKOM_CLOUD = "eu-de"
"""The one region of Open Telekom Cloud with DLI ("Regions and Endpoints", 2026-04: eu-nl has none)."""

# fmt: off
HUAWEI_CLOUD = frozenset((
    "ae-ad-1", "af-north-1", "af-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
    "cn-east-2", "cn-east-3", "cn-east-4", "cn-east-5", "cn-north-1", "cn-north-2", "cn-north-4", "cn-north-9",
    "cn-south-1", "cn-southwest-2", "eu-west-0", "eu-west-101", "la-north-2", "la-south-2", "me-east-1",
    "my-kualalumpur-1", "na-mexico-1", "ru-moscow-1", "ru-northwest-2", "sa-brazil-1", "tr-west-1",
))
# fmt: on
"""Regions of huaweicloudsdkdli 3.1.219 (v1/region/dli_region.py)."""

_IAM_FOR_ALL = "https://iam.myhuaweicloud.com"
_WITHOUT_IAM = frozenset({"af-north-1", "ru-northwest-2"})
"""Regions for which the vendor's client (huaweicloudsdkcore 3.1.219) knows only the IAM for all."""


def dli_address(region: str) -> str | None:
    """Make DLI's address; None for a region that is not known to have DLI."""
    return _address("dli", region)


def iam_address(region: str) -> str | None:
    """Make IAM's address, without `/v3`; None for a region that is not known to have DLI."""
    return _IAM_FOR_ALL if region in _WITHOUT_IAM else _address("iam", region)


def _address(service: str, region: str) -> str | None:
    if region == OPEN_TELEKOM_CLOUD:
        return f"https://{service}.{region}.otc.t-systems.com"
    if region not in HUAWEI_CLOUD:
        return None
    return f"https://{service}.{region}.myhuaweicloud.{'eu' if region == 'eu-west-101' else 'com'}"
