"""The vendor's own client, unchanged, signing with AK/SK."""

import json
from pathlib import Path
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
    JobResourcesGroup,
    ListQueuesRequest,
    ListSparkJobsRequest,
    ShowQueueRequest,
    ShowSparkJobLogRequest,
    ShowSparkJobRequest,
    ShowSparkJobStatusRequest,
    SparkJob,
)
from huaweicloudsdkdli.v1.region.dli_region import DliRegion

from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api


def client_of(account: Credentials) -> Any:
    credentials = BasicCredentials(account.access_key, account.secret_key, account.project_id)
    return DliClient.new_builder().with_credentials(credentials).with_endpoints([account.endpoint]).build()


@pytest.fixture(scope="module")
def client(api: Api) -> Any:
    return client_of(api.account)


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
    assert client.show_spark_job_status(ShowSparkJobStatusRequest(batch_id=job.id)).state == "running"
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


PACKAGES = [JobResource(name="lib.jar", type="jar")]
EVERYTHING: dict[str, Any] = {
    "file": "obs://jobs/job.jar",
    "class_name": "org.example.Main",
    "queue": "Batch",
    "args": ["", "a b", "ü"],
    "sc_type": "B",
    "jars": ["obs://jobs/a.jar"],
    "py_files": ["obs://jobs/a.zip"],
    "files": ["obs://jobs/a.csv"],
    "modules": ["sys.datasource.rds"],
    "resources": PACKAGES,
    "groups": [JobResourcesGroup(name="group", resources=PACKAGES)],
    "conf": {"spark.dli.local.timeline": "running", "spark.example": "true"},
    "name": "everything",
    "driver_memory": "2G",
    "driver_cores": 1,
    "executor_memory": "2048M",
    "executor_cores": 1,
    "num_executors": 2,
    "obs_bucket": "logs",
    "auto_recovery": True,
    "max_retry_times": 3,
    "catalog_name": "dli",
    "feature": "custom",
    "spark_version": "3.1.1",
    "image": "org/spark:1",
    "execution_agency_urn": "agency",
}


def test_every_parameter_that_it_has_is_accepted_and_kept(client: Any, api: Api) -> None:
    body = CreateSparkJobRequestBody(**EVERYTHING)
    assert EVERYTHING.keys() | {"cluster_name"} == body.openapi_types.keys()
    job = client.create_spark_job(CreateSparkJobRequest(body=body, user_id="somebody"))
    api.wait(job.id, "running")
    kept = json.loads(client.show_spark_job(ShowSparkJobRequest(batch_id=job.id)).req_body)
    renamed = {"class_name": "className", "py_files": "pyFiles", "auto_recovery": "autoRecovery"}
    renamed["max_retry_times"] = "maxRetryTimes"
    left_out = {"sc_type", "driver_memory", "driver_cores", "executor_memory", "executor_cores", "num_executors"}
    package = {"name": "lib.jar", "type": "jar"}
    expected = {renamed.get(key, key): value for key, value in EVERYTHING.items() if key not in left_out}
    expected |= {"queue": "batch", "resources": [package], "groups": [{"name": "group", "resources": [package]}]}
    del expected["catalog_name"]
    assert expected.items() <= kept.items()


def test_every_parameter_of_its_list_narrows_it(client: Any, api: Api) -> None:
    job_id = api.submit("success", name="narrowed", queue="batch")
    api.wait(job_id, "success")
    created = api.details(job_id)["create_time"]
    query = {
        "cluster_name": "batch", "queue_name": "batch", "job_name": "narrowed", "job_id": job_id, "state": "success",
        "start": created, "end": created, "order": "DURATION_DESC", "_from": 0, "size": 1,
    }  # fmt: skip
    assert query.keys() == ListSparkJobsRequest().openapi_types.keys()
    (listed,) = client.list_spark_jobs(ListSparkJobsRequest(**query)).sessions
    assert listed.id == job_id
    shown = {name: type(getattr(listed, name)).__name__ for name in SparkJob().openapi_types}
    absent = {"app_id": "NoneType", "image": "NoneType"}  # it never ran, and has no image
    assert shown == {name: kind.split("[")[0] for name, kind in listed.openapi_types.items()} | absent
    otherwise = {
        "cluster_name": "default",
        "queue_name": "default",
        "job_name": "x",
        "state": "dead",
        "start": created + 1,
    }
    otherwise |= {"job_id": "7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b", "end": created - 1, "_from": 1}
    for name, value in otherwise.items():
        narrowed = {key: value for key, value in query.items() if (key, name) != ("queue_name", "cluster_name")}
        assert client.list_spark_jobs(ListSparkJobsRequest(**narrowed | {name: value})).sessions == []


def test_it_reads_any_part_of_a_log(client: Any, api: Api) -> None:
    job_id = api.submit("success", {"spark.dli.local.log": "one\ntwo\nthree"})
    api.wait(job_id, "success")
    query = {"batch_id": job_id, "_from": 1, "size": 1, "type": "driver", "index": 0}
    assert query.keys() == ShowSparkJobLogRequest().openapi_types.keys()
    with pytest.deprecated_call(match="show_spark_job_log"):
        log = client.show_spark_job_log(ShowSparkJobLogRequest(**query))
    assert (log.id, log._from, log.total, log.log) == (job_id, 1, 3, ["two"])


def test_it_lists_and_shows_queues(tmp_path: Path) -> None:
    # A server of its own: a queue without declared CUs grows with the jobs that run on it, those of other tests too.
    with LocalDli(tmp_path, engine="timeline", queues=["batch"]) as dli:
        see_the_queues(client_of(dli.credentials))


def see_the_queues(client: Any) -> None:
    query = {"queue_type": "general", "tags": "", "with_charge_info": True, "with_priv": True}
    assert query.keys() == ListQueuesRequest().openapi_types.keys()
    listed = client.list_queues(ListQueuesRequest(**query)).queues
    assert {"default", "batch"} <= {queue.queue_name for queue in listed}
    shown = client.show_queue(ShowQueueRequest(queue_name="batch"))
    assert (shown.queue_name, shown.queue_type, shown.cu_count) == ("batch", "general", 1024)


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
