import pytest
from huaweicloudsdkcore.auth.endpoint import get_iam_endpoint_by_id
from huaweicloudsdkcore.auth.internal import IamHelper
from huaweicloudsdkdli.v1.region.dli_region import DliRegion

from pulumi_dli.api.regions import (
    HUAWEI_CLOUD,
    HUAWEI_CLOUD_EUROPE,
    OPEN_TELEKOM_CLOUD,
    REGIONS,
    WITHOUT_DLI,
    cloud_of,
    dli_address,
    iam_address,
)

HUAWEI_REGIONS = sorted(region for region in REGIONS if cloud_of(region) in (HUAWEI_CLOUD, HUAWEI_CLOUD_EUROPE))


def test_the_regions_of_huawei_cloud_are_those_of_the_vendors_own_client() -> None:
    assert sorted(DliRegion.static_fields) == HUAWEI_REGIONS


@pytest.mark.parametrize("region", HUAWEI_REGIONS)
def test_the_addresses_on_huawei_cloud_are_those_of_the_vendors_own_client(region: str) -> None:
    assert [dli_address(region)] == DliRegion.value_of(region).endpoints
    if region != "eu-west-101":  # a cloud of its own, whose IAM that client does not know
        assert iam_address(region) == get_iam_endpoint_by_id(region, IamHelper.DEFAULT_ENDPOINT)


def test_europe_of_huawei_cloud_is_a_cloud_of_its_own() -> None:
    assert iam_address("eu-west-101") == "https://iam.eu-west-101.myhuaweicloud.eu"


def test_open_telekom_cloud_has_dli_in_one_region() -> None:
    assert dli_address("eu-de") == "https://dli.eu-de.otc.t-systems.com"
    assert iam_address("eu-de") == "https://iam.eu-de.otc.t-systems.com"
    assert dli_address("eu-nl") is iam_address("eu-nl") is None


def test_a_region_without_dli_is_not_one_with_it() -> None:
    assert not set(WITHOUT_DLI) & set(REGIONS)


def test_a_region_tells_its_cloud() -> None:
    assert cloud_of("eu-de") is OPEN_TELEKOM_CLOUD
    assert cloud_of("eu-west-101") is HUAWEI_CLOUD_EUROPE
    assert cloud_of("cn-north-4") is HUAWEI_CLOUD
    assert cloud_of("eu-moon") is cloud_of(None) is None
