"""The schedule of a seed: a small program of jobs, then changes, faults and kills."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from tests.campaign.simulated_engine import Declared

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


class OrphansEnd(StrEnum):
    """When the orphaned runs end that an earlier step has left."""

    BEFORE = "before the command"
    MEANWHILE = "in the command, just before their jobs are created"


@dataclass(frozen=True)
class Step:
    """A command, what is changed before it, and what goes wrong in it."""

    command: str
    change: str | None = None
    job: str | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    kill: str | None = None
    orphans_end: OrphansEnd | None = None
    """When a user cancels the orphaned runs in the console, if that happens."""
    expires: bool = False
    """The service deletes the records of all ended runs before the command."""
    is_unread: bool = False
    """The program cannot read what the waits in the state have seen."""
    is_interrupted: bool = False
    """The user interrupts the `up` while the program waits: the jobs are there, and no wait is reached."""
    place: int = 0
    """The place that the settings name."""
    lies: Sequence[str] = ()
    """What is wrong with the answers of the service: members of `lies.Lie`."""

    def __str__(self) -> str:
        told = [f"{one.name}={value}" for one in fields(self)[1:] if (value := getattr(self, one.name))]
        return " ".join([self.command, *told])


@dataclass(frozen=True)
class Schedule:
    """What a seed does."""

    seed: int
    program: list[Declared]
    steps: list[Step]
    is_in_regions: bool = False
    """The two places are in different regions. Otherwise `dli:endpoint` names the place, and hides the other one."""
    is_native: bool = False
    """It is for the native provider, which no program tells what the waits in the state have seen."""

    @property
    def places(self) -> int:
        """How many places the schedule uses."""
        return 1 + max((step.place for step in self.steps), default=0)

    def __str__(self) -> str:
        jobs = [f"  {job.properties} until={job.until}" for job in self.program]
        return "\n".join([f"seed {self.seed}", *jobs, *(f"  {step}" for step in self.steps)])


LATE_REPLY: dict[str, Any] = {
    "method": "POST",
    "path": "*/batches",
    "when": "after",
    "action": "delay",
    "seconds": 0.5,
}
"""The reply to a submission is on its way, and comes only after the kill."""


def base_schedule(seed: int, rng: random.Random) -> Schedule:
    """Make the part of a schedule that the real CLI can carry out too. `rng` is fresh, and made of the seed."""
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
    if kill == "accepted":
        faults = [LATE_REPLY]
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
