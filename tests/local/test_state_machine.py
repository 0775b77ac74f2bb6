"""A model of the service, against which any sequence of calls, restarts and passing time is held."""

import tempfile
from dataclasses import dataclass, field
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, precondition, rule

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, Clock, eventually

STARTING, RUNNING, RECOVERING = BatchState.STARTING, BatchState.RUNNING, BatchState.RECOVERING
SUCCESS, DEAD = BatchState.SUCCESS, BatchState.DEAD
KEEP = 3600
LINE = "a line of the driver"
KINDS: dict[str, list[BatchState]] = {
    "success": [SUCCESS],
    "dead": [DEAD],
    "running": [RUNNING],
    "starting": [STARTING],
    "dead;running": [DEAD, RUNNING],
    "dead;recovering": [DEAD, RECOVERING],
    "dead;dead;success": [DEAD, DEAD, SUCCESS],
    "dead;dead;dead": [DEAD, DEAD, DEAD],
}
"""Timelines that take no time, and the state in which each attempt ends or stays."""
ORDERS = ["CREATE_TIME_ASC", "CREATE_TIME_DESC", "DURATION_ASC", "DURATION_DESC"]
NAMES = ["", "etl", "ETL-two", "50%"]
JOBS = st.tuples(st.sampled_from([*KINDS]), st.sampled_from(["default", "Small", "Small"]), st.sampled_from(NAMES))


@dataclass
class Job:
    """A job as it must be. Times are milliseconds since 1970."""

    id: str
    name: str
    queue: str
    kind: str
    created: int
    updated: int
    state: BatchState = STARTING
    attempt: int | None = None
    started: int | None = None
    ended: int | None = None
    logs: dict[int | None, list[str]] = field(default_factory=dict)

    def run(self, now: int) -> None:
        """Play the timeline."""
        for attempt, state in enumerate(KINDS[self.kind]):
            self.attempt = attempt
            if state.is_final or state is RUNNING:
                self.write(LINE)
            self.started = now if state is RUNNING else self.started
            self.state, self.updated = state, now
        self.ended = now if self.state.is_final else None

    def end(self, now: int, line: str) -> None:
        self.write(line)
        self.state, self.updated, self.ended = DEAD, now, now

    def write(self, line: str) -> None:
        self.logs.setdefault(self.attempt, []).append(line)

    def duration(self, now: int) -> int:
        return 0 if self.started is None else (self.ended or now) - self.started

    def record(self, owner: str, now: int) -> dict[str, Any]:
        """Write the item of a list, but for `req_body`."""
        shown = (
            [] if self.attempt is None and not self.ended else self.logs.get(self.attempt) or self.logs.get(None, [])
        )
        return {
            "id": self.id,
            "appId": None if self.started is None else f"batch-session-{self.id}:30663",
            "name": self.name,
            "owner": owner,
            "proxyUser": "",
            "state": str(self.state),
            "kind": "",
            "log": shown,
            "sc_type": "A",
            "cluster_name": self.queue,
            "queue": self.queue,
            "create_time": self.created,
            "update_time": self.updated,
            "duration": self.duration(now),
        }


class Service(RuleBasedStateMachine):
    """The queue `small` has room for one job at a time."""

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._clock = Clock()
        self._dli = LocalDli(
            self._folder.name, engine="timeline", queues=["small:8"], keep_finished=KEEP, now=self._clock
        )
        self._jobs: dict[str, Job] = {}
        self._start()

    def _start(self) -> None:
        self._dli.start()
        self._api = Api(self._dli.credentials)

    def teardown(self) -> None:
        self._dli.stop()
        self._folder.cleanup()

    @property
    def _now(self) -> int:
        return round(self._clock() * 1000)

    def _settle(self) -> None:
        """Let the model run what fits; wait until the service has done so."""
        for job in self._jobs.values():
            if job.attempt is None and not job.state.is_final and not self._is_full(job.queue):
                job.run(self._now)
        expected = {job.id: str(job.state) for job in self._jobs.values()}
        eventually(lambda: {job["id"]: job["state"] for job in self._api.sessions()}, lambda seen: seen == expected)

    def _is_full(self, queue: str) -> bool:
        admitted = [job for job in self._jobs.values() if job.queue == "small" and job.attempt is not None]
        return queue == "small" and any(not job.state.is_final for job in admitted)

    @rule(target=ids, jobs=st.lists(JOBS, min_size=1, max_size=3))
    def create(self, jobs: list[tuple[str, str, str]]) -> Any:
        return multiple(*(self._create(*job) for job in jobs))

    def _create(self, kind: str, queue: str, name: str) -> str:
        conf = {"spark.dli.local.timeline": kind, "spark.dli.local.log": LINE}
        retries = {"auto_recovery": True, "max_retry_times": kind.count(";"), "minRecoveryDelayTime": 0}
        reply = self._api.create(name=name, queue=queue, conf=conf, **(retries if ";" in kind else {}))
        job = Job(reply["id"], name, queue.lower(), kind, created=self._now, updated=self._now)
        assert reply | {"appId": None, "duration": 0} == job.record(self._api.account.username, self._now)
        self._jobs[job.id] = job
        self._settle()
        return job.id

    @rule(body=st.sampled_from([{}, {"file": "obs://b/a.jar"}, {"file": "a.py", "queue": "nobodys"}, [], None]))
    def submit_a_bad_body(self, body: Any) -> None:
        assert self._api.call("POST", self._api.batches, json=body).status_code == 400

    @rule(job_id=ids)
    def cancel(self, job_id: str) -> None:
        reply = self._api.call("DELETE", f"{self._api.batches}/{job_id}")
        job = self._jobs.get(job_id)
        if job is None or job.state.is_final:
            code = "DLI.0002" if job is None else "DLI.0007"
            assert (reply.status_code, reply.json()["error_code"]) == (400, code)
            return
        assert (reply.status_code, reply.json()) == (200, {"msg": "deleted"})
        never_started = " before it was started" if job.attempt is None else ""
        job.end(self._now, f"The job was cancelled{never_started}.")
        self._settle()

    @rule(job_id=ids)
    def read(self, job_id: str) -> None:
        calls = ["", "/state", "/log", *(f"/log?type=driver&index={attempt}" for attempt in range(4))]
        replies = [self._api.call("GET", f"{self._api.batches}/{job_id}{call}") for call in calls]
        job = self._jobs.get(job_id)
        if job is None:
            assert {reply.json()["error_code"] for reply in replies} == {"DLI.0002"}
            return
        details, state, *logs = [reply.json() for reply in replies]
        record = job.record(self._api.account.username, self._now)
        assert f'"spark.dli.local.timeline":"{job.kind}"' in details.pop("req_body")
        assert details | {"appId": details["appId"] or None, "duration": record["duration"]} == record
        assert state == {"id": job_id, "state": str(job.state)}
        for attempt, log in zip([None, *range(4)], logs, strict=True):
            lines = job.logs.get(attempt, [])
            assert log == {"id": job_id, "from": 0, "total": len(lines), "log": lines}

    @rule(
        queue=st.just("") | st.sampled_from(["default", "SMALL"]),
        state=st.just("") | st.sampled_from(BatchState),
        name=st.just("") | st.sampled_from([*NAMES, "ETL", "%"]),
        page=st.just((0, 100)) | st.tuples(st.integers(0, 5), st.integers(1, 5)),
    )
    def list(self, queue: str, state: str, name: str, page: tuple[int, int]) -> None:
        start, size = page
        query = {"queue_name": queue, "state": state, "job_name": name, "from": start, "size": size}
        matching = [
            job
            for job in self._jobs.values()
            if queue.lower() in ("", job.queue) and state in ("", job.state) and name.lower() in job.name.lower()
        ]
        for order in ORDERS:
            matching.sort(key=lambda job: job.duration(self._now) if "DURATION" in order else job.created)
            ordered = matching if order.endswith("ASC") else matching[::-1]
            reply = self._api.ask("GET", self._api.batches, params=query | {"order": order})
            assert reply["total"] == len(matching)
            assert [job["id"] for job in reply["sessions"]] == [job.id for job in ordered[start : start + size]]

    @rule(seconds=st.sampled_from([0.001, 1, 600, KEEP, KEEP + 1]))
    def advance(self, seconds: float) -> None:
        self._clock.seconds += seconds
        kept = self._now - KEEP * 1000
        self._jobs = {job.id: job for job in self._jobs.values() if job.ended is None or job.ended >= kept}

    @precondition(lambda self: self._jobs)
    @rule()
    def restart(self) -> None:
        self._dli.stop()
        self._start()
        for job in self._jobs.values():
            if job.attempt is not None and not job.state.is_final:
                job.end(self._now, "The local DLI was stopped while this job ran.")
        self._settle()

    @invariant()
    def the_list_is_that_of_the_model(self) -> None:
        shown = self._api.sessions(order="CREATE_TIME_ASC")
        owner = self._api.account.username
        assert [{**job, "req_body": ""} for job in shown] == [
            job.record(owner, self._now) | {"req_body": ""} for job in self._jobs.values()
        ]


TestService = Service.TestCase
TestService.settings = settings(
    max_examples=max(settings().max_examples // 100, 10),
    stateful_step_count=30,
    phases=[Phase.reuse, Phase.generate],  # a state that never comes is waited for: to shrink such steps takes hours
)
