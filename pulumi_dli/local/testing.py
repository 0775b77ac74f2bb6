"""A local DLI for tests: submit and inspect jobs, count calls, and inject faults.

With pytest, the fixture `local_dli` is a `Service`. Without pytest:

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
"""Settings of the provider that make it wait less than for the real service."""


class FaultMatch(TypedDict, total=False):
    """The matching calls that a fault applies to: `count` calls (1; None: all) from the `nth` (1) on.

    `when` says whether the fault applies before (default) or after the service does the work.
    """

    nth: int
    count: int | None
    when: Literal["before", "after"]


@dataclass(frozen=True)
class SubmittedJob:
    """A job that the service has accepted.

    `body` is the request with only the keys that were sent, in today's spelling of the API. Times are milliseconds
    since 1970. `end_time` is None until the job ends.
    """

    id: str
    name: str
    queue: str
    state: BatchState
    body: dict[str, Any] = field(repr=False)  # it may contain secrets
    log: tuple[str, ...]
    create_time: int
    end_time: int | None


def timeline(starting: str = "0s", running: str = "1s", end: Literal["success", "dead"] | None = "success") -> str:
    """Write a value for the conf `spark.dli.local.timeline`. If `end` is None, the job runs until it is cancelled.

    Raises ValueError if a duration is invalid.
    """
    text = f"starting:{starting}," + (f"running:{running},{end}" if end else "running")
    parse_timeline(text)
    return text


class Service:
    """A local DLI. `options` are those of `LocalDli`. The default engine is `timeline`.

    Faults choose calls by method and route, with the names in `calls()`: `GET` and `/batches/{id}`. An invalid rule
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
        """The address, for example `http://127.0.0.1:8080`."""
        return self.server.endpoint

    @property
    def environment(self) -> dict[str, str]:
        """The variables that `python -m pulumi_dli.local env` prints, and short pauses of the provider."""
        return environment_of(self.server.credentials) | SHORT_PAUSES

    def bucket(self, name: str) -> Path:
        """Return the directory of a bucket, and make it if it is missing. Only Spark needs files in it."""
        return self.server.bucket(name)

    def jobs(self, job: str | None = None) -> list[SubmittedJob]:
        """Return the accepted jobs from the service's table, the oldest first. No fault applies.

        `job` selects the runs of one job, by its id, its name, or its logical name in a Pulumi program.
        """
        with closing(JobTable(self.server.data / "jobs.sqlite")) as table:
            _, rows = table.select(Selection(order="CREATE_TIME_ASC", size=-1), now=0)
        return [_submitted(row) for row in rows if job in (None, row.id) or _is_run_of(str(job), row.name)]

    def states(self, job: str | None = None) -> list[BatchState]:
        """Return the states of the jobs that `jobs(job)` returns."""
        return [one.state for one in self.jobs(job)]

    def submit(self, body: Mapping[str, Any]) -> str:
        """Submit a job like another client, and return its id.

        `body` is the request in the API's spelling. No fault applies, and no call is counted. Raises ApiError.
        """
        return self.server.submit(json.dumps(body).encode())

    def cancel(self, job_id: str) -> None:
        """Cancel a job like a user of the console, and return when it is dead.

        No fault applies, and no call is counted. Raises ApiError if the job does not exist or has ended.
        """
        self.server.cancel(job_id)

    def calls(self) -> dict[str, int]:
        """Return the number of calls by method and route: `{"POST /batches": 1}`."""
        return self.server.call_counter.as_dict()

    def reset_calls(self) -> None:
        """Set all call counts to zero."""
        self.server.call_counter.reset()

    def play(self, job: str, timeline: str = DEFAULT_TIMELINE, log: str = "") -> None:
        """Set the timeline that the next runs of a job play, and the lines of their driver logs.

        `job` is the job's name, or its logical name in a Pulumi program. A timeline or log in the job's own `conf`
        overrides this. Raises ValueError if the timeline is invalid.
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
        """Answer a call with this status and body. With `code`, the body is that of an error of the service."""
        content = body if code is None else error_body(code, "A test asked for this error.")
        rule = {"status": status, "body": content, "headers": dict(headers or {})}
        self._inject("reply", method, route, rule | match)

    def cut(self, method: Method, route: RouteName, **match: Unpack[FaultMatch]) -> None:
        """Close the connection without an answer. With `when="after"` the service has done the work nevertheless."""
        self._inject("cut", method, route, match)

    def delay(self, method: Method, route: RouteName, seconds: float, **match: Unpack[FaultMatch]) -> None:
        """Delay a call by `seconds`."""
        self._inject("delay", method, route, {"seconds": seconds} | match)

    def garble(self, method: Method, route: RouteName, **match: Unpack[FaultMatch]) -> None:
        """Answer 200 with something that is not JSON."""
        self._inject("garbage", method, route, match)

    def hide_new_jobs(self, *, lists: int | None = None, seconds: float | None = None) -> None:
        """Hide each newly accepted job from the next `lists` lists, or from all lists for `seconds`."""
        self.server.faults.add({"action": "listing_lag", "calls": lists, "seconds": seconds})

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.server.faults.set([])

    def _inject(self, action: str, method: Method, route: RouteName, rule: Mapping[str, Any]) -> None:
        self.server.faults.add({"action": action, "method": method, "route": route, **rule})


def _submitted(row: Job) -> SubmittedJob:
    body = json.loads(row.request)
    return SubmittedJob(row.id, row.name, row.queue, row.state, body, row.log, row.create_time, row.end_time)


def _is_run_of(job: str, name: str) -> bool:
    """Return whether a run with this name belongs to a job. `job` is its name or its logical name."""
    return name == job or name.startswith(f"{job}-")
