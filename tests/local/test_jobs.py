import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.engines import Attempt
from pulumi_dli.local.engines.timeline import TimelineEngine
from pulumi_dli.local.jobs import Jobs
from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.submissions import read_submission
from pulumi_dli.local.table import Job, JobTable
from tests.local.api import ENDLESS, Api, Clock, eventually


def test_a_job_goes_through_the_states_of_its_life(api: Api) -> None:
    job_id = api.submit("starting:0s,running:0s,success", name="alive")
    api.wait(job_id, "success")
    [job] = api.sessions(job_name="alive")
    assert job["appId"] == f"batch-session-{job_id}:30663"
    assert job["create_time"] <= job["update_time"]


def test_jobs_that_find_no_slot_stay_starting_until_one_is_free(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=2) as dli:
        api = Api(dli.credentials)
        jobs = [api.submit(ENDLESS) for _ in range(4)]
        for job_id in jobs[:2]:
            api.wait(job_id, "running")
        assert [api.state(job_id) for job_id in jobs] == ["running", "running", "starting", "starting"]
        api.cancel(jobs[0])
        api.wait(jobs[2], "running")
        assert [api.state(job_id) for job_id in jobs] == ["dead", "running", "running", "starting"]


def test_a_job_that_waits_for_a_slot_is_cancelled_at_once_and_never_runs(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        first, second, third = (api.submit(ENDLESS, name=name) for name in ("first", "second", "third"))
        api.cancel(second)
        assert api.state(second) == "dead"
        assert api.details(second)["log"] == ["The job was cancelled before it was started."]
        api.cancel(first)
        api.wait(third, "running")
        assert [job["duration"] for job in api.sessions(job_name="second")] == [0]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Api]:
    """A local DLI whose queue `small` has room for two jobs of type A, which take 8 CUs each."""
    with LocalDli(tmp_path, engine="timeline", queues=["small:16"]) as dli:
        yield Api(dli.credentials)


def test_jobs_that_find_no_cus_in_their_queue_stay_starting_until_there_are_enough(small: Api) -> None:
    first, second, third = (small.submit(ENDLESS, queue="small") for _ in range(3))
    other = small.submit(ENDLESS)
    for job_id in (first, second, other):
        small.wait(job_id, "running")
    assert small.state(third) == "starting"
    small.cancel(first)
    small.wait(third, "running")
    assert small.state(second) == "running"


def test_a_job_gives_its_cus_back_when_it_ends_by_itself(small: Api) -> None:
    jobs = [small.submit("running:0s,success", queue="small", sc_type="B") for _ in range(5)]
    assert {small.wait(job_id, "success") for job_id in jobs} == {"success"}


def test_the_sizes_of_a_job_are_what_it_takes_of_its_queue(small: Api) -> None:
    large = small.submit(ENDLESS, queue="small", driverCores=1, executorCores=3, numExecutors=5)
    small.wait(large, "running")
    waiting = small.submit(ENDLESS, queue="small", driverCores=1, driverMemory="1G", numExecutors=0)
    assert small.state(waiting) == "starting"
    small.cancel(large)
    small.wait(waiting, "running")


def test_a_job_that_recovers_keeps_its_cus(small: Api) -> None:
    recovering = small.submit(
        "dead;success", queue="small", sc_type="B", auto_recovery=True, minRecoveryDelayTime=2**31 - 1
    )
    small.wait(recovering, "recovering")
    waiting = small.submit(ENDLESS, queue="small")
    assert small.state(waiting) == "starting"
    small.cancel(recovering)
    small.wait(waiting, "running")


def test_a_cancel_of_a_job_that_waits_lets_those_behind_it_move_up(small: Api) -> None:
    small.wait(small.submit(ENDLESS, queue="small"), "running")
    first, second = small.submit(ENDLESS, queue="small", sc_type="B"), small.submit(ENDLESS, queue="small")
    assert [small.state(job_id) for job_id in (first, second)] == ["starting", "starting"]
    small.cancel(first)
    small.wait(second, "running")


def test_a_job_that_gets_no_capacity_is_dead_after_a_while_and_its_log_says_why(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", queues=["small:16"], slots=1, starve_after=0.5) as dli:
        api = Api(dli.credentials)
        running = api.submit(ENDLESS)
        api.wait(running, "running")
        too_large, waiting = api.submit(ENDLESS, queue="small", sc_type="C"), api.submit(ENDLESS)
        assert [api.wait(job_id, "dead") for job_id in (too_large, waiting)] == ["dead", "dead"]
        waited = "The job waited 0.5 s for "
        assert api.details(too_large)["log"] == [
            f"{waited}32 CUs of queue small, which has 16. The local DLI gives it up."
        ]
        assert api.details(waiting)["log"] == [f"{waited}one of 1 slots. The local DLI gives it up."]
        assert api.state(running) == "running"
        assert [job["duration"] for job in api.sessions(state="dead")] == [0, 0]


def test_a_running_job_that_is_cancelled_ends_dead_and_its_log_says_why(api: Api) -> None:
    job_id = api.submit(ENDLESS, {"spark.dli.local.log": "at work"})
    api.wait(job_id, "running")
    api.cancel(job_id)
    api.wait(job_id, "dead")
    assert api.lines(job_id) == ["at work", "The job was cancelled."]


@pytest.mark.parametrize("state", ["starting", "recovering"])
def test_a_job_is_cancelled_in_every_state_that_is_not_final(api: Api, state: str) -> None:
    job_id = api.submit(state)
    api.wait(job_id, state)
    api.cancel(job_id)
    api.wait(job_id, "dead")


RETRIED: dict[str, object] = {"auto_recovery": True, "minRecoveryDelayTime": 0}
LOG = {"spark.dli.local.log": "a line"}


def attempts_of(api: Api, job_id: str) -> int:
    """Count the driver logs, one for each attempt."""
    logs = [api.lines(job_id, index=index) for index in range(9)]
    count = logs.index([])
    assert all(lines == ["a line"] for lines in logs[:count])
    assert not any(logs[count:])
    return count


def test_a_failed_job_is_started_again_until_it_succeeds(api: Api) -> None:
    job_id = api.submit("running:0s,dead;running:0s,dead;running:0s,success", LOG, **RETRIED)
    api.wait(job_id, "success")
    assert attempts_of(api, job_id) == 3


def test_a_job_that_always_fails_is_dead_after_its_last_retry(api: Api) -> None:
    job_id = api.submit("running:0s,dead", LOG, max_retry_times=2, **RETRIED)
    api.wait(job_id, "dead")
    assert attempts_of(api, job_id) == 3


def test_twenty_retries_are_the_default(api: Api) -> None:
    job_id = api.submit("dead", LOG, **RETRIED)
    api.wait(job_id, "dead")
    assert [api.lines(job_id, index=index) for index in (20, 21)] == [["a line"], []]


@pytest.mark.parametrize(
    "body",
    [{}, {"max_retry_times": 5}, {"auto_recovery": False, "max_retry_times": 5}, RETRIED | {"max_retry_times": 0}],
)
def test_without_auto_recovery_or_retries_a_job_is_started_once(api: Api, body: dict[str, object]) -> None:
    job_id = api.submit("running:0s,dead;success", LOG, **body)
    api.wait(job_id, "dead")
    assert attempts_of(api, job_id) == 1


def test_a_job_is_recovering_between_its_attempts(api: Api) -> None:
    job_id = api.submit("running:0s,dead;success", LOG, auto_recovery=True, minRecoveryDelayTime=2**31 - 1)
    api.wait(job_id, "recovering")
    assert api.details(job_id)["log"] == ["a line"]
    api.cancel(job_id)
    api.wait(job_id, "dead")


def test_an_end_that_cannot_be_noted_at_once_is_noted_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    update, failures = JobTable.update, iter(["database or disk is full"] * 2)

    def full_at_first(table: JobTable, job_id: str, **changes: Any) -> None:
        if "end_time" in changes and (failure := next(failures, None)):
            raise sqlite3.OperationalError(failure)
        update(table, job_id, **changes)

    monkeypatch.setattr(JobTable, "update", full_at_first)
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        first, second = api.submit(ENDLESS, LOG), api.submit("running:0s,success")
        api.wait(first, "running")
        api.cancel(first)
        api.wait(second, "success")
        api.wait(first, "dead")
        assert api.lines(first)[0] == "a line"
    assert "cannot store its change, will retry: database or disk is full" in caplog.text


def test_the_record_of_an_ended_job_is_kept_for_a_while(tmp_path: Path) -> None:
    clock = Clock()
    with LocalDli(tmp_path, engine="timeline", keep_finished=3600, now=clock) as dli:
        api = Api(dli.credentials)
        ended, running = api.submit("running:0s,success", LOG), api.submit(ENDLESS)
        api.wait(ended, "success")
        api.wait(running, "running")
        clock.seconds += 3600
        assert {job["id"] for job in api.sessions()} == {ended, running}
        clock.seconds += 0.001
        assert [job["id"] for job in api.sessions()] == [running]
        for method, rest in (("GET", ""), ("GET", "/state"), ("GET", "/log"), ("DELETE", "")):
            gone = api.call(method, f"{api.batches}/{ended}{rest}")
            assert (gone.status_code, gone.json()["error_code"]) == (400, "DLI.0002")
        eventually((tmp_path / "jobs" / ended).exists, lambda is_there: not is_there)


def test_a_record_that_is_not_kept_is_gone_as_soon_as_time_passes(tmp_path: Path) -> None:
    clock = Clock()
    with LocalDli(tmp_path, engine="timeline", keep_finished=0, now=clock) as dli:
        api = Api(dli.credentials)
        job_id = api.submit("running:0s,success")
        api.wait(job_id, "success")
        clock.seconds += 0.001
        assert api.sessions() == []
        assert api.submit("success")


def test_a_record_goes_after_its_log_which_nobody_would_find_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[bool] = []
    remove = JobTable.remove

    def look_and_remove(table: JobTable, job_ids: list[str]) -> None:
        left.extend((tmp_path / "jobs" / job_id).exists() for job_id in job_ids)
        remove(table, job_ids)

    monkeypatch.setattr(JobTable, "remove", look_and_remove)
    clock = Clock()
    with LocalDli(tmp_path, engine="timeline", keep_finished=0, now=clock) as dli:
        api = Api(dli.credentials)
        api.wait(api.submit("running:0s,success", LOG), "success")
        assert len(list((tmp_path / "jobs").iterdir())) == 1
        clock.seconds += 1
        assert api.sessions() == []
    assert left == [False]


def test_a_job_whose_log_cannot_be_written_ends_all_the_same_and_the_next_one_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        jobs = [api.submit(ENDLESS) for _ in range(2)]
        api.wait(jobs[0], "running")
        (tmp_path / "jobs" / jobs[0]).touch()  # a file in the place of the directory
        api.cancel(jobs[0])
        api.wait(jobs[1], "running")
        assert (api.state(jobs[0]), api.details(jobs[0])["log"]) == ("dead", ["The job was cancelled."])
    assert f"job {jobs[0]}: cannot use its log: " in caplog.text


def test_a_restart_keeps_the_places_of_those_that_wait(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", queues=["small:16"]) as dli:
        api = Api(dli.credentials)
        api.wait(api.submit(ENDLESS, queue="small", sc_type="B"), "running")
        first, second = (api.submit(ENDLESS, queue="small", sc_type=sc_type) for sc_type in "BA")
    with LocalDli(tmp_path, engine="timeline", queues=["small:16"]) as dli:
        api = Api(dli.credentials)
        api.wait(first, "running")
        assert api.state(second) == "starting"
        api.cancel(first)
        api.wait(second, "running")


def test_a_restart_keeps_what_ended_goes_on_with_what_waits_and_gives_up_what_ran(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        first = Api(dli.credentials)
        ended = first.submit("running:0s,success", LOG)
        first.wait(ended, "success")
        was = first.details(ended)
        ran, second, third = (first.submit(ENDLESS, LOG, **RETRIED) for _ in range(3))
        first.wait(ran, "running")
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        again = Api(dli.credentials)
        assert again.account.token == first.account.token
        assert again.details(ended) == was
        assert again.lines(ended) == ["a line"]
        assert again.state(ran) == "dead"
        assert again.lines(ran) == ["a line", "The local DLI was stopped while this job ran."]
        again.wait(second, "running")
        assert again.state(third) == "starting"


def test_a_restart_removes_the_files_with_secrets_of_what_ran_and_keeps_its_log(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        job_id = api.submit(ENDLESS, LOG)
        api.wait(job_id, "running")
        left = tmp_path / "jobs" / job_id / "run-0"
        left.mkdir()
        (left / "spark.properties").write_text("password")
    with LocalDli(tmp_path, engine="timeline") as dli:
        assert not left.exists()
        assert Api(dli.credentials).lines(job_id, index=0)[0] == "a line"


def test_a_job_that_was_recovering_at_a_restart_is_dead(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        job_id = api.submit("dead", auto_recovery=True)
        api.wait(job_id, "recovering")
    with LocalDli(tmp_path, engine="timeline") as dli:
        assert Api(dli.credentials).state(job_id) == "dead"


class Engine(TimelineEngine):
    """Hands each attempt to the test, which plays it."""

    def __init__(self, play: Callable[[Attempt], BatchState]) -> None:
        super().__init__()
        self._play = play

    async def run(self, attempt: Attempt) -> BatchState:
        attempt.report(BatchState.STARTING)
        return self._play(attempt)


@contextmanager
def playing(tmp_path: Path, play: Callable[[Attempt, Jobs], BatchState], clock: Clock | None = None) -> Iterator[Jobs]:
    """Give jobs whose attempts the test plays, one job at a time, for use in an event loop."""
    with closing(JobTable(tmp_path / "jobs.sqlite")) as table:
        jobs = Jobs(
            table=table,
            engine=Engine(lambda attempt: play(attempt, jobs)),
            directory=tmp_path / "jobs",
            slots=1,
            queues={},
            starve_after=60,
            keep_finished=60,
            now=clock or Clock(),
        )
        yield jobs


async def submit_to(jobs: Jobs, body: dict[str, object]) -> str:
    return (await jobs.submit(read_submission({"file": "obs://b/a.py"} | body, ["default"]), "owner")).id


async def end_of(jobs: Jobs, job_id: str) -> Job:
    while not (job := jobs.get(job_id)).state.is_final:
        await asyncio.sleep(0)
    return job


def run_one(
    tmp_path: Path, play: Callable[[Attempt, Jobs], BatchState], body: dict[str, object], clock: Clock | None = None
) -> Job:
    """Run a job to its end, and give its record."""

    async def live() -> Job:
        with playing(tmp_path, play, clock) as jobs:
            job = await end_of(jobs, await submit_to(jobs, body))
            await jobs.stop()
            return job

    return asyncio.run(live())


def test_a_job_that_is_cancelled_before_it_has_begun_is_dead_at_once_and_stays_so_if_the_server_is_killed(
    tmp_path: Path,
) -> None:
    played: list[str] = []

    def play(attempt: Attempt, jobs: Jobs) -> BatchState:
        played.append(attempt.job_id)
        return BatchState.SUCCESS

    async def live() -> None:
        with playing(tmp_path, play) as jobs:
            cancelled = await submit_to(jobs, {})
            await jobs.cancel(cancelled)
            assert jobs.get(cancelled).state == "dead"
            after = await submit_to(jobs, {})
            await end_of(jobs, after)
            assert played == [after]
            assert jobs.get(cancelled).log == ("The job was cancelled before it was started.",)
            await jobs.stop()

    asyncio.run(live())


def changes_of(data: Path, job: Job) -> list[tuple[str, int | None]]:
    """Give the states that clients saw, and the attempts."""
    with closing(JobTable(data / "jobs.sqlite")) as table:
        return [(change.state, change.attempt) for change in table.changes([job.id])[job.id]]


def test_a_job_that_is_started_again_is_recovering_until_it_runs(tmp_path: Path) -> None:
    def play(attempt: Attempt, jobs: Jobs) -> BatchState:
        if attempt.number == 1:
            return BatchState.DEAD
        attempt.report(BatchState.RUNNING)
        return BatchState.DEAD if attempt.number < 3 else BatchState.SUCCESS

    job = run_one(tmp_path, play, RETRIED)
    assert changes_of(tmp_path, job) == [
        *(("starting", 0), ("running", 0), ("recovering", 0)),
        ("recovering", 1),
        *(("recovering", 2), ("running", 2), ("recovering", 2)),
        *(("recovering", 3), ("running", 3), ("success", 3)),
    ]


def test_a_job_that_never_ran_is_recovering_when_it_is_started_again(tmp_path: Path) -> None:
    def play(attempt: Attempt, jobs: Jobs) -> BatchState:
        return BatchState.SUCCESS if attempt.number else BatchState.DEAD

    job = run_one(tmp_path, play, RETRIED)
    assert changes_of(tmp_path, job) == [
        *(("starting", 0), ("recovering", 0)),
        *(("recovering", 1), ("success", 1)),
    ]


def test_the_duration_of_a_job_is_from_its_first_run_to_its_end(tmp_path: Path) -> None:
    clock = Clock()

    def play(attempt: Attempt, jobs: Jobs) -> BatchState:
        clock.seconds += 1
        attempt.report(BatchState.RUNNING)
        clock.seconds += 10
        return BatchState.SUCCESS if attempt.number else BatchState.DEAD

    job = run_one(tmp_path, play, RETRIED, clock)
    end = round(clock.seconds * 1000)
    assert job.duration(end + 1_000_000) == 21_000
    assert (job.create_time, job.update_time) == (end - 22_000, end)


def test_a_fault_of_the_engine_ends_the_job_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def play(attempt: Attempt, jobs: Jobs) -> BatchState:
        raise ZeroDivisionError("inside")

    job = run_one(tmp_path, play, {})
    assert job.state == "dead"
    assert job.log == ("An internal error of the local DLI ended this job. See its own log.",)
    assert "ZeroDivisionError: inside" in caplog.text
