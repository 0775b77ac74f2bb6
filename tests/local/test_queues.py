import pytest

from tests.local.api import Api


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
