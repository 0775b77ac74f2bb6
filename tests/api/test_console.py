import pytest

from pulumi_dli.api.console import console_url, page_url
from pulumi_dli.api.location import Location

ID = "1e016f5a-54e9-496e-9767-41af8cb2ebbd"


@pytest.mark.parametrize(
    ("endpoint", "region", "url"),
    [
        (
            "https://dli.cn-north-4.myhuaweicloud.com",
            "cn-north-4",
            f"https://console.huaweicloud.com/dli/?region=cn-north-4#/main/jobs/spark/submitLog/{ID}?type=RUN",
        ),
        (
            "https://dli.eu-de.otc.t-systems.com",
            "eu-de",
            f"https://console.otc.t-systems.com/dli/?region=eu-de#/main/jobs/spark/submitLog/{ID}?type=RUN",
        ),
        (
            "https://dli.eu-de.otc.t-systems.com/",
            None,
            f"https://console.otc.t-systems.com/dli/#/main/jobs/spark/submitLog/{ID}?type=RUN",
        ),
        ("https://dli.eu-west-101.myhuaweicloud.eu", "eu-west-101", None),
        ("https://dli.example.org", "eu-de", None),
        ("https://myhuaweicloud.com.example.org", None, None),
        ("http://127.0.0.1:8080", "local-1", None),
        ("not an address", None, None),
    ],
)
def test_the_console_of_a_known_cloud_has_a_page_for_a_job(endpoint: str, region: str | None, url: str | None) -> None:
    location = Location(endpoint, region, "project")
    assert console_url(location, ID) == url


def test_the_local_dli_has_a_page_of_its_own() -> None:
    assert page_url(Location("http://127.0.0.1:8080/", "local-1", "p"), "a b") == "http://127.0.0.1:8080/jobs/a%20b"
    cloud = Location("https://dli.eu-de.otc.t-systems.com", "eu-de", "p")
    assert page_url(cloud, ID) == console_url(cloud, ID)
