import pytest
from huaweicloudsdkdli.v1 import DliClient, ListSparkJobsRequest
from huaweicloudsdkdli.v1.region.dli_region import DliRegion

from pulumi_dli.local.environment import environment_of
from tests.local.api import Api


def test_the_vendors_client_signs_in_with_nothing_but_the_variables(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment_of(api.account).items():
        monkeypatch.setenv(name, value)
    client = DliClient.new_builder().with_region(DliRegion.value_of(api.account.region)).build()
    job_id = api.submit()
    assert [job.id for job in client.list_spark_jobs(ListSparkJobsRequest(job_id=job_id)).sessions] == [job_id]
