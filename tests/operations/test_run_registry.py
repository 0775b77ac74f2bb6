"""No run has two keepers, and a kept run is never cancelled for another: by hypothesis, then with threads."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.operations.run_registry import (
    Claim,
    ResourceKey,
    RunHeldError,
    RunRegistry,
    declared_key,
    stored_key,
)

KEYS: list[ResourceKey] = [("load", "0a1b2c3d"), ("extract", "0a1b2c3d"), ("load", "4d3c2b1a")]
LOAD, EXTRACT, OTHER_LOAD = KEYS
RUNS = ["run-0", "run-1", "run-2"]

keys, runs = st.sampled_from(KEYS), st.sampled_from(RUNS)


class Registry(RuleBasedStateMachine):
    """A process with three resources and three runs. `keepers` is who was told that a run is its own."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = RunRegistry()
        self.open: dict[str, tuple[ResourceKey, Claim, AbstractContextManager[Claim]]] = {}
        self.keepers: dict[str, ResourceKey] = {}
        self.deleted: set[str] = set()

    @rule(key=keys)
    def check(self, key: ResourceKey) -> None:
        self.registry.declared(key)

    @rule(run=runs, key=keys)
    def plan(self, run: str, key: ResourceKey) -> None:
        holder = self.registry.in_state(run, stored_key=key, key=key)
        if run in self.keepers and self.keepers[run] != key:
            assert holder in (None, self.keepers[run])

    @rule(run=runs, key=keys)
    def claim(self, run: str, key: ResourceKey) -> None:
        block = self.registry.claim(run, key)
        try:
            claim = block.__enter__()
        except RunHeldError:
            return
        assert run not in self.open, "two resources are adopting one run"
        assert run not in self.deleted, "a deleted run is adopted"
        assert self.keepers.get(run, key) == key, "a kept run is adopted by another resource"
        self.open[run] = key, claim, block

    @precondition(lambda self: self.open)
    @rule(data=st.data(), keeps=st.booleans())
    def decide(self, data: st.DataObject, keeps: bool) -> None:
        run = data.draw(st.sampled_from(sorted(self.open)))
        key, claim, block = self.open.pop(run)
        if keeps:
            claim.keep()
            self.keepers[run] = key
        block.__exit__(None, None, None)

    @rule(run=runs, key=keys)
    def delete(self, run: str, key: ResourceKey) -> None:
        try:
            self.registry.begin_delete(run, key)
        except RunHeldError:
            return
        assert run not in self.keepers, "a run that was adopted in this process may be cancelled"
        assert run not in self.open, "a run that is being adopted may be cancelled"
        self.deleted.add(run)

    @invariant()
    def a_keeper_holds_its_run(self) -> None:
        for run, keeper in self.keepers.items():
            for key in KEYS:
                assert self.registry.holder(run, key) == (None if key == keeper else keeper)


def test_no_run_has_two_keepers_and_a_kept_run_is_never_cancelled() -> None:
    run_state_machine_as_test(Registry, settings=settings(max_examples=300, stateful_step_count=40, deadline=None))


def test_of_many_threads_one_adopts_and_the_others_are_told_by_whom() -> None:
    for _ in range(50):
        registry, barrier = RunRegistry(), threading.Barrier(8)

        def adopt(number: int, registry: RunRegistry = registry, barrier: threading.Barrier = barrier) -> str | None:
            barrier.wait()
            try:
                with registry.claim("run", (f"job-{number}", "0a1b2c3d")) as claim:
                    claim.keep()
            except RunHeldError as error:
                assert error.holder is not None
                return error.holder[0]
            return None

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(adopt, range(8)))
        winner = told.index(None)
        assert told == [None if number == winner else f"job-{winner}" for number in range(8)]


def test_of_an_adoption_and_a_cancel_at_once_one_is_refused() -> None:
    for _ in range(50):
        registry, barrier = RunRegistry(), threading.Barrier(2)
        registry.in_state("run", stored_key=LOAD, key=LOAD)

        def adopt(registry: RunRegistry = registry, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                with registry.claim("run", EXTRACT) as claim:
                    claim.keep()
            except RunHeldError:
                return False
            return True

        def delete(registry: RunRegistry = registry, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            try:
                registry.begin_delete("run", LOAD)
            except RunHeldError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            outcomes = [pool.submit(adopt), pool.submit(delete)]
            assert sorted(outcome.result() for outcome in outcomes) == [False, True]


def test_a_claim_that_is_not_kept_leaves_the_run_free() -> None:
    registry = RunRegistry()
    with pytest.raises(ZeroDivisionError), registry.claim("run", LOAD):
        raise ZeroDivisionError
    with registry.claim("run", EXTRACT) as claim:
        claim.keep()
    assert registry.holder("run", LOAD) == EXTRACT


def test_a_job_that_left_the_program_does_not_hold_its_run_and_one_of_the_program_does() -> None:
    registry = RunRegistry()
    registry.in_state("run", stored_key=LOAD, key=LOAD)
    assert registry.may_adopt("run", EXTRACT)
    registry.declared(LOAD)
    assert not registry.may_adopt("run", EXTRACT)
    assert registry.may_adopt("run", LOAD)


def test_a_run_is_created_for_one_resource() -> None:
    registry = RunRegistry()
    registry.created("run", LOAD)
    with pytest.raises(RunHeldError, match="another job, load, holds batch job run"):
        registry.created("run", EXTRACT)
    registry.created("run", LOAD)


def test_after_a_rename_the_old_name_does_not_delete_and_the_new_one_does() -> None:
    registry = RunRegistry()
    registry.in_state("run", stored_key=LOAD, key=EXTRACT)
    with pytest.raises(RunHeldError):
        registry.begin_delete("run", OTHER_LOAD)
    registry.begin_delete("run", LOAD)
    assert not registry.may_adopt("run", EXTRACT)


def test_stored_outputs_without_a_key_are_deleted_by_id_alone() -> None:
    registry = RunRegistry()
    registry.in_state("run", stored_key=LOAD, key=LOAD)
    registry.begin_delete("run", stored_key(JobInputs.parse({})))
    registry.begin_delete("other", stored_key(JobInputs.parse({"resourceName": "load"})))


def test_an_adopt_id_is_followed_once_and_never_for_what_was_deleted() -> None:
    registry = RunRegistry()
    registry.consume_adoption(LOAD, "run")
    assert registry.is_adoption_consumed(LOAD, "run")
    assert not registry.is_adoption_consumed(EXTRACT, "run")
    registry.restore_adoption(LOAD, "run")
    assert not registry.is_adoption_consumed(LOAD, "run")
    registry.begin_delete("later", LOAD, adopted_from="run")
    assert registry.is_adoption_consumed(EXTRACT, "run")


def test_a_cancelled_run_is_named_by_the_resource_that_runs_anew() -> None:
    registry = RunRegistry()
    registry.in_state("run", stored_key=LOAD, key=EXTRACT)
    registry.cancelled("run", LOAD)
    assert (registry.earlier_run_of(EXTRACT), registry.earlier_run_of(LOAD)) == ("run", None)


@pytest.mark.parametrize(
    "declared", [{}, {"resourceName": "load"}, {"scope": "0a1b2c3d"}, {"resourceName": "", "scope": ""}]
)
def test_a_declared_job_without_a_key_is_a_defect_of_the_adapter(declared: dict[str, str]) -> None:
    assert stored_key(JobInputs.parse(declared)) is None
    with pytest.raises(ValueError, match="the adapter must pass both"):
        declared_key(JobInputs.parse(declared))


def test_a_run_that_was_seen_submitted_adopted_or_deleted_is_known() -> None:
    registry = RunRegistry()
    registry.in_state("seen", stored_key=LOAD, key=LOAD)
    registry.created("submitted", LOAD)
    with registry.claim("adopted", LOAD) as claim:
        claim.keep()
    registry.begin_delete("deleted", None)
    with registry.claim("released", LOAD):
        pass
    known = {run for run in ("seen", "submitted", "adopted", "deleted", "released", "another") if registry.knows(run)}
    assert known == {"seen", "submitted", "adopted", "deleted"}
