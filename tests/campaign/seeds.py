"""One seed: a small program of jobs, a schedule of changes, faults and kills, and the verdict."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.table import Job
from pulumi_dli.local.testing import Service
from tests.campaign.simulated_engine import Declared, Outcome, SimulatedEngine
from tests.campaign.verdict import (
    BrokenPromiseError,
    check_nothing_runs,
    compare_runs,
    compare_with_state,
    live_ids,
    runs_of,
)
from tests.engine import ProviderProcess

WINDOW = 0.3
"""Seconds of the look-up window in the campaign."""

LAG = WINDOW / 3
"""Seconds by which a listing may lag behind. From a kill to the first list of the next `up` it takes longer."""

SHORT_TIMEOUTS = {
    "DLI_LOOKUP_WINDOW": f"{WINDOW}s",
    "DLI_POLL_INTERVAL": "0.02s",
    "DLI_REQUEST_TIMEOUT": "1s",
    "DLI_MAX_RETRIES": "2",
    "DLI_RETRY_PAUSE": "0.01s",
}

ENDLESS = "starting:0s,running"
QUICK = "starting:0s,running:0s,success"
MAX_UPS = 8

ROUTES = (
    ("POST", "*/batches"),
    ("GET", "*/batches"),
    ("GET", "*/batches/*"),
    ("DELETE", "*/batches/*"),
)
ANSWERS = (
    (500, "DLI.0999"),
    (502, "APIG.0201"),
    (503, ""),
    (504, "APIG.0203"),
    (400, "DLI.0999"),
    (400, "DLI.0019"),
    (429, "APIGW.0308"),
    (400, "DLI.0001"),
    (403, "APIGW.0302"),
    (401, "APIGW.0307"),
)


@dataclass(frozen=True)
class Step:
    """A command, what is changed before it, and what goes wrong in it."""

    command: str
    change: str | None = None
    job: str | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    kill: str | None = None


@dataclass(frozen=True)
class Schedule:
    """What a seed does."""

    seed: int
    program: list[Declared]
    steps: list[Step]

    def __str__(self) -> str:
        jobs = [f"  {job.properties} until={job.until}" for job in self.program]
        return "\n".join([f"seed {self.seed}", *jobs, *(f"  {step}" for step in self.steps)])


def schedule(seed: int) -> Schedule:
    """Make the schedule of a seed: the same one every time."""
    rng = random.Random(seed)
    is_deadly = rng.random() < 0.5
    # A job that ends by itself may have ended before the next `up` after a kill: then it runs again, by design.
    program = [_job(seed, number, rng, ends=not is_deadly) for number in range(rng.randint(1, 3))]
    steps = [_step(program, rng, is_deadly=is_deadly) for _ in range(rng.randint(1, 4))]
    return Schedule(seed, program, [Step("up"), *steps] if rng.random() < 0.3 else steps)


def _job(seed: int, number: int, rng: random.Random, *, ends: bool) -> Declared:
    name = f"s{seed}j{number}"
    quick = ends and rng.random() < 0.5
    properties = {
        "resourceName": name,
        "scope": f"{seed:06x}{number:02x}",
        "file": f"obs://campaign/{name}.py",
        "queue": "default",
        "args": ["0"],
        "conf": {"spark.dli.local.timeline": QUICK if quick else ENDLESS},
    }
    if rng.random() < 0.2:
        properties["name"] = f"fixed-{name}"
    until = None if rng.random() < 0.5 else "success" if quick else "running"
    return Declared(properties, until)


def _step(program: list[Declared], rng: random.Random, *, is_deadly: bool) -> Step:
    command = "refresh" if rng.random() < 0.15 else "up"
    changes = ("args", "triggers", "option", "remove", "console")
    change = rng.choice(changes) if rng.random() < 0.6 else None
    faults = [_fault(rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    kill = rng.choice(("accepted", "asked", "any")) if is_deadly and rng.random() < 0.7 else None
    if kill == "accepted":  # the reply is on its way, and never arrives
        faults = [{"method": "POST", "path": "*/batches", "when": "after", "action": "delay", "seconds": 0.5}]
    return Step(command, change, rng.choice(program).name, faults, kill)


def _fault(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.15:
        return {"action": "listing_lag", "seconds": LAG}
    method, path = rng.choice(ROUTES)
    rule: dict[str, Any] = {
        "method": method,
        "path": path,
        "nth": rng.randint(1, 3),
        "count": rng.choice((1, 1, 2, None)),
        "when": rng.choice(("before", "after")),
        "action": rng.choice(("cut", "half", "garbage", "reply")),
    }
    if rule["action"] == "half":
        rule["when"] = "after"
    if rule["action"] == "reply":
        status, code = rng.choice(ANSWERS)
        # What is refused was not carried out: after the work only an answer without a "no" can come.
        if status in (401, 403, 429) or code == "DLI.0001":
            rule["when"] = "before"
        rule |= {"status": status, "body": {"error_code": code, "error_msg": "a fault of the campaign"}}
        rule["headers"] = {"Retry-After": "0"} if status == 429 else {}
    return rule


def changed_properties(change: str, number: int) -> dict[str, Any]:
    """Give the properties that a change sets, with values that belong to the number of its step."""
    changes: dict[str, dict[str, Any]] = {
        "args": {"args": [str(number)]},
        "triggers": {"triggers": {"at": number}},
        "option": {"cancelTimeout": 100 + number},
    }
    return changes[change]


@dataclass
class Result:
    """What seeds came to. `twice`: runs beyond the intended ones, where that is not wrong."""

    seeds: int = 0
    commands: int = 0
    faults: int = 0
    kills: int = 0
    intended: int = 0
    accepted: int = 0
    twice: int = 0


Log = Callable[[str], None]
"""Takes what may be shown of a seed that fails."""


def run(plan: Schedule, service: Service, start: Callable[[], ProviderProcess], log: Log) -> Result:
    """Carry out a schedule. Raises BrokenPromiseError."""
    log(str(plan))
    return _Run(plan, service, SimulatedEngine(start), log).judge()


class _Run:
    def __init__(self, plan: Schedule, service: Service, engine: SimulatedEngine, log: Log) -> None:
        self._plan = plan
        self._service = service
        self._engine = engine
        self._log = log
        self._program = {job.name: job for job in plan.program}
        self._result = Result(seeds=1)

    def judge(self) -> Result:
        for number, step in enumerate(self._plan.steps):
            self._change(step, number)
            self._do(step)
        self._service.clear_faults()
        self._converge()
        self._compare_with_state()
        self._command("destroy", self._engine.destroy, must_work=True)
        check_nothing_runs(self._jobs())
        self._result.faults = sum(len(step.faults) for step in self._plan.steps)
        self._result.intended, self._result.accepted = self._engine.intended.total(), len(self._jobs())
        return self._result

    def _jobs(self) -> list[Job]:
        return runs_of(self._service, self._plan.seed)

    def _live(self) -> set[str]:
        return live_ids(self._jobs())

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
                job = self._program[name]
                self._program[name] = replace(job, properties=job.properties | changed_properties(change, number + 1))

    def _cancel_in_console(self, name: str) -> None:
        stored = self._engine.jobs.get(name)
        if stored is None or stored.id not in self._live():
            return
        self._service.clear_faults()
        try:
            self._service.cancel(stored.id)
        except ApiError:
            if stored.id in self._live():  # otherwise it ended meanwhile
                raise

    def _do(self, step: Step) -> None:
        self._service.server.faults.set(step.faults)
        self._engine.wait_timeout = "0.5s"
        program = list(self._program.values())
        killer = self._killer(step.kill)
        if step.command == "refresh":
            self._command("refresh", lambda: self._engine.refresh(killer))
        else:
            self._command("up", lambda: self._engine.up(program, killer))

    def _command(self, name: str, do: Callable[[], Outcome], *, must_work: bool = False) -> Outcome:
        before = {job.id for job in self._jobs()}
        self._result.commands += 1
        outcome = do()
        if outcome.is_killed:
            time.sleep(LAG)
        self._log(f"{name}: {outcome}")
        if any("Traceback" in failure.message for failure in outcome.failures):
            raise BrokenPromiseError(f"{name} showed a traceback: {outcome.failures}")
        if must_work and outcome.failures:
            raise BrokenPromiseError(f"{name} failed without a fault: {outcome.failures}")
        self._check_failures(outcome, [job for job in self._jobs() if job.id not in before])
        return outcome

    def _check_failures(self, outcome: Outcome, new: list[Job]) -> None:
        """Raise BrokenPromiseError if a failed `create` says that nothing runs, but the service has accepted a run."""
        for failure in outcome.failures:
            ours = [job.id for job in new if failure.job in job.name]
            if ours and failure.method == "create" and says_that_nothing_runs(failure.message):
                raise BrokenPromiseError(
                    f"{failure.job}: says that nothing runs, but {ours} was accepted: {failure.message}"
                )

    def _converge(self) -> None:
        program = list(self._program.values())
        self._engine.wait_timeout = None
        for _ in range(MAX_UPS):
            outcome = self._command("up", lambda: self._engine.up(program, lambda _: nullcontext()), must_work=True)
            if not outcome.changes:
                return
        raise BrokenPromiseError(f"not at rest after {MAX_UPS} updates")

    def _compare_with_state(self) -> None:
        accepted = self._jobs()
        compare_runs(self._engine.intended, accepted)
        compare_with_state(self._jobs(), {stored.id for stored in self._engine.jobs.values()})
        for name, job in self._program.items():
            sent = json.loads(next(one for one in accepted if one.id == self._engine.jobs[name].id).req_body)
            if sent["args"] != job.properties["args"]:
                raise BrokenPromiseError(f"{name}: what runs is not what is declared: {sent['args']}")

    def _killer(self, kill: str | None) -> Callable[[ProviderProcess], Any]:
        if kill is None:
            return lambda _: nullcontext()
        rng = random.Random(f"{self._plan.seed} {kill} {self._result.kills}")
        self._result.kills += 1
        posts = self._service.calls().get("POST /batches", 0)
        count = len(self._jobs())
        ready = {
            "accepted": lambda: len(self._jobs()) > count,
            "asked": lambda: self._service.calls().get("POST /batches", 0) > posts,
            "any": lambda: True,
        }[kill]
        wait = rng.uniform(0, 0.3) if kill == "any" else 0.0
        return lambda process: _killed_when(ready, wait, process)


def says_that_nothing_runs(message: str) -> bool:
    return "nothing runs" in message or "nothing was submitted" in message


@contextmanager
def _killed_when(is_ready: Callable[[], bool], wait: float, process: ProviderProcess) -> Iterator[None]:
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
