"""The local DLI as a client with its token sees it."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.credentials import Credentials

ENDLESS = "running"
"""A timeline: runs until it is cancelled."""
TIMEOUT = 200.0

Seen = TypeVar("Seen")


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


class Api:
    """HTTP calls of one account. Each has a connection of its own: none is left open, none is closed meanwhile."""

    def __init__(self, account: Credentials) -> None:
        self.account = account
        self.batches = f"/v2.0/{account.project_id}/batches"

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> requests.Response:
        """Call with the token, unless `headers` are given."""
        signed = {"X-Auth-Token": self.account.token} if headers is None else headers
        return requests.request(method, self.account.endpoint + path, headers=signed, timeout=TIMEOUT, **options)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Call, and give the JSON of an answer that is 200."""
        reply = self.call(method, path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def create(self, **body: Any) -> dict[str, Any]:
        """Submit a job: a PySpark file unless the body says otherwise."""
        created: dict[str, Any] = self.ask("POST", self.batches, json={"file": "obs://jobs/job.py"} | body)
        return created

    def submit(self, timeline: str | None = None, conf: dict[str, Any] | None = None, **body: Any) -> str:
        """Submit a job with a timeline, and give its id."""
        times = {} if timeline is None else {"spark.dli.local.timeline": timeline}
        return str(self.create(conf=times | (conf or {}), **body)["id"])

    def details(self, job_id: str) -> dict[str, Any]:
        details: dict[str, Any] = self.ask("GET", f"{self.batches}/{job_id}")
        return details

    def state(self, job_id: str) -> str:
        return str(self.details(job_id)["state"])

    def sessions(self, **query: Any) -> list[dict[str, Any]]:
        sessions: list[dict[str, Any]] = self.ask("GET", self.batches, params=query)["sessions"]
        return sessions

    def lines(self, job_id: str, **query: Any) -> list[str]:
        """Give the driver log, or what `query` asks for."""
        lines: list[str] = self.ask("GET", f"{self.batches}/{job_id}/log", params=query or {"type": "driver"})["log"]
        return lines

    def cancel(self, job_id: str) -> None:
        self.ask("DELETE", f"{self.batches}/{job_id}")

    def wait(self, job_id: str, *states: str) -> str:
        """Wait until the job is in one of these states, and give it."""
        return eventually(lambda: self.state(job_id), lambda state: state in states)


def eventually(look: Callable[[], Seen], is_right: Callable[[Seen], bool]) -> Seen:
    """Look until what is seen is right, and give it."""
    deadline = time.monotonic() + TIMEOUT
    while not is_right(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {TIMEOUT:.0f} s"
        time.sleep(0.01)
    return seen


def settled(states: Callable[[], list[BatchState]]) -> list[BatchState]:
    """Give the states when no job is starting any more. A call that submits a job returns while it starts."""
    return eventually(states, lambda seen: BatchState.STARTING not in seen)


def all_ended(states: Callable[[], list[BatchState]]) -> list[BatchState]:
    """Give the states when every job has ended. A call that submits a job returns before, however short the job is."""
    return eventually(states, lambda seen: all(state.is_final for state in seen))
