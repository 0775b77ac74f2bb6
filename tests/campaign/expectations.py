"""What the next `up` must do with a job, from what the campaign itself knows. The provider is not asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pulumi_dli.api.states import BatchState
from tests.campaign.ledger import Run
from tests.campaign.verdict import BrokenPromiseError


class Expectation(StrEnum):
    """What an `up` does with a job that is in the state."""

    RUNS = "the job runs again, exactly once"
    STAYS = "the job does not run again, and its run is left alone"
    FAILS = "the job must run again, but its run may go on where the settings do not reach it: the `up` fails for it"


@dataclass(frozen=True)
class Situation:
    """A job that is in the state, before a command."""

    job: str
    run: str
    """The id of the run in the state."""
    state: BatchState
    """How the run really is, by the service's own table."""
    has_record: bool = True
    """The service has not deleted the record of the run."""
    is_known_gone: bool = False
    """A refresh has found that before, and the state says so."""
    is_here: bool = True
    """The run is at the place that the settings name."""
    is_changed: bool = False
    """The program declares something else than for this run."""
    is_replaced: bool = False
    """The command names the job with `--replace`."""
    is_rerun_if_expired: bool = False
    """The program has onRecordExpired="rerun"."""
    seen_by_job: BatchState | None = None
    """The end that the job's outputs have in the state."""
    seen_by_wait: BatchState | None = None
    """The end of this run that the outputs of the job's wait have in the state."""
    is_told: bool = False
    """The program tells the provider what the wait has seen."""
    is_unread: bool = False
    """The program tells the provider that it cannot read what the wait has seen."""
    is_awaited: bool = True
    """There is no wait that has still to wait for this run."""

    @property
    def seen(self) -> BatchState | None:
        """How the run has ended, as the job or its wait have it in the state."""
        return self.seen_by_job or self.seen_by_wait

    @property
    def needs_calls(self) -> bool:
        """An `up` has to ask about this run."""
        return not self.is_awaited or not (self.seen_by_job or (self.is_told and self.seen_by_wait))

    def __str__(self) -> str:
        facts = {
            str(self.state): True,
            "its record is gone": not self.has_record,
            "at the other place": not self.is_here,
            "changed": self.is_changed,
            "named by --replace": self.is_replaced,
            "onRecordExpired is rerun": self.is_rerun_if_expired,
            f"its end seen by the job: {self.seen_by_job}": self.seen_by_job,
            f"its end seen by the wait: {self.seen_by_wait}": self.seen_by_wait,
            "the state unread": self.is_unread,
        }
        return f"run {self.run} ({', '.join(fact for fact, is_true in facts.items() if is_true)})"


def expect(situation: Situation) -> Expectation:
    """Decide what the next `up` must do with a job."""
    if situation.is_changed or situation.is_replaced:
        return Expectation.RUNS if situation.is_here or situation.seen else Expectation.FAILS
    return Expectation.RUNS if _must_rerun(situation) else Expectation.STAYS


def _must_rerun(situation: Situation) -> bool:
    """Tell whether a job runs again that has not changed."""
    end = situation.seen_by_job or (situation.seen_by_wait if situation.is_told else None)
    if end is not None:
        return end.is_failure
    if not situation.is_here:
        return False
    if situation.has_record:
        return situation.state.is_failure
    return situation.is_rerun_if_expired and not situation.is_unread


@dataclass(frozen=True)
class Deed:
    """What a command has done with a job."""

    run: str | None
    """The id of the run in the state; None where the job is not there, or between its delete and its create."""
    new_runs: Collection[str] = ()
    """The ids of the job's runs that were accepted in the command."""
    failures: Collection[str] = ()
    """What the user was told."""


def check_deed(situation: Situation, expectation: Expectation, deed: Deed, *, is_killed: bool, is_clean: bool) -> None:
    """Raise BrokenPromiseError if a command has not done with a job what it had to do.

    `is_killed`: the command did not come to its end. `is_clean`: nothing went wrong in it.
    """
    said = f"{situation.job}: {{}}: {situation}, so: {expectation}. Now in the state: {deed}"
    if expectation is Expectation.RUNS:
        if is_clean and (len(deed.new_runs) != 1 or deed.run not in deed.new_runs):
            raise BrokenPromiseError(said.format("did not run again exactly once"))
        return
    if deed.new_runs:
        raise BrokenPromiseError(said.format("ran again without a reason"))
    if deed.run != situation.run:
        raise BrokenPromiseError(said.format("its run has left the state"))
    if expectation is Expectation.FAILS and not is_killed and not deed.failures:
        raise BrokenPromiseError(said.format("did not fail"))


def check_message(job: str, message: str, new_runs: Collection[str]) -> None:
    """Raise BrokenPromiseError if a failed `create` says that nothing runs, but the service has accepted a run."""
    if new_runs and ("nothing runs" in message or "nothing was submitted" in message):
        raise BrokenPromiseError(f"{job}: says that nothing runs, but {new_runs} was accepted: {message}")


def check_unknown(job: str, message: str, situation: Situation | None) -> None:
    """Raise BrokenPromiseError if the user reads that a run's outcome is unknown, and so how to run the job again.

    This is right only where the service has deleted the record, and nobody has seen the end. `situation` is None for
    a run that the command itself has begun.
    """
    is_right = situation is not None and situation.is_here and is_unknown(situation)
    if "outcome is unknown" in message and not is_right:
        raise BrokenPromiseError(f"{job}: the outcome is not unknown, {situation or 'the run is new'}: {message}")


def check_end(job: str, who: str, stored: BatchState | None, run: str, state: BatchState) -> None:
    """Raise BrokenPromiseError if the state has another end of a run than the service's own table."""
    if stored is not None and stored is not state:
        raise BrokenPromiseError(f"{job}: wrong outcome: {who} has stored {stored} for run {run}, which is {state}")


def check_wait(situation: Situation) -> None:
    """Raise BrokenPromiseError if a wait has passed in a command though nobody knew how the run had ended."""
    if not situation.is_awaited and is_unknown(situation):
        raise BrokenPromiseError(
            f"{situation.job}: wrong outcome: its wait has passed, but nobody had seen the end of {situation}"
        )


def check_cancelled(before: Mapping[str, Run], after: Mapping[str, Run], may_end: Collection[str]) -> None:
    """Raise BrokenPromiseError if a run has become dead in a command that had no reason to cancel it.

    Args:
        before: The runs before the command, by id.
        after: The same runs after it, and others.
        may_end: The ids of the runs that the command may cancel.
    """
    for id_, run in before.items():
        if not run.state.is_final and after[id_].state.is_failure and id_ not in may_end:
            raise BrokenPromiseError(f"{run.job}: run {id_} was cancelled without a reason")


def check_calls(
    before: Mapping[str, int], after: Mapping[str, int], elsewhere: Sequence[Situation], may_ask: Sequence[Situation]
) -> None:
    """Raise BrokenPromiseError if a command has called another place than the one that the settings name.

    Args:
        before: The calls that the service there had counted before the command, by method and route.
        after: The same afterwards.
        elsewhere: The jobs that ran there.
        may_ask: Those of them for which the command may read there.
    """
    calls = {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
    wrong = [name for name in calls if not may_ask or not name.startswith("GET ")]
    if wrong:
        jobs = ", ".join(f"{one.job}: {one}" for one in elsewhere)
        raise BrokenPromiseError(f"calls at the other place: {calls}, where these jobs have run: {jobs}")


def is_excused(situation: Situation, method: str, *, is_wanted: bool) -> bool:
    """Tell whether a call for a job may fail though nothing goes wrong. `is_wanted`: the job is to stay in the stack.

    A run that is out of reach may go on, so its job can be neither replaced nor deleted, and nobody can wait for it.
    """
    if method == "wait":
        return not situation.is_awaited and (not situation.is_here or is_unknown(situation))
    runs_again = situation.is_changed or (situation.is_known_gone and situation.is_rerun_if_expired)
    return method == "delete" and not situation.is_here and situation.seen is None and (runs_again or not is_wanted)


def is_unknown(situation: Situation) -> bool:
    """Tell whether nobody can know any more how the run has ended."""
    return not situation.has_record and situation.seen is None
