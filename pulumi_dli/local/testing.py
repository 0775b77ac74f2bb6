"""A local DLI for tests: what its account sees, what was submitted to it, and how it is made to fail.

With pytest the fixture `local_dli` is a `Service`; elsewhere:

    with Service(directory) as local_dli:
        ...
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.engines.timeline import DEFAULT_TIMELINE, LOG, TIMELINE, parse_timeline
from pulumi_dli.local.environment import environment_of
from pulumi_dli.local.faults import Method, RouteName
from pulumi_dli.local.replies import error_body
from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import Job, JobTable, Selection

SHORT_PAUSES = {"DLI_POLL_INTERVAL": "0.2s", "DLI_LOOKUP_WINDOW": "1s", "DLI_RETRY_PAUSE": "0.05s"}
"""Settings of the provider with which a test does not wait as long as one would for the real service."""


class FaultMatch(TypedDict, total=False):
    """Which matching calls a fault spoils: from the `nth` (1) on `count` (1; None: all), before or after the work."""

    nth: int
    count: int | None
    when: Literal["before", "after"]


@dataclass(frozen=True)
class SubmittedJob:
    """A job that was accepted.

    `body` is the request: just the keys that were sent, in the API's spelling of today. Times are milliseconds since
    1970. A job that has not ended has no `end_time`.
    """

    id: str
    name: str
    queue: str
    state: BatchState
    body: dict[str, Any] = field(repr=False)  # it may hold secrets
    log: tuple[str, ...]
    create_time: int
    end_time: int | None


def timeline(starting: str = "0s", running: str = "1s", end: Literal["success", "dead"] | None = "success") -> str:
    """Write a value for the conf `spark.dli.local.timeline`; without an `end` the job runs until it is cancelled.

    Raises ValueError for a span of time that cannot be read.
    """
    text = f"starting:{starting}," + (f"running:{running},{end}" if end else "running")
    parse_timeline(text)
    return text


class Service:
    """A local DLI. `options` are those of `LocalDli`; its engine is `timeline` unless they say otherwise.

    Faults are named as `calls` names calls, by method and route: `GET` and `/batches/{id}`. A rule that cannot be read
    raises ApiError.
    """

    def __init__(self, data: Path, **options: Any) -> None:
        self._confs: dict[str, dict[str, str]] = {}
        chosen: dict[str, Any] = {"engine": "timeline", "conf_of": self._conf_of} | options
        self.server = LocalDli(data, **chosen)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server.stop()

    @property
    def endpoint(self) -> str:
        """The address, as in `http://127.0.0.1:8080`."""
        return self.server.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """The variables that sign in (those of `python -m pulumi_dli.local env`), and short pauses for the provider."""
        return environment_of(self.server.credentials) | SHORT_PAUSES

    def bucket(self, name: str) -> Path:
        """Give the directory of a bucket, made if it is not there. Only Spark needs the files."""
        return self.server.bucket(name)

    def jobs(self, job: str | None = None) -> list[SubmittedJob]:
        """Give the jobs that were accepted, the oldest first, as the service keeps them: no fault strikes here.

        `job` selects the runs of one job, by its id, its name, or its logical name in a Pulumi program.
        """
        with closing(JobTable(self.server.data / "jobs.sqlite")) as table:
            _, rows = table.select(Selection(order="CREATE_TIME_ASC", size=-1), now=0)
        return [_submitted(row) for row in rows if job in (None, row.id) or _is_run_of(str(job), row.name)]

    def states(self, job: str | None = None) -> list[BatchState]:
        """Give the states of the jobs that `jobs` gives."""
        return [one.state for one in self.jobs(job)]

    def submit(self, body: Mapping[str, Any]) -> str:
        """Submit a job as another client does, and give its id.

        `body` is the request in the API's spelling. No fault strikes, and no call is counted. Raises ApiError.
        """
        return self.server.submit(json.dumps(body).encode())

    def cancel(self, job_id: str) -> None:
        """Cancel a job as somebody in the console does. It is dead when this returns.

        No fault strikes, and no call is counted. Raises ApiError for an id that does not exist, and for an ended job.
        """
        self.server.cancel(job_id)

    def calls(self) -> dict[str, int]:
        """Give how often each route was called, by method and route: `{"POST /batches": 1}`."""
        return self.server.call_counter.as_dict()

    def reset_calls(self) -> None:
        """Count from nothing."""
        self.server.call_counter.reset()

    def play(self, job: str, timeline: str = DEFAULT_TIMELINE, log: str = "") -> None:
        """Have a job play this timeline from now on, with these lines in its driver log.

        `job` is the job's name, or its logical name in a Pulumi program. A job whose own `conf` has a timeline or a log
        keeps it. Raises ValueError for a timeline that cannot be played.
        """
        parse_timeline(timeline)
        self._confs[job] = {TIMELINE: timeline, LOG: log}

    def _conf_of(self, name: str) -> Mapping[str, str]:
        fitting = (conf for job, conf in self._confs.items() if _is_run_of(job, name))
        return next(fitting, {})

    def fail(
        self,
        method: Method,
        route: RouteName,
        *,
        status: int = 503,
        code: str | None = None,
        body: Any = "",
        headers: Mapping[str, str] | None = None,
        **match: Unpack[FaultMatch],
    ) -> None:
        """Have a call answered with this status and body; with `code`: an error body of the service."""
        content = body if code is None else error_body(code, "A test asked for this error.")
        rule = {"status": status, "body": content, "headers": dict(headers or {})}
        self._inject("reply", method, route, rule | match)

    def cut(self, method: Method, route: RouteName, **match: Unpack[FaultMatch]) -> None:
        """Close the connection instead of an answer. After the work, the call was carried out all the same."""
        self._inject("cut", method, route, match)

    def delay(self, method: Method, route: RouteName, seconds: float, **match: Unpack[FaultMatch]) -> None:
        """Have a call take so much longer."""
        self._inject("delay", method, route, {"seconds": seconds} | match)

    def garble(self, method: Method, route: RouteName, **match: Unpack[FaultMatch]) -> None:
        """Answer 200 with something that is no JSON."""
        self._inject("garbage", method, route, match)

    def hide_new_jobs(self, *, lists: int | None = None, seconds: float | None = None) -> None:
        """Keep jobs that are accepted from now on out of so many lists, or of all for so many seconds."""
        self.server.faults.add({"action": "listing_lag", "calls": lists, "seconds": seconds})

    def clear_faults(self) -> None:
        """End all faults."""
        self.server.faults.set([])

    def _inject(self, action: str, method: Method, route: RouteName, rule: Mapping[str, Any]) -> None:
        self.server.faults.add({"action": action, "method": method, "route": route, **rule})


def _submitted(row: Job) -> SubmittedJob:
    body = json.loads(row.request)
    return SubmittedJob(row.id, row.name, row.queue, row.state, body, row.log, row.create_time, row.end_time)


def _is_run_of(job: str, name: str) -> bool:
    """Say whether a run of this name belongs to a job, which is given by its name or its logical name."""
    return name == job or name.startswith(f"{job}-")
