"""Ending the live run of a job that the engine replaces without a plan, against the local DLI."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.api.errors import DliError
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.local.testing import Service
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.forced_replacement import ForcedReplacement
from tests.fakes import FakeNotifier
from tests.local.settled import SettledService
from tests.project import variables_of

JOB: dict[str, Any] = {
    "resourceName": "load",
    "scope": "0a1b2c3d",
    "file": "obs://demo/load.py",
    "queue": "default",
    "conf": {"spark.dli.local.timeline": "starting:0s,running"},
}


@pytest.fixture
def dli(tmp_path: Path) -> Iterator[Service]:
    with SettledService(tmp_path) as running:
        yield running


@pytest.fixture
def context(dli: Service, monkeypatch: pytest.MonkeyPatch) -> ProviderContext:
    for name, value in variables_of(dli).items():
        monkeypatch.setenv(name, value)
    return ProviderContext({}, FakeNotifier(), may_create_first=True)


def declared(**arguments: Any) -> JobInputs:
    return JobInputs.parse(JOB | arguments)


def end_live_run(context: ProviderContext, earlier: JobInputs, today: JobInputs | None = None) -> None:
    ForcedReplacement(context, BatchJobs(context)).end_live_run(earlier, today or earlier)


def later(context: ProviderContext) -> ProviderContext:
    """The context of a later process."""
    return ProviderContext({}, FakeNotifier(), may_create_first=True)


def test_the_live_run_of_the_resource_is_cancelled_whatever_was_declared(
    context: ProviderContext, dli: Service
) -> None:
    BatchJobs(context).create(declared(args=["a"]))
    end_live_run(later(context), declared(args=["b"]))
    assert dli.states() == ["dead"]


def test_the_run_of_another_resource_goes_on(context: ProviderContext, dli: Service) -> None:
    BatchJobs(context).create(declared(scope="ffffffff"))
    end_live_run(later(context), declared())
    assert dli.states() == ["running"]


def test_a_run_that_another_resource_of_the_program_holds_goes_on(context: ProviderContext, dli: Service) -> None:
    batch_id, _ = BatchJobs(context).create(declared())
    end_live_run(context, declared(scope="ffffffff", adoptId=batch_id))
    assert dli.states() == ["running"]


@pytest.mark.parametrize("arguments", [{"whenRunning": "refuse"}, {"name": "fixed"}])
def test_a_run_that_must_not_be_cancelled_is_an_error(
    context: ProviderContext, dli: Service, arguments: dict[str, Any]
) -> None:
    BatchJobs(context).create(declared(**arguments))
    with pytest.raises(DliError, match=r"whenRunning is refuse|has the fixed name"):
        end_live_run(later(context), declared(**arguments))
    assert dli.states() == ["running"]


def test_nothing_is_cancelled_if_one_run_is_doubtful(context: ProviderContext, dli: Service) -> None:
    BatchJobs(context).create(declared())
    doubtful = dli.submit({"file": "obs://demo/load.py", "queue": "default", "conf": JOB["conf"], "name": "by-hand"})
    with pytest.raises(DliError, match=f"adoptId names batch job {doubtful}"):
        end_live_run(later(context), declared(adoptId=doubtful))
    assert not any(job.state.is_final for job in dli.jobs())


def test_a_failed_listing_is_an_error(context: ProviderContext, dli: Service) -> None:
    dli.fail("GET", "/batches", count=None)
    with pytest.raises(DliError, match="503"):
        end_live_run(context, declared())
