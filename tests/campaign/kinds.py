"""The schedules of seeds over gRPC: the base schedule, and what other kinds of schedule add to it.

Each kind adds to two of five seeds, so that some have several. All draws come after those of the base schedule, which
stays the same.
"""

import random
from collections.abc import Callable
from dataclasses import replace

from tests.campaign.schedules import LATE_REPLY, OrphansEnd, Schedule, Step, base_schedule
from tests.campaign.simulated_engine import Declared

Kind = Callable[[Schedule, random.Random], Schedule]
"""Adds to a schedule."""


def schedule(seed: int) -> Schedule:
    """Make the schedule of a seed: the same one every time."""
    rng = random.Random(seed)
    plan = base_schedule(seed, rng)
    for kind in [kind for kind in KINDS if rng.random() < 0.4]:
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
    program = [_with_option(job, rng.choice(("rerun", "rerun", "keep", None))) for job in plan.program]
    steps = [replace(step, expires=rng.random() < 0.5) for step in plan.steps]
    for _ in range(rng.randint(1, 2)):
        steps += _unseen_steps(rng.choice(program), rng)
    return replace(plan, program=program, steps=[replace(step, is_unread=rng.random() < 0.3) for step in steps])


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


KINDS: tuple[Kind, ...] = (end_orphans, expire_records, move_stack)
