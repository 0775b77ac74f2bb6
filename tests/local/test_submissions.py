from typing import Any

import pytest

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.submissions import ignored_parameters, uses_metadata
from tests.local.api import Api

JAR = {"file": "obs://jobs/job.jar"}


def refusal_of(api: Api, body: Any) -> dict[str, Any]:
    """Submit what must be refused, and see that nothing was accepted."""
    before = api.ask("GET", api.batches)["total"]
    raw = {"data": body} if isinstance(body, bytes) else {"json": body}
    reply = api.call("POST", api.batches, **raw)
    assert reply.status_code == 400
    assert api.ask("GET", api.batches)["total"] == before
    error: dict[str, Any] = reply.json()
    assert error.keys() == {"error_code", "error_msg"}
    return error


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({}, "file"),
        ({"file": " "}, "file"),
        ({"file": None}, "file"),
        (JAR, "className"),
        (JAR | {"className": " "}, "className"),
        ({"file": "uploaded-package"}, "className"),
        ({"args": "one two"}, "args"),
        ({"args": [1]}, "args.0"),
        ({"args": ["a\0b"]}, "args"),
        (JAR | {"className": "org.Main\0"}, "className"),
        ({"conf": ["spark.a=b"]}, "conf"),
        ({"conf": {"spark.a": ["b"]}}, "conf.spark.a"),
        ({"name": "x" * 129}, "name"),
        ({"sc_type": "D"}, "sc_type"),
        ({"queue": "default", "cluster_name": "default"}, "queue"),
        ({"driverMemory": "2048"}, "driverMemory"),
        ({"driverMemory": "2T"}, "driverMemory"),
        ({"driverMemory": "0G"}, "driverMemory"),
        ({"driver_memory": "two gigabytes"}, "driverMemory"),
        ({"executorMemory": ""}, "executorMemory"),
        ({"executorMemory": "1.5G"}, "executorMemory"),
        ({"driverCores": -1}, "driverCores"),
        ({"executorCores": "many"}, "executorCores"),
        ({"numExecutors": 2**31}, "numExecutors"),
        ({"max_retry_times": 101}, "max_retry_times"),
        ({"max_retry_times": -1}, "max_retry_times"),
        ({"maxRetryTimes": 101}, "maxRetryTimes"),
        ({"maxRetryTimes": True}, "maxRetryTimes"),
        ({"minRecoveryDelayTime": "soon"}, "minRecoveryDelayTime"),
        ({"resources": [{"name": ["x"]}]}, "resources.0.name"),
        ({"groups": [{"name": "g", "resources": "x"}]}, "groups.0.resources"),
        ({"spark_version": "3.3.1", "file": "group/job.py"}, "file"),
        ({"spark_version": "3.5", "resources": [{"name": "a.jar", "type": "jar"}]}, "resources"),
        ({"spark_version": "10.0", "groups": [{"name": "g"}]}, "groups"),
    ],
    ids=repr,
)
def test_a_bad_parameter_is_named_and_nothing_is_submitted(api: Api, body: dict[str, Any], parameter: str) -> None:
    error = refusal_of(api, body if "file" in body or not body else {"file": "obs://jobs/job.py"} | body)
    assert error["error_code"] == "DLI.0001"
    assert error["error_msg"].startswith((f"Parameter {parameter}", "Parameters queue"))


@pytest.mark.parametrize("parameter", ["conf", "args", "driverMemory", "sc_type"])
def test_a_refusal_does_not_repeat_what_was_sent(api: Api, parameter: str) -> None:
    wrong = {"conf": {"spark.key": ["hunter2"]}, "args": ["a", {"hunter2": 1}], "driverMemory": "hunter2"}
    error = refusal_of(api, {"file": "obs://jobs/job.py", parameter: wrong.get(parameter, "hunter2")})
    assert error["error_msg"].startswith(f"Parameter {parameter}")
    assert "hunter2" not in error["error_msg"]


def test_an_unknown_queue_is_something_that_does_not_exist(api: Api) -> None:
    for body in ({"queue": "nobodys"}, {"cluster_name": "nobodys"}):
        assert refusal_of(api, {"file": "obs://jobs/job.py"} | body)["error_code"] == "DLI.0002"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"file": NaN}',
        b'{"file": "obs://b/\\ud800.py"}',
        b'{"file": "obs://b/a.py", "conf": {"spark.a": 1e999}}',
        b'{"file": "obs://b/a.py", "numExecutors": ' + b"9" * 5000 + b"}",
        b'"a string"',
        b"[]",
        b"null",
        b"[" * 1_000_000,
        b'{"file": "obs://b/a.py", "unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"file": "obs://b/a.py", "unknown": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"file": "obs://b/a.py", "archives": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
    ],
    ids=lambda body: repr(body[:50]),
)
def test_a_body_that_is_no_readable_json_object_is_refused(api: Api, body: bytes) -> None:
    error = refusal_of(api, body)
    assert error["error_code"] == "DLI.0001"
    assert error["error_msg"].startswith("The request body ")


@pytest.mark.parametrize(
    ("body", "sc_type"),
    [
        ({}, "A"),
        ({"sc_type": "C"}, "C"),
        ({"sc_type": "B", "driverMemory": "2 GB"}, "CUSTOMIZED"),
        ({"executorMemory": "2048M"}, "CUSTOMIZED"),
        ({"driverCores": 0}, "CUSTOMIZED"),
        ({"num_executors": 2}, "CUSTOMIZED"),
    ],
    ids=repr,
)
def test_sizes_of_its_own_make_a_jobs_resource_type_customized(api: Api, body: dict[str, Any], sc_type: str) -> None:
    assert api.create(**body)["sc_type"] == sc_type


@pytest.mark.parametrize(
    ("body", "queue"),
    [
        ({}, "default"),
        ({"queue": " batch"}, "batch"),
        ({"queue": "BATCH", "cluster_name": ""}, "batch"),
        ({"cluster_name": "batch"}, "batch"),
    ],
    ids=repr,
)
def test_a_queue_is_found_by_either_parameter_whatever_its_case(api: Api, body: dict[str, Any], queue: str) -> None:
    reply = api.create(**body)
    assert (reply["queue"], reply["cluster_name"]) == (queue, queue)


def test_a_jar_needs_no_main_class_where_it_is_python_after_all(api: Api) -> None:
    assert api.create(file="obs://jobs/job.py", className="")["state"] == "starting"


@pytest.mark.parametrize("version", [None, "", "2.4.5", "3.1.1", "3.2", "newest"])
def test_packages_may_be_named_where_spark_is_not_said_to_be_3_3_or_newer(api: Api, version: str | None) -> None:
    packages = {"resources": [{"name": "a.jar", "type": "jar"}], "groups": [{"name": "g"}]}
    assert api.create(file="group/job.py", spark_version=version, **packages)["state"] == "starting"


@pytest.mark.parametrize(
    ("body", "uses"),
    [
        ({"catalog_name": "dli"}, True),
        ({"conf": {"spark.dli.metaAccess.enable": True}}, True),
        ({"conf": {"spark.dli.metaAccess.enable": "True "}}, True),
        ({}, False),
        ({"catalog_name": "hive"}, False),
        ({"conf": {"spark.dli.metaAccess.enable": "false"}}, False),
        ({"conf": {"spark.dli.metaAccess.enable": None}}, False),
    ],
)
def test_a_job_uses_metadata_by_its_catalog_or_its_conf(body: dict[str, Any], uses: bool) -> None:
    assert uses_metadata(BatchRequest.model_validate({"file": "obs://b/a.py"} | body)) is uses


@pytest.mark.parametrize(
    ("has_metadata", "catalog", "named"),
    [
        (True, "dli", []),
        (True, "hive", ["catalog_name"]),
        (False, "dli", ["catalog_name", "conf spark.dli.metaAccess.enable"]),
    ],
)
def test_metadata_has_an_effect_only_where_there_is_some(has_metadata: bool, catalog: str, named: list[str]) -> None:
    conf: dict[str, Any] = {"spark.dli.metaAccess.enable": True}
    request = BatchRequest(file="obs://b/a.py", catalog_name=catalog, conf=conf)
    assert ignored_parameters(request, has_metadata=has_metadata) == named
