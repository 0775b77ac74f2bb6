"""A submitter, and a service that answers it as a script says."""

import json
from collections.abc import Callable
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.live_listing import LiveListing
from pulumi_dli.operations.run_registry import RunRegistry
from pulumi_dli.operations.submission import Submitter
from pulumi_dli.operations.submission_request import SubmissionRequest
from pulumi_dli.operations.young_runs import YoungRuns
from tests.fakes import CUT, Answer, Call, FakeClock, FakeNotifier, ScriptedService

SCOPE, SPEC = "0a1b2c3d", "4e5f6071"
OTHER = "other-job"
WINDOW = 60.0


def refusal(code: str, status: int = 400) -> Answer:
    return Answer({"error_code": code, "error_msg": "no"}, status)


class Dli:
    """A service with a table of jobs.

    It accepts a submission unless `posts` has something to be done first, and lists and cancels truly unless `lists`
    and `cancels` have another answer.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.jobs: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        """The jobs of `Stage.submit_others`. Nothing goes wrong with their submissions."""
        self.posts: list[Callable[[dict[str, Any]], Answer]] = []
        self.lists: list[Answer] = []
        self.cancels: list[Answer] = []
        self.reads: list[Answer] = []
        self.names: list[str] = []
        self.posted_at: list[float] = []
        self.listings = 0
        self.others_visible_at = 0.0

    def add(self, name: str, *, visible_after: float = 0.0, **job: Any) -> str:
        """Have one more job, as somebody has submitted it."""
        batch_id = f"id-{len(self.jobs)}"
        self.jobs.append(
            {
                "id": batch_id,
                "name": name,
                "state": "running",
                "owner": "somebody",
                "create_time": 1_700_000_000_000 + len(self.jobs),
                "visible_at": self.clock.now() + visible_after,
                **job,
            }
        )
        return batch_id

    def job(self, batch_id: str) -> dict[str, Any]:
        return next(job for job in self.jobs if job["id"] == batch_id)

    def __call__(self, call: Call) -> Answer:
        if call.method == "POST":
            return self._post(call.json)
        if not call.path:
            self.listings += 1
            return self.lists.pop(0) if self.lists else self._list(call.query)
        job = next((job for job in self.jobs if call.path == f"/{job['id']}"), None)
        if job is None:
            return refusal("DLI.0023", 404)
        if call.method == "DELETE":
            if self.cancels:
                return self.cancels.pop(0)
            job["state"] = "dead"
            return Answer({"msg": "deleted"})
        return self.reads.pop(0) if self.reads else Answer(job)

    def _post(self, body: dict[str, Any]) -> Answer:
        if body["name"].startswith(OTHER):
            other = {"id": f"other-{len(self.others)}", "state": "running", "visible_at": self.others_visible_at}
            self.others.append(body | other)
            return Answer(self.others[-1])
        self.names.append(body["name"])
        self.posted_at.append(self.clock.now())
        return (self.posts.pop(0) if self.posts else self.accept)(body)

    def _list(self, query: dict[str, str]) -> Answer:
        found = [
            job
            for job in [*self.jobs, *self.others]
            if query.get("job_name", "") in job["name"]  # it may match a part of the name
            and query.get("state", job["state"]) == job["state"]
            and job["visible_at"] <= self.clock.now()
        ]
        return Answer({"total": len(found), "sessions": found})

    def accept(self, body: dict[str, Any], **job: Any) -> Answer:
        return Answer({"id": self.add(body["name"], **job), "state": "starting"})

    def lose(self, answer: Answer = CUT, **job: Any) -> Callable[[dict[str, Any]], Answer]:
        """Accept, and answer something else."""

        def accepted(body: dict[str, Any]) -> Answer:
            self.accept(body, **job)
            return answer

        return accepted

    def ignore(self, answer: Answer = CUT) -> Callable[[dict[str, Any]], Answer]:
        """Do not accept, and answer this."""
        return lambda _body: answer


class Stage:
    """A submitter, the service that it submits to, and what it says."""

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        self.clock = FakeClock()
        self.dli = Dli(self.clock)
        self.said: list[str] = []
        self.runs = RunRegistry()
        auth = TokenAuth("the-token", source="a token in the environment")
        self._client = Client(service.location, auth, RetryPolicy(clock=self.clock, max_retries=0))
        service.answer = self.dli

    def submit_others(self) -> None:
        """From now on, the same submitter submits another job whenever it pauses for one."""

        def submit() -> None:
            number = len(self.dli.others)
            self._submitter.submit(a_request(resource_name=f"{OTHER}{number}", resource=f"{number:08x}"))

        self.clock.during_sleep = submit

    def submitter(self, *, adopt: bool = True, may_create_first: bool = False) -> Submitter:
        notifier = FakeNotifier(lambda job_name, message: self.said.append(f"{job_name}: {message}"))
        self._submitter = Submitter(
            self._client,
            self.clock,
            lookup_window=WINDOW,
            adopt=adopt,
            live=LiveListing(self._client, self.clock),
            young=YoungRuns(self.clock, lambda: WINDOW, notifier),
            runs=self.runs,
            notifier=notifier,
            may_create_first=may_create_first,
        )
        return self._submitter

    def submit(self, request: SubmissionRequest | None = None, *, adopt: bool = True) -> str:
        return self.submitter(adopt=adopt).submit(request or a_request()).id


def a_request(
    fixed_name: str | None = None, *, resource_name: str = "wordcount", resource: str = SCOPE, **properties: Any
) -> SubmissionRequest:
    body = {"file": "obs://demo/wordcount.py", "className": "", "args": ["in", "out"], **properties}
    return SubmissionRequest((resource_name, SCOPE), resource, SPEC, fixed_name, lambda name: {**body, "name": name})


def run_name(scope: str = SCOPE, spec: str = SPEC, random: str = "abcdef") -> str:
    return f"wordcount-{scope}-{spec}-{random}"


def kept_request(**changes: Any) -> str:
    """A request as the service keeps it: with defaults filled in, and under internal names."""
    kept = {
        "file": "obs://demo/wordcount.py",
        "className": "",
        "args": ["in", "out"],
        "jars": [],
        "pyFiles": [],
        "files": [],
        "modules": [],
        "resources": [],
        "groups": [],
        "conf": {},
        "name": "daily",
        "queue": "batch",
        "autoRecovery": False,
        "minRecoveryDelayTime": 10000,
        "maxRetryTimes": 20,
        "feature": "basic",
        "spark_version": "3.3.1",
    }
    return json.dumps({key: value for key, value in {**kept, **changes}.items() if value is not None})
