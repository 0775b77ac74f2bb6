from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_dli.local.queues import read_queues
from pulumi_dli.local.server import LocalDli, LocalDliError
from tests.local.api import ENDLESS, Api


def queues(api: Api) -> str:
    return f"/v1.0/{api.account.project_id}/queues"


@pytest.mark.parametrize("kind", ["general", "all"])
def test_the_queues_are_for_spark_and_default_is_always_there(api: Api, kind: str) -> None:
    listed = api.ask("GET", queues(api), params={"queue_type": kind})["queues"]
    assert [(queue["queue_name"], queue["queue_type"]) for queue in listed] == [
        ("default", "general"),
        ("batch", "general"),
    ]


@pytest.mark.parametrize("query", [{}, {"queue_type": ""}, {"queue_type": "sql"}], ids=repr)
def test_a_list_is_of_sql_queues_unless_asked_otherwise(api: Api, query: dict[str, str]) -> None:
    assert api.ask("GET", queues(api), params=query) == {"is_success": True, "message": "", "queues": []}


def test_an_unknown_type_is_refused(api: Api) -> None:
    reply = api.call("GET", queues(api), params={"queue_type": "spark"})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")


@pytest.mark.parametrize("name", ["batch", "BATCH"])
def test_a_queue_is_described_under_its_lower_case_name(api: Api, name: str) -> None:
    queue = api.ask("GET", f"{queues(api)}/{name}")
    assert (queue["queueName"], queue["queueType"]) == ("batch", "general")


def test_an_unknown_queue_does_not_exist(api: Api) -> None:
    reply = api.call("GET", f"{queues(api)}/nobodys")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0002")


@pytest.mark.parametrize(
    ("declared", "queues"),
    [
        ([], {"default": None}),
        (["batch"], {"default": None, "batch": None}),
        (["Batch:16", " etl_2 "], {"default": None, "batch": 16, "etl_2": None}),
        (["default:64"], {"default": 64}),
        (["batch:16", "BATCH:32"], {"default": None, "batch": 32}),
        (["x" * 128 + ":999999999"], {"default": None, "x" * 128: 999_999_999}),
        (["1a"], {"default": None, "1a": None}),
    ],
)
def test_a_queue_is_declared_with_its_cus_or_without_a_limit(
    declared: list[str], queues: dict[str, int | None]
) -> None:
    assert read_queues(declared) == queues


@pytest.mark.parametrize(
    "text",
    ["", ":", ":16", "batch:", "batch:0", "batch:many", "batch:-1", "batch:1.5", "a b", "a-b", "_a", "12", "12:16",
     "gr\xfcn", "batch:\u0663", "x" * 129, "batch:1000000000", "a:1:2"],
)  # fmt: skip
def test_what_is_no_queue_is_refused_with_the_reason(tmp_path: Path, text: str) -> None:
    with pytest.raises(LocalDliError, match=r"^'.*' is not a queue: write NAME or NAME:CUs, as in batch:64"):
        LocalDli(tmp_path, engine="timeline", queues=[text]).start()


@pytest.fixture
def sized(tmp_path: Path) -> Iterator[Api]:
    with LocalDli(tmp_path, engine="timeline", queues=["batch:64", "default"]) as dli:
        yield Api(dli.credentials)


def cus_of(api: Api, name: str) -> int:
    """Read the CUs of a queue where it is listed and where it is described; they are equal."""
    listed = api.ask("GET", queues(api), params={"queue_type": "all"})["queues"]
    [cus] = [queue["cu_count"] for queue in listed if queue["queue_name"] == name]
    assert api.ask("GET", f"{queues(api)}/{name}")["cuCount"] == cus
    return int(cus)


def test_a_queue_has_the_cus_that_it_was_declared_with(sized: Api) -> None:
    assert cus_of(sized, "batch") == 64
    sized.wait(sized.submit(ENDLESS, queue="batch"), "running")
    assert cus_of(sized, "batch") == 64


def test_a_queue_without_a_limit_has_as_many_cus_as_its_jobs_take_and_1024_at_least(sized: Api) -> None:
    assert cus_of(sized, "default") == 1024
    job = sized.submit(ENDLESS, num_executors=300, executor_cores=4)
    assert cus_of(sized, "default") > 1024
    sized.cancel(job)
    sized.wait(job, "dead")
    assert cus_of(sized, "default") == 1024
