"""An engine without Spark: each job plays the states in its `conf`.

    spark.dli.local.timeline    starting:0.5s,running:3s,success

Each step is a state and its duration. `success` or `dead` ends the job. A last step without a time lasts for ever. With
`auto_recovery`, `;` separates the attempts, and the last one repeats: `running:1s,dead;running:1s,success`.

    spark.dli.local.log         lines of the driver log, written when the job first runs
    spark.dli.local.cancelling  how long the job goes on after a cancel (default 0s)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.states import BatchState
from pulumi_dli.local.durations import parse_duration
from pulumi_dli.local.engines import Attempt
from pulumi_dli.local.errors import bad_parameter
from pulumi_dli.local.threads import run_in_own_thread

TIMELINE = "spark.dli.local.timeline"
LOG = "spark.dli.local.log"
CANCELLING = "spark.dli.local.cancelling"
DEFAULT_TIMELINE = "starting:0s,running:1s,success"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """A state and its seconds. A final state, and a state that lasts for ever, has None."""

    state: BatchState
    seconds: float | None


@lru_cache(8)  # a job's timeline is read when the job is submitted and again when it starts
def parse_timeline(text: str) -> tuple[tuple[Step, ...], ...]:
    """Read a timeline as the steps of each attempt. Raises ValueError for an invalid timeline."""
    return tuple(_parse_attempt(attempt) for attempt in text.split(";"))


def _parse_attempt(text: str) -> tuple[Step, ...]:
    steps = tuple(_parse_step(part) for part in text.split(","))
    endless = [step.state for step in steps[:-1] if step.seconds is None]
    if endless:
        raise ValueError(f"a state without a time must be the last step, and {endless[0]} is not")
    if not steps[-1].state.is_final and steps[-1].seconds is not None:
        raise ValueError("the last step must be success, dead, or a state without a time")
    return steps


def _parse_step(text: str) -> Step:
    word, _, time = text.partition(":")
    if word.strip() not in set(BatchState):
        raise ValueError(f"{word.strip()!r} is not a state")
    state = BatchState(word.strip())
    if time and state.is_final:
        raise ValueError(f"{state} ends the job and must not have a time")
    return Step(state, parse_duration(time) if time else None)


class TimelineEngine:
    """Plays timelines with timers of the event loop, one for each job."""

    default_slots: int | None = None
    description = "plays the timelines of jobs, and runs none"
    has_metadata = False

    def __init__(self, conf_of: Callable[[str], Mapping[str, str]] = lambda _name: {}) -> None:
        """`conf_of` returns defaults for the `conf` of a job by its name."""
        self._conf_of = conf_of

    def check(self, request: BatchRequest) -> None:
        """Refuse an invalid timeline. Files need not exist."""
        try:
            parse_timeline(self._conf(request, TIMELINE, DEFAULT_TIMELINE))
            parse_duration(self._conf(request, CANCELLING, "0s"))
        except ValueError as error:
            raise bad_parameter(f"Parameter conf is invalid: {error}.") from error

    async def run(self, attempt: Attempt) -> BatchState:
        attempts = parse_timeline(self._conf(attempt.request, TIMELINE, DEFAULT_TIMELINE))
        steps = attempts[min(attempt.number, len(attempts) - 1)]
        lines = self._conf(attempt.request, LOG, "").splitlines()
        try:
            for step in steps:
                if step.state.is_final:
                    break
                if step.state is BatchState.RUNNING and lines:
                    await _write(attempt, lines)
                    lines = []
                attempt.report(step.state)
                await _pause(step.seconds)
        except asyncio.CancelledError:
            await asyncio.sleep(parse_duration(self._conf(attempt.request, CANCELLING, "0s")))
            raise
        if lines:
            await _write(attempt, lines)
        return steps[-1].state

    def web_ui(self, job_id: str) -> None:
        """Return None: a timeline has no web pages."""

    def history(self, event_log: Path) -> None:
        """Return None: a timeline has no web pages."""

    def close(self) -> None:
        pass

    async def kill_orphans(self, job_id: str) -> None:
        """Do nothing: a timeline has no processes."""

    def _conf(self, request: BatchRequest, key: str, default: str) -> str:
        value = (request.conf or {}).get(key)
        return self._conf_of(request.name or "").get(key, default) if value is None else str(value)


async def _write(attempt: Attempt, lines: list[str]) -> None:
    """Write lines to the driver log. A full disk loses them, and the job goes on."""
    try:
        await run_in_own_thread(lambda: attempt.logs.write(attempt.number, *lines))
    except OSError as error:
        logger.error("job %s: cannot write to its log: %s", attempt.job_id, error)  # noqa: TRY400


async def _pause(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.get_running_loop().create_future()
    elif seconds:
        await asyncio.sleep(seconds)
