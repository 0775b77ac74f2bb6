"""The vendor's own client, unchanged, signing with AK/SK."""

from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkdli.v1 import (
    CancelSparkJobRequest,
    CreateSparkJobRequest,
    CreateSparkJobRequestBody,
    DliClient,
    JobResource,
    ListSparkJobsRequest,
    ShowSparkJobLogRequest,
    ShowSparkJobRequest,
    ShowSparkJobStatusRequest,
)
from huaweicloudsdkdli.v1.region.dli_region import DliRegion

from tests.local.api import Api


@pytest.fixture(scope="module")
def client(api: Api) -> Any:
    account = api.account
    credentials = BasicCredentials(account.access_key, account.secret_key, account.project_id)
    return DliClient.new_builder().with_credentials(credentials).with_endpoints([account.endpoint]).build()


def create(client: Any, **body: Any) -> Any:
    request = CreateSparkJobRequestBody(file="obs://jobs/job.py", class_name="", queue="batch", **body)
    return client.create_spark_job(CreateSparkJobRequest(body=request))


def test_it_creates_shows_lists_and_cancels(client: Any, api: Api) -> None:
    job = create(
        client,
        name="vendor's own ü",
        args=["", "a b", "ü"],
        conf={"spark.dli.local.timeline": "running", "spark.dli.local.log": "at work"},
        resources=[JobResource(name="lib.jar", type="jar")],
        driver_memory="2G",
        auto_recovery=False,
    )
    assert (job.state, job.queue, job.sc_type) == ("starting", "batch", "CUSTOMIZED")
    api.wait(job.id, "running")

    shown = client.show_spark_job(ShowSparkJobRequest(batch_id=job.id))
    assert (shown.name, shown.state, shown.log) == ("vendor's own ü", "running", ["at work"])
    assert '"args":["","a b","ü"]' in shown.req_body
    assert client.show_spark_job_status(ShowSparkJobStatusRequest(batch_id=job.id)).state == "Running"
    with pytest.deprecated_call(match="show_spark_job_log"):
        log = client.show_spark_job_log(ShowSparkJobLogRequest(batch_id=job.id, type="driver"))
    assert (log.total, log.log) == (1, ["at work"])

    listed = client.list_spark_jobs(
        ListSparkJobsRequest(
            job_name="vendor's own ü",
            job_id=job.id,
            queue_name="batch",
            state="running",
            order="CREATE_TIME_ASC",
            size=1,
        )
    )
    assert (listed.total, [session.id for session in listed.sessions]) == (1, [job.id])

    assert client.cancel_spark_job(CancelSparkJobRequest(batch_id=job.id)).msg == "deleted"
    api.wait(job.id, "dead")


@pytest.mark.parametrize(("job_id", "code"), [("42", "DLI.0001"), ("7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b", "DLI.0002")])
def test_it_reads_the_errors(client: Any, job_id: str, code: str) -> None:
    with pytest.raises(ClientRequestException) as error:
        client.show_spark_job(ShowSparkJobRequest(batch_id=job_id))
    assert (error.value.status_code, error.value.error_code) == (400, code)
    assert error.value.error_msg
    assert error.value.request_id


def test_a_wrong_secret_key_is_refused(api: Api) -> None:
    credentials = BasicCredentials(api.account.access_key, "wrong", api.account.project_id)
    stranger = DliClient.new_builder().with_credentials(credentials).with_endpoints([api.account.endpoint]).build()
    with pytest.raises(ClientRequestException) as error:
        create(stranger)
    assert (error.value.status_code, error.value.error_code) == (401, "APIGW.0301")


def test_it_finds_the_project_by_itself(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a project id it asks IAM for the project that is named like the region."""
    account = api.account
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", account.endpoint)
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_LOCAL_1", account.endpoint)
    credentials = BasicCredentials(account.access_key, account.secret_key)
    region = DliRegion.value_of(account.region)
    client = DliClient.new_builder().with_credentials(credentials).with_region(region).build()
    assert create(client).id
