"""Random commands with a failing service and killed processes: a job never runs twice at once, and no run is lost.

The engine is simulated: what it asks, in which order, and what its state has if it is killed.
"""

import itertools
import random
from collections.abc import Callable

import pytest

from pulumi_dli.local.testing import Service, SubmittedJob
from pulumi_dli.plugin.wire import Properties
from tests.plugin.engine import Plugin, PluginError, Stored, job_urn

LOAD = job_urn("load")
COMMANDS = 4


class KilledError(Exception):
    """The engine is killed."""


class Stack:
    """A stack with one job, and the engine's steps for it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.stored: Stored | None = None
        self.danger = 0.15
        """How likely the engine is killed at each of its steps."""
        self.is_pending = False
        """The stored job is deleted, and its replacement is not in the state yet."""

    def declared(self, args: str) -> dict[str, object]:
        conf = {"spark.dli.local.timeline": "starting:0s,running"}
        return {"file": "load.py", "queue": "default", "args": [args], "conf": conf, "cancelTimeout": 20}

    def _may_be_killed(self) -> None:
        if self._chance.random() < self.danger:
            raise KilledError

    def up(self, plugin: Plugin, args: str) -> None:
        """An `up` that asks for a plan."""
        news = self.declared(args)
        if self.stored is None:
            self._create(plugin, plugin.checked(LOAD, news))
            return
        old = self.stored
        inputs = plugin.checked(LOAD, news, olds=old.inputs)
        if plugin.diff(old, inputs).replaces or self.is_pending:
            inputs = plugin.checked(LOAD, news)
            self._delete_first(plugin, old)
            self._create(plugin, inputs)

    def trigger(self, plugin: Plugin, args: str) -> None:
        """An `up` with a new replacementTrigger: the replacement comes first, without a plan."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
            return
        plugin.checked(LOAD, self.declared(args), olds=self.stored.inputs)
        self._create_first(plugin, self.stored, args)

    def replace(self, plugin: Plugin, args: str) -> None:
        """An `up --replace`: the replacement comes first, and nothing tells the provider about the stored job."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
        else:
            self._create_first(plugin, self.stored, args)

    def replace_deleting_first(self, plugin: Plugin, args: str) -> None:
        """An `up --replace` with the option deleteBeforeReplace."""
        if self.stored is None or self.is_pending:
            self.up(plugin, args)
            return
        inputs = plugin.checked(LOAD, self.declared(args))
        self._delete_first(plugin, self.stored)
        self._create(plugin, inputs)

    def _delete_first(self, plugin: Plugin, old: Stored) -> None:
        if not self.is_pending:
            plugin.delete(old)
            self._may_be_killed()
            self.is_pending = True

    def _create_first(self, plugin: Plugin, old: Stored, args: str) -> None:
        self._create(plugin, plugin.checked(LOAD, self.declared(args)))
        plugin.delete(old)  # in a state with both; if this fails, the next command repeats it

    def _create(self, plugin: Plugin, inputs: Properties) -> None:
        new = plugin.create(LOAD, inputs)
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


def assert_one_at_a_time(jobs: list[SubmittedJob]) -> None:
    for old, new in itertools.pairwise(jobs):
        assert old.end_time is not None, f"{old.id} runs beside {new.id}"
        assert old.end_time <= new.create_time, f"{old.id} ran beside {new.id}"


@pytest.mark.parametrize("seed", range(12))
def test_a_job_never_runs_twice_at_once_and_no_run_is_lost(seed: int, account: None, service: Service) -> None:
    chance = random.Random(seed)
    stack = Stack(chance)
    steps = (stack.up, stack.trigger, stack.replace, stack.replace_deleting_first)
    for _ in range(COMMANDS):
        fail_somewhere(service, chance)
        with Plugin() as plugin:
            try:
                chance.choice(steps)(plugin, chance.choice("ab"))
            except KilledError:
                pass
            except PluginError as error:
                assert not error.is_defect, error
        service.clear_faults()
        assert_one_at_a_time(service.jobs())

    live = [job for job in service.jobs() if job.state == "running"]
    args = live[0].body["args"][0] if live else "a"
    stack.danger = 0.0
    for _ in range(2):  # the first may adopt the run, the second has nothing to do
        with Plugin() as plugin:
            stack.up(plugin, args)
    assert_one_at_a_time(service.jobs())
    assert stack.stored is not None
    assert [job.id for job in service.jobs() if job.state == "running"] == [stack.stored.id]
