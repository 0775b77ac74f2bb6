import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.engines import timeline
from pulumi_dli.local.job_changes import HANG_TIMEOUT, JobChanges
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import Job, JobTable
from tests.local.api import ENDLESS, TIMEOUT, Api, eventually

NOT_STORED = "The local DLI cannot store a change of this job yet, and tries again. This is the last stored state."


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the write lock of the table, as another process would."""
    with closing(sqlite3.connect(data / "jobs.sqlite", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def test_a_locked_table_ends_no_job_and_blocks_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    may_end, pause = threading.Event(), timeline._pause
    monkeypatch.setattr(
        timeline, "_pause", lambda seconds: asyncio.to_thread(may_end.wait) if seconds else pause(seconds)
    )
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        ends, goes_on = api.submit("running:1s,success"), api.submit(ENDLESS)
        api.wait(ends, "running")
        api.wait(goes_on, "running")
        with locked(tmp_path):
            may_end.set()
            eventually(lambda: api.details(ends)["log"], lambda log: log[-1:] == [NOT_STORED])
            assert api.call("POST", api.batches, json={"file": "obs://jobs/job.py"}).status_code == 503
            api.cancel(goes_on)
            assert (api.state(ends), api.state(goes_on)) == ("running", "running")
        assert (api.wait(ends, "success", "dead"), api.wait(goes_on, "success", "dead")) == ("success", "dead")
    assert caplog.text.count("will retry: database is locked") == 1
    assert "internal error" not in caplog.text


def test_a_job_starts_once_its_start_is_stored(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        first = api.submit(ENDLESS)
        second = api.submit("success", {"spark.dli.local.log": "ran"})
        api.wait(first, "running")
        with locked(tmp_path):
            api.cancel(first)
            eventually(lambda: api.details(second)["log"], lambda log: log[-1:] == [NOT_STORED])
            assert api.lines(second, index=0) == []
        assert api.wait(second, "success", "dead") == "success"
        assert api.lines(second, index=0) == ["ran"]


def test_changes_that_cannot_be_stored_before_the_stop_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pulumi_dli.local.job_changes.RETRY_DELAY", 0.01)
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        job_id = api.submit(ENDLESS)
        api.wait(job_id, "running")
        with locked(tmp_path):
            api.cancel(job_id)
            eventually(lambda: api.details(job_id)["log"], lambda log: log[-1:] == [NOT_STORED])
            dli.stop()
    assert "changes of jobs that could not be stored before the end: 1" in caplog.text


@contextmanager
def hanging(*methods: tuple[type, str], timeout: float = 0.1) -> Iterator[None]:
    """Let these methods hang until the end of the block, as if the disk did not answer.

    A write to the table that takes longer than `timeout` counts as one that hangs.
    """
    answers = threading.Event()

    def delayed(method: Any) -> Any:
        def hang(*args: Any, **options: Any) -> Any:
            answers.wait()
            return method(*args, **options)

        return hang

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pulumi_dli.local.job_changes.HANG_TIMEOUT", timeout)
        patch.setattr("pulumi_dli.local.job_changes.RETRY_DELAY", 0.01)
        for owner, name in methods:
            patch.setattr(owner, name, delayed(getattr(owner, name)))
        try:
            yield
        finally:
            answers.set()


TABLE_WRITES = ((JobTable, "add"), (JobTable, "update"), (JobTable, "remove"))


def test_a_write_that_hangs_blocks_no_call_and_everything_is_stored_in_order_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        running, waiting = api.submit(ENDLESS, {"spark.dli.local.log": "at work"}), api.submit(ENDLESS)
        api.wait(running, "running")
        with hanging(*TABLE_WRITES):
            api.cancel(running)
            eventually(lambda: api.details(running)["log"], lambda log: log[-1:] == [NOT_STORED])
            assert api.state(running) == "running"
            assert api.lines(running)[0] == "at work"
            assert len(api.sessions()) == 2
            refused = api.call("POST", api.batches, json={"file": "obs://jobs/job.py"})
            assert (refused.status_code, refused.json()["error_code"]) == (503, "DLI.0999")
            late = api.call("DELETE", f"{api.batches}/{waiting}")
            assert late.status_code == 503
            assert late.json()["error_msg"].startswith("The job is cancelled, but the local DLI cannot store this yet.")
        assert api.wait(running, "dead") == api.wait(waiting, "dead")
        assert len(api.sessions()) == 2
    with closing(JobTable(tmp_path / "jobs.sqlite")) as table:
        changes = {
            job_id: [(change.state, change.attempt) for change in changes]
            for job_id, changes in table.changes([running, waiting]).items()
        }
    assert changes[running] == [("starting", 0), ("running", 0), ("dead", 0)]
    assert changes[waiting][0] == ("starting", None)
    assert caplog.text.count("will retry: the disk does not answer") == 1
    assert caplog.text.count("the changes of jobs that waited are stored now") == 1


def test_a_job_that_was_refused_because_the_disk_hangs_never_runs(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline", slots=1) as dli:
        api = Api(dli.credentials)
        with hanging(*TABLE_WRITES):
            assert api.call("POST", api.batches, json={"file": "obs://jobs/job.py"}).status_code == 503
        later = eventually(
            lambda: api.call("POST", api.batches, json={"file": "obs://jobs/job.py"}), lambda reply: reply.ok
        )
        assert [job["id"] for job in api.sessions()] == [later.json()["id"]]
        assert api.wait(later.json()["id"], "running")  # the refused job does not hold the slot
    with closing(JobTable(tmp_path / "jobs.sqlite")) as table:
        assert [job.id for job in table.live()] in ([], [later.json()["id"]])


class SlowTable:
    """A table that works only when the disk answers, and then refuses new rows if it is full."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.answers = threading.Event()
        self.is_full = is_full
        self.rows: set[str] = set()
        self.added = 0

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def add(self, job: Job) -> None:
        self.added += 1
        self.answers.wait()
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        self.rows.add(job.id)

    def update(self, _job_id: str, **_columns: Any) -> None:
        self.answers.wait()

    def remove(self, job_ids: Collection[str]) -> None:
        self.rows -= {*job_ids}


NEW_JOB = Job("new", "", "", "default", "A", "{}", "{}", BatchState.STARTING, 0, 0)


@pytest.mark.parametrize(("waits", "added"), [(True, 0), (False, 1)])
def test_a_refused_job_gets_no_row_if_the_disk_answers_after_the_stop(
    monkeypatch: pytest.MonkeyPatch, waits: bool, added: int
) -> None:
    monkeypatch.setattr("pulumi_dli.local.job_changes.HANG_TIMEOUT", 0.05)
    monkeypatch.setattr("pulumi_dli.local.job_changes.RETRY_DELAY", 0.01)
    table, others = SlowTable(), {*threading.enumerate()}

    async def refuse_and_stop() -> None:
        changes = JobChanges(cast(JobTable, table))
        if waits:
            changes.add("other", state=BatchState.RUNNING)
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await changes.add_job(NEW_JOB, lambda: None)
        await changes.finish()

    asyncio.run(refuse_and_stop())
    table.answers.set()
    for thread in {*threading.enumerate()} - others:
        thread.join()
    assert table.rows == set()
    assert table.added <= added  # a thread that begins late finds the job refused already


def test_a_new_job_that_cannot_be_stored_does_not_fail_the_cancel_of_another() -> None:
    table = SlowTable(is_full=True)

    async def cancel_beside_a_new_job() -> None:
        changes = JobChanges(cast(JobTable, table))
        changes.add("other", state=BatchState.DEAD)
        new_job = asyncio.ensure_future(changes.add_job(NEW_JOB, lambda: None))
        await asyncio.sleep(0)
        flushed = asyncio.ensure_future(changes.flush())
        await asyncio.sleep(0)
        table.answers.set()
        await flushed
        with pytest.raises(sqlite3.OperationalError):
            await new_job
        await changes.finish()

    asyncio.run(cancel_beside_a_new_job())


def test_changes_of_one_moment_are_stored_together_and_only_the_one_that_fails_is_given_up(
    tmp_path: Path,
) -> None:
    transactions: list[list[str]] = []

    class Table(JobTable):
        @contextmanager
        def transaction(self) -> Iterator[None]:
            transactions.append([])
            with super().transaction():
                yield

        def update(self, job_id: str, **columns: Any) -> None:
            transactions[-1].append(columns["app_id"])
            super().update(job_id, **columns)

    async def change_twice(table: JobTable) -> None:
        changes = JobChanges(table)
        await changes.add_job(NEW_JOB, lambda: None)
        changes.add(NEW_JOB.id, app_id="first")
        changes.add(NEW_JOB.id, lambda: {"log": object()}, app_id="impossible")
        changes.add(NEW_JOB.id, app_id="last")
        with pytest.raises(sqlite3.Error):
            await changes.flush()
        await changes.finish()

    with closing(Table(tmp_path / "jobs.sqlite")) as table:
        asyncio.run(change_twice(table))
        assert table.get(NEW_JOB.id) == replace(NEW_JOB, app_id="last")
    assert transactions == [[], ["first", "impossible"], ["first"], ["impossible"], ["last"]]


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still between the steps that a test makes."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        super().__init__()

    def time(self) -> float:
        return self.seconds

    def step(self, seconds: float) -> None:
        """From another thread: let time pass, and let everything happen that is due then."""
        self.seconds += seconds
        for _ in range(3):
            turned = threading.Event()
            self.call_soon_threadsafe(turned.set)
            turned.wait()


class LateTable(SlowTable):
    """A table that answers each write, but only after most of the time after which a disk counts as one that hangs."""

    def __init__(self, loop: SteppedLoop, *, is_full: bool = False) -> None:
        super().__init__()
        self.answers.set()
        self.updated: list[str] = []
        self._loop = loop
        self._is_full = is_full

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield
        if self._is_full:
            raise sqlite3.OperationalError("database or disk is full")

    def add(self, job: Job) -> None:
        self._loop.step(0.8 * HANG_TIMEOUT)
        super().add(job)

    def update(self, job_id: str, **_columns: Any) -> None:
        self._loop.step(0.8 * HANG_TIMEOUT)
        self.updated.append(job_id)


IDS = [str(number) for number in range(5)]


async def add_jobs(changes: JobChanges) -> None:
    await asyncio.gather(*(changes.add_job(replace(NEW_JOB, id=job_id), lambda: None) for job_id in IDS))


async def update_and_flush(changes: JobChanges) -> None:
    for job_id in IDS:
        changes.add(job_id, state=BatchState.RUNNING)
    await changes.flush()


@pytest.mark.parametrize("work", [add_jobs, update_and_flush])
def test_a_slow_disk_that_has_much_to_store_does_not_count_as_one_that_hangs(
    work: Callable[[JobChanges], Coroutine[Any, Any, None]], caplog: pytest.LogCaptureFixture
) -> None:
    async def work_and_finish(table: LateTable) -> None:
        changes = JobChanges(cast(JobTable, table))
        await work(changes)
        await changes.finish()

    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        table = LateTable(cast(SteppedLoop, runner.get_loop()))
        runner.run(work_and_finish(table))
    assert table.rows | {*table.updated} == {*IDS}
    assert caplog.text == ""


def test_a_full_disk_that_answers_each_retry_does_not_keep_anybody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_dli.local.job_changes.RETRY_DELAY", 0.01)

    async def flush_and_finish(loop: SteppedLoop) -> None:
        changes = JobChanges(cast(JobTable, LateTable(loop, is_full=True)))
        changes.add("other", state=BatchState.DEAD)
        with pytest.raises(TimeoutError):
            await changes.flush()
        await changes.finish()

    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        runner.run(flush_and_finish(cast(SteppedLoop, runner.get_loop())))


def test_a_log_that_hangs_delays_only_its_job(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        with hanging((JobLogs, "write"), timeout=TIMEOUT):  # the table works, however slow it is
            hangs = api.submit("success", {"spark.dli.local.log": "at last"})
            other = api.submit("success")
            assert api.wait(other, "success", "dead") == "success"
            assert api.state(hangs) == "starting"
        assert api.wait(hangs, "success", "dead") == "success"
        assert api.lines(hangs) == ["at last"]


def test_a_write_that_hangs_does_not_keep_the_server_from_stopping(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    dli.start()
    api = Api(dli.credentials)
    job_id = api.submit(ENDLESS)
    api.wait(job_id, "running")
    with hanging(*TABLE_WRITES):
        api.cancel(job_id)
        eventually(lambda: api.details(job_id)["log"], lambda log: log[-1:] == [NOT_STORED])
        dli.stop()
        assert f"could not be stored before the end: 1 (job {job_id}: dead)" in caplog.text


HANGING_SERVER = """
import functools, sqlite3, sys
from pulumi_dli.local import __main__, job_changes, table
from pulumi_dli.local.logs import JobLogs

never, what = sys.argv.pop(1), sys.argv.pop(1)

def hang(*args, **options):
    with open(never, "rb"):  # a FIFO that nobody opens to write
        pass

class Connection(sqlite3.Connection):
    close = hang

job_changes.RETRY_DELAY = 0.01
if what == "write":
    update = table.JobTable.update

    def hang_at_a_state(*args, **columns):
        (hang if "state" in columns else update)(*args, **columns)

    table.JobTable.update = hang_at_a_state
elif what == "close":
    table.CLOSE_TIMEOUT = 0.1
    sqlite3.connect = functools.partial(sqlite3.connect, factory=Connection)
elif what == "read":
    __main__.STOP_TIMEOUT = 3
    JobLogs.page = hang
sys.exit(__main__.main())
"""
"""`serve` on a disk that does not answer."""


@contextmanager
def serving_on_a_disk_that_hangs(data: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    never = data / "never"
    os.mkfifo(never)
    options = [str(never), what, "serve", "--data", str(data), "--engine", "timeline"]
    command = [sys.executable, "-c", HANGING_SERVER, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("local DLI ready at ")
        try:
            yield process
        finally:
            process.kill()


def test_serve_stops_although_a_write_hangs_and_names_what_is_lost(tmp_path: Path) -> None:
    with serving_on_a_disk_that_hangs(tmp_path, "write") as process:
        job_id = Api(Credentials.load(tmp_path)).submit(ENDLESS)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 0
    assert f"changes of jobs that could not be stored before the end: 1 (job {job_id}: running)" in errors


def test_serve_stops_although_the_table_cannot_be_closed(tmp_path: Path) -> None:
    with serving_on_a_disk_that_hangs(tmp_path, "close") as process:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=100)[1] == ""
    assert process.returncode == 0


def test_serve_stops_although_a_read_hangs_and_says_why(tmp_path: Path) -> None:
    with serving_on_a_disk_that_hangs(tmp_path, "read") as process, ThreadPoolExecutor(1) as pool:
        api = Api(Credentials.load(tmp_path))
        job_id = api.submit(ENDLESS)
        api.wait(job_id, "running")
        read = pool.submit(api.call, "GET", f"{api.batches}/{job_id}/log")
        eventually(lambda: api.ask("GET", "/local/calls"), lambda calls: "GET /batches/{id}/log" in calls)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=100)
        assert isinstance(read.exception(), requests.ConnectionError)
    assert process.returncode == 1
    assert "did not stop within 3 s, because a file in " in errors
