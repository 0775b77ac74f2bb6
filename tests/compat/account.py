"""The local DLI as these tests look at it: which runs there are, and when they have ended."""

from collections.abc import Iterable
from pathlib import Path

from pulumi_dli.local.testing import Service, SubmittedJob
from tests.local.api import eventually

ENDED = ("success", "dead")


def form_of(run: SubmittedJob) -> str:
    """Give the name of the form that a run belongs to. A rename changes the name, not the file."""
    return Path(run.body["file"]).stem


def states(dli: Service) -> dict[str, str]:
    """Give the state of every accepted run, by id."""
    return {run.id: str(run.state.value) for run in dli.jobs()}


def wait_until_ended(dli: Service, run_ids: Iterable[str]) -> None:
    """Wait until these runs have ended."""
    wanted = list(run_ids)
    eventually(lambda: states(dli), lambda seen: all(seen[run_id] in ENDED for run_id in wanted))
