import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.api import ENDLESS, Api

BODIES = Path(__file__).parents[1] / "data" / "bodies"


def body_of(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((BODIES / f"{name}.json").read_text())["body"]
    return body


def typed(body: dict[str, Any]) -> dict[str, type]:
    return {key: type(value) for key, value in body.items()}


def test_a_running_jobs_replies_have_the_keys_and_types_of_the_pages_examples(api: Api) -> None:
    created = api.create(conf={"spark.dli.local.timeline": ENDLESS}, name="in shape")
    job_id = created["id"]
    api.wait(job_id, "running")
    assert typed(created) == typed(body_of("create_reply"))
    assert typed(api.details(job_id)) == typed(body_of("details_reply"))
    [listed] = api.sessions(job_name="in shape")
    assert typed(listed) == typed(body_of("list_reply")["sessions"][1]) | {"req_body": str}
    assert typed(api.ask("GET", api.batches)) == typed(body_of("list_reply"))
    assert typed(api.ask("GET", f"{api.batches}/{job_id}/state")) == typed(body_of("state_reply"))
    assert typed(api.ask("GET", f"{api.batches}/{job_id}/log")) == typed(body_of("log_reply"))
    assert api.ask("DELETE", f"{api.batches}/{job_id}") == body_of("cancel_reply")
    assert typed(api.call("GET", f"{api.batches}/42").json()) == typed(body_of("error_dli"))
    assert typed(api.call("GET", api.batches, headers={}).json()) == typed(body_of("error_gateway"))


def test_a_job_with_an_image_shows_it_as_the_vendors_sample_does(api: Api) -> None:
    job_id = api.submit("starting", name="imaged", image="demo/orders:1.4", feature="custom", spark_version="3.3.1")
    assert typed(api.details(job_id)) == typed(body_of("details_reply_sdk"))
    [listed] = api.sessions(job_name="imaged")
    assert typed(listed) == typed(body_of("list_reply")["sessions"][0])


DEFAULTS = {
    "jars": [],
    "pyFiles": [],
    "files": [],
    "modelFiles": [],
    "resources": [],
    "modules": [],
    "groups": [],
    "archives": [],
    "queue": "default",
    "name": "",
    "conf": {},
    "file": "obs://jobs/job.py",
    "args": [],
    "className": "",
    "autoRecovery": False,
    "minRecoveryDelayTime": 10000,
    "maxRetryTimes": 20,
    "feature": "basic",
}


def request_of(api: Api, job_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(api.details(job_id)["req_body"])
    return document


def test_the_request_is_kept_with_its_defaults_filled_in(api: Api) -> None:
    assert request_of(api, api.create()["id"]) == DEFAULTS


def test_the_keys_of_a_kept_request_stand_in_the_order_of_the_vendors_sample(api: Api) -> None:
    sample = json.loads(body_of("details_reply")["req_body"])
    job_id = api.create(**{key: sample[key] for key in ("execution_agency_urn", "obs_bucket", "spark_version")})["id"]
    assert list(request_of(api, job_id)) == list(sample)


def test_the_request_is_kept_under_the_services_own_names(api: Api) -> None:
    job_id = api.create(
        className="org.example.Main",
        python_files=["obs://b/lib.zip"],
        conf={"spark.a": True, "spark.b": 64, "spark.c": 0.5, "spark.d": "Ünï", "spark.e": None},
        auto_recovery=True,
        max_retry_times=5,
        minRecoveryDelayTime=1,
        resources=[{"name": "orders.jar", "type": "jar"}],
        archives=["obs://b/data.zip"],
        args=["", " "],
        image="org/spark:1",
        sc_type="B",
        driverMemory="2G",
        catalog_name="dli",
        cluster_name=" BATCH ",
    )["id"]
    assert request_of(api, job_id) == DEFAULTS | {
        "className": "org.example.Main",
        "pyFiles": ["obs://b/lib.zip"],
        "conf": {"spark.a": "true", "spark.b": "64", "spark.c": "0.5", "spark.d": "Ünï"},
        "autoRecovery": True,
        "maxRetryTimes": 5,
        "minRecoveryDelayTime": 1,
        "resources": [{"name": "orders.jar", "type": "jar"}],
        "archives": ["obs://b/data.zip"],
        "args": ["", " "],
        "image": "org/spark:1",
        "queue": "batch",
    }


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("create_request", {}),
        ("create_request_2021", {"autoRecovery": True, "maxRetryTimes": 5}),
        ("create_request_getting_started", {"maxRetryTimes": 10}),
    ],
)
def test_the_pages_own_examples_are_accepted(api: Api, name: str, changed: dict[str, Any]) -> None:
    body = body_of(name)
    reply = api.create(**body)
    assert reply["sc_type"] == ("CUSTOMIZED" if "driver_memory" in body else body.get("sc_type", "A"))
    older = {"class_name": "className", "python_files": "pyFiles"}
    sent = {older.get(key, key): value for key, value in body.items()}
    kept = request_of(api, reply["id"])
    assert kept == DEFAULTS | {key: value for key, value in sent.items() if key in kept} | changed
