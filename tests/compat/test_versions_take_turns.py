"""0.1.0 and today's code take turns on one stack, as in a team in which not everybody has upgraded yet.

No turn may submit, cancel or lose a run that the other version's turn has left in order.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pulumi_dli.local.testing import Service
from tests.compat.account import ENDED, form_of
from tests.compat.old_stack import JOB_TYPE, LIVE, SUCCESS
from tests.compat.versions import TODAY, Version, unpack_0_1_0
from tests.local.api import eventually
from tests.project import Project, kill_session

PROGRAM = """
    def job(form, day, queue="default", **options):
        return dli.BatchJob(form, file=f"obs://demo/{form}.py", args=[day], queue=queue, **options)

    days = DAYS
    secret = pulumi.Output.secret
    nightly = pulumi.ComponentResource("demo:index:Nightly", "east")
    job("load", secret(days["load"]), queue="narrow").wait()
    job("stream", days["stream"], opts=pulumi.ResourceOptions(parent=nightly)).wait(until="running")
    if "late" in days:
        job("late", "always", driver_memory="2G", triggers={"day": days["late"]}).wait(until="running")
"""


RIVAL = "rival"
"""The job that somebody else runs in the queue of `load`."""


class Turns:
    """A stack, the account that its jobs run in, and what each turn does to them."""

    def __init__(self, project: Project, dli: Service, program: str = PROGRAM, **days: Any) -> None:
        self._project = project
        self._dli = dli
        self._program = program
        self._days = days or {"load": "monday", "stream": "monday"}
        self._states: dict[str, str] = {}

    def declare(self, **days: Any) -> None:
        """Change the program: a job with another day has to run again."""
        self._days |= days
        self._project.write(self._program.replace("DAYS", repr(self._days)))

    def configure(self, configuration: str) -> None:
        """Write the stack's configuration."""
        settings = self._project.folder / "Pulumi.dev.yaml"
        settings.write_text(settings.read_text().split("\nconfig:")[0].rstrip() + dedent(configuration))

    def up_refused(self, version: Version) -> str:
        """Run an `up` that must fail and leave all jobs alone. Give its screen."""
        screen = self._project.failing_up(**version)
        self._expect({}, screen)
        return screen

    def up(self, version: Version, **effects: tuple[int, int]) -> None:
        """Run an `up`. By form: how many runs it must submit and cancel. All others must be left alone."""
        self._expect(effects, self._project.up(**version))
        self._compare_with_state()

    def refresh(self, version: Version) -> None:
        """Run a refresh. It must leave all jobs alone."""
        self._expect({}, self._project.pulumi("refresh", "--yes", "--skip-preview", **version))
        self._compare_with_state()

    def preview(self, version: Version) -> None:
        """Run a preview. It must plan nothing for any job, though perhaps for a wait."""
        screen = self._project.pulumi("preview", "--json", **version)
        plan, _ = json.JSONDecoder().raw_decode(screen[screen.index("{\n") :])
        assert not [step for step in plan["steps"] if step["op"] != "same" and _is_job(step["urn"])], screen
        self._expect({}, screen)

    def destroy(self, version: Version) -> None:
        """Destroy the stack. It must cancel each live run, and leave the others alone."""
        effects = {form_of(run): (0, 1) for run in self._dli.jobs() if run.id in self._live()}
        self._expect(effects, self._project.pulumi("destroy", "--yes", "--skip-preview", **version))
        assert not self._stored()

    def up_killed_before_it_saves(self, version: Version, **effects: tuple[int, int]) -> None:
        """Kill an `up` with all its processes once the service has accepted its runs, but before it has answered."""
        self._dli.delay("POST", "/batches", 30, when="after", count=None)
        submitted = sum(submissions for submissions, _ in effects.values()) + len(self._dli.jobs())
        self._kill("up", version, lambda: len(self._dli.jobs()) == submitted)
        self._expect(effects, "killed")
        assert self._live() - self._stored()

    def up_killed_while_it_waits(self, version: Version, **effects: tuple[int, int]) -> None:
        """Kill an `up` with all its processes once it has saved its runs. At least one of them must not have ended."""
        submitted = sum(submissions for submissions, _ in effects.values()) + len(self._dli.jobs())

        def is_waiting() -> bool:
            if len(self._dli.jobs()) < submitted or not self._live() <= self._stored():
                self._dli.reset_calls()
            return sum(self._dli.calls().values()) > 9  # It asks again and again.

        self._kill("up", version, is_waiting)
        self._expect(effects, "killed")
        self._compare_with_state()

    def destroy_killed_half_way(self, version: Version) -> None:
        """Kill a `destroy` with all its processes once the service has cancelled one run, but has not answered."""
        live = self._live()
        self._dli.delay("DELETE", "/batches/{id}", 30, when="after")
        self._dli.delay("DELETE", "/batches/{id}", 300, nth=2, count=None)
        self._kill("destroy", version, lambda: self._live() < live)
        self._expect({form_of(run): (0, 1) for run in self._dli.jobs() if run.id in live - self._live()}, "killed")
        assert len(self._live()) == len(live) - 1
        assert live <= self._stored()

    def _kill(self, command: str, version: Version, is_time: Callable[[], bool]) -> None:
        options = ("--yes", "--skip-preview", "--non-interactive", "--color=never")
        with self._project.start("pulumi", command, *options, own_session=True, **version) as process:
            try:
                eventually(is_time, lambda seen: seen or process.poll() is not None)
                assert process.poll() is None, process.communicate()[0]
            finally:
                kill_session(process.pid)
        self._dli.clear_faults()
        self._project.pulumi("cancel", "--yes")  # A killed CLI leaves its lock.

    def cancel_in_the_console(self, form: str) -> None:
        """Cancel the live run of a job, as a person does in the console. The next `up` has to run the job again."""
        (run_id,) = (run.id for run in self._dli.jobs() if form_of(run) == form and run.state.value not in ENDED)
        self._dli.cancel(run_id)
        self._expect({form: (0, 1)}, "cancelled in the console")

    def fill_the_narrow_queue(self) -> None:
        """Have somebody else run a job in the queue of `load`. The next run of `load` then waits for capacity."""
        self._dli.submit({"name": RIVAL, "file": f"obs://demo/{RIVAL}.py", "queue": "narrow"})
        self._expect({RIVAL: (1, 0)}, "submitted by somebody else")

    def _expect(self, effects: Mapping[str, tuple[int, int]], screen: str) -> None:
        submissions: Counter[str] = Counter()
        cancels: Counter[str] = Counter()
        for run in self._dli.jobs():
            before = self._states.get(run.id)
            submissions[form_of(run)] += before is None
            cancels[form_of(run)] += run.state.value == "dead" and before != "dead"
            self._states[run.id] = run.state.value
        seen = {form: (submissions[form], cancels[form]) for form in submissions if submissions[form] or cancels[form]}
        assert seen == effects, screen

    def _compare_with_state(self) -> None:
        """The state must have every live run, and exactly one run of each job."""
        stored = self._stored()
        assert self._live() <= stored
        assert Counter(form_of(run) for run in self._dli.jobs() if run.id in stored) == Counter(self._days.keys())

    def _stored(self) -> set[str]:
        """Give the runs that the state has."""
        return {resource.get("id", "") for resource in self._project.resources() if _is_job(resource["urn"])}

    def _live(self) -> set[str]:
        """Give the live runs of the program's jobs."""
        return {run.id for run in self._dli.jobs() if run.state.value not in ENDED and form_of(run) != RIVAL}


def _is_job(urn: str) -> bool:
    return urn.split("::")[-2].endswith(JOB_TYPE)


@pytest.fixture
def local_dli_options() -> Mapping[str, Any]:
    return {"queues": ["narrow:8"]}  # room for one job


@pytest.fixture
def turns(tmp_path: Path, local_dli: Service) -> Turns:
    for form, played in {"load": SUCCESS, "stream": LIVE, "late": LIVE, RIVAL: LIVE}.items():
        local_dli.play(form, played)
    return Turns(Project(tmp_path / "project", local_dli.environment), local_dli)


@pytest.fixture
def old(tmp_path: Path) -> Version:
    return unpack_0_1_0(tmp_path / "0.1.0")


@pytest.mark.parametrize("first", ["0.1.0", "today"])
@pytest.mark.slow
@pytest.mark.timeout(900)  # fifteen commands of Pulumi
def test_no_turn_runs_cancels_or_loses_a_job(first: str, turns: Turns, old: Version) -> None:
    one, other = (old, TODAY) if first == "0.1.0" else (TODAY, old)
    turns.declare()
    turns.up(one, load=(1, 0), stream=(1, 0))
    turns.up(other)

    turns.declare(stream="tuesday", late="tuesday")
    turns.up_killed_before_it_saves(one, stream=(1, 1), late=(1, 0))
    turns.up(other)
    turns.refresh(one)
    turns.preview(other)
    turns.refresh(other)
    turns.up(one)

    turns.declare(load="wednesday", stream="wednesday", late="wednesday")
    turns.fill_the_narrow_queue()
    turns.up_killed_while_it_waits(other, load=(1, 0), stream=(1, 1), late=(1, 1))
    turns.preview(one)

    turns.cancel_in_the_console("late")
    turns.cancel_in_the_console(RIVAL)
    turns.up(one, late=(1, 0))
    turns.preview(other)

    turns.destroy_killed_half_way(one)
    turns.destroy(other)
