"""One stack that 0.1.0 makes, with a job for each form; and copies of it, each with an account of its own.

A form says in which state 0.1.0 left a job, and what has become of its run since.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_dli.local.testing import Service, SubmittedJob, timeline
from tests.compat.account import ENDED, form_of, states, wait_until_ended
from tests.project import Project

JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"

PROGRAM = """
    def job(form, /, opts=None, **arguments):
        arguments = {"file": f"obs://demo/{form}.py", "args": [DAY], "queue": "default"} | arguments
        return dli.BatchJob(form, opts=opts, **arguments)

    job("success")
    job("success_seen").wait()
    job("dead")
    job("dead_seen")
    job("dead_kept", rerun_on_failure=False)
    job("live")

    job("wait_success").wait()
    job("wait_running").wait(until="running")
    job("wait_finished", rerun_on_failure=False).wait(until="finished")
    job("wait_failed").wait()
    job("wait_timed_out").wait(timeout="1s")

    job("expired")
    job("expired_seen").wait()
    job("expired_rerun", on_record_expired="rerun")
    job("expired_waited").wait()
    job("expired_rerun_waited", on_record_expired="rerun").wait()

    job("adopted", adopt_id="ID-OF-adopted")
    job("adopted_success", adopt_id="ID-OF-adopted_success")
    job("adopted_dead", adopt_id="ID-OF-adopted_dead")

    secret_day, password = pulumi.Output.secret(DAY), pulumi.Output.secret("hunter2")
    job("secret", args=[secret_day], conf={"spark.example.password": password}).wait()
    job("secret_live", args=[secret_day], conf={"spark.example.password": password}).wait(until="running")
    job("secret_dead", args=[secret_day])

    jobs = dli.jobs_from_config()

    job("triggered", args=["always"], triggers={"day": DAY, "number": 1})
    job("replaced", args=["always"], opts=pulumi.ResourceOptions(replacement_trigger=DAY))
    numbers = {
        "conf": {"spark.app.snapshot": 1234567890123456789, "spark.app.parts": 64, "spark.app.share": 0.5},
        "triggers": {"build": 20261124093000123, "number": 1, "share": 0.5, "text": "42"},
    }
    snapshot = {"spark.app.snapshot": pulumi.Output.secret(1234567890123456789)}
    job("numbers", opts=pulumi.ResourceOptions(replacement_trigger=20261124093000123), **numbers)
    job("numbers_secret", conf=snapshot)
    job("fixed", name="fixed")
    spelled = {
        "monday": {"queue": None, "cluster_name": "default", "driver_memory": "2 GB", "sc_type": "A"},
        "tuesday": {"queue": "default", "driver_memory": "2048M", "cancel_timeout": 5},
    }
    job("respelled", **{"args": ["always"]} | spelled[DAY])
    nightly = pulumi.ComponentResource("demo:index:Nightly", "east")
    job("child", opts=pulumi.ResourceOptions(parent=nightly)).wait(until="running")
    job(NEW_NAME, file="obs://demo/renamed.py", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="renamed")]))

    job("refused", args=[REFUSED_DAY], when_running="refuse")
    job("refused_ended", when_running="refuse")
    job("recovering", auto_recovery=True)
    job("recovered", auto_recovery=True)
    job("recovery_failed", auto_recovery=True, max_retry_times=0)
    job("protected", args=["always"], opts=pulumi.ResourceOptions(protect=True))
    job("unprotected", opts=pulumi.ResourceOptions(protect=DAY == "monday"))
    job("retained", opts=pulumi.ResourceOptions(retain_on_delete=True))

    job("orphan")
    job("orphan_ended")
    job("orphan_recovering", auto_recovery=True)
    job("orphan_secret", args=[secret_day])
    job("orphan_triggered", args=["always"], triggers={"day": DAY, "number": 1})
    job("orphan_replaced", args=["always"], opts=pulumi.ResourceOptions(replacement_trigger=DAY))
    job("orphan_numbers", opts=pulumi.ResourceOptions(replacement_trigger=20261124093000123), **numbers)
    job("orphan_numbers_secret", conf=snapshot)
    job("orphan_numbers_fixed", name="orphan_numbers_fixed", **numbers)
    job("orphan_child", opts=pulumi.ResourceOptions(parent=nightly))
    job("orphan_fixed", name="orphan_fixed")

    job("pending")
    job("pending_success")
    job("empty")
    job("empty_dead")
    dli.BatchJob.get("got", "ID-OF-got")
"""

CONFIGURATION = """
config:
  dli:scope: team-east
  dli:jobDefaults:
    queue: default
  dli:jobs:
    configured:
      file: obs://demo/configured.py
      args: [monday]
      wait: true
    configured_next:
      file: obs://demo/configured_next.py
      args: [monday]
      dependsOn: [configured]
      wait: {until: running}
    configured_dead:
      file: obs://demo/configured_dead.py
      args: [monday]
    configured_numbers:
      file: obs://demo/configured_numbers.py
      args: [monday]
      conf: &numbers {spark.app.snapshot: 5781947118336215154, spark.app.zero: 020222070707, spark.app.version: 3.10}
      triggers: &triggers {build: 42, version: 3.10, zero: 052812345678, text: "7"}
    orphan_configured_numbers:
      file: obs://demo/orphan_configured_numbers.py
      args: [monday]
      conf: *numbers
      triggers: *triggers
    orphan_configured:
      file: obs://demo/orphan_configured.py
      args: [monday]
      driverMemory: 2G
      numExecutors: 2
"""

IN_QUOTES = re.sub(r"(?<=: )(5781947118336215154|020222070707|3\.10|42|052812345678)", r'"\1"', CONFIGURATION)
"""The configuration as today's code wants it: 0.1.0 took these numbers, and changed some without a word."""

FOREIGN = ("adopted", "adopted_success", "adopted_dead", "got")
"""The runs that somebody else has submitted before the first `up`."""

LIVE, SUCCESS, DEAD = timeline(end=None), timeline(running="0s"), timeline(running="0s", end="dead")

ENDS_AT_0_1_0 = {
    "success_seen": SUCCESS,
    "dead_seen": DEAD,
    "wait_success": SUCCESS,
    "wait_finished": DEAD,
    "wait_failed": DEAD,
    "expired_seen": SUCCESS,
    "expired_waited": SUCCESS,
    "expired_rerun_waited": SUCCESS,
    "adopted_success": SUCCESS,
    "secret": SUCCESS,
    "configured": SUCCESS,
}
"""The runs that end while 0.1.0 runs. The others are live when it stores their state."""

ENDS_SINCE = {
    "success": SUCCESS,
    "dead": DEAD,
    "dead_kept": DEAD,
    "wait_timed_out": SUCCESS,
    "adopted_dead": DEAD,
    "secret_dead": DEAD,
    "configured_dead": DEAD,
    "refused_ended": SUCCESS,
    "recovery_failed": DEAD,
    "orphan_ended": SUCCESS,
    "pending": DEAD,
    "pending_success": SUCCESS,
    "empty_dead": DEAD,
}
"""The runs that end after 0.1.0 has stored their state as live."""

RECOVERING_SINCE = dict.fromkeys(("recovering", "orphan_recovering"), "recovering")
"""The live runs that the service is about to start again, after a failure that 0.1.0 has not seen."""

EXPIRED = ("expired", "expired_seen", "expired_rerun", "expired_waited", "expired_rerun_waited")
"""The runs whose record the service deletes afterwards."""

REFRESHED = ("success_seen", "dead_seen", "expired_seen")
"""The jobs whose end 0.1.0 stores, by a refresh."""


FORMS = (*re.findall(r'job\("(\w+)"', PROGRAM), *re.findall(r"demo/(\w+).py", CONFIGURATION), "renamed")
"""The forms, save for `got`."""


@dataclass(frozen=True)
class OldStack:
    """The stack as 0.1.0 left it, with the runs that belong to it."""

    export: str
    program: str
    runs: list[SubmittedJob]
    project_id: str


def _write(
    project: Project,
    program: str,
    *,
    new_name: str,
    day: str = "monday",
    refused_day: str = "monday",
    adopt: bool = True,
    configuration: str = CONFIGURATION,
) -> None:
    """Write the program and the configuration. Another day changes what the jobs run."""
    project.write(f"    DAY, REFUSED_DAY, NEW_NAME = {(day, refused_day, new_name)!r}\n{program}")
    configuration = configuration.replace("monday", day) + ("" if adopt else "  dli:adopt: false\n")
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text(settings.read_text().split("\nconfig:")[0].rstrip() + configuration)


def make_old_stack(folder: Path, version: Mapping[str, str]) -> OldStack:
    """Have 0.1.0 make the stack."""
    with Service(folder / "dli") as dli:
        project = Project(folder / "project", dli.environment)
        program = PROGRAM
        for form in FOREIGN:
            dli.play(form, ENDS_AT_0_1_0.get(form, LIVE))
            run_id = dli.submit({"name": form, "file": f"obs://demo/{form}.py", "queue": "default"})
            program = program.replace(f'"ID-OF-{form}"', f'"{run_id}"')
        _write(project, program, new_name="renamed")
        for form in FORMS:
            dli.play(form, ENDS_AT_0_1_0.get(form, LIVE))
        screen = project.failing_up("--continue-on-error", **version)
        assert "wait_failed: batch job" in screen, screen
        assert "wait_timed_out: batch job" in screen, screen
        by_form = {form_of(run): run for run in dli.jobs()}
        assert set(by_form) == {*FORMS, *FOREIGN}, screen
        wait_until_ended(dli, [by_form[form].id for form in ENDS_AT_0_1_0])
        urns = {urn.split("::")[-1]: urn for urn in _urns(project)}
        targets = [argument for form in REFRESHED for argument in ("--target", urns[form])]
        project.pulumi("refresh", "--yes", "--skip-preview", *targets, **version)
        export = json.loads(project.pulumi("stack", "export"))
        _edit(export["deployment"])
        return OldStack(json.dumps(export), program, dli.jobs(), export_project_id(export))


def _urns(project: Project) -> list[str]:
    resources = json.loads(project.pulumi("stack", "export"))["deployment"]["resources"]
    return [resource["urn"] for resource in resources if resource["type"] == JOB_TYPE]


def export_project_id(export: Mapping[str, Any]) -> str:
    """Give the DLI project that the jobs of an export were submitted to."""
    found = (resource.get("outputs", {}).get("submittedTo") for resource in export["deployment"]["resources"])
    return str(next(place["projectId"] for place in found if place))


def _edit(deployment: dict[str, Any]) -> None:
    """Bring about what no command brings about by itself: what a crash of Pulumi, or an old version, leaves."""
    kept = []
    for resource in deployment["resources"]:
        form = resource["urn"].split("::")[-1]
        if form.startswith("orphan"):
            continue
        if form.startswith("pending"):
            resource["pendingReplacement"] = True
        if form.startswith("empty"):
            resource["outputs"] = {"__provider": resource["outputs"]["__provider"]}
        if form == "recovered":
            resource["outputs"]["state"] = "dead"  # as a refresh stores it between two attempts
        kept.append(resource)
    deployment["resources"] = kept


@dataclass
class Copy:
    """A copy of the stack, in a project and with an account of its own. The runs have other ids there."""

    project: Project
    dli: Service
    _program: str
    _before: dict[str, str]

    def write(self, **options: Any) -> None:
        """Write the program of today. Another `day` is a change of every job that may change."""
        _write(self.project, self._program, new_name="renamed_since", configuration=IN_QUOTES, **options)

    def stored(self) -> dict[str, dict[str, Any]]:
        """Give the resources as the state has them, by logical name."""
        return {resource["urn"].split("::")[-1]: resource for resource in self.project.resources()}

    def effects(self) -> dict[str, tuple[int, int]]:
        """Give how many runs were submitted and how many were cancelled since the copy was made, by form."""
        counts: dict[str, tuple[int, int]] = {}
        for run in self.dli.jobs():
            submissions, cancels = counts.get(form_of(run), (0, 0))
            is_new = run.id not in self._before
            # A live run ends by a cancel only. A new one ends as a success by itself.
            is_cancelled = run.state.value == "dead" and self._before.get(run.id) != "dead"
            counts[form_of(run)] = (submissions + is_new, cancels + is_cancelled)
        return counts


@contextmanager
def copied(old: OldStack, folder: Path) -> Iterator[Copy]:
    """Make a copy of the stack: a new account with the same runs, and a new project with the same state."""
    with Service(folder / "dli") as dli:
        export, program = old.export, old.program
        seeded = []
        for run in old.runs:
            form = form_of(run)
            dli.play(form, (RECOVERING_SINCE | ENDS_SINCE | ENDS_AT_0_1_0).get(form, LIVE))
        for run in old.runs:
            if form_of(run) not in EXPIRED:
                new_id = dli.submit(run.body)
                seeded.append((form_of(run), new_id))
                export, program = export.replace(run.id, new_id), program.replace(run.id, new_id)
        wait_until_ended(dli, [run_id for form, run_id in seeded if form in ENDS_AT_0_1_0 or form in ENDS_SINCE])
        project = Project(folder / "project", dli.environment)
        account = json.loads((folder / "dli" / "credentials.json").read_text())
        (project.folder / "export.json").write_text(export.replace(old.project_id, account["project_id"]))
        project.pulumi("stack", "import", "--file", "export.json")
        live = [run_id for form, run_id in seeded if form not in ENDS_AT_0_1_0 and form not in ENDS_SINCE]
        assert not [state for run_id, state in states(dli).items() if run_id in live and state in ENDED]
        for run in old.runs:
            dli.play(form_of(run), SUCCESS)
        copy = Copy(project, dli, program, states(dli))
        copy.write()
        yield copy
