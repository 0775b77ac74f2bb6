"""What today's code does with the jobs of a stack that 0.1.0 made.

`TABLE` is the promise to everybody who has such a stack. Change a row only if a user of 0.1.0 wants the new effect.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

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
    # With a name of the user's own, with a parent, and renamed with an alias since.
    "fixed": LIVE,
    "child": LIVE,
    "renamed": LIVE,
    # 0.1.0 has submitted the run, but the state has lost it.
    "orphan": ORPHAN,
    "orphan_secret": ORPHAN,
    "orphan_configured": ORPHAN,
    "orphan_triggered": ORPHAN,
    "orphan_replaced": ORPHAN,
    "orphan_child": ORPHAN,
    "orphan_fixed": ORPHAN,
    "orphan_ended": Row("create", up=RUNS, change=RUNS, destroy=NOTHING),
    # The old run is deleted, and the service has refused the new one.
    "pending": DEAD,
    "pending_success": DEAD,
    # The state has lost all outputs of the job.
    "empty": Row("same", up=NOTHING, change=NOTHING, destroy=CANCELS),
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


def expect(copy: Copy, expected: dict[str, Effect], screen: str) -> None:
    """Compare the effects on all forms at once, so that a failure names each form that differs."""
    seen = copy.effects()
    wrong = [
        f"{form}: expected {effect} (submissions, cancels), but it is {seen.get(form, NOTHING)}"
        for form, effect in expected.items()
        if seen.get(form, NOTHING) != effect
    ]
    assert not wrong, "\n".join([*wrong, screen])
    assert seen.keys() <= expected.keys()


def test_a_refresh_runs_and_cancels_nothing(copy: Copy) -> None:
    screen = copy.project.pulumi("refresh", "--yes", "--skip-preview", **TODAY)
    expect(copy, dict.fromkeys(TABLE, NOTHING), screen)


def test_a_preview_shows_what_an_up_would_do(copy: Copy) -> None:
    screen = copy.project.pulumi("preview", "--json", **TODAY)
    expect(copy, dict.fromkeys(TABLE, NOTHING), screen)
    plan, _ = json.JSONDecoder().raw_decode(screen[screen.index("{\n") :])
    steps = {step["urn"]: step["op"] for step in plan["steps"]}
    planned = {urn.split("::")[-1]: op for urn, op in steps.items() if urn.split("::")[-2].endswith(JOB_TYPE)}
    # A resource that stays as it is has no step in the document.
    assert {form: planned.get(form, "same") for form in TABLE} == {form: row.preview for form, row in TABLE.items()}
    waits = {urn: op for urn, op in steps.items() if "BatchJobWait::" in urn}
    assert set(waits.values()) <= {"create", "update"}, waits


def test_an_up_runs_only_what_is_dead_or_lost(copy: Copy) -> None:
    screen = copy.project.up(**TODAY)
    expect(copy, {form: row.up for form, row in TABLE.items()}, screen)
    copy.project.up("--expect-no-changes", **TODAY)


def test_an_up_with_changes_runs_each_job_once_and_cancels_what_is_live(copy: Copy) -> None:
    copy.write("tuesday")
    screen = copy.project.up(**TODAY)
    expect(copy, {form: row.change for form, row in TABLE.items()}, screen)


def test_destroy_cancels_what_is_live(copy: Copy) -> None:
    screen = copy.project.pulumi("destroy", "--yes", "--skip-preview", **TODAY)
    expect(copy, {form: row.destroy for form, row in TABLE.items()}, screen)
