"""A small part of the campaign: `python -m tests.campaign` runs the whole."""

import pytest

from pulumi_dli.local.testing import Service
from tests.campaign.__main__ import judge_all, over_grpc, real_ups
from tests.campaign.seeds import Step, run, schedule
from tests.campaign.verdict import BrokenPromiseError
from tests.engine import ProviderProcess


def test_every_intended_run_is_accepted_exactly_once_under_seeded_faults_and_kills() -> None:
    with over_grpc() as judge:
        assert judge_all("over gRPC", judge, range(20), verbose=False) == 0


@pytest.mark.slow
def test_so_it_is_when_the_real_cli_and_its_children_are_killed() -> None:
    with real_ups(kill=True) as judge:
        assert judge_all("kills", judge, range(1), verbose=False) == 0


def test_a_seed_has_the_same_schedule_every_time() -> None:
    assert str(schedule(77)) == str(schedule(77))
    assert len({str(schedule(seed)) for seed in range(50)}) == 50
    assert any(isinstance(step, Step) and step.kill for seed in range(50) for step in schedule(seed).steps)


def test_a_job_that_somebody_else_submits_too_is_found_out(service: Service) -> None:
    def start() -> ProviderProcess:
        return ProviderProcess(service.environment | {"DLI_ADOPT": "false"})

    log_lines: list[str] = []

    def log(text: str) -> None:
        log_lines.append(text)
        if text.startswith("up"):  # behind the provider's back, once more
            service.submit(service.jobs("s0j0")[0].body)

    with pytest.raises(BrokenPromiseError, match="s0j0: twice"):
        run(schedule(0), service, start, log)
    assert log_lines[0].startswith("seed 0")
