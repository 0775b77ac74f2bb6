import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import NoAnswerError, NotSentError, ServiceError, SettingsError, SignInError, SubmissionError
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.run_registry import RunRegistry
from pulumi_dli.operations.submission import SubmissionRequest, Submitter
from tests.fakes import CUT, Answer, Call, FakeClock, FakeNotifier, ScriptedService

SCOPE, SPEC = "0a1b2c3d", "4e5f6071"
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
        self.posts: list[Callable[[dict[str, Any]], Answer]] = []
        self.lists: list[Answer] = []
        self.cancels: list[Answer] = []
        self.names: list[str] = []
        self.posted_at: list[float] = []
        self.listings = 0

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
            body = call.json
            self.names.append(body["name"])
            self.posted_at.append(self.clock.now())
            return (self.posts.pop(0) if self.posts else self.accept)(body)
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
        return Answer(job)

    def _list(self, query: dict[str, str]) -> Answer:
        found = [
            job
            for job in self.jobs
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
        self.clock = FakeClock()
        self.dli = Dli(self.clock)
        self.said: list[str] = []
        self.runs = RunRegistry()
        auth = TokenAuth("the-token", source="a token in the environment")
        self._client = Client(service.location, auth, RetryPolicy(clock=self.clock, max_retries=0))
        service.answer = self.dli

    def submitter(self, *, adopt: bool = True) -> Submitter:
        return Submitter(
            self._client,
            self.clock,
            lookup_window=WINDOW,
            adopt=adopt,
            runs=self.runs,
            notifier=FakeNotifier(lambda job_name, message: self.said.append(f"{job_name}: {message}")),
        )

    def submit(self, request: SubmissionRequest | None = None, *, adopt: bool = True) -> str:
        return self.submitter(adopt=adopt).submit(request or a_request()).id


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedService() as service:
        yield Stage(service)


def a_request(
    fixed_name: str | None = None, *, resource_name: str = "wordcount", **properties: Any
) -> SubmissionRequest:
    body = {"file": "obs://demo/wordcount.py", "className": "", "args": ["in", "out"], **properties}
    return SubmissionRequest((resource_name, SCOPE), SCOPE, SPEC, fixed_name, lambda name: {**body, "name": name})


def run_name(scope: str = SCOPE, spec: str = SPEC, random: str = "abcdef") -> str:
    return f"wordcount-{scope}-{spec}-{random}"


# 1. The name


def test_a_submission_has_a_name_of_its_own(stage: Stage) -> None:
    submitter = stage.submitter()
    ids = [submitter.submit(a_request()).id for _ in range(2)]
    assert ids == ["id-0", "id-1"]
    assert all(re.fullmatch(f"wordcount-{SCOPE}-{SPEC}-[0-9a-f]{{6}}", name) for name in stage.dli.names)
    assert len(set(stage.dli.names)) == 2
    assert stage.said == []


def test_a_name_that_the_user_fixes_is_sent_as_it_is(stage: Stage) -> None:
    stage.submit(a_request("daily"))
    assert stage.dli.names == ["daily"]


def test_a_refusal_says_with_what_credentials_the_call_was_made(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.ignore(refusal("APIG.0302", 403)))
    with pytest.raises(ServiceError, match=r"403, .* Signed in with a token") as raised:
        stage.submit()
    assert raised.value.note.startswith("Signed in with")


def test_a_submission_before_which_the_sign_in_failed_was_not_sent_and_is_not_looked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(_client: Client, _body: dict[str, Any]) -> None:
        raise SignInError(status=503, call="POST …/auth/tokens")

    monkeypatch.setattr(Client, "create", create)
    with pytest.raises(SignInError):
        stage.submit()
    assert stage.clock.slept == []


@pytest.mark.parametrize("adopt", [True, False])
@pytest.mark.parametrize("name", [None, "of-the-user"])
def test_a_submission_without_an_answer_that_is_asked_for_again_is_found_though_it_has_ended(
    stage: Stage, name: str | None, adopt: bool
) -> None:
    submitter = stage.submitter(adopt=adopt)

    def accept_and_fall_silent(body: dict[str, Any]) -> Answer:
        stage.dli.lists += [Answer({}, 503)] * 40
        return stage.dli.lose(state="success")(body)

    stage.dli.posts.append(accept_and_fall_silent)
    for _ in range(2):
        with pytest.raises(SubmissionError, match="a job may run"):
            submitter.submit(a_request(name))
        stage.dli.lists = [Answer({}, 503)] * 40
    stage.dli.lists = []
    assert submitter.submit(a_request(name)).id == "id-0"
    assert len(stage.dli.names) == 1


def test_a_setting_that_is_wrong_from_now_on_does_not_hide_that_a_job_may_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_certificates(*_: object) -> Iterator[Any]:
        raise SettingsError("dli:caCert names a file that is not there")

    monkeypatch.setattr(Client, "batches", lose_certificates)
    stage.dli.posts.append(stage.dli.lose())
    with pytest.raises(SubmissionError, match=r"a job may run.*dli:caCert"):
        stage.submit(adopt=False)


def test_a_time_that_is_none_of_this_era_keeps_nobody_from_a_run(stage: Stage) -> None:
    batch_id = stage.dli.add(run_name(), create_time=1_700_000_000_000_000_000)
    assert stage.submit() == batch_id


def test_after_a_submission_of_which_nothing_is_known_the_next_one_looks_for_it(stage: Stage) -> None:
    submitter = stage.submitter()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 10))
    stage.dli.posts += [stage.dli.ignore()] * 20
    with pytest.raises(SubmissionError, match="a job may run"):
        submitter.submit(a_request())
    stage.clock.sleep(WINDOW * 10)
    assert submitter.submit(a_request()).id == "id-0"
    assert len(stage.dli.jobs) == 1


def test_what_is_listed_for_it_is_not_read_for_other_jobs(stage: Stage) -> None:
    submitter = stage.submitter()
    stage.dli.posts += [stage.dli.ignore()] * 20
    with pytest.raises(SubmissionError, match="a job may run"):
        submitter.submit(a_request())
    stage.dli.posts.clear()
    theirs = stage.dli.add("daily", req_body=json.dumps(a_request("daily").body("daily")))
    submitter.submit(a_request())
    assert submitter.submit(replace(a_request("daily"), resource_fingerprint="4d3c2b1a")).id != theirs


# 2. What an interrupted `up` left


def test_the_jobs_that_have_not_ended_are_listed_once_for_all_submissions(stage: Stage) -> None:
    submitter = stage.submitter()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: submitter.submit(a_request(resource_name=f"job{number}")), range(8)))
    assert len(stage.dli.names) == 8
    assert stage.dli.listings == 3


def test_a_live_run_of_this_very_job_is_adopted_and_named(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    assert stage.submit() == left
    assert stage.dli.names == []
    assert stage.said == [
        f"wordcount: adopted batch job {left} ({run_name()}, running, owner somebody, submitted "
        "2023-11-14 22:13:20 UTC), which an interrupted `up`, a rename or retain_on_delete had left"
    ]


@pytest.mark.parametrize("state", ["success", "dead"])
def test_a_run_that_has_ended_since_the_listing_is_adopted_too(stage: Stage, state: str) -> None:
    left = stage.dli.add(run_name(), state=state)
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(left), "state": "running"}]}))
    assert stage.submit() == left
    assert stage.dli.names == []


def test_a_run_that_is_gone_since_the_listing_is_none(stage: Stage) -> None:
    stage.dli.lists.append(Answer({"sessions": [{"id": "gone", "name": run_name(), "state": "running"}]}))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_a_run_that_moves_on_between_two_lists_is_one_run(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(left), "state": "starting"}]}))
    assert stage.submit() == left


def test_of_two_live_runs_none_is_adopted_and_nothing_is_submitted(stage: Stage) -> None:
    first, second = stage.dli.add(run_name(random="aaaaaa")), stage.dli.add(run_name(random="bbbbbb"))
    with pytest.raises(SubmissionError, match=r"^wordcount: nothing was submitted\. 2 runs of this job") as raised:
        stage.submit()
    assert f"batch job {first} " in str(raised.value)
    assert f"batch job {second} " in str(raised.value)
    assert stage.dli.names == []


@pytest.mark.parametrize(
    "job",
    [
        {"name": run_name(scope="ffffffff")},
        {"name": "wordcount"},
        {"name": ""},
        {"name": run_name(), "state": "success"},
        {"name": run_name(), "state": "dead"},
    ],
)
def test_no_other_job_is_adopted(stage: Stage, job: dict[str, Any]) -> None:
    other = stage.dli.add(**job)
    assert stage.submit() != other
    assert stage.said == []


def test_a_run_that_is_another_resources_or_was_deleted_is_not_adopted(stage: Stage) -> None:
    held, deleted = stage.dli.add(run_name()), stage.dli.add(run_name(random="abcdee"))
    stage.runs.declared(("extract", SCOPE))
    stage.runs.in_state(held, stored_key=("extract", SCOPE), key=("extract", SCOPE))
    stage.runs.begin_delete(deleted, None)
    assert stage.submit() == "id-2"
    assert stage.said == []


def test_a_live_run_with_another_declaration_is_named_with_what_to_do(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"))
    assert stage.submit() != other
    (said,) = stage.said
    assert said.startswith(f"wordcount: an earlier run with another declaration still goes on: batch job {other} ")
    assert "cancel it" in said
    assert stage.dli.job(other)["state"] == "running"


def test_an_ended_run_with_another_declaration_is_not_worth_a_word(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"), state="success")
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(other), "state": "running"}]}))
    stage.submit()
    assert stage.said == []


def test_with_adoption_off_nothing_is_listed_and_nothing_adopted(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    assert stage.submit(adopt=False) != left
    assert stage.dli.listings == 0


def test_a_listing_that_is_refused_names_the_permission_and_the_way_without_it(stage: Stage) -> None:
    stage.dli.lists.append(refusal("APIG.0302", 403))
    with pytest.raises(SubmissionError, match=r"^wordcount: nothing was submitted\.") as raised:
        stage.submit()
    assert "dli:jobs:list" in str(raised.value)
    assert "dli:adopt" in str(raised.value)
    assert stage.dli.names == []


@pytest.mark.parametrize(("failure", "error"), [(CUT, NoAnswerError), (refusal("DLI.0999"), ServiceError)])
@pytest.mark.parametrize("lists_before", [0, 2])
def test_a_listing_that_fails_lets_nothing_be_submitted(
    stage: Stage, failure: Answer, error: type[Exception], lists_before: int
) -> None:
    stage.dli.lists += [Answer({"sessions": []})] * lists_before + [failure]
    submitter = stage.submitter()
    with pytest.raises(error):
        submitter.submit(a_request())
    assert stage.dli.names == []
    submitter.submit(a_request())
    assert len(stage.dli.names) == 1


def request(**changes: Any) -> str:
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


EQUAL: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # what the request adds to its body, how the request of the live job differs from the one above
    ({}, {}),
    ({}, {"autoRecovery": None, "args": None}),
    ({"queue": "Batch"}, {}),
    ({"cluster_name": "Batch"}, {}),
    ({"sc_type": "B"}, {}),
    ({"sc_type": "B"}, {"sc_type": "CUSTOMIZED"}),
    ({"driverMemory": "2G"}, {"driverMemory": "2048M"}),
    ({"auto_recovery": True, "max_retry_times": 3}, {"autoRecovery": True, "maxRetryTimes": 3}),
    ({"max_retry_times": 20}, {}),
    ({"conf": {"spark.a": "1"}}, {"conf": {"spark.a": "1", "spark.added": "2"}}),
]
DIFFERENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"file": "obs://demo/other.py"}),
    ({}, {"className": "org.example.Main"}),
    ({"args": ["in"]}, {}),
    ({"args": ["out", "in"]}, {}),
    ({"args": []}, {}),
    ({}, {"pyFiles": ["obs://demo/more.py"]}),
    ({"queue": "nightly"}, {}),
    ({"cluster_name": "nightly"}, {}),
    ({"driverMemory": "2G"}, {"driverMemory": "4G"}),
    ({"auto_recovery": True}, {}),
    ({"max_retry_times": 3}, {}),
    ({"conf": {"spark.a": "1"}}, {"conf": {"spark.a": "2"}}),
    ({"conf": {"spark.a": "1"}}, {}),
    ({"spark_version": "3.1.1"}, {}),
]


@pytest.mark.parametrize(("properties", "changes"), EQUAL)
def test_a_live_job_of_a_fixed_name_is_adopted_where_its_request_is_equal(
    stage: Stage, properties: dict[str, Any], changes: dict[str, Any]
) -> None:
    left = stage.dli.add("daily", req_body=request(**changes))
    assert stage.submit(a_request("daily", **properties)) == left


@pytest.mark.parametrize(("properties", "changes"), DIFFERENT)
def test_a_live_job_of_a_fixed_name_is_not_adopted_where_its_request_differs(
    stage: Stage, properties: dict[str, Any], changes: dict[str, Any]
) -> None:
    other = stage.dli.add("daily", req_body=request(**changes))
    assert stage.submit(a_request("daily", **properties)) != other
    assert stage.said == []


@pytest.mark.parametrize("req_body", [None, "", "not json", "[]"])
def test_a_live_job_of_a_fixed_name_is_not_adopted_where_its_request_is_not_there(
    stage: Stage, req_body: str | None
) -> None:
    other = stage.dli.add("daily", req_body=req_body)
    assert stage.submit(a_request("daily")) != other


def test_one_run_is_not_adopted_by_two_resources(stage: Stage) -> None:
    left = stage.dli.add("daily", req_body=request())
    submitter = stage.submitter()
    ids = [submitter.submit(a_request("daily", resource_name=name)).id for name in ("one", "other")]
    assert ids == [left, "id-1"]


def test_a_run_that_an_adopt_id_is_just_adopting_is_not_adopted_and_nothing_is_submitted(stage: Stage) -> None:
    run = stage.dli.add(run_name())
    with (
        stage.runs.claim(run, ("extract", SCOPE)),
        pytest.raises(
            SubmissionError, match=f"nothing was submitted. Batch job {run} .* extract names it as its adoptId"
        ),
    ):
        stage.submit()
    assert stage.submit() == run


# 3. and 5. Sent once; refused


@pytest.mark.parametrize("answer", [refusal("DLI.0001"), refusal("DLI.0002"), refusal("APIG.0302", 403)])
def test_what_is_refused_is_the_services_own_error_and_nothing_is_looked_for(stage: Stage, answer: Answer) -> None:
    stage.dli.posts.append(stage.dli.ignore(answer))
    with pytest.raises(ServiceError, match=answer.body["error_code"]):
        stage.submit()
    assert len(stage.dli.names) == 1
    assert stage.dli.listings == 3


def test_what_was_never_sent_is_not_looked_for() -> None:
    with ScriptedService(is_listening=False) as service, pytest.raises(NotSentError):
        Stage(service).submit(adopt=False)


# 4. No usable answer

UNCLEAR = {
    "cut": CUT,
    "garbage": Answer(b"<html>"),
    "500": Answer(b"", 500),
    "504": refusal("APIG.0203", 504),
    "DLI.0999": refusal("DLI.0999"),
    "DLI.0019": refusal("DLI.0019"),
    "without an id": Answer({"state": "starting"}),
}


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_a_job_whose_answer_is_lost_is_found_by_its_name(stage: Stage, unclear: str) -> None:
    stage.dli.posts.append(stage.dli.lose(UNCLEAR[unclear]))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1
    assert stage.dli.names[0] in stage.said[0]
    assert stage.said[1].startswith("wordcount: was accepted: batch job id-0 ")


@pytest.mark.parametrize("state", ["starting", "running", "recovering", "success", "dead", "resting"])
def test_it_is_taken_in_whatever_state_it_is(stage: Stage, state: str) -> None:
    stage.dli.posts.append(stage.dli.lose(state=state))
    assert stage.submit() == "id-0"


@pytest.mark.parametrize("late", [1.0, 30.0, WINDOW])
def test_it_is_looked_for_until_the_window_is_over(stage: Stage, late: float) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=late))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_a_job_whose_name_only_contains_it_is_another(stage: Stage) -> None:
    def also_somebody_elses(body: dict[str, Any]) -> Answer:
        stage.dli.add("copy of " + body["name"])
        return stage.dli.lose()(body)

    stage.dli.posts.append(also_somebody_elses)
    assert stage.submit() == "id-1"


def test_one_that_is_not_listed_is_sent_again_under_the_same_name_after_the_window(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.ignore(), stage.dli.lose()]
    assert stage.submit() == "id-0"
    assert len(set(stage.dli.names)) == 1
    first, second = stage.dli.posted_at
    assert second - first >= WINDOW


def test_one_that_is_never_listed_is_sent_three_times_and_then_nobody_knows(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.ignore(answer) for answer in (CUT, Answer(b"", 503), refusal("DLI.0999"))]
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert len(stage.dli.names) == 3
    assert len(set(stage.dli.names)) == 1
    assert stage.dli.names[0] in str(raised.value)
    assert str(raised.value).endswith("The next `pulumi up` takes the job over while it runs.")
    assert stage.clock.now() - stage.dli.posted_at[-1] >= WINDOW


def test_where_the_next_up_will_not_take_it_over_the_error_does_not_say_so(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.ignore()] * 6
    for request, adopt in ((a_request(), False), (a_request("daily"), True)):
        with pytest.raises(SubmissionError, match=r"Look for it in the console .* adoptId takes it over\.$"):
            stage.submit(request, adopt=adopt)


def test_a_first_request_that_was_only_late_makes_two_jobs_of_which_the_first_stays(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    assert stage.submit() == "id-0"
    assert [job["state"] for job in stage.dli.jobs] == ["running", "dead"]
    assert "was accepted more than once; kept id-0, cancelled id-1" in stage.said[-1]


def test_a_second_request_that_is_answered_and_listed_is_one_job(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.ignore())
    assert stage.submit() == "id-0"
    assert [job["state"] for job in stage.dli.jobs] == ["running"]


def test_a_second_request_that_is_answered_and_not_yet_listed_is_one_job(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.ignore(), lambda body: stage.dli.accept(body, visible_after=1000.0)]
    assert stage.submit() == "id-0"


def test_a_second_run_that_has_ended_is_told_and_not_cancelled(stage: Stage) -> None:
    stage.dli.posts += [
        stage.dli.lose(visible_after=WINDOW + 30),
        lambda body: stage.dli.accept(body, state="success"),
    ]
    assert stage.submit() == "id-0"
    assert stage.said[-1].endswith("kept id-0, but id-1 is success already: the job has run twice")


def test_a_second_run_that_cannot_be_cancelled_is_told(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    stage.dli.cancels.append(refusal("DLI.0003"))
    assert stage.submit() == "id-0"
    assert "kept id-0, and id-1 could not be cancelled: DELETE …/batches/id-1: DLI.0003 400" in stage.said[-1]


def test_a_look_that_fails_is_not_the_last_one(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose())
    stage.dli.lists += [Answer({"sessions": []})] * 3 + [CUT, Answer(b"", 503), refusal("APIG.0308", 429)]
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_where_the_jobs_cannot_be_listed_to_the_end_nobody_knows(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose())
    stage.dli.lists += [Answer({"sessions": []})] * 3 + [Answer(b"", 503)] * 100
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert len(stage.dli.names) == 1
    assert stage.dli.names[0] in str(raised.value)
    assert "503" in str(raised.value)
    assert stage.clock.now() - stage.dli.posted_at[0] >= WINDOW


@pytest.mark.parametrize("answer", [refusal("DLI.1028"), refusal("APIG.0308", 429), Answer(b"", 401)])
def test_a_second_request_that_is_refused_does_not_mean_that_nothing_runs(stage: Stage, answer: Answer) -> None:
    stage.dli.posts += [stage.dli.ignore(), stage.dli.ignore(answer)]
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert str(answer.status) in str(raised.value)


def test_a_first_request_that_was_late_is_found_after_the_second_is_refused(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.lose(visible_after=WINDOW + 30), stage.dli.ignore(refusal("DLI.1028"))]
    assert stage.submit() == "id-0"


# 6. After acceptance


def test_nothing_raises_after_a_second_request_is_accepted(stage: Stage) -> None:
    def accept_and_go_down(body: dict[str, Any]) -> Answer:
        stage.dli.lists += [Answer(b"", 503)] * 100
        return stage.dli.accept(body)

    stage.dli.posts += [stage.dli.ignore(), accept_and_go_down]
    assert stage.submit() == "id-0"
    assert any("Whether an earlier request was accepted too could not be asked" in said for said in stage.said)


# Names that the user fixes


def test_a_lost_job_of_a_fixed_name_is_the_one_that_was_not_there_before(stage: Stage) -> None:
    for _ in range(3):
        stage.dli.add("daily", state="success")
    stage.dli.posts.append(stage.dli.lose())
    assert stage.submit(a_request("daily")) == "id-3"


def test_a_new_job_of_a_fixed_name_with_another_request_does_not_count(stage: Stage) -> None:
    def somebody_elses(body: dict[str, Any]) -> Answer:
        stage.dli.add(body["name"], req_body=request(args=["elsewhere"]))
        return stage.dli.lose(req_body=request())(body)

    stage.dli.posts.append(somebody_elses)
    assert stage.submit(a_request("daily")) == "id-1"
    assert stage.dli.job("id-0")["state"] == "running"


@pytest.mark.parametrize("kept", [{}, {"req_body": request()}])
def test_of_several_new_jobs_of_a_fixed_name_none_is_taken_and_none_is_cancelled(
    stage: Stage, kept: dict[str, Any]
) -> None:
    def twice(body: dict[str, Any]) -> Answer:
        stage.dli.add(body["name"], **kept)
        return stage.dli.lose(**kept)(body)

    stage.dli.posts.append(twice)
    with pytest.raises(SubmissionError, match="several new jobs have that name: id-0, id-1") as raised:
        stage.submit(a_request("daily"))
    assert "adoptId" in str(raised.value)
    assert [job["state"] for job in stage.dli.jobs] == ["running", "running"]
    assert len(stage.dli.names) == 1


def test_a_fixed_name_that_was_answered_keeps_its_id_and_cancels_nobody_elses_job(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    assert stage.submit(a_request("daily")) == "id-1"
    assert [job["state"] for job in stage.dli.jobs] == ["running", "running"]
    assert "new jobs of the same name are there too, and may be the same request: id-0" in stage.said[-2]


def test_a_job_that_another_resource_of_this_process_has_submitted_is_not_a_lost_one(stage: Stage) -> None:
    submitter = stage.submitter()

    def meanwhile_the_other(body: dict[str, Any]) -> Answer:
        assert submitter.submit(a_request("daily", resource_name="other")).id == "id-0"
        return stage.dli.lose()(body)

    stage.dli.posts.append(meanwhile_the_other)
    assert submitter.submit(a_request("daily")).id == "id-1"
