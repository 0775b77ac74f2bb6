"""The local DLI as these tests use it: runs are submitted to it beforehand, and runs are counted afterwards."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import requests

from pulumi_dli.local.testing import Service, SubmittedJob

Seen = TypeVar("Seen")

ENDED = ("success", "dead")


def eventually(poll: Callable[[], Seen], is_right: Callable[[Seen], bool]) -> Seen:
    """Poll until a value is right, at most for a minute. Give the value."""
    deadline = time.monotonic() + 60
    while not is_right(seen := poll()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.02)
    return seen


def form_of(run: SubmittedJob) -> str:
    """Give the name of the form that a run belongs to. A rename changes the name, not the file."""
    return Path(run.body["file"]).stem


def submit(dli: Service, body: Mapping[str, Any]) -> str:
    """Submit a run, as a client that is not this package. Give its id."""
    return str(_call(dli, "POST", "", body)["id"])


def cancel(dli: Service, run_id: str) -> None:
    """Cancel a run, as a client that is not this package. It is dead when this returns."""
    _call(dli, "DELETE", f"/{run_id}")
    wait_until_ended(dli, [run_id])


def _call(dli: Service, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    account = json.loads((dli.server.data / "credentials.json").read_text())
    address = f"{account['endpoint']}/v2.0/{account['project_id']}/batches{path}"
    reply = requests.request(method, address, json=body, headers={"X-Auth-Token": account["token"]}, timeout=10)
    reply.raise_for_status()
    answer: dict[str, Any] = reply.json()
    return answer


def states(dli: Service) -> dict[str, str]:
    """Give the state of every accepted run, by id."""
    return {run.id: str(run.state.value) for run in dli.jobs()}


def wait_until_ended(dli: Service, run_ids: Iterable[str]) -> None:
    """Wait until these runs have ended."""
    wanted = list(run_ids)
    eventually(lambda: states(dli), lambda seen: all(seen[run_id] in ENDED for run_id in wanted))
