"""What today's code does with the jobs of a stack that 0.1.0 made.

`TABLE` is the promise to everybody who has such a stack. Change a row only if a user of 0.1.0 wants the new effect.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compat.account import states
from tests.compat.old_stack import JOB_TYPE, Copy, OldStack, copied, make_old_stack
from tests.compat.versions import TODAY, unpack_0_1_0

Effect = tuple[int, int]
"""How many runs are submitted, and how many are cancelled."""

NOTHING, RUNS, CANCELS, REPLACES = (0, 0), (1, 0), (0, 1), (1, 1)


@dataclass(frozen=True)
class Row:
    """What each command does with one job. A refresh and a preview never submit or cancel anything.

    `preview` is the plan for a program that has not changed. `change` is an `up` in which what the job runs has
    changed.
    """

    preview: str
    up: Effect
    change: Effect
    destroy: Effect


ENDED = Row("same", up=NOTHING, change=RUNS, destroy=NOTHING)
LIVE = Row("same", up=NOTHING, change=REPLACES, destroy=CANCELS)
DEAD = Row("replace", up=RUNS, change=RUNS, destroy=NOTHING)
KEPT = Row("same", up=NOTHING, change=NOTHING, destroy=CANCELS)
"""A live run that the change must not touch."""
ORPHAN = Row("create", up=NOTHING, change=RUNS, destroy=NOTHING)
"""A live run that no state knows. The next `up` adopts it. Nothing cancels it."""

TABLE = {
    # The end of the run: unknown to the state, or stored in it.
    "success": ENDED,
    "success_seen": ENDED,
    "dead": DEAD,
    "dead_seen": DEAD,
    "dead_kept": ENDED,  # rerun_on_failure=False
    "live": LIVE,
    # With a wait of each kind.
    "wait_success": ENDED,
    "wait_running": LIVE,
    "wait_finished": ENDED,  # dead, with rerun_on_failure=False
    "wait_failed": DEAD,
    "wait_timed_out": ENDED,
    # The service has deleted the record.
    "expired": ENDED,
    "expired_seen": ENDED,
    "expired_rerun": Row("replace", up=RUNS, change=RUNS, destroy=NOTHING),
    "expired_waited": ENDED,
    "expired_rerun_waited": ENDED,  # its wait has seen the success
    # Adopted with adoptId.
    "adopted": LIVE,
    "adopted_success": ENDED,
    "adopted_dead": DEAD,
    # With secrets.
    "secret": ENDED,
    "secret_live": LIVE,
    "secret_dead": DEAD,
    # Declared in the stack's configuration.
    "configured": ENDED,
    "configured_next": LIVE,
    "configured_dead": DEAD,
    # The change is one of the triggers, or of the replacement trigger.
    "triggered": LIVE,
    "replaced": LIVE,
    # With numbers that Pulumi rounds, and with numbers of the configuration that stand in quotes now. The state learns
    # how they are written.
    "numbers": Row("update", up=NOTHING, change=REPLACES, destroy=CANCELS),
    "numbers_secret": Row("update", up=NOTHING, change=REPLACES, destroy=CANCELS),
    "configured_numbers": Row("update", up=NOTHING, change=REPLACES, destroy=CANCELS),
    # With a name of the user's own, with a parent, and renamed with an alias since.
    "fixed": LIVE,
    "child": LIVE,
    "renamed": LIVE,
    # The change writes the same declaration in another way, and sets an option of the provider.
    "respelled": KEPT,
    # when_running="refuse". The test changes the first one in an `up` of its own, which has to fail.
    "refused": KEPT,
    "refused_ended": ENDED,
    # auto_recovery=True: recovering, dead in the state but alive again, and dead for good.
    "recovering": LIVE,
    "recovered": LIVE,
    "recovery_failed": DEAD,
    # protect=True and retain_on_delete=True: Pulumi leaves the run alone.
    "protected": Row("same", up=NOTHING, change=NOTHING, destroy=NOTHING),
    "unprotected": Row("same", up=NOTHING, change=REPLACES, destroy=NOTHING),  # The change removes `protect`.
    "retained": Row("same", up=NOTHING, change=RUNS, destroy=NOTHING),
    # 0.1.0 has submitted the run, but the state has lost it. The stack sets dli:scope, which is part of the run's name.
    "orphan": ORPHAN,
    "orphan_secret": ORPHAN,
    "orphan_configured": ORPHAN,
    "orphan_triggered": ORPHAN,
    "orphan_replaced": ORPHAN,
    "orphan_numbers": ORPHAN,
    "orphan_numbers_secret": ORPHAN,
    "orphan_numbers_fixed": ORPHAN,
    "orphan_configured_numbers": ORPHAN,
    "orphan_child": ORPHAN,
    "orphan_fixed": ORPHAN,
    "orphan_recovering": ORPHAN,
    "orphan_ended": Row("create", up=RUNS, change=RUNS, destroy=NOTHING),
    # The old run is deleted, and the service has refused the new one.
    "pending": DEAD,
    "pending_success": DEAD,
    # The state has lost all outputs of the job.
    "empty": KEPT,
    "empty_dead": DEAD,
    # Read with BatchJob.get.
    "got": Row("read", up=NOTHING, change=NOTHING, destroy=NOTHING),
}


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> OldStack:
    """The stack as 0.1.0 left it."""
    return make_old_stack(tmp_path_factory.mktemp("old"), unpack_0_1_0(tmp_path_factory.mktemp("0.1.0")))


@pytest.fixture
def copy(old: OldStack, tmp_path: Path) -> Iterator[Copy]:
    """A copy of the stack for one command of today's code."""
    with copied(old, tmp_path) as copy:
        yield copy


def execute(copy: Copy, expected: dict[str, Effect], *command: str) -> str:
    """Run a command of today's code. Compare its effects on all forms at once, so that a failure names each."""
    run = copy.project.run(*command, **TODAY)
    seen = copy.effects()
    assert seen.keys() <= expected.keys()
    wrong = [
        f"{form}: expected {effect} (submissions, cancels), but it is {seen.get(form, NOTHING)}"
        for form, effect in expected.items()
        if seen.get(form, NOTHING) != effect
    ]
    assert not wrong, "\n".join([*wrong, run.screen])
    assert run.code == 0, run.screen
    return run.screen


def test_a_refresh_runs_and_cancels_nothing_and_stores_what_has_become_of_each_run(copy: Copy) -> None:
    execute(copy, dict.fromkeys(TABLE, NOTHING), "refresh", "--yes", "--skip-preview")
    stored = {
        job["id"]: job["outputs"]["state"]
        for job in copy.stored().values()
        if job["type"] == JOB_TYPE and not job.get("pendingReplacement")
    }
    seen = states(copy.dli)
    assert stored == {run_id: seen.get(run_id, state) for run_id, state in stored.items()}  # An expired run has none.
    # dli:adopt=false: the `up` submits a new run beside each orphan. The refresh changes nothing about the other jobs.
    copy.write(adopt=False)
    effects = {form: RUNS if row is ORPHAN else row.up for form, row in TABLE.items()}
    execute(copy, effects, "up", "--yes", "--skip-preview")


def test_a_preview_shows_what_an_up_would_do(copy: Copy) -> None:
    screen = execute(copy, dict.fromkeys(TABLE, NOTHING), "preview", "--json")
    plan, _ = json.JSONDecoder().raw_decode(screen[screen.index("{\n") :])
    steps = {step["urn"]: step["op"] for step in plan["steps"]}
    planned = {urn.split("::")[-1]: op for urn, op in steps.items() if urn.split("::")[-2].endswith(JOB_TYPE)}
    wrong = [
        f"{form}: expected {row.preview}, but the plan is {op}"
        for form, row in TABLE.items()
        if (op := planned.get(form, "same")) != row.preview  # The document has no step for what stays as it is.
    ]
    assert not wrong, "\n".join(wrong)
    waits = {urn: op for urn, op in steps.items() if "BatchJobWait::" in urn}
    assert set(waits.values()) <= {"create", "update"}, waits


def test_an_up_runs_only_what_is_dead_or_lost(copy: Copy) -> None:
    execute(copy, {form: row.up for form, row in TABLE.items()}, "up", "--yes", "--skip-preview")
    copy.project.up("--expect-no-changes", **TODAY)


def test_an_up_with_changes_runs_each_job_once_and_cancels_what_is_live(copy: Copy) -> None:
    copy.write(day="tuesday")
    execute(copy, {form: row.change for form, row in TABLE.items()}, "up", "--yes", "--skip-preview")
    stored = copy.stored()
    assert stored["wait_running-running"]["outputs"]["jobId"] == stored["wait_running"]["id"]
    assert stored["respelled"]["outputs"]["cancelTimeout"] == 5
    assert [bool(stored[form].get("protect")) for form in ("protected", "unprotected")] == [True, False]
    assert stored["retained"]["retainOnDelete"]

    copy.write(day="tuesday", refused_day="tuesday")
    screen = copy.project.failing_up("--target", "**::refused", **TODAY)
    assert "when_running" in screen
    assert copy.effects()["refused"] == NOTHING


def test_destroy_cancels_what_is_live(copy: Copy) -> None:
    effects = {form: row.destroy for form, row in TABLE.items()}
    execute(copy, effects, "destroy", "--yes", "--skip-preview", "--exclude-protected")
