"""Random forced replacements of a job of the native provider, with a failing service and killed processes.

A job never runs twice at once, and no run is lost. The engine is simulated: what it asks, in which order, and what its
state has if it is killed.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pulumi_dli.local.table import Job
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin.properties import Properties
from tests.campaign.schedules import LAG
from tests.campaign.verdict import BrokenPromiseError, live_ids, runs_of
from tests.engine import Host
from tests.plugin.engine import Plugin, PluginError, Stored, job_urn

COMMANDS = 4

Start = Callable[[], AbstractContextManager[Plugin]]
"""Starts the provider of a command."""


class KilledError(Exception):
    """The engine is killed."""


class Stack:
    """A stack with one job, and the engine's steps for it."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._name = name
        self._urn = job_urn(name)
        self._numbers = itertools.count(1)
        self._file = f"{name}.py"
        self._chance = chance
        self.stored: Stored | None = None
        self.danger = 0.15
        """How likely the engine is killed at each of its steps."""
        self.is_settled = False
        """The last command has worked."""
        self.is_pending = False
        """The stored job is deleted, and its replacement is not in the state yet."""
        self.replaced: list[Stored] = []
        """The jobs in the state that are replaced, and that the engine has still to delete."""

    def _declared(self, args: str) -> dict[str, object]:
        conf = {"spark.dli.local.timeline": "starting:0s,running"}
        return {"file": self._file, "queue": "default", "args": [args], "conf": conf, "cancelTimeout": 20}

    def _may_be_killed(self) -> None:
        if self._chance.random() < self.danger:
            raise KilledError

    def up(self, plugin: Plugin, args: str) -> None:
        """An `up` that asks for a plan."""
        news = self._declared(args)
        if self.stored is None:
            self._create(plugin, plugin.checked(self._urn, news))
        else:
            self._update(plugin, self.stored, news)
        self._delete_replaced(plugin)

    def _update(self, plugin: Plugin, old: Stored, news: dict[str, object]) -> None:
        inputs = plugin.checked(self._urn, news, olds=old.inputs)
        if plugin.diff(old, inputs, self._urn).replaces or self.is_pending:
            inputs = plugin.checked(self._urn, news)
            self._delete_first(plugin, old)
            self._create(plugin, inputs)
        else:
            old.inputs = inputs  # the engine stores them without a change too

    def trigger(self, plugin: Plugin, args: str) -> None:
        """An `up` with a new replacementTrigger: the replacement comes first, without a plan."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
            return
        plugin.checked(self._urn, self._declared(args), olds=self.stored.inputs)
        self._create_first(plugin, self.stored, args)

    def rename(self, plugin: Plugin, args: str) -> None:
        """An `up` with a new name, an alias for the old one, and a new replacementTrigger.

        The last command must have worked: nobody finds the run that an interrupted one has left under the old name.
        """
        if self.stored is not None and self.stored.urn == self._urn and self.is_settled:
            self._urn = job_urn(f"{self._name}r{next(self._numbers)}")
        self.trigger(plugin, args)

    def replace(self, plugin: Plugin, args: str) -> None:
        """An `up --replace`: the replacement comes first, and nothing tells the provider about the stored job."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
        elif self.stored.urn != self._urn:  # the live run has an old name, by which nobody recognises it
            self.trigger(plugin, args)
        else:
            self._create_first(plugin, self.stored, args)

    def replace_deleting_first(self, plugin: Plugin, args: str) -> None:
        """An `up --replace` with the option deleteBeforeReplace."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
            return
        inputs = plugin.checked(self._urn, self._declared(args))
        self._delete_first(plugin, self.stored)
        self._create(plugin, inputs)
        self._delete_replaced(plugin)

    def destroy(self, plugin: Plugin) -> None:
        """A `destroy`."""
        if self.stored is not None and not self.is_pending:
            plugin.delete(self.stored)
        self._delete_replaced(plugin)

    def _delete_first(self, plugin: Plugin, old: Stored) -> None:
        if not self.is_pending:
            plugin.delete(old)
            self._may_be_killed()
            self.is_pending = True

    def _create_first(self, plugin: Plugin, old: Stored, args: str) -> None:
        self._create(plugin, plugin.checked(self._urn, self._declared(args)))
        self.replaced.append(old)
        for _ in range(3):  # waits are between the create and the delete, and if they fail, nothing is deleted
            self._may_be_killed()
        self._delete_replaced(plugin)

    def _delete_replaced(self, plugin: Plugin) -> None:
        """Delete at the end of a command. If that fails, the next command repeats it."""
        while self.replaced:
            plugin.delete(self.replaced[0])
            del self.replaced[0]

    def _create(self, plugin: Plugin, inputs: Properties) -> None:
        new = plugin.create(self._urn, inputs)
        self._may_be_killed()
        self.stored, self.is_pending = new, False


def fail_somewhere(service: Service, chance: random.Random) -> None:
    """Let one or two calls fail."""
    faults: list[Callable[[], None]] = [
        lambda: service.cut("POST", "/batches", when="before"),
        lambda: service.cut("POST", "/batches", when="after"),
        lambda: service.garble("POST", "/batches", when="after"),
        lambda: service.fail("POST", "/batches", when="after"),
        lambda: service.fail("GET", "/batches", nth=chance.randint(1, 4)),
        lambda: service.cut("GET", "/batches/{id}"),
        lambda: service.fail("GET", "/batches/{id}"),
        lambda: service.hide_new_jobs(lists=chance.randint(1, 3)),
    ]
    for fault in chance.sample(faults, chance.randint(0, 2)):
        fault()


def check_one_at_a_time(jobs: Iterable[Job]) -> None:
    """Raise BrokenPromiseError if two runs of one job ran at the same time."""
    for old, new in itertools.pairwise(jobs):
        if not old.state.is_final or old.end_time is None or old.end_time > new.create_time:
            raise BrokenPromiseError(f"{old.name}: twice: run {old.id} ran beside run {new.id}")


def check_runs_again(before: Stored, now: Stored, plugin: Plugin, *, may_stay: bool) -> None:
    """Raise BrokenPromiseError if a replacement that did not fail has run nothing, unless the user was told.

    Args:
        before: The job in the state before the command.
        now: The job in the state after it.
        plugin: The provider of the command.
        may_stay: Whether the live run may stay. The user must then be told.
    """
    if now.id != before.id:
        return
    if not may_stay:
        raise BrokenPromiseError(f"{now.urn}: the job did not run again, and nothing failed: {now.id}")
    if isinstance(plugin, HostedPlugin) and not any("the job has not run again" in line for line in plugin.told()):
        raise BrokenPromiseError(f"{now.urn}: the job did not run again, and nobody was told: {now.id}")


@contextmanager
def keeping_alive(stack: Stack, service: Service, seed: int) -> Iterator[None]:
    """Raise BrokenPromiseError if a command that works cancels the run in the state, and no other run replaces it.

    No run of the campaign ends by itself.
    """
    was_live = stack.stored is not None and stack.stored.id in live_ids(runs_of(service, seed))
    yield
    now = stack.stored
    if was_live and stack.is_settled and now is not None and now.id not in live_ids(runs_of(service, seed)):
        raise BrokenPromiseError(f"{now.urn}: run {now.id} was cancelled without a reason")


def judge_forced_replacements(
    seed: int, start: Start, service: Service, *, kills: bool = False, adopts: bool = True
) -> int:
    """Force replacements of one job, then converge. Raises BrokenPromiseError. Give the number of runs.

    Args:
        seed: Chooses everything. The job's name has it.
        start: Starts the provider of a command.
        service: The local DLI that the provider signs in to.
        kills: Whether the provider is killed in some commands too. `start` must give `HostedPlugin`s.
        adopts: The provider's setting `dli:adopt`.
    """
    chance = random.Random(seed)
    stack = Stack(f"s{seed}j0", chance)
    for _ in range(COMMANDS):
        fail_somewhere(service, chance)
        delay = chance.uniform(0, 0.3) if kills and chance.random() < 0.4 else None
        with keeping_alive(stack, service, seed):
            _command(stack, start, chance, delay)
        if delay is not None:
            time.sleep(LAG)  # the service may still work on a call of the killed process
        service.clear_faults()
        check_one_at_a_time(runs_of(service, seed))
    if not adopts:
        _cancel_orphans(stack, service, seed)
    _converge(stack, start, service, seed)
    return len(runs_of(service, seed))


def _command(stack: Stack, start: Start, chance: random.Random, delay: float | None) -> None:
    """Do one command, and kill its provider after `delay` seconds."""
    steps = (stack.up, stack.trigger, stack.replace, stack.replace_deleting_first, stack.rename)
    step, args, before = chance.choice(steps), chance.choice("ab"), stack.stored
    with start() as plugin, _killed_after(delay, plugin) as is_killed:
        try:
            step(plugin, args)
            stack.is_settled = True
        except KilledError:
            stack.is_settled = False
        except PluginError as error:
            stack.is_settled = False
            if error.is_defect and not is_killed():
                raise BrokenPromiseError(f"a defect: {error}") from error
        if not stack.is_settled:
            return
        if before is not None and stack.stored is not None and step != stack.up:
            check_runs_again(before, stack.stored, plugin, may_stay=step == stack.replace)


def _cancel_orphans(stack: Stack, service: Service, seed: int) -> None:
    """Cancel the runs that are in no state, like a user who reads that the provider does not adopt them."""
    in_state = {stack.stored.id} if stack.stored is not None else set()
    for orphan in live_ids(runs_of(service, seed)) - in_state:
        service.cancel(orphan)


def _converge(stack: Stack, start: Start, service: Service, seed: int) -> None:
    live = [job for job in runs_of(service, seed) if not job.state.is_final]
    args = (live[0].batch_request.args or ["a"])[0] if live else "a"
    stack.danger = 0.0
    for _ in range(2):  # the first may adopt the run, the second has nothing to do
        with keeping_alive(stack, service, seed), start() as plugin:
            stack.up(plugin, args)
            stack.is_settled = True
    check_one_at_a_time(runs_of(service, seed))
    in_state = {stack.stored.id} if stack.stored is not None else set()
    if (found := live_ids(runs_of(service, seed))) != in_state or not in_state:
        raise BrokenPromiseError(f"the state has {in_state}, but these runs are live: {found}")
    with start() as plugin:
        stack.destroy(plugin)
    if left := live_ids(runs_of(service, seed)):
        raise BrokenPromiseError(f"left running after destroy: {left}")


class HostedPlugin(Plugin):
    """A provider in a process of its own, which can be killed."""

    def __init__(self, start: Callable[[], Host]) -> None:
        super().__init__()
        self._start_host = start

    def __enter__(self) -> "HostedPlugin":
        self._host = self._start_host()
        self.connect(self._host.port)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.disconnect()

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        self._host.kill()

    def told(self) -> list[str]:
        """Give the lines that the process wrote for the user. Kill it first, so that they are all there."""
        return self._host.kill()


@contextmanager
def _killed_after(seconds: float | None, plugin: Plugin) -> Iterator[Callable[[], bool]]:
    """Kill the provider of a block after some seconds, unless the block ends before. Give whether that was done."""
    if seconds is None or not isinstance(plugin, HostedPlugin):
        yield lambda: False
        return
    is_killed = threading.Event()

    def kill() -> None:
        is_killed.set()
        plugin.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield is_killed.is_set
    finally:
        timer.cancel()
        timer.join()
