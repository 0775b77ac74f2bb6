"""A small part of the campaign: `python -m tests.campaign` runs the whole."""

import itertools
import random
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from pulumi_dli.local.testing import Service
from tests.campaign.__main__ import judge_all, native_over_grpc, over_grpc, real_ups
from tests.campaign.hosts import NATIVE, ForkServer
from tests.campaign.kinds import schedule
from tests.campaign.native_process import NativeProcess
from tests.campaign.schedules import (
    ENDLESS,
    LATE_REPLY,
    QUICK,
    SHORT_TIMEOUTS,
    OrphansEnd,
    Schedule,
    Step,
    base_schedule,
)
from tests.campaign.seeds import Place, Result, run
from tests.campaign.simulated_engine import Declared, _Command
from tests.campaign.verdict import BrokenPromiseError
from tests.campaign.yaml_ups import YamlRun
from tests.engine import ProviderProcess


# The quick seeds have every kind of kill, lies, two places, and jobs whose records are deleted.
@pytest.mark.parametrize("seeds", [range(1, 5), pytest.param(range(5, 21), marks=pytest.mark.slow)], ids=str)
def test_every_intended_run_is_accepted_exactly_once_under_seeded_faults_and_kills(seeds: range) -> None:
    with over_grpc() as judge:
        assert judge_all("over gRPC", judge, seeds, verbose=False) == 0


@pytest.mark.parametrize("seeds", [range(1, 3), pytest.param(range(3, 7), marks=pytest.mark.slow)], ids=str)
def test_so_it_is_with_the_native_provider(seeds: range) -> None:
    with native_over_grpc() as judge:
        assert judge_all("native, over gRPC", judge, seeds, verbose=False) == 0


@pytest.mark.slow
def test_so_it_is_with_a_program_in_yaml() -> None:
    with real_ups(kind=YamlRun) as judge:
        assert judge_all("real ups, YAML", judge, range(2, 3), verbose=False) == 0


@pytest.mark.slow
def test_so_it_is_when_the_real_cli_and_its_children_are_killed() -> None:
    with real_ups(kill=True) as judge:
        assert judge_all("kills", judge, range(1), verbose=False) == 0


def test_a_seed_has_the_same_schedule_every_time() -> None:
    assert str(schedule(77)) == str(schedule(77))
    assert len({str(schedule(seed)) for seed in range(50)}) == 50
    assert any(isinstance(step, Step) and step.kill for seed in range(50) for step in schedule(seed).steps)


def test_a_job_that_somebody_else_submits_too_is_found_out(service: Service, fork_server: ForkServer) -> None:
    def start() -> ProviderProcess:
        return ProviderProcess(service.environment | {"DLI_ADOPT": "false"}, start=fork_server.start)

    log_lines: list[str] = []

    def log(text: str) -> None:
        log_lines.append(text)
        if len(log_lines) == 2:  # after the first `up`, behind the provider's back, once more
            service.submit(service.jobs("s0j0")[0].body)

    with pytest.raises(BrokenPromiseError, match="s0j0: twice"):
        run(base_schedule(0, random.Random(0)), [Place(service, start)], log)
    assert log_lines[0].startswith("seed 0")


def test_a_job_of_the_native_provider_that_runs_twice_is_found_out(service: Service, tmp_path: Path) -> None:
    with ForkServer(tmp_path, NATIVE) as fork_server:
        scopes = itertools.count()  # with another dli:scope, a process does not know the runs of the earlier ones

        def start() -> NativeProcess:
            variables = service.environment | SHORT_TIMEOUTS | {"DLI_SCOPE": str(next(scopes))}
            return NativeProcess(variables, start=fork_server.start)

        lost = Schedule(1, [job(ENDLESS)], [Step("up", faults=[LATE_REPLY], kill="accepted"), Step("up")])
        with pytest.raises(BrokenPromiseError, match="s1j0: twice"):
            run(lost, [Place(service, start)], lambda _: None)


def job(timeline: str, until: str | None = None, *, seed: int = 1, **options: str) -> Declared:
    name = f"s{seed}j0"
    sent = {"file": f"obs://campaign/{name}.py", "queue": "default", "args": ["0"]}
    hidden = {"resourceName": name, "scope": f"{seed:08x}"}
    return Declared({**hidden, **sent, "conf": {"spark.dli.local.timeline": timeline}, **options}, until)


class CarryOut(Protocol):
    def __call__(self, services: list[Service], declared: Declared, *steps: Step, **variables: str) -> Result: ...


@pytest.fixture
def carry_out(fork_server: ForkServer) -> CarryOut:
    """Carry out a schedule of one job. The variables make the provider do what the campaign must find."""

    def place(service: Service, variables: dict[str, str]) -> Place:
        environment = service.environment | SHORT_TIMEOUTS | variables
        return Place(service, partial(ProviderProcess, environment, start=fork_server.start))

    def carry_out(services: list[Service], declared: Declared, *steps: Step, **variables: str) -> Result:
        seed = int(declared.name.removeprefix("s").removesuffix("j0"))
        places = [place(service, variables) for service in services]
        return run(Schedule(seed, [declared], [*steps]), places, lambda _: None)

    return carry_out


EXPIRED = Step("up"), Step("up", expires=True)
MOVED = Step("up"), Step("up", "args", "s1j0", place=1)


def test_a_job_that_its_wait_has_seen_succeed_must_not_run_again_without_its_record(
    service: Service, carry_out: CarryOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = carry_out([service], job(QUICK, "success", onRecordExpired="rerun"), *EXPIRED)
    assert (result.intended, result.deleted_records) == (1, 1)
    monkeypatch.setattr(_Command, "_ends_seen", lambda _self, _job: {})
    with pytest.raises(BrokenPromiseError, match=r"s2j0: ran again without a reason: run .*seen by the wait: success"):
        carry_out([service], job(QUICK, "success", seed=2, onRecordExpired="rerun"), *EXPIRED)


def test_a_job_whose_end_nobody_has_seen_must_run_again_once_without_its_record(
    service: Service, carry_out: CarryOut
) -> None:
    result = carry_out([service], job(QUICK, onRecordExpired="rerun"), *EXPIRED)
    assert (result.intended, result.expired_reruns) == (2, 1)


def test_a_job_whose_orphan_has_ended_must_run_again(service: Service, carry_out: CarryOut) -> None:
    killed = Step("up", kill="accepted", faults=[LATE_REPLY])
    result = carry_out([service], job(ENDLESS), killed, Step("up", orphans_end=OrphansEnd.MEANWHILE))
    assert (result.kills, result.ended_orphans, result.intended) == (1, 1, 2)


def test_a_live_run_at_another_place_must_not_be_left_behind(
    service: Service, carry_out: CarryOut, tmp_path: Path
) -> None:
    with Service(tmp_path / "other") as other:
        result = carry_out([service, other], job(ENDLESS, "running"), *MOVED)
        assert (result.intended, result.elsewhere_failures) == (2, 2)


def test_a_live_run_that_is_left_behind_is_found_out(service: Service, carry_out: CarryOut, tmp_path: Path) -> None:
    forgotten = service.server.credentials.project_id
    with (
        Service(tmp_path / "other") as other,
        pytest.raises(BrokenPromiseError, match=r"s1j0: ran again without a reason: run .*at the other place"),
    ):
        carry_out([service, other], job(ENDLESS), *MOVED, DLI_FORGET=forgotten)
