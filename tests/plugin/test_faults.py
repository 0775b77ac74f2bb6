"""Random forced replacements with a failing service: a job never runs twice at once, and no run is lost."""

import pytest

from pulumi_dli.local.testing import Service
from tests.campaign.forced_replacements import check_one_at_a_time, judge_forced_replacements
from tests.campaign.verdict import BrokenPromiseError, runs_of
from tests.plugin.engine import Plugin


@pytest.mark.parametrize("seed", range(12))
def test_a_job_never_runs_twice_at_once_and_no_run_is_lost(seed: int, account: None, service: Service) -> None:
    judge_forced_replacements(seed, Plugin, service)


def test_two_runs_at_once_are_found_out(service: Service) -> None:
    conf = {"spark.dli.local.timeline": "starting:0s,running"}
    for _ in range(2):
        service.submit({"file": "s1j0.py", "name": "s1j0", "queue": "default", "conf": conf})
    with pytest.raises(BrokenPromiseError, match="s1j0: twice"):
        check_one_at_a_time(runs_of(service, 1))
