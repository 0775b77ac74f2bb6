"""The local DLI as these tests use it: runs are submitted to it beforehand, and runs are counted afterwards."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pulumi_dli.local.testing import Service, SubmittedJob
from tests.local.api import Api, eventually

ENDED = ("success", "dead")


def form_of(run: SubmittedJob) -> str:
    """Give the name of the form that a run belongs to. A rename changes the name, not the file."""
    return Path(run.body["file"]).stem


def submit(dli: Service, body: Mapping[str, Any]) -> str:
    """Submit a run, as a client that is not this package. Give its id."""
    return str(Api(dli.server.credentials).create(**body)["id"])


def cancel(dli: Service, run_id: str) -> None:
    """Cancel a run, as a client that is not this package. It is dead when this returns."""
    Api(dli.server.credentials).cancel(run_id)
    wait_until_ended(dli, [run_id])


def states(dli: Service) -> dict[str, str]:
    """Give the state of every accepted run, by id."""
    return {run.id: str(run.state.value) for run in dli.jobs()}


def wait_until_ended(dli: Service, run_ids: Iterable[str]) -> None:
    """Wait until these runs have ended."""
    wanted = list(run_ids)
    eventually(lambda: states(dli), lambda seen: all(seen[run_id] in ENDED for run_id in wanted))
