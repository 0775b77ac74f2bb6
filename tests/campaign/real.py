"""The campaign with the real `pulumi up`: faults, lies, or SIGKILL of the CLI and all its children at any instant.

After each `up` that something went wrong in comes one without a fault. Then every job must have been accepted once for
each reason that it had to run, and nothing may run outside the state.
"""

import json
import random
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

from pulumi_dli.local.table import Job
from pulumi_dli.local.testing import Service
from tests.campaign.kinds import lie
from tests.campaign.lies import tell_lies
from tests.campaign.schedules import ENDLESS, QUICK, SHORT_TIMEOUTS, Schedule, Step, base_schedule, changed_properties
from tests.campaign.seeds import Log, Result
from tests.campaign.simulated_engine import Declared
from tests.campaign.verdict import (
    BrokenPromiseError,
    check_nothing_runs,
    compare_runs,
    compare_with_state,
    live_ids,
    runs_of,
)
from tests.project import Project, kill_session

MAX_SECONDS_TO_KILL = 4.0
"""Seconds within which a kill comes: an `up` of these programs takes two or three."""


class RealRun:
    """A stack that goes through a schedule."""

    def __init__(self, plan: Schedule, service: Service, folder: Path, log: Log) -> None:
        self._result = Result(seeds=1)
        self._plan = plan
        self._service = service
        self._log = log
        self._project = self._open_project(folder, service.environment | SHORT_TIMEOUTS, f"seed{plan.seed}")
        self._program = {job.name: job for job in plan.program}
        self._expected = Counter(self._program.keys())

    def _open_project(self, folder: Path, environment: dict[str, str], name: str) -> Project:
        return Project(folder, environment, name)

    def judge(self, *, twice_is_wrong: bool) -> Result:
        """Carry the schedule out. Raises BrokenPromiseError."""
        self._log(str(self._plan))
        for number, step in enumerate([Step("up"), *self._plan.steps]):
            self._change(step, number)
            self._write()
            self._service.server.faults.set(step.faults)
            tell_lies(self._service, step.lies)
            self._up(step, random.Random(f"{self._plan.seed} {number}"))
            self._service.clear_faults()
            tell_lies(self._service, ())
            self._must_work("up", "--yes", "--skip-preview")
            self._compare(twice_is_wrong=twice_is_wrong)
        self._must_work("destroy", "--yes", "--skip-preview")
        check_nothing_runs(self._jobs())
        return self._result

    def _write(self) -> None:
        lines = []
        # A job may stay in an unknown state, for which no wait ends by itself.
        timeout = ", timeout='10s'" if any(step.lies for step in self._plan.steps) else ""
        for job in self._program.values():
            properties = {key: value for key, value in job.properties.items() if key not in ("resourceName", "scope")}
            snake = {"cancelTimeout": "cancel_timeout"}
            arguments = ", ".join(f"{snake.get(key, key)}={value!r}" for key, value in properties.items())
            wait = f".wait(until={job.until!r}{timeout})" if job.until else ""
            lines.append(f"dli.BatchJob({job.name!r}, {arguments}){wait}")
        self._project.write("\n".join(lines))

    def _change(self, step: Step, number: int) -> None:
        job = self._program.get(step.job or "")
        if job is None:
            return
        match step.change:
            case "args" | "triggers" | "option" as change:
                self._program[job.name] = replace(job, properties=job.properties | changed_properties(change, number))
                self._expected[job.name] += int(change != "option")
            case "remove" if len(self._program) > 1:
                del self._program[job.name]
            case "console":
                for live in live_ids(run for run in self._jobs() if job.name in run.name):
                    self._service.cancel(live)
                    self._expected[job.name] += 1

    def _up(self, step: Step, rng: random.Random) -> None:
        command = ["pulumi", step.command, "--yes", "--skip-preview", "--non-interactive"]
        self._result.commands += 1
        self._result.faults += len(step.faults)
        self._result.lies += len(step.lies)
        process = self._project.start(*command, own_session=True)
        try:
            screen, _ = process.communicate(timeout=rng.uniform(0.3, MAX_SECONDS_TO_KILL) if step.kill else 120)
        except subprocess.TimeoutExpired:
            kill_session(process.pid)
            screen, _ = process.communicate()
            self._result.kills += 1
            self._must_work("cancel", "--yes")  # the lock that a killed CLI leaves
        self._log(f"{step}: {screen}")
        if "Traceback" in screen:
            raise BrokenPromiseError(f"a traceback: {screen}")

    def _must_work(self, *command: str) -> None:
        run = self._project.run(*command)
        self._log(f"{command}: {run.screen}")
        if run.code:
            raise BrokenPromiseError(f"{' '.join(command)} failed without a fault: {run.screen}")

    def _jobs(self) -> list[Job]:
        return runs_of(self._service, self._plan.seed)

    def _compare(self, *, twice_is_wrong: bool) -> None:
        jobs = self._jobs()
        self._result.twice = compare_runs(self._expected, jobs, twice_is_wrong=twice_is_wrong)
        self._result.intended, self._result.accepted = self._expected.total(), len(jobs)
        export = json.loads(self._project.pulumi("stack", "export"))["deployment"].get("resources", [])
        compare_with_state(self._jobs(), {resource.get("id") for resource in export})


def real_schedule(seed: int) -> Schedule:
    """Make the schedule of a seed for the real CLI. In every second one the service lies too."""
    rng = random.Random(seed)
    plan = base_schedule(seed, rng)
    if rng.random() < 0.5:
        return plan
    # With a lie an `up` may fail although the job runs. It must still run when the next `up` comes.
    jobs = [_with_timeline(job, ENDLESS) for job in plan.program]
    return lie(replace(plan, program=jobs), rng)


def killing_schedule(seed: int, *, short: bool) -> Schedule:
    """Make a schedule in which every `up` runs something and is killed. `short`: jobs end at once."""
    plan = base_schedule(seed, random.Random(seed))
    jobs = [_with_timeline(job, QUICK) if short else job for job in plan.program]
    steps = [Step("up", "args", job.name, kill="any") for job in jobs]
    return Schedule(seed, jobs, steps)


def _with_timeline(job: Declared, timeline: str) -> Declared:
    conf = {"spark.dli.local.timeline": timeline}
    until = "success" if timeline == QUICK else "running"
    return Declared({**job.properties, "conf": conf}, None if job.until is None else until)
