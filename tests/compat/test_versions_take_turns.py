"""0.1.0 and today's code take turns on one stack, as in a team in which not everybody has upgraded yet.

No turn may submit, cancel or lose a run that the other version's turn has left in order.
"""

import contextlib
import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from pulumi_dli.local.testing import Service
from tests.compat.account import ENDED, form_of
from tests.compat.old_stack import JOB_TYPE, LIVE, SUCCESS
from tests.compat.versions import TODAY, unpack_0_1_0
from tests.local.api import eventually
from tests.project import Project

Version = Mapping[str, str]

PROGRAM = """
    def job(form, day, **options):
        return dli.BatchJob(form, file=f"obs://demo/{form}.py", args=[day], queue="default", **options)

    days = DAYS
    secret = pulumi.Output.secret
    nightly = pulumi.ComponentResource("demo:index:Nightly", "east")
    job("load", secret(days["load"])).wait()
    job("stream", days["stream"], opts=pulumi.ResourceOptions(parent=nightly)).wait(until="running")
    if "late" in days:
        job("late", "always", driver_memory="2G", triggers={"day": days["late"]}).wait(until="running")
"""


class Turns:
    """A stack, the account that its jobs run in, and what each turn does to them."""

    def __init__(self, project: Project, dli: Service) -> None:
        self._project = project
        self._dli = dli
        self._days = {"load": "monday", "stream": "monday"}
        self._states: dict[str, str] = {}

    def declare(self, **days: str) -> None:
        """Change the program: a job with another day has to run again."""
        self._days |= days
        self._project.write(PROGRAM.replace("DAYS", repr(self._days)))

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

    def destroy(self, version: Version, **effects: tuple[int, int]) -> None:
        """Destroy the stack. Nothing may be live afterwards."""
        self._expect(effects, self._project.pulumi("destroy", "--yes", "--skip-preview", **version))
        assert not self._live()

    def up_killed_before_it_saves(self, version: Version, **effects: tuple[int, int]) -> None:
        """Kill an `up` with all its processes once the service has accepted its runs, but before it has answered."""
        self._dli.delay("POST", "/batches", 30, when="after", count=None)
        submitted = sum(submissions for submissions, _ in effects.values()) + len(self._dli.jobs())
        command = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never")
        with self._project.start(*command, own_session=True, **version) as process:
            try:
                eventually(self._dli.jobs, lambda runs: len(runs) == submitted or process.poll() is not None)
                assert process.poll() is None, process.communicate()[0]
            finally:
                _kill_session(process.pid)
        self._dli.heal()
        self._project.pulumi("cancel", "--yes")  # A killed CLI leaves its lock.
        self._expect(effects, "killed")
        assert self._live() - self._stored()

    def cancel_in_the_console(self, form: str) -> None:
        """Cancel the live run of a job, as a person does in the console. The next `up` has to run the job again."""
        (run_id,) = (run.id for run in self._dli.jobs() if form_of(run) == form and run.id in self._live())
        self._dli.cancel(run_id)
        self._expect({form: (0, 1)}, "cancelled in the console")

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
        export = json.loads(self._project.pulumi("stack", "export"))["deployment"]
        return {resource.get("id", "") for resource in export.get("resources", []) if _is_job(resource["urn"])}

    def _live(self) -> set[str]:
        return {run.id for run in self._dli.jobs() if run.state.value not in ENDED}


def _is_job(urn: str) -> bool:
    return urn.split("::")[-2].endswith(JOB_TYPE)


def _kill_session(leader: int) -> None:
    """Kill a process and all that it started. Pulumi's plugins have process groups of their own."""
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def turns(tmp_path: Path, local_dli: Service) -> Turns:
    for form, played in {"load": SUCCESS, "stream": LIVE, "late": LIVE}.items():
        local_dli.play(form, played)
    return Turns(Project(tmp_path / "project", local_dli.environment), local_dli)


@pytest.fixture
def old(tmp_path: Path) -> Version:
    return unpack_0_1_0(tmp_path / "0.1.0")


@pytest.mark.parametrize("first", ["0.1.0", "today"])
@pytest.mark.slow
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
    turns.up(other, load=(1, 0), stream=(1, 1), late=(1, 1))
    turns.preview(one)

    turns.cancel_in_the_console("late")
    turns.up(one, late=(1, 0))
    turns.preview(other)
    turns.destroy(other, stream=(0, 1), late=(0, 1))
