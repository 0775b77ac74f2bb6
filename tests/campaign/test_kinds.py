import random
from dataclasses import replace
from typing import Any

import pytest

from tests.campaign.kinds import KINDS, NATIVE_KINDS, Kind, end_orphans, expire_records, lie, move_stack, schedule
from tests.campaign.lies import Lie
from tests.campaign.schedules import WINDOW, Schedule, Step, base_schedule

SEEDS = range(100)


def base_of(seed: int) -> Schedule:
    return base_schedule(seed, random.Random(seed))


def without_kinds(step: Step) -> Step:
    return Step(step.command, step.change, step.job, step.faults, step.kill)


def test_the_base_schedule_of_a_seed_stays_the_same_whatever_kinds_add_to_it() -> None:
    for seed in SEEDS:
        base, plan = base_of(seed), schedule(seed)
        assert [without_kinds(step) for step in plan.steps[: len(base.steps)]] == base.steps
        for job, of_base in zip(plan.program, base.program, strict=True):
            properties = {name: value for name, value in job.properties.items() if name != "onRecordExpired"}
            assert replace(job, properties=properties) == of_base


def test_some_seeds_have_no_kind_and_some_have_all() -> None:
    plans = [schedule(seed) for seed in SEEDS]
    assert any(plan == base_of(plan.seed) for plan in plans)
    steps = [plan.steps for plan in plans]
    assert any(
        any(step.orphans_end for step in of_seed)
        and any(step.expires for step in of_seed)
        and any(step.place for step in of_seed)
        and any(step.lies for step in of_seed)
        for of_seed in steps
    )


@pytest.mark.parametrize("kind", dict.fromkeys((*KINDS, *NATIVE_KINDS)))
def test_a_kind_adds_steps_at_the_end(kind: Kind) -> None:
    for seed in SEEDS:
        base = base_of(seed)
        added = kind(base, random.Random(seed)).steps[len(base.steps) :]
        assert added, seed


def test_each_kind_does_what_it_is_for() -> None:
    plans = {kind: [kind(base_of(seed), random.Random(seed)) for seed in SEEDS] for kind in KINDS}
    for plan in plans[end_orphans]:
        killed, following = plan.steps[-2:]
        assert killed.kill
        assert following.orphans_end
    assert all(any(step.expires for step in plan.steps) for plan in plans[expire_records])
    assert all(plan.places == 2 for plan in plans[move_stack])
    assert {plan.is_in_regions for plan in plans[move_stack]} == {True, False}


def test_the_lies_are_all_told_and_some_listings_lag_beyond_the_lookup_window() -> None:
    plans = [lie(base_of(seed), random.Random(seed)) for seed in SEEDS]
    assert {told for plan in plans for step in plan.steps for told in step.lies} == set(Lie)
    assert any(fault["action"] == "listing_lag" and fault["seconds"] > WINDOW for fault in _faults(plans))


def _faults(plans: list[Schedule]) -> list[dict[str, Any]]:
    return [fault for plan in plans for step in plan.steps for fault in step.faults]
