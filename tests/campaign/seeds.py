"""One seed: its schedule is carried out, and each command is judged, and then the whole."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from pulumi_dli.local.testing import Service
from tests.campaign.expectations import Expectation, is_excused, is_unknown
from tests.campaign.ledger import Ledger, Run
from tests.campaign.lies import tell_lies
from tests.campaign.observation import Observation, Observer
from tests.campaign.schedules import LAG, MAX_UPS, OrphansEnd, Schedule, Step, changed_properties
from tests.campaign.simulated_engine import Failure, Killer, Outcome, Process, SimulatedEngine
from tests.campaign.verdict import BrokenPromiseError, check_nothing_runs, compare_runs, compare_with_state, runs_of
from tests.local.api import eventually


@dataclass(frozen=True)
class Place:
    """A DLI, and what starts a provider process whose settings name it."""

    service: Service
    start: Callable[[], Process]


@dataclass
class Result:
    """What seeds came to."""

    seeds: int = 0
    commands: int = 0
    faults: int = 0
    lies: int = 0
    kills: int = 0
    intended: int = 0
    accepted: int = 0
    twice: int = 0
    """Runs beyond the intended ones, where that is not wrong."""
    ended_orphans: int = 0
    """Orphaned runs that ended before their jobs were wanted again."""
    deleted_records: int = 0
    expired_stays: int = 0
    """How often a job was met whose record was gone, and that must not run again."""
    expired_reruns: int = 0
    """How often one was met that must run again for that."""
    elsewhere_stays: int = 0
    """How often a job was met that ran at another place, and that must not run again."""
    elsewhere_reruns: int = 0
    """How often one was met that must run again at the new place."""
    elsewhere_failures: int = 0
    """How often one was met that must run again, but whose run may go on at the other place."""
    forced: int = 0
    """Runs in the part of a seed that forces replacements. Only the native provider's seeds have one."""


Log = Callable[[str], None]
"""Takes what may be shown of a seed that fails."""


def run(plan: Schedule, places: Sequence[Place], log: Log) -> Result:
    """Carry out a schedule. Raises BrokenPromiseError."""
    log(str(plan))
    return _Run(plan, places[: plan.places], log).judge()


class _Run:
    def __init__(self, plan: Schedule, places: Sequence[Place], log: Log) -> None:
        self._plan = plan
        self._services = [place.service for place in places]
        self._engine = SimulatedEngine([place.start for place in places], tells_ends=not plan.is_native)
        self._log = log
        self._program = {job.name: job for job in plan.program}
        self._ledger = Ledger(self._services, plan.seed)
        self._result = Result(seeds=1)
        self._observer = Observer(self._engine, self._ledger, self._program, self._services)

    def judge(self) -> Result:
        for number, step in enumerate(self._plan.steps):
            self._prepare(step, number)
            self._do(step)
        self._clear_faults()
        self._converge()
        self._compare_with_state()
        self._destroy()
        self._result.faults = sum(len(step.faults) for step in self._plan.steps)
        self._result.lies = sum(len(step.lies) for step in self._plan.steps)
        self._result.intended, self._result.accepted = self._engine.intended.total(), len(self._ledger.read())
        return self._result

    def _prepare(self, step: Step, number: int) -> None:
        """Do what happens before a command."""
        if step.orphans_end is OrphansEnd.BEFORE:
            self._end_orphans()
        self._count_orphans()
        self._change(step, number)
        if not self._engine.wanted:  # otherwise the user first finishes what was begun at the earlier place
            self._engine.place = step.place
        if step.expires:
            self._wait_for_ends(lambda: [*self._ledger.read().values()])
            self._result.deleted_records += self._ledger.delete_records(self._ledger.read())

    def _change(self, step: Step, number: int) -> None:
        """Change a job, unless its last intended run is not in the state: then an `up` comes first, by design."""
        name = step.job
        if step.change is None or name is None or name in self._engine.wanted or name not in self._program:
            return
        match step.change:
            case "remove":
                if len(self._program) > 1:
                    del self._program[name]
            case "console":
                self._cancel_in_console(name)
            case change:
                self._set(name, changed_properties(change, number + 1))

    def _set(self, name: str, properties: dict[str, Any]) -> None:
        job = self._program[name]
        self._program[name] = replace(job, properties=job.properties | properties)

    def _cancel_in_console(self, name: str) -> None:
        stored = self._engine.jobs.get(name)
        run = self._ledger.live().get(stored.id) if stored is not None else None
        if run is not None:
            self._clear_faults()
            self._ledger.cancel(run)

    def _clear_faults(self) -> None:
        for service in self._services:
            service.clear_faults()
            tell_lies(service, ())

    def _orphans(self, name: str | None = None) -> list[Run]:
        """Give the runs that have never been in the state, of one job or of all."""
        runs = self._ledger.read().values()
        return [run for run in runs if run.id not in self._observer.stored and name in (None, run.job)]

    def _end_orphans(self, name: str | None = None) -> None:
        for orphan in self._orphans(name):
            if not orphan.state.is_final:
                self._ledger.cancel(orphan)

    def _wait_for_ends(self, runs: Callable[[], list[Run]]) -> None:
        """Wait until the runs of no length have ended: how soon they do is no part of the schedule."""
        eventually(runs, lambda found: all(run.state.is_final for run in found if run.ends_by_itself))

    def _count_orphans(self, name: str | None = None) -> None:
        """Count the orphaned runs that have ended: each of their jobs must run again when it is wanted."""
        self._wait_for_ends(lambda: self._orphans(name))
        for orphan in self._orphans(name):
            if orphan.state.is_final and orphan.id not in self._observer.ended_orphans:
                self._observer.ended_orphans.add(orphan.id)
                self._engine.wanted.discard(orphan.job)
                self._result.ended_orphans += 1

    def _do(self, step: Step) -> None:
        for place, service in enumerate(self._services):
            service.server.faults.set(step.faults if place == self._engine.place else [])
            tell_lies(service, step.lies if place == self._engine.place else ())
        is_clean = not step.faults and not step.lies and step.kill is None
        self._engine.wait_timeout = None if is_clean else "0.5s"
        self._engine.is_unread = step.is_unread
        self._engine.is_interrupted = step.is_interrupted
        self._engine.before_create = self._ends_orphans(step) if step.orphans_end is OrphansEnd.MEANWHILE else None
        killer = self._killer(step.kill)
        if step.command == "refresh":
            self._command("refresh", lambda: self._engine.refresh(killer))
        else:
            self._command("up", lambda: self._engine.up(list(self._program.values()), killer), is_clean=is_clean)

    def _ends_orphans(self, step: Step) -> Callable[[str], None]:
        def end(name: str) -> None:
            self._end_orphans(name)
            self._count_orphans(name)
            if step.expires:
                self._ledger.delete_records(self._observer.ended_orphans)

        return end

    def _command(
        self, name: str, do: Callable[[], Outcome], *, is_clean: bool = False, must_work: bool = False
    ) -> Outcome:
        before = self._observer.observe(name)
        self._result.commands += 1
        outcome = do()
        if outcome.is_killed:
            time.sleep(LAG)
        self._log(f"{name} at place {self._engine.place}: {outcome}")
        if any("Traceback" in failure.message for failure in outcome.failures):
            raise BrokenPromiseError(f"{name} showed a traceback: {outcome.failures}")
        self._observer.judge(before, outcome, is_clean=is_clean and not outcome.is_killed)
        if must_work:
            self._check_works(name, before, outcome.failures)
        self._count(before)
        return outcome

    def _check_works(self, command: str, before: Observation, failures: list[Failure]) -> None:
        """Raise BrokenPromiseError if a command has failed for another reason than that a run is out of reach."""
        for failure in failures:
            situation = before.situations.get(failure.job)
            stored = self._engine.jobs.get(failure.job)
            is_same = situation is not None and stored is not None and stored.id == situation.run
            is_wanted = command != "destroy" and failure.job in self._program
            if situation is None or not is_same or not is_excused(situation, failure.method, is_wanted=is_wanted):
                raise BrokenPromiseError(f"{command} failed without a fault: {failure}, {situation}")

    def _count(self, before: Observation) -> None:
        for situation, expectation in before.expected:
            if not situation.has_record:
                self._result.expired_stays += expectation is Expectation.STAYS
                self._result.expired_reruns += expectation is Expectation.RUNS and not situation.is_changed
            if not situation.is_here:
                self._result.elsewhere_stays += expectation is Expectation.STAYS
                self._result.elsewhere_reruns += expectation is Expectation.RUNS
                self._result.elsewhere_failures += expectation is Expectation.FAILS

    def _converge(self) -> None:
        """Run `up` at each place until nothing is left to do, and nothing fails."""
        self._engine.wait_timeout, self._engine.before_create = None, None
        self._engine.is_unread = self._engine.is_interrupted = False
        for _ in range(MAX_UPS):
            found = [self._converge_at(place) for place in self._places()]
            if not any(found):
                return
        raise BrokenPromiseError(f"not at rest after {MAX_UPS} updates")

    def _places(self) -> list[int]:
        """Give the places, the one where the stack is first."""
        return sorted(range(len(self._services)), key=lambda place: place != self._engine.place)

    def _converge_at(self, place: int) -> bool:
        """Run `up` at a place; give whether it has found anything to do."""
        self._engine.place = place
        self._count_orphans()
        program = list(self._program.values())
        before = self._observer.observe("up")
        outcome = self._command("up", lambda: self._engine.up(program), is_clean=True, must_work=True)
        for failure in outcome.failures:
            if failure.method == "wait" and is_unknown(before.situations[failure.job]):
                self._go_on_after_unknown(failure.job)
        return bool(outcome.changes or outcome.failures)

    def _go_on_after_unknown(self, job: str) -> None:
        """Do what the message about an unknown outcome says: there are two ways on, and the native provider has one."""
        if not self._plan.is_native:
            self._set(job, {"onRecordExpired": "rerun"})
            return
        self._engine.replaces = {job: bool(self._plan.seed % 2)}
        program = list(self._program.values())
        self._command("up", lambda: self._engine.up(program), is_clean=True, must_work=True)
        self._engine.replaces = {}

    def _compare_with_state(self) -> None:
        runs = self._ledger.read()
        compare_runs(self._engine.intended, [run.row for run in runs.values()])
        in_state = {stored.id for stored in self._engine.jobs.values()}
        compare_with_state([run.row for run in runs.values()], in_state)
        for name, job in self._program.items():
            sent = json.loads(runs[self._engine.jobs[name].id].row.req_body)
            if sent["args"] != job.properties["args"]:
                raise BrokenPromiseError(f"{name}: what runs is not what is declared: {sent['args']}")

    def _destroy(self) -> None:
        """Destroy the stack with the settings of each place in turn."""
        for place in self._places():
            self._engine.place = place
            self._command("destroy", self._engine.destroy, must_work=True)
        if self._engine.jobs:
            raise BrokenPromiseError(f"still in the state after destroy: {sorted(self._engine.jobs)}")
        check_nothing_runs(run.row for run in self._ledger.read().values())

    def _killer(self, kill: str | None) -> Killer:
        if kill is None:
            return lambda _: nullcontext()
        rng = random.Random(f"{self._plan.seed} {kill} {self._result.kills}")
        self._result.kills += 1
        service, seed = self._services[self._engine.place], self._plan.seed
        posts = service.calls().get("POST /batches", 0)
        count = len(runs_of(service, seed))
        ready = {
            "accepted": lambda: len(runs_of(service, seed)) > count,
            "asked": lambda: service.calls().get("POST /batches", 0) > posts,
            "any": lambda: True,
        }[kill]
        wait = rng.uniform(0, 0.3) if kill == "any" else 0.0
        return lambda process: _killed_when(ready, wait, process)


@contextmanager
def _killed_when(is_ready: Callable[[], bool], wait: float, process: Process) -> Iterator[None]:
    """Kill the process as soon as something has happened, and some seconds later; or not at all, if it ends before."""
    is_over = threading.Event()

    def watch() -> None:
        is_over.wait(wait)
        while not is_over.is_set():
            if is_ready():
                process.kill()
                return
            time.sleep(0.002)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
