import re
from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_dli.local.server import LocalDli
from tests.local.api import ENDLESS, Api, Clock

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNKNOWN_ID = "7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b"
ID_CALLS = [("GET", ""), ("GET", "/state"), ("GET", "/log"), ("DELETE", "")]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Jobs that began a minute apart: one that succeeded, one that runs, one that died, one that waits."""
    clock = Clock()
    with LocalDli(tmp_path_factory.mktemp("dli"), engine="timeline", queues=["batch"], now=clock) as dli:
        api = Api(dli.credentials)
        api.wait(api.submit("success", name="etl-one"), "success")
        clock.seconds += 60
        api.wait(api.submit(ENDLESS, name="etl-two", queue="batch"), "running")
        clock.seconds += 60
        dead = api.submit(ENDLESS, name="ETL-three", queue="batch")
        api.wait(dead, "running")
        clock.seconds += 20
        api.cancel(dead)
        api.wait(dead, "dead")
        clock.seconds += 40
        api.submit("starting", name="report")
        yield api


def test_a_submission_is_answered_with_the_record_of_a_job_that_starts(api: Api) -> None:
    reply = api.create(name="nightly", queue="batch")
    assert UUID.fullmatch(reply.pop("id"))
    assert reply.pop("create_time") == reply.pop("update_time")
    assert reply == {
        "appId": "",
        "name": "nightly",
        "owner": api.account.username,
        "proxyUser": "",
        "state": "starting",
        "kind": "",
        "log": [],
        "sc_type": "A",
        "cluster_name": "batch",
        "queue": "batch",
    }


def test_a_job_is_described_with_its_request_but_without_a_duration(api: Api) -> None:
    job_id = api.submit(ENDLESS, name="described", image="org/spark:1", feature="custom", spark_version="3.3.1")
    api.wait(job_id, "running")
    details = api.details(job_id)
    assert details["appId"] == f"batch-session-{job_id}:30663"
    assert {key: details[key] for key in ("image", "feature", "spark_version")} == {
        "image": "org/spark:1",
        "feature": "custom",
        "spark_version": "3.3.1",
    }
    assert '"name":"described"' in details["req_body"]
    assert "duration" not in details


def test_the_state_call_writes_the_state_in_lower_case(api: Api) -> None:
    job_id = api.submit("success")
    api.wait(job_id, "success")
    assert api.ask("GET", f"{api.batches}/{job_id}/state") == {"id": job_id, "state": "success"}


def test_the_record_of_a_job_is_found_by_its_id_in_any_case(api: Api) -> None:
    job_id = api.submit()
    assert api.details(job_id.upper())["id"] == job_id


def test_a_cancelled_job_is_dead_and_its_record_stays(api: Api) -> None:
    job_id = api.submit(ENDLESS)
    assert api.ask("DELETE", f"{api.batches}/{job_id}") == {"msg": "deleted"}
    assert api.wait(job_id, "dead")


@pytest.mark.parametrize("end", ["success", "dead"])
def test_a_job_that_has_ended_cannot_be_cancelled(api: Api, end: str) -> None:
    job_id = api.submit(end)
    api.wait(job_id, end)
    reply = api.call("DELETE", f"{api.batches}/{job_id}")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0007")
    assert api.state(job_id) == end


@pytest.mark.parametrize(("method", "rest"), ID_CALLS)
@pytest.mark.parametrize(
    ("job_id", "code"), [(UNKNOWN_ID, "DLI.0002"), ("42", "DLI.0001"), (UNKNOWN_ID + "0", "DLI.0001")]
)
def test_an_id_that_nobody_has_is_refused(api: Api, method: str, rest: str, job_id: str, code: str) -> None:
    reply = api.call(method, f"{api.batches}/{job_id}{rest}")
    assert (reply.status_code, reply.json()["error_code"]) == (400, code)


NEWEST_FIRST = ["report", "ETL-three", "etl-two", "etl-one"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, NEWEST_FIRST),
        ({"queue_name": "batch"}, ["ETL-three", "etl-two"]),
        ({"queue_name": "BATCH"}, ["ETL-three", "etl-two"]),
        ({"cluster_name": "batch"}, ["ETL-three", "etl-two"]),
        ({"queue_name": "default"}, ["report", "etl-one"]),
        ({"queue_name": "nobodys"}, []),
        ({"job_name": "etl-two"}, ["etl-two"]),
        ({"job_name": "etl"}, ["ETL-three", "etl-two", "etl-one"]),
        ({"job_name": "%"}, []),
        ({"state": "starting"}, ["report"]),
        ({"state": "running"}, ["etl-two"]),
        ({"state": "Success"}, ["etl-one"]),
        ({"state": "dead", "queue_name": "batch"}, ["ETL-three"]),
        ({"state": "dead", "queue_name": "default"}, []),
        ({"owner": "local-user"}, NEWEST_FIRST),
        ({"owner": "somebody else"}, []),
        ({"start": 1_700_000_060_000}, ["report", "ETL-three", "etl-two"]),
        ({"end": 1_700_000_060_000}, ["etl-two", "etl-one"]),
        ({"start": 1_700_000_060_000, "end": 1_700_000_119_999}, ["etl-two"]),
        ({"order": "CREATE_TIME_DESC"}, NEWEST_FIRST),
        ({"order": "CREATE_TIME_ASC"}, NEWEST_FIRST[::-1]),
        ({"order": "DURATION_DESC"}, ["etl-two", "ETL-three", "report", "etl-one"]),
        ({"order": "DURATION_ASC"}, ["etl-one", "report", "ETL-three", "etl-two"]),
        ({"from": 1, "size": 2}, ["ETL-three", "etl-two"]),
        ({"from": 3, "size": 2}, ["etl-one"]),
        ({"from": 4}, []),
        ({"job_name": "", "state": "", "from": "", "size": ""}, NEWEST_FIRST),
        ({"unknown": "x"}, NEWEST_FIRST),
    ],
    ids=repr,
)
def test_a_list_is_narrowed_ordered_and_paged_by_its_query(
    history: Api, query: dict[str, Any], names: list[str]
) -> None:
    page = history.ask("GET", history.batches, params=query)
    assert [job["name"] for job in page["sessions"]] == names
    assert page["from"] == int(query.get("from") or 0)
    assert page["create_time"] == 1_700_000_180_000


@pytest.mark.parametrize("parameter", ["job-id", "job_id"])
def test_a_list_finds_a_job_by_its_id_in_both_spellings(history: Api, parameter: str) -> None:
    wanted = history.sessions()[2]
    for job_id in (wanted["id"], wanted["id"].upper()):
        assert history.sessions(**{parameter: job_id}) == [wanted]
    assert history.sessions(**{parameter: UNKNOWN_ID}) == []


def test_the_total_of_a_list_is_of_all_that_match_whatever_the_page(history: Api) -> None:
    for query, total in (({"size": 1}, 4), ({"from": 99}, 4), ({"job_name": "etl", "size": 1}, 3)):
        assert history.ask("GET", history.batches, params=query)["total"] == total


def test_an_item_of_a_list_says_how_long_the_job_has_run(history: Api) -> None:
    jobs = history.sessions()
    assert [job["duration"] for job in jobs] == [0, 20_000, 120_000, 0]
    assert [job["appId"] is None for job in jobs] == [True, False, False, True]
    assert all('"file":"obs://jobs/job.py"' in job["req_body"] for job in jobs)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"order": "NAME_ASC"}, "order"),
        ({"state": "finished"}, "state"),
        ({"from": "-1"}, "from"),
        ({"from": "first"}, "from"),
        ({"from": "\u0663"}, "from"),
        ({"size": "0"}, "size"),
        ({"size": "9" * 30}, "size"),
        ({"start": "yesterday"}, "start"),
        ({"end": "1.5"}, "end"),
    ],
    ids=repr,
)
def test_a_list_refuses_what_it_cannot_read(api: Api, query: dict[str, str], parameter: str) -> None:
    reply = api.call("GET", api.batches, params=query)
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")
    assert reply.json()["error_msg"].startswith(f"Parameter {parameter} is invalid")


def test_a_page_has_a_hundred_jobs_at_most(api: Api) -> None:
    for _ in range(101):
        api.create(name="crowd")
    pages = [api.sessions(job_name="crowd", **query) for query in ({}, {"size": 500}, {"from": 100})]
    assert [len(page) for page in pages] == [100, 100, 1]
    assert len({job["id"] for job in pages[0] + pages[2]}) == 101


@pytest.mark.parametrize(
    ("query", "start", "lines"),
    [
        ({"type": "driver"}, 50, range(50, 150)),
        ({"index": 0}, 50, range(50, 150)),
        ({"type": "driver", "index": 0, "size": 3}, 147, range(147, 150)),
        ({"type": "driver", "from": 0, "size": 2}, 0, range(2)),
        ({"type": "driver", "from": 148, "size": 100}, 148, range(148, 150)),
        ({"type": "driver", "from": 0, "size": 1000}, 0, range(150)),
        ({"type": "driver", "from": 500}, 500, range(0)),
    ],
    ids=repr,
)
def test_a_log_is_read_from_any_line(api: Api, query: dict[str, Any], start: int, lines: range) -> None:
    job_id = api.submit("running:0s,success", {"spark.dli.local.log": "\n".join(f"line {n}" for n in range(150))})
    api.wait(job_id, "success")
    assert api.ask("GET", f"{api.batches}/{job_id}/log", params=query) == {
        "id": job_id,
        "from": start,
        "total": 150,
        "log": [f"line {n}" for n in lines],
    }


@pytest.mark.parametrize("query", [{}, {"type": "submit"}, {"type": "driver", "index": 1}], ids=repr)
def test_a_log_that_nobody_wrote_is_empty(api: Api, query: dict[str, Any]) -> None:
    job_id = api.submit("success", {"spark.dli.local.log": "a line of the driver"})
    api.wait(job_id, "success")
    assert api.ask("GET", f"{api.batches}/{job_id}/log", params=query) == {
        "id": job_id,
        "from": 0,
        "total": 0,
        "log": [],
    }


@pytest.mark.parametrize("query", [{"index": "-1"}, {"index": "one"}, {"from": "x"}, {"size": "0"}], ids=repr)
def test_a_log_call_refuses_what_it_cannot_read(api: Api, query: dict[str, str]) -> None:
    reply = api.call("GET", f"{api.batches}/{api.submit()}/log", params=query)
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"modules": ["sys.datasource.rds"], "catalog_name": "dli"}, "catalog_name, modules"),
        ({"image": "org/spark:1", "feature": "custom", "spark_version": "2.4.5"}, "feature, image, spark_version"),
        ({"execution_agency_urn": "agency", "obs_bucket": "logs"}, "execution_agency_urn, obs_bucket"),
        ({"archives": ["a.zip"], "modelFiles": ["m"]}, "archives, modelFiles"),
        ({"spark.dli.metaAccess.enable": True, "spark.dli.job.priority": 3}, "conf spark.dli.job.priority"),
        ({"drivermemory": "2G", "two\nlines": 1}, "'two\\nlines', drivermemory"),
    ],
    ids=repr,
)
def test_what_is_accepted_and_has_no_effect_is_named_in_the_log_of_the_submission(
    api: Api, body: dict[str, Any], named: str
) -> None:
    conf = {key: value for key, value in body.items() if key.startswith("spark.")}
    job_id = api.submit(ENDLESS, conf, **{key: value for key, value in body.items() if key not in conf})
    [line] = api.lines(job_id, type="submit")
    assert line.startswith("Accepted, but without effect here: ")
    assert named in line


def test_what_has_an_effect_is_not_named_in_the_log_of_the_submission(api: Api) -> None:
    body = {"modules": [], "catalog_name": "", "feature": "basic", "minRecoveryDelayTime": 1, "maxRetryTimes": 2}
    job_id = api.submit(ENDLESS, {"spark.a": 1, "spark.dli.metaAccess.enable": None}, class_name="a.B", **body)
    assert api.lines(job_id, type="submit") == []
