import json

import pytest

from pulumi_dli.local.testing import Service
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, job, wait

pytestmark = pytest.mark.usefixtures("signed_in")


def facts(text: str) -> dict[str, str]:
    return {line.split()[0]: line.split(None, 1)[1] for line in text.splitlines()}


def test_a_job_of_the_stack_is_shown_by_its_name(run: Run, pulumi: FakePulumi, service: Service) -> None:
    job_id = submit(service, "load-1", args=["hunter2"])
    pulumi.has(job("load", job_id, redact=["hunter2"]))
    ended = run("show", "load")
    assert (ended.code, ended.err) == (0, "")
    account = service.server.credentials
    expected = {
        "name": "load",
        "state": "running",
        "queue": "default",
        "id": job_id,
        "file": "obs://demo/load.py",
        "submittedName": "load-1",
        "region": account.region,
        "project": account.project_id,
    }
    assert expected.items() <= facts(ended.out).items()
    assert "hunter2" not in ended.out


def test_a_job_is_shown_by_its_id_without_a_stack(run: Run, service: Service) -> None:
    job_id = submit(service)
    assert facts(run("show", job_id.upper()).out)["name"] == "theirs"
    assert json.loads(run("show", job_id, "--json").out)["id"] == job_id


def test_a_dead_job_is_shown_with_the_reason(run: Run, pulumi: FakePulumi, service: Service) -> None:
    log = "Traceback (most recent call last):\n  File 'load.py'\nValueError: row hunter2 is bad"
    job_id = submit(service, timeline="running:0s,dead", log=log)
    pulumi.has(job("load", job_id, redact=["hunter2"]))
    assert facts(run("show", "load").out)["failureReason"] == "ValueError: row [secret] is bad"


DEAD = {"state": "dead", "failureReason": "ValueError: row hunter2 is bad"}


def test_a_reason_that_the_job_or_a_wait_has_stored_is_shown_without_a_call_for_the_log(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    job_id = submit(service, timeline="running:0s,dead")
    for resources in (
        [job("load", job_id, redact=["hunter2"], **DEAD)],
        [job("load", job_id, redact=["hunter2"]), wait("load", job_id, **DEAD), wait("load", job_id, state="dead")],
        [job("load", job_id, redact=["hunter2"], **DEAD), wait("load", job_id, state="dead", failureReason=None)],
    ):
        pulumi.has(*resources)
        service.reset_calls()
        assert facts(run("show", "load").out)["failureReason"] == "ValueError: row [secret] is bad"
        assert service.calls() == {"GET /batches/{id}": 1}


def test_a_stored_reason_is_shown_if_the_record_is_deleted(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load", **DEAD), wait("load", state="dead", failureReason=None))
    assert facts(run("show", "load").out)["failureReason"] == "ValueError: row hunter2 is bad"


def test_with_auto_recovery_the_log_comes_before_the_stored_reason(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    dead = {"timeline": "running:0s,dead", "auto_recovery": True, "max_retry_times": 0}
    told, silent = submit(service, log="KeyError: 'b'", **dead), submit(service, **dead)
    for job_id, reason in ((told, "KeyError: 'b'"), (silent, "ValueError: row hunter2 is bad")):
        pulumi.has(job("load", job_id, autoRecovery=True, **DEAD))
        assert facts(run("show", "load").out)["failureReason"] == reason


def test_a_stored_reason_of_a_job_that_runs_again_is_not_shown(run: Run, pulumi: FakePulumi, service: Service) -> None:
    pulumi.has(job("load", submit(service), autoRecovery=True, **DEAD))
    assert "failureReason" not in facts(run("show", "load").out)


def test_a_job_that_nobody_knows_is_an_error(run: Run) -> None:
    assert run("show", ID).failure.startswith(f"there is no batch job {ID} in project")


def test_a_job_of_the_stack_without_a_record_is_shown_from_the_state(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load", file="load.py", state="dead"))
    shown = facts(run("show", "load").out)
    assert (shown["state"], shown["record"], shown["file"]) == ("dead", "deleted by the service", "load.py")


def test_a_job_in_a_project_that_is_forgotten_is_shown_from_the_state(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    pulumi.has(job("load", state="running", submittedTo={"region": "local-1", "projectId": "gone"}), forget="gone")
    assert facts(run("show", "load").out)["project"] == "gone"
    assert service.calls() == {}
