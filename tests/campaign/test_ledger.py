from pathlib import Path

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.testing import Service
from tests.campaign.ledger import Ledger, Run
from tests.campaign.schedules import ENDLESS, QUICK


def submit(service: Service, name: str, timeline: str = ENDLESS) -> str:
    conf = {"spark.dli.local.timeline": timeline}
    return service.submit({"file": f"obs://campaign/{name}.py", "name": f"{name}-1", "queue": "default", "conf": conf})


def test_it_has_the_runs_of_one_seed_at_all_places(service: Service, tmp_path: Path) -> None:
    with Service(tmp_path / "other") as other:
        here, there = submit(service, "s1j0"), submit(other, "s1j1", QUICK)
        submit(service, "s11j0")
        runs = Ledger([service, other], 1).read()
    assert [(run.id, run.job, run.place, run.ends_by_itself) for run in runs.values()] == [
        (here, "s1j0", 0, False),
        (there, "s1j1", 1, True),
    ]


def test_it_keeps_a_run_whose_record_is_deleted(service: Service) -> None:
    ended, live = submit(service, "s1j0"), submit(service, "s1j1")
    ledger = Ledger([service], 1)
    ledger.cancel(ledger.read()[ended])
    assert set(ledger.live()) == {live}
    assert ledger.delete_records({ended, live}) == 1
    assert [job.id for job in service.jobs()] == [live]
    run = ledger.read()[ended]
    assert (run.state, run.has_record) == (BatchState.DEAD, False)
    assert ledger.read()[live].has_record
    assert ledger.delete_records({ended, live}) == 0


def test_a_cancel_that_comes_too_late_is_no_error(service: Service) -> None:
    live = submit(service, "s1j0")
    ledger = Ledger([service], 1)
    run = ledger.read()[live]
    ledger.cancel(run)
    ledger.cancel(run)
    assert ledger.read()[live].state is BatchState.DEAD


def test_a_cancel_that_is_refused_for_a_live_run_is_an_error(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_job: str) -> None:
        raise ApiError("DLI.0007", "no")

    submit(service, "s1j0")
    ledger = Ledger([service], 1)
    (run,) = ledger.live().values()
    assert isinstance(run, Run)
    monkeypatch.setattr(service, "cancel", refuse)
    with pytest.raises(ApiError):
        ledger.cancel(run)
