"""How a dead job ended, in a word."""

from pathlib import Path

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.endings import ending_of
from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import Job
from tests.local.api import ENDLESS, Api


def job(state: BatchState, *log: str) -> Job:
    return Job("1", "a", "me", "q", "A", "{}", "{}", state, 0, 0, log=log)


@pytest.mark.parametrize("state", [state for state in BatchState if state is not BatchState.DEAD])
def test_a_job_that_is_not_dead_has_none(state: BatchState) -> None:
    assert ending_of(job(state, "The job was cancelled.")) is None


@pytest.mark.parametrize(
    ("log", "ending"),
    [
        ([], "failed"),
        (["The job was cancelled."], "cancelled"),
        (["row 1The job was cancelled."], "cancelled"),
        (["The job was cancelled.", "The job's process ended with exit code 1."], "failed"),
    ],
)
def test_the_last_line_tells(log: list[str], ending: str) -> None:
    assert ending_of(job(BatchState.DEAD, *log)) == ending


def test_the_lines_are_those_that_are_written(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1, starve_after=0.05) as dli:
        api = Api(dli.credentials)
        running = api.submit(ENDLESS)
        api.wait(running, "running")
        starved = api.submit(ENDLESS)
        api.wait(starved, "dead")
        api.cancel(running)
        api.wait(running, "dead")
        interrupted = api.submit(ENDLESS)
        api.wait(interrupted, "running")
    with LocalDli(tmp_path, engine="timeline", slots=0):
        pass
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        logs = {id_: tuple(api.details(id_)["log"]) for id_ in (running, starved, interrupted)}
    endings = [ending_of(job(BatchState.DEAD, *log)) for log in logs.values()]
    assert endings == ["cancelled", "no capacity", "interrupted"]
