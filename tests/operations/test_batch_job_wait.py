"""The operations on waits, in process: what is accepted, and how a wait looks at its job, without waiting for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.clock import parse_duration
from pulumi_dli.api.errors import JobDeadError, JobError, JobUnknownError, JobWaitTimeoutError
from pulumi_dli.jobs.outputs import VERDICT
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.jobs.wait_inputs import WAIT_ARGUMENTS, WaitInputs
from pulumi_dli.operations.batch_job_wait import BatchJobWaits
from pulumi_dli.operations.context import ProviderContext
from tests.fakes import CUT, Answer, FakeClock, FakeNotifier, ScriptedService
from tests.jobs.test_inputs import values

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
WAIT = {"jobId": ID, "jobName": "load", "until": "success"}

RUNNING = Answer({"id": ID, "state": "running"})
SUCCESS = Answer({"id": ID, "state": "success", "create_time": 1000, "update_time": 61000})
DEAD = Answer({"id": ID, "state": "dead"})
FALLEN = Answer({"id": ID, "state": "dead", "req_body": json.dumps({"autoRecovery": True})})
GONE = Answer({"error_code": "DLI.0023", "error_msg": "no"}, 404)
BUSY = Answer(b"", 503)
LOG = Answer({"log": ["reading", "ValueError: no column"]})


class Stage:
    """A wait, its service, and its clock, which goes on only when the wait sleeps."""

    def __init__(self, service: ScriptedService) -> None:
        self.clock = FakeClock()
        self.said: list[str] = []
        self.service = service
        configuration = {
            "dli:endpoint": service.location.endpoint,
            "dli:region": "eu-de",
            "dli:projectId": service.location.project_id,
            "dli:token": "the-token",
            "dli:maxRetries": "0",
        }
        hear = FakeNotifier(lambda _, message: self.said.append(message))
        self.context = ProviderContext(configuration, hear, self.clock)
        self._waits = BatchJobWaits(self.context)

    def wait(self, *script: Answer, **declared: Any) -> dict[str, Any]:
        """Wait for a job that is as the script says, look by look."""
        self.service.script(*script)
        return self._waits.wait(WaitInputs.parse({**WAIT, **declared}))


@pytest.fixture
def stage(service: ScriptedService) -> Stage:
    return Stage(service)


@pytest.fixture(scope="module")
def waits() -> BatchJobWaits:
    return BatchJobWaits(ProviderContext({}, FakeNotifier(), FakeClock()))


# What is accepted


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"jobId": " "}, "jobId: must be the id of a batch job"),
        ({"jobId": 7.0}, "jobId: must be the id of a batch job"),
        ({"until": "over"}, "until: must be one of success, running, finished"),
        ({"until": ["success"]}, "until: must be one of success, running, finished"),
        ({"timeout": "soon"}, "timeout: not a duration: 'soon'; write it as in '90s', '20m', '2h'"),
        ({"timeout": True}, "timeout: not a duration: True"),
        ({"submittedTo": "eu-de"}, "submittedTo: must be a map with region and projectId"),
        (
            {"submittedTo": {"region": "eu-de", "project_id": "a"}},
            "submittedTo: must be a map with region and projectId",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused(waits: BatchJobWaits, declared: dict[str, Any], message: str) -> None:
    (failure,) = waits.check(WaitInputs.parse({**WAIT, **declared})).failures
    assert failure.startswith(message)


@pytest.mark.parametrize(
    "declared",
    [{}, {"jobId": UNKNOWN, "until": UNKNOWN, "timeout": UNKNOWN, "submittedTo": UNKNOWN}, {"timeout": 90.0}],
)
def test_what_keeps_the_rules_or_is_unknown_is_accepted_as_it_is(
    waits: BatchJobWaits, declared: dict[str, Any]
) -> None:
    checked = waits.check(WaitInputs.parse({**WAIT, **declared}))
    assert (checked.properties, checked.failures) == ({**WAIT, **declared}, [])


def test_a_wait_is_for_success_where_nothing_else_is_said(waits: BatchJobWaits) -> None:
    assert waits.check(WaitInputs.parse({"jobId": ID})).properties == {"jobId": ID, "until": "success"}


plausible: dict[str, st.SearchStrategy[Any]] = {
    "jobId": st.just(ID),
    "until": st.sampled_from(Until).map(str),
    "timeout": st.sampled_from(["90s", "2h", 0, 1.5]),
    "submittedTo": st.just({"region": "eu-de"}),
}
anything = st.fixed_dictionaries(
    {}, optional={name: plausible.get(name, values) | st.just(UNKNOWN) | values for name in (*WAIT_ARGUMENTS, "later")}
)


@given(anything, anything)
def test_what_is_accepted_can_be_waited_for_and_compared(
    waits: BatchJobWaits, declared: dict[str, Any], stored: dict[str, Any]
) -> None:
    checked = waits.check(WaitInputs.parse(declared))
    assert isinstance(waits.changes(stored, WaitInputs.parse(checked.properties)), bool)
    if not checked.failures:
        batch_id, until, timeout = (checked.properties.get(name, UNKNOWN) for name in ("jobId", "until", "timeout"))
        assert batch_id is UNKNOWN or (isinstance(batch_id, str) and batch_id.strip())
        assert until is UNKNOWN or Until(until)
        assert timeout in (None, UNKNOWN) or parse_duration(timeout) >= 0


# How a wait looks


def test_a_wait_looks_at_growing_intervals_until_the_job_has_ended(stage: Stage) -> None:
    outputs = stage.wait(*[RUNNING] * 40, SUCCESS)
    assert (outputs["state"], outputs["duration"]) == ("success", 60000)
    assert set(outputs) == {*WAIT, *VERDICT}
    assert stage.clock.slept[0] == 1
    assert stage.clock.slept[-1] == 10
    assert stage.clock.slept == sorted(stage.clock.slept)


@pytest.mark.parametrize(("waited", "left"), [(None, 90), (60, 30), (90, 0), (200, 0)])
def test_the_time_that_the_gate_has_waited_counts(stage: Stage, waited: float | None, left: float) -> None:
    stage.service.answer = lambda _: RUNNING
    with pytest.raises(JobWaitTimeoutError, match=f"load: batch job {ID} is still running after a wait of 1 min 30 s"):
        stage.wait(timeout="90s", waited=waited)
    assert sum(stage.clock.slept) == pytest.approx(left)


@pytest.mark.parametrize("until", ["success", "finished"])
def test_a_dead_job_that_comes_back_under_auto_recovery_is_not_dead(stage: Stage, until: str) -> None:
    back = Answer({"id": ID, "state": "recovering"})
    assert stage.wait(FALLEN, back, FALLEN, SUCCESS, until=until)["state"] == "success"


@pytest.mark.parametrize("timeout", [None, "1s", 0])
def test_a_job_that_is_dead_twice_under_auto_recovery_is_dead_even_when_the_time_is_over(
    stage: Stage, timeout: Any
) -> None:
    attempts = [Answer({"id": ID, "log": []})] * 5  # none of the 20 attempts that may follow the first has a log
    with pytest.raises(JobDeadError, match=f"load failed: ValueError: no column\nBatch job {ID} is dead"):
        stage.wait(FALLEN, FALLEN, *attempts, LOG, timeout=timeout)
    assert stage.clock.slept == [1]


@pytest.mark.parametrize(("declared", "masked"), [({}, "no column"), ({"redact": ["column"]}, "no [secret]")])
def test_a_wait_that_passes_for_a_dead_job_stores_why_it_failed(
    stage: Stage, declared: dict[str, Any], masked: str
) -> None:
    assert stage.wait(DEAD, LOG, until="finished", **declared)["failureReason"] == f"ValueError: {masked}"
    assert stage.wait(SUCCESS, until="finished", **declared)["failureReason"] is None


def test_a_job_that_was_dead_when_it_was_last_seen_is_not_told_to_go_on(stage: Stage) -> None:
    with pytest.raises(JobWaitTimeoutError, match="is still not readable after a wait of"):
        stage.wait(FALLEN, BUSY, BUSY, timeout=1)


def test_without_auto_recovery_one_look_at_a_dead_job_is_enough(stage: Stage) -> None:
    with pytest.raises(JobDeadError, match="ValueError: no column"):
        stage.wait(DEAD, LOG)
    assert stage.clock.slept == []


def test_looks_that_fail_are_repeated_and_said_once_in_a_row(stage: Stage) -> None:
    assert stage.wait(BUSY, CUT, RUNNING, Answer(b"", 502), SUCCESS)["state"] == "success"
    failures = [message.split(", ")[0] for message in stage.said]
    assert failures == [f"the provider could not read batch job {ID}"] * 2
    assert ["503" in stage.said[0], "502" in stage.said[1]] == [True, True]


def test_looks_of_which_none_has_worked_for_ten_minutes_end_the_wait(stage: Stage) -> None:
    stage.service.answer = lambda _: BUSY
    with pytest.raises(
        JobError,
        match=r"the provider cannot read batch job .* If the job runs, it goes on, and the next `pulumi up` waits",
    ):
        stage.wait()
    assert 600 <= sum(stage.clock.slept) <= 610


def test_looks_that_fail_for_long_after_one_that_worked_are_repeated(stage: Stage) -> None:
    assert stage.wait(RUNNING, *[BUSY] * 200, SUCCESS)["state"] == "success"
    assert sum(stage.clock.slept) > 1200


def test_a_job_that_was_seen_before_the_looks_failed_is_told_as_it_was(stage: Stage) -> None:
    with pytest.raises(JobWaitTimeoutError, match=r"is still running after a wait of 2\.0 s\. The job goes on"):
        stage.wait(RUNNING, BUSY, BUSY, timeout=2)


@pytest.mark.parametrize("script", [(GONE,), (RUNNING, GONE), (BUSY, GONE)])
def test_a_record_that_is_gone_leaves_the_outcome_unknown(stage: Stage, script: tuple[Answer, ...]) -> None:
    with pytest.raises(JobUnknownError, match="outcome is unknown"):
        stage.wait(*script)


def test_a_young_run_that_the_service_does_not_know_yet_has_no_unknown_outcome(stage: Stage) -> None:
    stage.context.young_runs.submitted(ID)
    assert stage.wait(GONE, GONE, RUNNING, SUCCESS)["state"] == "success"
    assert stage.said[0].startswith(f"the service does not know batch job {ID}, which is less than ten minutes old.")


def test_a_young_run_that_the_service_does_not_know_in_the_whole_window_has_an_unknown_outcome(stage: Stage) -> None:
    stage.context.young_runs.submitted(ID)
    stage.service.answer = lambda _: GONE
    with pytest.raises(JobUnknownError, match="outcome is unknown"):
        stage.wait()
    assert sum(stage.clock.slept) >= 60


def test_a_state_that_is_not_known_is_told_once(stage: Stage) -> None:
    resting = Answer({"id": ID, "state": "resting"})
    assert stage.wait(resting, resting, SUCCESS)["state"] == "success"
    assert [message for message in stage.said if "'resting'" in message] == stage.said[:1]


@pytest.mark.parametrize(("status", "code"), [(401, "APIGW.0301"), (403, "APIG.0302"), (404, "APIG.0101")])
def test_a_look_that_is_refused_ends_the_wait_and_says_where_the_job_is(stage: Stage, status: int, code: str) -> None:
    where = f"load: the provider cannot read batch job {ID} in project {stage.service.location.project_id}: "
    with pytest.raises(JobError, match=f"{where}.*{code} {status}.*the next `pulumi up` waits for it again"):
        stage.wait(Answer({"error_code": code, "error_msg": "no"}, status))
