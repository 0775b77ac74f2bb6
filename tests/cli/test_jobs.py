import json

import pytest

from pulumi_dli.api.errors import DliError
from pulumi_dli.cli.jobs import unread_message
from pulumi_dli.cli.targets import Target
from pulumi_dli.local.testing import Service
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, job, wait

pytestmark = pytest.mark.usefixtures("signed_in")


def columns(text: str) -> list[list[str]]:
    """Give the first three cells and the last of each row."""
    return [[*row.split()[:3], row.split()[-1]] for row in text.splitlines()]


def test_in_a_project_the_jobs_of_the_stack_have_their_logical_names(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    live, strangers = submit(service, "load-1"), submit(service, "strangers")
    pulumi.has(job("load", live), job("done", ID, effectiveQueue="batch"), wait("done", ID))
    ended = run("jobs")
    assert (ended.code, ended.err) == (0, "")
    assert columns(ended.out) == [
        ["NAME", "STATE", "QUEUE", "ID"],
        ["done", "success", "batch", ID],
        ["load", "running", "default", live],
    ]
    assert strangers not in ended.out


def test_outside_a_project_the_live_jobs_of_the_service_have_its_names(run: Run, service: Service) -> None:
    live, ended = submit(service, "live"), submit(service, "ended", "running:0s,success")
    assert columns(run("jobs").out)[1:] == [["live", "running", "default", live]]
    assert {row[3] for row in columns(run("jobs", "--all").out)[1:]} == {live, ended}


@pytest.mark.parametrize("arguments", [("--json", "jobs"), ("jobs", "--json")])
def test_json_is_a_list(run: Run, service: Service, arguments: tuple[str, ...]) -> None:
    live = submit(service, "live")
    [one] = json.loads(run(*arguments).out)
    assert (one["name"], one["state"], one["queue"], one["id"]) == ("live", "running", "default", live)


def test_without_jobs_the_user_is_told_on_stderr(run: Run) -> None:
    ended = run("jobs")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith("pulumi-dli: the project has no live jobs. `pulumi-dli jobs --all` also lists")
    assert run("jobs", "--all").err == "pulumi-dli: the service has no jobs of the project.\n"
    assert run("jobs", "--json").out == "[]\n"


def test_a_stack_without_jobs_is_named(run: Run, pulumi: FakePulumi) -> None:
    assert run("jobs").err == "pulumi-dli: stack dev has no batch jobs.\n"


def test_a_job_that_cannot_be_read_is_in_the_table_and_the_exit_code_is_1(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    pulumi.has(*(job(name, submit(service, name)) for name in "ab"))
    service.fail("GET", "/batches/{id}", status=403, code="DLI.0003")
    ended = run("jobs")
    assert ended.code == 1
    assert sorted(row[1] for row in columns(ended.out)[1:]) == ["not", "running"]
    assert len(ended.err.splitlines()) == 1
    assert "could not be read: GET …/batches/" in ended.err


def test_a_job_without_a_record_is_in_the_table(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load", state="running"))
    ended = run("jobs")
    assert (ended.code, columns(ended.out)[1]) == (0, ["load", "unknown", ID, ID])


def test_a_job_that_is_replaced_but_not_deleted_yet_has_a_mark(run: Run, pulumi: FakePulumi, service: Service) -> None:
    live = submit(service)
    pulumi.has(job("load", live), job("load", ID, delete=True, state="dead"))
    assert sorted(row.split("  ")[0] for row in run("jobs").out.splitlines()[1:]) == ["load", "load (pending delete)"]
    marks = {one["id"]: one["pendingDelete"] for one in json.loads(run("jobs", "--json").out)}
    assert marks == {live: False, ID: True}


def test_many_jobs_that_cannot_be_read_are_one_message() -> None:
    targets = [Target(str(number), name=f"job-{number}") for number in range(3)]
    assert unread_message(targets, [DliError("no."), object(), DliError("No.")]) == (
        "job-0 could not be read: no. 1 more could not be read either."
    )
    assert unread_message(targets, [object()] * 3) == ""


def test_a_service_that_cannot_be_reached_is_one_line(run: Run, service: Service) -> None:
    service.server.stop()
    failure = run("jobs").failure
    assert service.endpoint in failure or "connect" in failure
