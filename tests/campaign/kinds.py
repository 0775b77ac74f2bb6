"""The schedules of seeds over gRPC: the base schedule, and what other kinds of schedule add to it.

Each kind adds to two of five seeds, so that some have several. All draws come after those of the base schedule, which
stays the same.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.campaign.lies import Lie
from tests.campaign.schedules import LATE_REPLY, ROUTES, WINDOW, OrphansEnd, Schedule, Step, base_schedule
from tests.campaign.simulated_engine import Declared

Kind = Callable[[Schedule, random.Random], Schedule]
"""Adds to a schedule."""


def schedule(seed: int) -> Schedule:
    """Make the schedule of a seed: the same one every time."""
    return _schedule(seed, KINDS)


def native_schedule(seed: int) -> Schedule:
    """Make the schedule of a seed for the native provider: the same one every time."""
    return replace(_schedule(seed, NATIVE_KINDS), is_native=True)


def _schedule(seed: int, kinds: Sequence[Kind]) -> Schedule:
    rng = random.Random(seed)
    plan = base_schedule(seed, rng)
    for kind in [kind for kind in kinds if rng.random() < 0.4]:
        plan = kind(plan, rng)
    return plan


def end_orphans(plan: Schedule, rng: random.Random) -> Schedule:
    """Have orphaned runs end before their jobs are wanted again, also after the live runs have been listed."""
    steps = [replace(step, orphans_end=rng.choice((None, *OrphansEnd))) for step in plan.steps]
    for _ in range(rng.randint(1, 2)):
        steps += _killed_steps(plan.program, rng)
    return replace(plan, steps=steps)


def _killed_steps(program: list[Declared], rng: random.Random) -> list[Step]:
    """Leave an orphan of the last job. In the next `up` the change of an earlier job comes first, and lists it."""
    kill = rng.choice(("accepted", "accepted", "asked"))
    killed = Step("up", rng.choice(("args", "triggers")), program[-1].name, [LATE_REPLY], kill)
    is_listed = len(program) > 1 and rng.random() < 0.75
    change = rng.choice(("args", "triggers") if is_listed else ("args", "triggers", None))
    when = OrphansEnd.MEANWHILE if is_listed else rng.choice(list(OrphansEnd))
    return [killed, Step("up", change, program[0].name, orphans_end=when)]


def expire_records(plan: Schedule, rng: random.Random) -> Schedule:
    """Have the service delete the records of ended runs. What then happens, some jobs say, and some leave open."""
    plan = _expiring(plan, rng, ("rerun", "rerun", "keep", None))
    return replace(plan, steps=[replace(step, is_unread=rng.random() < 0.3) for step in plan.steps])


def expire_native_records(plan: Schedule, rng: random.Random) -> Schedule:
    """Have the service delete the records of ended runs. The native provider then never runs a job by itself."""
    return _expiring(plan, rng, ("keep", None))


def _expiring(plan: Schedule, rng: random.Random, options: Sequence[str | None]) -> Schedule:
    program = [_with_option(job, rng.choice(options)) for job in plan.program]
    steps = [replace(step, expires=rng.random() < 0.5) for step in plan.steps]
    for _ in range(rng.randint(1, 2)):
        steps += _unseen_steps(rng.choice(program), rng)
    return replace(plan, program=program, steps=steps)


def _unseen_steps(job: Declared, rng: random.Random) -> list[Step]:
    """Have a record deleted, in some cases that of a run for which nobody has waited. A refresh may find that first."""
    interrupted = _interrupted_step(job.name, rng)
    refresh = Step("refresh", rng.choice((None, "console")), job.name, expires=True)
    expired = Step("up", rng.choice((None, None, "console", "args")), job.name, expires=True)
    return [*rng.choice(((), (interrupted,))), *rng.choice(((), (refresh,))), expired]


def _interrupted_step(job: str, rng: random.Random) -> Step:
    """Run a job so that its wait has not seen how it goes."""
    return Step("up", rng.choice(("args", "triggers")), job, is_interrupted=True)


def _with_option(job: Declared, on_record_expired: str | None) -> Declared:
    if on_record_expired is None:
        return job
    return replace(job, properties=job.properties | {"onRecordExpired": on_record_expired})


def move_stack(plan: Schedule, rng: random.Random) -> Schedule:
    """Have the settings name another place in some steps."""
    steps = [replace(step, place=int(rng.random() < 0.3)) for step in plan.steps]
    job = rng.choice(plan.program).name
    # The wait has seen how the run has ended, or has not come to it, or a refresh has seen the end.
    refresh = Step("refresh", rng.choice((None, "console")), job)
    before = rng.choice(((Step("up"),), (_interrupted_step(job, rng),), (refresh,), (refresh,)))
    changes = [rng.choice(("args", "triggers", "remove", "console", None)) for _ in range(rng.randint(1, 2))]
    moved = [Step("up", change, job, place=1 - number) for number, change in enumerate(changes)]
    return replace(plan, steps=[*steps, *before, *moved], is_in_regions=rng.random() < 0.5)


ODD_BODIES: tuple[dict[str, Any], ...] = (
    {"status": 400, "body": {"error_msg": "An internal error. {0}", "error_code": "DLI.10001"}},
    {"status": 500, "body": "no", "content_type": "text/plain; charset=undefined"},
    {"status": 500, "body": '{"error_msg": "\\u0000"}', "content_type": "application/json; charset=idna"},
    {"status": 502, "body": "[" * 100_000},
    {"status": 503, "body": {"timestamp": 1, "status": 503, "error": "Service Unavailable", "path": "/v2.0"}},
    {"status": 504, "body": {"errors": [{"error_code": "DLI.0999", "error_msg": None}], "request": {}}},
    {"status": 200, "body": "null"},
    {"status": 200, "body": "[" * 100_000},
    {"status": 200, "body": {"id": {"id": 1}, "sessions": {"id": 1}, "msg": []}},
    {"status": 200, "body": "{}", "content_type": "application/json; charset=punycode"},
)
"""Answers in forms that no document shows. Each may come after the work, because none says that it was not done."""

REDIRECT: dict[str, Any] = {"status": 301, "headers": {"Location": "http://127.0.0.1:9/"}}


def lie(plan: Schedule, rng: random.Random) -> Schedule:
    """Have the service give answers that do not fit the question, lag behind or lack something."""
    steps = [replace(step, lies=_lies(rng)) for step in plan.steps]
    for _ in range(rng.randint(1, 2)):
        job = rng.choice(plan.program).name
        late = Step("up", rng.choice(("args", "triggers")), job, _late_listing(rng))
        odd = Step("up", rng.choice(("args", "triggers", "console", None)), job, _odd_answers(rng), lies=_lies(rng))
        steps += [late, odd, Step(rng.choice(("up", "refresh")), faults=_odd_answers(rng), lies=_lies(rng))]
    return replace(plan, steps=steps)


def _lies(rng: random.Random) -> tuple[Lie, ...]:
    return tuple(rng.sample(list(Lie), rng.choice((0, 1, 1, 2, 3))))


def _odd_answers(rng: random.Random) -> list[dict[str, Any]]:
    if rng.random() < 0.3:
        return []
    method, path = rng.choice(ROUTES)
    rule = {"action": "reply", "method": method, "path": path, "nth": rng.randint(1, 3), "count": rng.choice((1, 2, 9))}
    if rng.random() < 0.1:
        return [{**rule, **REDIRECT, "when": "before"}]
    return [{**rule, **rng.choice(ODD_BODIES), "when": rng.choice(("before", "after"))}]


def _late_listing(rng: random.Random) -> list[dict[str, Any]]:
    """Lose answers to submissions while lists lag behind by more than the lookup window."""
    lost = {"method": "POST", "path": "*/batches", "nth": rng.randint(1, 2), "count": rng.choice((1, 2, None))}
    cut = {**lost, "action": "cut", "when": rng.choice(("before", "after", "after"))}
    return [{"action": "listing_lag", "seconds": WINDOW * rng.choice((0.5, 1.5, 4))}, cut]


KINDS: tuple[Kind, ...] = (end_orphans, expire_records, move_stack, lie)

NATIVE_KINDS: tuple[Kind, ...] = (end_orphans, expire_native_records, move_stack, lie)
