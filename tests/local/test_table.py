import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.table import Change, Job, JobTable, Selection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def table(path: Path) -> Iterator[JobTable]:
    opened = JobTable(path)
    yield opened
    opened.close()


def job(job_id: str, state: BatchState = BatchState.STARTING, created: int = 1000) -> Job:
    return Job(
        id=job_id,
        name=f"name of {job_id}",
        owner="owner",
        queue="default",
        sc_type="A",
        request='{"file": "obs://b/a.py"}',
        req_body="{}",
        state=state,
        create_time=created,
        update_time=created,
    )


def test_a_row_is_read_back_as_it_was_written(table: JobTable) -> None:
    written = job("a")
    table.add(written)
    assert table.get("a") == written
    assert table.get("b") is None


@settings(max_examples=50, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    log=st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map(tuple),
    times=st.tuples(*[st.none() | st.integers(0, 2**62)] * 2),
)
def test_any_text_and_time_survives(
    tmp_path_factory: pytest.TempPathFactory, name: str, log: tuple[str, ...], times: tuple[int | None, int | None]
) -> None:
    table = JobTable(tmp_path_factory.mktemp("table") / "jobs.sqlite")
    table.add(job("a"))
    table.update("a", name=name, log=log, start_time=times[0], end_time=times[1])
    found = table.get("a")
    table.close()
    assert found is not None
    assert (found.name, found.log, (found.start_time, found.end_time)) == (name, log, times)


def test_ids_are_not_given_twice(table: JobTable) -> None:
    table.add(job("a"))
    with pytest.raises(sqlite3.IntegrityError):
        table.add(job("a"))


def test_a_change_touches_one_row_and_a_row_that_is_gone_is_left_alone(table: JobTable) -> None:
    table.add(job("a"))
    table.add(job("b"))
    table.update("a", state=BatchState.RUNNING, attempt=0)
    table.update("c", state=BatchState.RUNNING)
    states = {found.id: (found.state, found.attempt) for found in table.live()}
    assert states == {"a": (BatchState.RUNNING, 0), "b": (BatchState.STARTING, None)}


def test_the_live_jobs_come_in_the_order_of_their_submission(table: JobTable) -> None:
    for number, state in enumerate(BatchState):
        table.add(job(f"{9 - number}", state))
    assert [found.id for found in table.live()] == ["9", "8", "7"]


def test_jobs_of_one_millisecond_keep_their_order(table: JobTable) -> None:
    for name in "cab":
        table.add(job(name))
    for order, ids in (("CREATE_TIME_ASC", "cab"), ("CREATE_TIME_DESC", "bac"), ("DURATION_ASC", "cab")):
        _, found = table.select(Selection(order=order), now=5000)
        assert "".join(row.id for row in found) == ids


def test_hidden_jobs_count_as_absent(table: JobTable) -> None:
    for name in "abc":
        table.add(job(name))
    total, found = table.select(Selection(size=1), now=5000, hidden=["c", "x"])
    assert (total, [row.id for row in found]) == (2, ["b"])


def test_only_jobs_that_ended_before_a_time_are_found_and_removed(table: JobTable) -> None:
    for name, end in (("a", 1999), ("b", 2000), ("c", None)):
        table.add(job(name))
        table.update(name, end_time=end)
    assert table.ended_before(2000) == ["a"]
    table.remove(["a"])
    assert [table.get(name) is None for name in "abc"] == [True, False, False]


@pytest.mark.parametrize(
    ("start", "end", "duration"), [(None, None, 0), (None, 3000, 0), (1000, None, 4000), (1000, 3000, 2000)]
)
def test_a_job_has_lasted_from_its_first_run_to_its_end_or_until_now(
    table: JobTable, start: int | None, end: int | None, duration: int
) -> None:
    table.add(job("a"))
    table.update("a", start_time=start, end_time=end)
    found = table.get("a")
    assert found is not None
    assert found.duration(5000) == duration


def test_the_table_is_there_when_it_is_opened_again(path: Path) -> None:
    for name in "ab":
        table = JobTable(path)
        table.add(job(name))
        table.close()
    table = JobTable(path)
    assert [found.id for found in table.live()] == ["a", "b"]
    table.close()


def test_only_its_owner_reads_the_table(table: JobTable, path: Path) -> None:
    table.add(job("a"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes.pop("jobs.sqlite") == 0o600
    assert set(modes.values()) <= {0o600}  # the files that sqlite keeps beside it


def test_a_job_does_not_show_its_request_by_accident() -> None:
    assert "obs://" not in repr(job("a"))


def test_a_file_that_is_no_table_is_refused(path: Path) -> None:
    path.write_bytes(b"this is no table" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        JobTable(path)
    assert path.read_bytes() == b"this is no table" * 100


def test_a_transaction_is_stored_as_a_whole_or_not_at_all(table: JobTable) -> None:
    with table.transaction():
        table.add(job("a"))
        table.add(job("b"))
        assert table.get("a") is None
    with pytest.raises(sqlite3.IntegrityError), table.transaction():
        table.update("a", app_id="app")
        table.add(job("b"))
    assert (table.get("a"), table.get("b")) == (job("a"), job("b"))


def test_what_happened_to_a_job_is_kept_until_its_row_is_removed(table: JobTable) -> None:
    table.add(job("a", created=1000))
    table.add(job("b", created=2000))
    table.update("a", attempt=0, update_time=3000)
    table.update("a", state=BatchState.RUNNING, update_time=4000)
    table.update("a", state=BatchState.RUNNING, app_id="app", update_time=5000)
    table.update("a", state=BatchState.DEAD, update_time=6000, end_time=6000)
    assert table.changes(["a", "b", "c"]) == {
        "a": [
            Change(1000, BatchState.STARTING, None),
            Change(3000, BatchState.STARTING, 0),
            Change(4000, BatchState.RUNNING, 0),
            Change(6000, BatchState.DEAD, 0),
        ],
        "b": [Change(2000, BatchState.STARTING, None)],
        "c": [],
    }
    table.remove(["a"])
    assert [len(changes) for changes in table.changes(["a", "b"]).values()] == [0, 1]


def test_the_jobs_that_were_active_between_two_times_are_found(table: JobTable) -> None:
    for name, started, ended in (("a", 2000, 3000), ("b", 2000, None), ("c", 4000, None), ("d", None, None)):
        table.add(job(name))
        if started:
            table.update(name, attempt=0, update_time=started)
        table.update(name, end_time=ended)
    found = {
        times: "".join(row.id for row in table.active_between(*times, limit=9))
        for times in ((2500, 4500), (3000, 4000), (0, 2000))
    }
    assert found == {(2500, 4500): "abc", (3000, 4000): "b", (0, 2000): ""}
    assert [row.id for row in table.active_between(2500, 4500, limit=2)] == ["a", "b"]
