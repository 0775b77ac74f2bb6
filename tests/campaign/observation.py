"""What is seen of a stack before and after a command, and the judgement of the command by what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pulumi_dli.local.testing import Service
from tests.campaign.expectations import (
    Deed,
    Expectation,
    Situation,
    check_calls,
    check_cancelled,
    check_deed,
    check_end,
    check_message,
    check_unknown,
    check_wait,
    expect,
)
from tests.campaign.ledger import Ledger, Run
from tests.campaign.simulated_engine import Declared, Outcome, SimulatedEngine, Stored
from tests.campaign.verdict import BrokenPromiseError

_SENT = ("args", "triggers", "conf", "file")
"""The properties in which a program of the campaign may differ from what ran."""


@dataclass(frozen=True)
class Observation:
    """A stack just before a command."""

    command: str
    runs: Mapping[str, Run]
    situations: Mapping[str, Situation]
    """The jobs that are in the state, by name, but for those between their delete and their create."""
    expected: Sequence[tuple[Situation, Expectation]]
    """What the command must do with those of them that the program has."""
    calls: Mapping[str, int]
    """The calls that the service at the other place has counted."""


class Observer:
    """Observes a stack. `program` is that of the seed, by job, and changes with its schedule."""

    def __init__(
        self,
        engine: SimulatedEngine,
        ledger: Ledger,
        program: Mapping[str, Declared],
        services: Sequence[Service],
    ) -> None:
        self.stored: set[str] = set()
        """The runs that are in the state, or were there."""
        self.ended_orphans: set[str] = set()
        """The runs that were never in the state, and that are known to have ended."""
        self._engine = engine
        self._ledger = ledger
        self._program = program
        self._services = services

    def observe(self, command: str) -> Observation:
        """Look at the stack before a command: `up`, `refresh` or `destroy`."""
        runs = self._ledger.read()
        jobs = {name: stored for name, stored in self._engine.jobs.items() if not stored.is_deleted}
        situations = {name: self._situation(name, stored, runs[stored.id]) for name, stored in jobs.items()}
        known = [one for name, one in situations.items() if name in self._program]
        expected = {
            "up": [(one, expect(one)) for one in known],
            "refresh": [(one, Expectation.STAYS) for one in known],
        }
        return Observation(command, runs, situations, expected.get(command, []), self._calls_elsewhere())

    def _situation(self, name: str, stored: Stored, run: Run) -> Situation:
        declared = self._program.get(name) or Declared(stored.declared)
        option, has_wait = declared.properties.get("onRecordExpired"), declared.until is not None
        is_asked = option is not None and self._engine.tells_ends
        wait = self._wait_for(name, stored.id)
        return Situation(
            job=name,
            run=stored.id,
            state=run.state,
            has_record=run.has_record,
            is_known_gone=bool(stored.outputs.get("recordExpired")),
            is_here=run.place == self._engine.place,
            is_changed=any(declared.properties.get(key) != stored.declared.get(key) for key in _SENT),
            is_replaced=name in self._engine.replaces,
            is_rerun_if_expired=option == "rerun",
            seen_by_job=stored.end,
            seen_by_wait=wait.end if wait is not None else None,
            is_told=is_asked and not self._engine.is_unread,
            is_unread=is_asked and self._engine.is_unread and has_wait,
            is_awaited=wait is not None or not has_wait,
        )

    def _wait_for(self, name: str, run: str) -> Stored | None:
        """Give the wait of a job that is in the state, if it has waited for this run."""
        wait = self._engine.waits.get(name)
        return wait if wait is not None and wait.outputs["jobId"] == run else None

    def _calls_elsewhere(self) -> dict[str, int]:
        calls: dict[str, int] = {}
        for place, service in enumerate(self._services):
            if place != self._engine.place:
                calls |= service.calls()
        return calls

    def judge(self, before: Observation, outcome: Outcome, *, is_clean: bool) -> None:
        """Raise BrokenPromiseError if the command has not done what it had to do. `is_clean`: nothing went wrong."""
        after = self._ledger.read()
        self.stored |= {stored.id for stored in self._engine.jobs.values()}
        for situation, expectation in before.expected:
            deed = self._deed(situation.job, before, after, outcome)
            check_deed(situation, expectation, deed, is_killed=outcome.is_killed, is_clean=is_clean)
        self._check_messages(before, after, outcome, is_clean=is_clean)
        self._check_cancelled(before, after)
        self._check_places(before, after)
        self._check_adopted(after)
        self._check_ends(before, after)

    def _check_messages(
        self, before: Observation, after: Mapping[str, Run], outcome: Outcome, *, is_clean: bool
    ) -> None:
        for failure in outcome.failures:
            new_runs = self._new_runs(failure.job, before, after)
            if failure.method == "create":
                check_message(failure.job, failure.message, new_runs)
            if is_clean:
                check_unknown(failure.job, failure.message, None if new_runs else before.situations.get(failure.job))

    def _deed(self, name: str, before: Observation, after: Mapping[str, Run], outcome: Outcome) -> Deed:
        stored = self._engine.jobs.get(name)
        new = self._new_runs(name, before, after)
        failures = [failure.message for failure in outcome.failures if failure.job == name]
        return Deed(stored.id if stored is not None and not stored.is_deleted else None, new, failures)

    def _new_runs(self, name: str, before: Observation, after: Mapping[str, Run]) -> list[str]:
        return [id_ for id_, run in after.items() if id_ not in before.runs and run.job == name]

    def _check_cancelled(self, before: Observation, after: Mapping[str, Run]) -> None:
        """Raise BrokenPromiseError if a run was cancelled, and its job had neither changed nor left the program."""
        replaced = {one.run for one, expectation in before.expected if expectation is Expectation.RUNS}
        removed = {one.run for name, one in before.situations.items() if name not in self._program}
        destroyed = {one.run for one in before.situations.values() if before.command == "destroy"}
        check_cancelled(before.runs, after, replaced | removed | destroyed | self.ended_orphans)

    def _check_places(self, before: Observation, after: Mapping[str, Run]) -> None:
        """Raise BrokenPromiseError if a command ran a job at the other place, or called there for what it knew."""
        for id_, run in after.items():
            if id_ not in before.runs and run.place != self._engine.place:
                raise BrokenPromiseError(f"{run.job}: run {id_} was submitted at the other place")
        elsewhere = [one for one in before.situations.values() if not one.is_here]
        may_ask = [one for one in elsewhere if self._may_ask(one, before.command)]
        check_calls(before.calls, self._calls_elsewhere(), elsewhere, may_ask)

    def _may_ask(self, situation: Situation, command: str) -> bool:
        """Tell whether a command may call the other place for a run there."""
        if command == "refresh":
            return True
        if command == "up" and situation.job in self._program:
            return situation.needs_calls
        return situation.seen is None

    def _check_adopted(self, after: Mapping[str, Run]) -> None:
        """Raise BrokenPromiseError if an orphan is in the state that had ended before."""
        for name, stored in self._engine.jobs.items():
            if stored.id in self.ended_orphans:
                ended = f"{stored.id}, which had ended before as {after[stored.id].state}"
                raise BrokenPromiseError(f"{name}: wrong outcome: the job has adopted run {ended}")

    def _check_ends(self, before: Observation, after: Mapping[str, Run]) -> None:
        """Raise BrokenPromiseError if the state has an end that the run did not have, or that nobody can know."""
        for name, stored in self._engine.jobs.items():
            check_end(name, "the job", stored.end, stored.id, after[stored.id].state)
        for name, wait in self._engine.waits.items():
            run = str(wait.outputs["jobId"])
            check_end(name, "its wait", wait.end, run, after[run].state)
            situation = before.situations.get(name)
            if situation is not None and situation.run == run:
                check_wait(situation)
