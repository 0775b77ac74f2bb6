import threading

import pytest

from pulumi_dli.api.errors import DliError, NotSentError, ServiceError
from pulumi_dli.cli.errors import CliError
from pulumi_dli.cli.options import Options
from pulumi_dli.cli.reader import JobReader, _side_by_side, read_project_jobs, read_stack_jobs
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.targets import Target, targets_in
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin import types as native
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, OTHER_ID, job, native_provider, native_resource, wait

pytestmark = pytest.mark.usefixtures("signed_in")


def test_a_job_is_read_where_it_runs(service: Service) -> None:
    job_id = submit(service)
    reading = JobReader(Session(Options()).context).read(Target(job_id))
    account = service.server.credentials
    assert reading.batch is not None and reading.batch.state == "running"
    assert reading.location == {"region": account.region, "projectId": account.project_id}
    assert reading.age is not None


def test_a_job_that_nobody_knows_is_an_error(service: Service) -> None:
    reader = JobReader(Session(Options()).context)
    project = service.server.credentials.project_id
    with pytest.raises(CliError, match=f"there is no batch job {ID} in project {project}. Check the id"):
        reader.existing(Target(ID))
    assert reader.existing(Target(ID, name="load")).is_expired


def test_only_jobs_whose_end_is_unknown_are_read(pulumi: FakePulumi, service: Service) -> None:
    live = submit(service)
    pulumi.has(job("a", live), job("b", ID), wait("b", ID), job("c", OTHER_ID, state="dead"))
    session = Session(Options())
    readings = read_stack_jobs(session, targets_in(session.stack))
    assert [isinstance(one, DliError) or one.batch is not None for one in readings] == [True, False, False]
    assert service.calls() == {"GET /batches/{id}": 1}


def test_jobs_of_a_stack_without_live_ones_need_no_credentials(
    pulumi: FakePulumi, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OS_ACCESS_KEY")
    pulumi.has(job("b", ID), wait("b", ID))
    session = Session(Options())
    assert len(read_stack_jobs(session, targets_in(session.stack))) == 1
    assert read_stack_jobs(session, []) == []


def test_nothing_is_called_for_a_job_in_a_project_that_is_forgotten(
    pulumi: FakePulumi, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.has(job("load", state="running", submittedTo={"region": "local-1", "projectId": "gone"}), forget="gone")
    session = Session(Options())
    [reading] = read_stack_jobs(session, targets_in(session.stack))
    assert not isinstance(reading, DliError)
    assert service.calls() == {}
    assert "dli:forget names project gone" in capsys.readouterr().err


def test_a_job_in_a_project_that_is_forgotten_has_no_log_and_is_not_cancelled(
    pulumi: FakePulumi, service: Service, run: Run
) -> None:
    pulumi.has(job("load", state="running", submittedTo={"region": "local-1", "projectId": "gone"}), forget="gone")
    for command in ("logs", "cancel"):
        ended = run(command, "load")
        assert (ended.code, ended.out) == (1, "")
        assert f"load: batch job {ID} ran in project gone, which dli:forget names. Nothing is called" in ended.err
    assert service.calls() == {}


def test_a_refusal_of_one_job_does_not_hold_up_the_others(pulumi: FakePulumi, service: Service) -> None:
    pulumi.has(*(job(name, submit(service, name)) for name in "ab"))
    service.fail("GET", "/batches/{id}", status=403, code="DLI.0003")
    session = Session(Options())
    readings = read_stack_jobs(session, targets_in(session.stack))
    assert sorted(isinstance(one, DliError) for one in readings) == [False, True]


def test_a_wrong_key_makes_one_call_because_five_lock_it(
    pulumi: FakePulumi, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.has(*(job(name, submit(service, name)) for name in "abcdefgh"))
    monkeypatch.setenv("OS_SECRET_KEY", "wrong")
    session = Session(Options())
    with pytest.raises(ServiceError):
        read_stack_jobs(session, targets_in(session.stack))
    assert service.calls() == {"GET /batches/{id}": 1}


def test_a_wrong_key_makes_one_call_too_if_the_jobs_ran_in_another_region(
    pulumi: FakePulumi, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"region": "elsewhere", "projectId": service.server.credentials.project_id}
    pulumi.has(*(job(name, submit(service, name), submittedTo=place) for name in "abcdefgh"))
    monkeypatch.setenv("OS_SECRET_KEY", "wrong")
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_DLI_ELSEWHERE", service.endpoint)
    session = Session(Options())
    with pytest.raises(DliError, match="The job was submitted in "):
        read_stack_jobs(session, targets_in(session.stack))
    assert service.calls() == {"GET /batches/{id}": 1}


def account_of(service: Service) -> dict[str, str]:
    account = service.server.credentials
    place = {"endpoint": account.endpoint, "region": account.region, "projectId": account.project_id}
    return place | {"accessKey": account.access_key, "secretKey": account.secret_key}


def test_the_jobs_of_an_explicit_provider_are_read_with_its_settings(
    pulumi: FakePulumi, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.has(
        native_provider("second", **account_of(service)),
        native_resource("a", submit(service, "a"), provider="second"),
        native_resource("b", submit(service, "b"), provider="default"),
        native_resource("c", submit(service, "c"), provider="second"),
    )
    monkeypatch.setenv("OS_SECRET_KEY", "wrong")
    session = Session(Options())
    readings = read_stack_jobs(session, targets_in(session.stack))
    assert [isinstance(one, DliError) for one in readings] == [False, True, False]
    assert service.calls() == {"GET /batches/{id}": 3}


def test_an_explicit_provider_needs_no_account_of_the_stack(
    pulumi: FakePulumi, service: Service, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit(service, log="hello")
    pulumi.has(native_provider("second", **account_of(service)), native_resource("a", job_id, provider="second"))
    for name in ("OS_ACCESS_KEY", "OS_SECRET_KEY", "OS_REGION_NAME", "OS_PROJECT_ID", "DLI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert run("logs", "a").out == "hello\n"
    assert job_id in run("show", "a").out
    assert run("cancel", "a", "--yes").code == 0
    assert service.states() == ["dead"]
    assert not any(call.startswith("config") for call in pulumi.calls())


def test_half_a_set_of_credentials_of_an_explicit_provider_is_told_with_its_name(pulumi: FakePulumi, run: Run) -> None:
    half = {"region": "eu-de", "accessKey": "ak"}
    pulumi.has(native_provider("second", **half), native_resource("a", ID, provider="second"))
    told = run("logs", "a").err
    assert "in the arguments of the provider second: accessKey without secretKey" in told


def test_the_end_that_a_wait_has_seen_counts_for_a_job_of_an_explicit_provider_too(
    pulumi: FakePulumi, service: Service
) -> None:
    pulumi.has(
        native_provider("second", **account_of(service)),
        native_resource("a", ID, provider="second"),
        native_resource("done", type_token=native.WAIT, jobId=ID, state="success"),
    )
    session = Session(Options())
    assert len(read_stack_jobs(session, targets_in(session.stack))) == 1
    assert service.calls() == {}


def test_a_service_that_cannot_be_reached_is_one_error(pulumi: FakePulumi, service: Service) -> None:
    pulumi.has(*(job(name, submit(service, name)) for name in "ab"))
    session = Session(Options())
    service.server.stop()
    with pytest.raises(NotSentError):
        read_stack_jobs(session, targets_in(session.stack))


def test_the_jobs_of_a_project_are_the_live_ones_or_all(service: Service) -> None:
    live, ended = submit(service, "live"), submit(service, "ended", "running:0s,success")
    session = Session(Options())
    assert [target.batch_id for target, _ in read_project_jobs(session, with_ended=False)] == [live]
    assert {target.batch_id for target, _ in read_project_jobs(session, with_ended=True)} == {live, ended}


def test_the_results_come_in_the_order_of_the_items_though_the_calls_run_side_by_side() -> None:
    barrier = threading.Barrier(2, timeout=60)

    def double(number: int) -> int:
        if number < 2:
            barrier.wait()  # each of the two needs the other
        return number * 2

    assert _side_by_side(double, range(100)) == [number * 2 for number in range(100)]
    assert _side_by_side(double, []) == []


def test_an_error_of_one_call_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        _side_by_side(lambda number: 1 // number, [1, 0])
