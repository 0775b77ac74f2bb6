"""Random forced replacements with a failing service: a job never runs twice at once, and no run is lost."""

import pytest

from pulumi_dli.local.testing import Service
from pulumi_dli.plugin.job_resource import JobResource
from tests.campaign.forced_replacements import check_one_at_a_time, judge_forced_replacements
from tests.campaign.verdict import BrokenPromiseError, runs_of
from tests.plugin.engine import Plugin


@pytest.mark.parametrize("seed", range(12))
def test_a_job_never_runs_twice_at_once_and_no_run_is_lost(seed: int, account: None, service: Service) -> None:
    judge_forced_replacements(seed, Plugin, service)


@pytest.mark.parametrize("seed", range(6))
def test_without_adoption_the_same_holds(seed: int, account: None, service: Service) -> None:
    judge_forced_replacements(seed, lambda: Plugin(configuration={"adopt": False}), service, adopts=False)


def test_a_trigger_that_runs_nothing_is_found_out(
    account: None, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JobResource, "_end_unplanned_run", lambda *_: None)
    verdicts = []
    for seed in range(12):
        try:
            judge_forced_replacements(seed, Plugin, service)
        except BrokenPromiseError as broken:
            verdicts.append(str(broken))
    assert any("did not run again, and nothing failed" in one for one in verdicts), verdicts
    assert any("twice" in one for one in verdicts), "after a rename the old run is not recognised"


def test_two_runs_at_once_are_found_out(service: Service) -> None:
    conf = {"spark.dli.local.timeline": "starting:0s,running"}
    for _ in range(2):
        service.submit({"file": "s1j0.py", "name": "s1j0", "queue": "default", "conf": conf})
    with pytest.raises(BrokenPromiseError, match="s1j0: twice"):
        check_one_at_a_time(runs_of(service, 1))
