"""An engine that does to the provider what Pulumi's does, with a state in memory, and keeps count of what is intended.

The order of the calls, and what is stored when one fails or the process is killed, are those of the real engine
(seen with CLI 3.259.0): check, diff; for a replacement the diff of the job's wait, delete, check without olds, create;
a killed create stores nothing, a failed one after its delete leaves the resource to be created by the next update. A
wait is deleted before its job.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from pulumi.output import UNKNOWN

from pulumi_dli.api.states import BatchState
from tests.campaign.native_process import NativeProcess
from tests.engine import Properties, ProviderError, ProviderProcess

WORKERS = 2

Process = ProviderProcess | NativeProcess
"""A process of the provider."""


@dataclass(frozen=True)
class Declared:
    """A job as a program declares it; `until`: with a wait for it."""

    properties: Properties
    until: str | None = None

    @property
    def name(self) -> str:
        """The logical name."""
        return str(self.properties["resourceName"])


@dataclass
class Stored:
    """A resource in the state."""

    id: str
    inputs: Properties
    outputs: Properties
    is_deleted: bool = False
    """True between the delete and the create of a replacement."""
    declared: Properties = field(default_factory=dict)
    """A job's properties as the program has declared them."""

    @property
    def end(self) -> BatchState | None:
        """The final state that is stored."""
        state = BatchState.parse(self.outputs.get("state"))
        return state if state is not None and state.is_final else None


@dataclass
class Failure:
    """A call that failed: of which job, and what the user reads. `create` failures say whether something runs."""

    job: str
    method: str
    message: str


@dataclass
class Outcome:
    """What one command did."""

    failures: list[Failure] = field(default_factory=list)
    log_lines: list[str] = field(default_factory=list)
    is_killed: bool = False
    changes: int = 0


Killer = Callable[[Process], AbstractContextManager[None]]
"""May kill a process while the block runs."""


class SimulatedEngine:
    """One stack.

    Args:
        starts: They give a provider process for each command, one start for each place.
        tells_ends: Whether the program tells the provider what the waits in the state have seen.
    """

    def __init__(self, starts: Sequence[Callable[[], Process]], *, tells_ends: bool = True) -> None:
        self.jobs: dict[str, Stored] = {}
        self.waits: dict[str, Stored] = {}
        self.intended: Counter[str] = Counter()
        """How often each job was to run."""
        self.wanted: set[str] = set()
        """The jobs whose last intended run is not in the state yet."""
        self.wait_timeout: str | None = None
        """How long a wait waits: without one it goes on for as long as the service does not answer."""
        self.place = 0
        """The place that the settings name."""
        self.is_unread = False
        """The program cannot read the stack's state."""
        self.is_interrupted = False
        """The user interrupts each `up` before it comes to a wait."""
        self.before_create: Callable[[str], None] | None = None
        """Called with a job's name before its `create`. The jobs then come one after the other."""
        self.replaces: dict[str, bool] = {}
        """The jobs that `pulumi up --replace` names. True for a job with the option deleteBeforeReplace."""
        self.tells_ends = tells_ends
        self._starts = starts

    def _start(self) -> Process:
        return self._starts[self.place]()

    def up(self, program: list[Declared], killer: Killer = lambda _: nullcontext()) -> Outcome:
        """Make the state what the program declares. `killer` may kill the process at any instant."""
        outcome = Outcome()
        with self._start() as process, killer(process):
            command = _Command(self, process, outcome)
            with ThreadPoolExecutor(1 if self.before_create else WORKERS) as pool:
                list(pool.map(command.apply, program))
            if not outcome.failures and not self.is_interrupted:
                command.remove(set(self.jobs) - {job.name for job in program})
            outcome.log_lines = process.kill()
        return outcome

    def refresh(self, killer: Killer = lambda _: nullcontext()) -> Outcome:
        """Read every job that is in the state."""
        outcome = Outcome()
        with self._start() as process, killer(process):
            command = _Command(self, process, outcome)
            for name in [name for name, stored in self.jobs.items() if not stored.is_deleted]:
                command.refresh(name)
            outcome.log_lines = process.kill()
        return outcome

    def destroy(self) -> Outcome:
        """Delete everything that is in the state."""
        outcome = Outcome()
        with self._start() as process:
            _Command(self, process, outcome).remove(set(self.jobs))
            outcome.log_lines = process.kill()
        return outcome


class _Command:
    def __init__(self, engine: SimulatedEngine, process: Process, outcome: Outcome) -> None:
        self._engine = engine
        self._process = process
        self._outcome = outcome
        self._jobs = process.jobs
        self._lock = threading.Lock()

    def apply(self, job: Declared) -> None:
        """Make one job and its wait what is declared."""
        method = ["check"]
        try:
            self._apply_job(job, method)
            if job.until is not None and not self._engine.is_interrupted:
                method[0] = "wait"
                self._apply_wait(job)
        except ProviderError as error:
            self._fail(job.name, method[0], error)

    def _apply_job(self, job: Declared, method: list[str]) -> None:
        stored = self._engine.jobs.get(job.name)
        known = stored is not None and not stored.is_deleted
        news = job.properties | self._ends_seen(job)
        inputs, failures = self._jobs.check(news, stored.inputs if stored and known else {})
        if failures:
            raise AssertionError(f"the campaign declares nothing that is refused: {failures}")
        if stored is None or not known:
            self._create(job, inputs, method)
            return
        if job.name in self._engine.replaces:
            self._replace(job, stored, method)
            return
        method[0] = "diff"
        plan = self._jobs.diff(stored.id, stored.outputs, inputs)
        if not plan.changes:
            stored.inputs = inputs
        elif not plan.replaces:
            method[0] = "update"
            stored.outputs = self._jobs.update(stored.id, stored.outputs, inputs)
            stored.inputs, stored.declared = inputs, job.properties
        else:
            self._ask_dependents(job.name)
            method[0] = "delete"
            self._jobs.delete(stored.id, stored.outputs)
            stored.is_deleted = True
            inputs, _ = self._jobs.check(news)
            self._create(job, inputs, method)

    def _replace(self, job: Declared, stored: Stored, method: list[str]) -> None:
        """Replace a job that the command names, without a plan."""
        inputs, _ = self._jobs.check(job.properties)
        deletes_first = self._engine.replaces[job.name]
        if not deletes_first:
            self._create(job, inputs, method)
        method[0] = "delete"
        self._jobs.delete(stored.id, stored.outputs)
        if deletes_first:
            stored.is_deleted = True
            self._create(job, inputs, method)

    def _ends_seen(self, job: Declared) -> Properties:
        """Give what the program tells of the ends that the stored waits have seen (`pulumi_dli.program.seen_ends`)."""
        if "onRecordExpired" not in job.properties or not self._engine.tells_ends:
            return {}
        if self._engine.is_unread:
            return {"waitsUnread": True} if job.until is not None else {}
        wait = self._engine.waits.get(job.name)
        return {} if wait is None or wait.end is None else {"endsSeen": {wait.outputs["jobId"]: str(wait.end)}}

    def _create(self, job: Declared, inputs: Properties, method: list[str]) -> None:
        method[0] = "create"
        if self._engine.before_create is not None:
            self._engine.before_create(job.name)
        with self._lock:
            if job.name not in self._engine.wanted:
                self._engine.wanted.add(job.name)
                self._engine.intended[job.name] += 1
        batch_id, outputs = self._jobs.create(inputs)
        with self._lock:
            self._engine.jobs[job.name] = Stored(batch_id, inputs, outputs, declared=job.properties)
            self._engine.wanted.discard(job.name)
            self._outcome.changes += 1

    def _ask_dependents(self, name: str) -> None:
        """Ask of every other job, and of the wait, what becomes of it if a property of this one is not known yet."""
        for other, stored in list(self._engine.jobs.items()):
            if other != name and not stored.is_deleted:
                question = {**stored.inputs, "args": [UNKNOWN]}
                if self._jobs.diff(stored.id, stored.outputs, question).replaces:
                    raise AssertionError(f"{other} would be cancelled because {name} is replaced")
        if (wait := self._engine.waits.get(name)) is not None:
            self._process.waits.diff(wait.id, wait.outputs, {**wait.inputs, "jobId": UNKNOWN})

    def _apply_wait(self, job: Declared) -> None:
        waits = self._process.waits
        batch = self._engine.jobs[job.name]
        news: Properties = {"jobId": batch.id, "until": job.until, "jobName": job.name}
        news["submittedTo"] = batch.outputs["submittedTo"]
        if self._engine.wait_timeout is not None:
            news["timeout"] = self._engine.wait_timeout
        stored = self._engine.waits.get(job.name)
        inputs, _ = waits.check(news, stored.inputs if stored else {})
        if stored is None:
            wait_id, outputs = waits.create(inputs)
            self._engine.waits[job.name] = Stored(wait_id, inputs, outputs)
        elif waits.diff(stored.id, stored.outputs, inputs).changes:
            stored.outputs, stored.inputs = waits.update(stored.id, stored.outputs, inputs), inputs

    def refresh(self, name: str) -> None:
        """Read one job and its wait, and ask `diff` as the engine does."""
        stored, wait = self._engine.jobs[name], self._engine.waits.get(name)
        try:
            if wait is not None:
                _, wait.outputs = self._process.waits.read(wait.id, wait.outputs)
            _, stored.outputs = self._jobs.read(stored.id, stored.outputs)
            self._jobs.diff(stored.id, stored.outputs, stored.inputs)
        except ProviderError as error:
            self._fail(name, "read", error)

    def remove(self, names: set[str]) -> None:
        """Delete waits, and then their jobs; a job whose delete fails stays in the state."""
        for name in sorted(names):
            stored, wait = self._engine.jobs[name], self._engine.waits.get(name)
            try:
                if wait is not None:
                    self._process.waits.delete(wait.id, wait.outputs)
                    del self._engine.waits[name]
                if not stored.is_deleted:
                    self._jobs.delete(stored.id, stored.outputs)
            except ProviderError as error:
                self._fail(name, "delete", error)
                continue
            del self._engine.jobs[name]
            self._engine.wanted.discard(name)
            self._outcome.changes += 1

    def _fail(self, job: str, method: str, error: ProviderError) -> None:
        message = str(error)
        if not message.startswith("dli: "):  # the host is gone, or a bug showed its traceback
            self._outcome.is_killed = True
        with self._lock:
            self._outcome.failures.append(Failure(job, method, message))
