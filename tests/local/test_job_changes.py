import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pulumi_dli.local.server import LocalDli
from tests.local.api import ENDLESS, Api, eventually

NOT_STORED = "The local DLI cannot store a change of this job yet, and tries again. This is the last stored state."


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the write lock of the table, as another process would."""
    with closing(sqlite3.connect(data / "jobs.sqlite", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def test_a_locked_table_ends_no_job_and_blocks_no_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        ends, goes_on = api.submit("running:1s,success"), api.submit(ENDLESS)
        api.wait(ends, "running")
        api.wait(goes_on, "running")
        with locked(tmp_path):
            eventually(lambda: api.details(ends)["log"], lambda log: log[-1:] == [NOT_STORED])
            began = time.monotonic()
            assert api.call("POST", api.batches, json={"file": "obs://jobs/job.py"}).status_code == 503
            api.cancel(goes_on)
            assert (api.state(ends), api.state(goes_on)) == ("running", "running")
            assert time.monotonic() - began < 4  # SQLite waits 5 s by default
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
