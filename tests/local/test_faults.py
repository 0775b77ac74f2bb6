from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import requests

from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.faults import Faults, RouteName
from tests.local.api import Api

SetFaults = Callable[..., None]


@pytest.fixture
def faults(api: Api) -> Iterator[SetFaults]:
    """Set rules; they end with the test."""

    def put(*rules: dict[str, Any]) -> None:
        reply = api.call("PUT", "/local/faults", json=rules)
        assert reply.status_code == 204, reply.text

    yield put
    put()


def jobs_named(api: Api, name: str) -> int:
    return len(api.sessions(job_name=name))


def test_a_call_is_answered_otherwise(api: Api, faults: SetFaults) -> None:
    error = {"error_code": "DLI.0999", "error_msg": "busy"}
    faults({"action": "reply", "status": 503, "body": error, "headers": {"Retry-After": "7"}})
    reply = api.call("GET", api.batches)
    assert (reply.status_code, reply.json()) == (503, error)
    assert (reply.headers["Retry-After"], reply.headers["Content-Type"]) == ("7", "application/json")


def test_another_answer_may_be_any_text(api: Api, faults: SetFaults) -> None:
    faults({"action": "reply", "status": 502, "body": "<h1>Bad Gateway", "content_type": "text/html"})
    reply = api.call("GET", api.batches)
    assert (reply.status_code, reply.text) == (502, "<h1>Bad Gateway")
    assert reply.headers["Content-Type"].startswith("text/html")


def test_garbage_is_a_success_that_nobody_can_read(api: Api, faults: SetFaults) -> None:
    faults({"action": "garbage"})
    reply = api.call("GET", api.batches)
    assert reply.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        reply.json()


def test_a_cut_connection_gives_no_answer(api: Api, faults: SetFaults) -> None:
    faults({"action": "cut"})
    with pytest.raises(requests.ConnectionError):
        api.sessions()


def test_half_an_answer_ends_within_its_body(api: Api, faults: SetFaults) -> None:
    faults({"action": "half", "method": "POST"})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api.create(name="half-answered")
    assert jobs_named(api, "half-answered") == 1


@pytest.mark.parametrize("action", [{"action": "cut"}, {"action": "garbage"}, {"action": "reply", "status": 500}])
@pytest.mark.parametrize(("when", "jobs"), [("before", 0), ("after", 1)])
def test_a_fault_is_injected_before_or_after_the_work(
    api: Api, faults: SetFaults, action: dict[str, Any], when: str, jobs: int
) -> None:
    name = f"{action['action']}-{when}"
    faults({"method": "POST", "path": "*/batches", "when": when} | action)
    try:
        assert "id" not in api.call("POST", api.batches, json={"file": "obs://b/a.py", "name": name}).text
    except requests.ConnectionError:
        assert action["action"] == "cut"
    assert jobs_named(api, name) == jobs


def test_a_fault_after_the_work_replaces_errors_too(api: Api, faults: SetFaults) -> None:
    faults({"action": "reply", "status": 500, "when": "after"})
    assert api.call("GET", f"{api.batches}/42").status_code == 500
    assert api.call("GET", f"{api.batches}/42").status_code == 400


def test_a_delayed_call_goes_on_after_a_while_and_delays_add_up(api: Api, faults: SetFaults) -> None:
    delay = {"action": "delay", "seconds": 0.05}
    faults(delay, delay | {"when": "after"}, {"action": "reply", "status": 418, "when": "after"})
    reply = api.call("GET", api.batches)
    assert reply.status_code == 418
    assert reply.elapsed.total_seconds() >= 0.1


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        ({}, [1]),
        ({"nth": 1, "count": 1}, [1]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "count": 2}, [2, 3]),
        ({"nth": 2, "count": None}, [2, 3, 4, 5]),
        ({"count": 9}, [1, 2, 3, 4, 5]),
    ],
    ids=repr,
)
def test_a_rule_applies_from_its_nth_match_as_often_as_it_says(
    api: Api, faults: SetFaults, rule: dict[str, Any], struck: list[int]
) -> None:
    faults({"action": "reply", "status": 418, "method": "GET", "path": "*/batches"} | rule)
    statuses = []
    for _ in range(5):
        api.call("GET", "/v3/projects")
        api.call("POST", api.batches, json={})
        statuses.append(api.call("GET", api.batches).status_code)
    assert [number for number, status in enumerate(statuses, 1) if status == 418] == struck


@pytest.mark.parametrize("route", ["", "/{id}", "/{id}/state", "/{id}/log"])
def test_a_rule_applies_to_one_route_and_no_other(api: Api, faults: SetFaults, route: str) -> None:
    job_id = api.submit("success")
    faults({"action": "reply", "status": 418, "method": "GET", "route": f"/batches{route}", "count": None})
    paths = {path: path.replace("{id}", job_id) for path in ("", "/{id}", "/{id}/state", "/{id}/log")}
    struck = [name for name, path in paths.items() if api.call("GET", api.batches + path).status_code == 418]
    assert struck == [route]


@pytest.mark.parametrize("route", get_args(RouteName))
def test_a_route_in_a_rule_is_the_one_that_is_counted_under_this_name(api: Api, faults: SetFaults, route: str) -> None:
    version = {"batches": "/v2.0/", "queues": "/v1.0/"}.get(route.split("/")[1])
    path = f"{version}{api.account.project_id}{route}" if version else route
    method = "POST" if "tokens" in route else "GET"
    faults({"action": "reply", "status": 418, "route": route})
    counted = f"{method} {route}"
    before = api.ask("GET", "/local/calls").get(counted, 0)
    assert api.call(method, path).status_code == 418
    assert api.ask("GET", "/local/calls")[counted] == before + 1


def test_a_rule_that_is_added_leaves_the_others_to_count_on() -> None:
    faults = Faults()
    faults.add({"action": "cut", "nth": 2})
    assert faults.match("GET", "/", "") == []
    faults.add({"action": "garbage", "method": "POST"})
    faults.add({"action": "listing_lag", "calls": 1})
    faults.hidden_jobs.accepted("new")
    assert [rule.action for rule in faults.match("POST", "/", "")] == ["cut", "garbage"]
    assert faults.hidden_jobs.on_list_call() == {"new"}


def test_each_rule_counts_its_own_matches_and_the_first_that_applies_wins(api: Api, faults: SetFaults) -> None:
    teapot, storage = ({"action": "reply", "status": status} for status in (418, 507))
    faults(teapot | {"nth": 2}, storage | {"count": 2})
    assert [api.call("GET", api.batches).status_code for _ in range(4)] == [507, 418, 200, 200]


def test_rules_are_replaced_as_a_whole(api: Api, faults: SetFaults) -> None:
    faults({"action": "garbage", "count": None})
    faults({"action": "reply", "status": 418, "method": "DELETE"})
    assert api.call("GET", api.batches).json()["sessions"] is not None
    faults()
    assert api.call("DELETE", f"{api.batches}/42").status_code == 400


def test_callers_without_credentials_meet_no_faults(api: Api, faults: SetFaults) -> None:
    faults({"action": "reply", "status": 200})
    assert api.call("GET", api.batches, headers={}).status_code == 401
    assert api.call("GET", api.batches).content == b""


def test_faults_can_be_injected_into_the_calls_for_a_token(api: Api, faults: SetFaults) -> None:
    faults({"action": "reply", "status": 503, "path": "/v3/auth/tokens"})
    assert api.call("POST", "/v3/auth/tokens", headers={}).status_code == 503


def test_no_fault_applies_to_the_calls_about_faults(api: Api, faults: SetFaults) -> None:
    faults({"action": "cut", "count": None})
    assert api.call("GET", "/local/calls").status_code == 200


def test_a_new_job_is_missing_from_so_many_lists_and_from_nothing_else(api: Api, faults: SetFaults) -> None:
    before = api.submit(name="lagging")
    faults({"action": "listing_lag", "calls": 2})
    job_id = api.submit(name="lagging")
    lists = [api.ask("GET", api.batches, params={"job_name": "lagging"}) for _ in range(3)]
    assert [[job["id"] for job in page["sessions"]] for page in lists] == [[before], [before], [job_id, before]]
    assert [page["total"] for page in lists] == [1, 1, 2]
    assert api.details(job_id)["id"] == job_id


def test_a_new_job_is_missing_from_lists_for_so_many_seconds() -> None:
    now = 100.0
    faults = Faults(lambda: now)
    faults.set([{"action": "listing_lag", "seconds": 30}])
    faults.hidden_jobs.accepted("first")
    now = 129.0
    faults.hidden_jobs.accepted("second")
    assert faults.hidden_jobs.on_list_call() == {"first", "second"}
    now = 130.0
    assert faults.hidden_jobs.on_list_call() == {"second"}
    faults.set([])
    assert faults.hidden_jobs.on_list_call() == frozenset()


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "list"),
        ([{}], "0"),
        ([{"action": "explode"}], "0"),
        ([{"action": "cut"}, {"action": "cut", "nth": 0}], "1.cut.nth"),
        ([{"action": "cut", "count": 0}], "0.cut.count"),
        ([{"action": "cut", "when": "during"}], "0.cut.when"),
        ([{"action": "half", "when": "before"}], "0.half.when"),
        ([{"action": "delay"}], "0.delay.seconds"),
        ([{"action": "reply", "status": 99}], "0.reply.status"),
        ([{"action": "cut", "colour": "red"}], "0.cut.colour"),
        ([{"action": "cut", "method": "post"}], "0.cut.method"),
        ([{"action": "cut", "route": "/batchs"}], "0.cut.route"),
    ],
    ids=repr,
)
def test_a_rule_that_cannot_be_read_is_named_and_the_old_rules_stay(document: object, where: str) -> None:
    faults = Faults()
    faults.set([{"action": "cut"}])
    with pytest.raises(ApiError, match=rf"^Fault rule {where}: "):
        faults.set(document)
    assert len(faults.match("GET", "/", "")) == 1
