"""The table of jobs in SQLite. It outlives the process."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.states import LIVE_STATES, BatchState
from pulumi_dli.local.private_files import open_private

CLOSE_TIMEOUT = 5.0
"""The seconds after which `close` gives up."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    owner       TEXT NOT NULL,
    queue       TEXT NOT NULL,
    sc_type     TEXT NOT NULL,
    state       TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    start_time  INTEGER,
    end_time    INTEGER,
    app_id      TEXT NOT NULL,
    attempt     INTEGER,
    log         TEXT NOT NULL,
    request     TEXT NOT NULL,
    req_body    TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, create_time, number);
CREATE INDEX IF NOT EXISTS jobs_by_end ON jobs (end_time);
CREATE INDEX IF NOT EXISTS jobs_by_creation
    ON jobs (create_time, number, queue, name, state, owner, start_time, end_time);
CREATE TABLE IF NOT EXISTS changes (
    job         TEXT NOT NULL,
    time        INTEGER NOT NULL,
    state       TEXT NOT NULL,
    attempt     INTEGER
);
CREATE INDEX IF NOT EXISTS changes_by_job ON changes (job);
CREATE TRIGGER IF NOT EXISTS job_added AFTER INSERT ON jobs BEGIN
    INSERT INTO changes VALUES (NEW.id, NEW.update_time, NEW.state, NEW.attempt);
END;
CREATE TRIGGER IF NOT EXISTS job_changed AFTER UPDATE OF state, attempt ON jobs
WHEN NEW.state IS NOT OLD.state OR NEW.attempt IS NOT OLD.attempt BEGIN
    INSERT INTO changes VALUES (NEW.id, NEW.update_time, NEW.state, NEW.attempt);
END;
CREATE TRIGGER IF NOT EXISTS job_removed AFTER DELETE ON jobs BEGIN
    DELETE FROM changes WHERE job = OLD.id;
END;
"""

ORDERS = {
    "CREATE_TIME_DESC": "create_time DESC, number DESC",
    "CREATE_TIME_ASC": "create_time, number",
    "DURATION_DESC": "COALESCE(end_time, :now) - COALESCE(start_time, end_time, :now) DESC, number DESC",
    "DURATION_ASC": "COALESCE(end_time, :now) - COALESCE(start_time, end_time, :now), number",
}
"""The orders of a list (huaweicloudsdkdli 3.1.219, ListSparkJobsRequest.order), as SQL."""


@dataclass(frozen=True)
class Job:
    """A row. Times are milliseconds since 1970. `start_time` is the start of the first run, `end_time` the end.

    `request` is the body of the create call as JSON. `req_body` is the form in which the service stores it. `attempt`
    counts from 0; it is None until the first start. `log` has the last lines at the time of the last change.
    """

    id: str
    name: str
    owner: str
    queue: str
    sc_type: str
    request: str = field(repr=False)
    req_body: str = field(repr=False)
    state: BatchState
    create_time: int
    update_time: int
    start_time: int | None = None
    end_time: int | None = None
    app_id: str = ""
    attempt: int | None = None
    log: tuple[str, ...] = ()

    @cached_property
    def batch_request(self) -> BatchRequest:
        """The body of the create call, parsed."""
        return BatchRequest.model_validate_json(self.request)

    def duration(self, now: int) -> int:
        """Return how long the job ran, or has run until `now`, in milliseconds. The clock may have been set back."""
        return max((self.end_time or now) - self.start_time, 0) if self.start_time is not None else 0


@dataclass(frozen=True)
class Change:
    """The state and attempt of a job from `time` on (ms since 1970). The attempt is None before the first start."""

    time: int
    state: BatchState
    attempt: int | None


_COLUMNS = tuple(column.name for column in fields(Job))
_NAMES = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO jobs ({_NAMES}) VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608
_values = attrgetter(*_COLUMNS)


@dataclass(frozen=True)
class Selection:
    """The filters, order and page of a list. None means no filter. Times are milliseconds since 1970.

    `name_part` matches anywhere in a name and in any case. No page says whether the service compares whole names, so
    clients must not depend on it.
    """

    queue: str | None = None
    name_part: str | None = None
    id: str | None = None
    state: BatchState | None = None
    owner: str | None = None
    created_from: int | None = None
    created_to: int | None = None
    order: str = "CREATE_TIME_DESC"
    offset: int = 0
    size: int = 100


class JobTable:
    """The table of jobs in one file. Each method is one transaction, or part of `transaction`.

    One thread may call the methods that write (`add`, `update`, `remove`) while another one calls those that read.
    """

    def __init__(self, path: Path) -> None:
        """Open the table, or make it if the file is missing. Raises OSError or sqlite3.Error."""
        os.close(open_private(path, os.O_RDWR))
        self._writer = _connect(path)
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = NORMAL")
        self._writer.executescript(_SCHEMA)
        self._writer.execute("PRAGMA busy_timeout = 0")
        self._is_writing = threading.RLock()
        self._database = _connect(path)  # a connection of its own, which does not wait for a write that hangs
        self._database.execute("PRAGMA busy_timeout = 0")  # waiting for another process would block the event loop

    def close(self) -> None:
        """Close the table. Give up after some seconds if the disk does not answer: the last close writes."""
        closer = threading.Thread(target=self._close, name="local-dli-close", daemon=True)
        closer.start()
        closer.join(CLOSE_TIMEOUT)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Store all that is written within this, or nothing of it if an error is raised."""
        with self._is_writing:
            self._writer.execute("BEGIN IMMEDIATE")
            with self._writer:  # commits, or rolls back
                yield

    def add(self, job: Job) -> None:
        """Add a row. Raises sqlite3.IntegrityError if the id exists already."""
        self._write(_INSERT, [_stored(value) for value in _values(job)])

    def get(self, job_id: str) -> Job | None:
        return next(self._rows("WHERE id = :id", {"id": job_id}), None)

    def update(self, job_id: str, **changes: Any) -> None:
        """Change columns of a row. A missing row is no error."""
        self._write(_update(*changes), [*map(_stored, changes.values()), job_id])

    def live(self) -> list[Job]:
        """Return the jobs that have not ended, the oldest first."""
        states = ", ".join(f"'{state}'" for state in LIVE_STATES)
        return list(self._rows(f"WHERE state IN ({states}) ORDER BY number", {}))

    def select(self, selection: Selection, *, now: int, hidden: Collection[str] = ()) -> tuple[int, list[Job]]:
        """Return the number of rows that match, and one page of them. Rows with an id in `hidden` do not match."""
        conditions, values = _conditions(selection)
        values |= {"now": now, "hidden": json.dumps(list(hidden))}
        if hidden:
            conditions.append("id NOT IN (SELECT value FROM json_each(:hidden))")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"ORDER BY {ORDERS[selection.order]}"
        [(total,)] = self._database.execute(f"SELECT count(*) FROM jobs {where}", values)  # noqa: S608
        # SQLite sorts and skips rows without reading their bodies.
        page = f"SELECT number FROM jobs {where} {order} LIMIT {selection.size} OFFSET {selection.offset}"  # noqa: S608
        return total, list(self._rows(f"WHERE number IN ({page}) {order}", values))

    def changes(self, job_ids: Collection[str]) -> dict[str, list[Change]]:
        """Return the changes of these jobs by their ids, the oldest change first."""
        found: dict[str, list[Change]] = {job_id: [] for job_id in job_ids}
        rows = self._database.execute(
            "SELECT job, time, state, attempt FROM changes "
            "WHERE job IN (SELECT value FROM json_each(?)) ORDER BY rowid",
            (json.dumps(list(job_ids)),),
        )
        for job_id, time, state, attempt in rows:
            found[job_id].append(Change(time, BatchState(state), attempt))
        return found

    def active_between(self, start: int, end: int, limit: int) -> list[Job]:
        """Return the oldest jobs that were admitted at some time between `start` and `end`, at most `limit` of them."""
        return list(
            self._rows(
                "WHERE (end_time IS NULL OR end_time > :start) AND EXISTS "
                "(SELECT 1 FROM changes WHERE job = jobs.id AND attempt = 0 AND time < :end) "
                "ORDER BY number LIMIT :limit",
                {"start": start, "end": end, "limit": limit},
            )
        )

    def ended_before(self, time: int) -> list[str]:
        """Return the ids of the jobs that ended before this time (ms since 1970)."""
        return [row[0] for row in self._database.execute("SELECT id FROM jobs WHERE end_time < ?", (time,))]

    def remove(self, job_ids: Collection[str]) -> None:
        if job_ids:
            listed = json.dumps(list(job_ids))
            self._write("DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))", [listed])

    def _close(self) -> None:
        with self._is_writing:
            self._writer.close()
        self._database.close()

    def _write(self, statement: str, values: list[Any]) -> None:
        with self._is_writing:
            self._writer.execute(statement, values)

    def _rows(self, rest: str, values: dict[str, Any]) -> Iterator[Job]:
        for row in self._database.execute(f"SELECT {_NAMES} FROM jobs {rest}", values):  # noqa: S608  our own names
            columns = dict(zip(_COLUMNS, row, strict=True))
            columns["state"] = BatchState(columns["state"])
            columns["log"] = tuple(json.loads(columns["log"]))
            yield Job(**columns)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


@cache
def _update(*names: str) -> str:
    return f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"  # noqa: S608  our own names


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, tuple) else value


def _conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    """Return the SQL conditions of a selection and their values."""
    offered = (
        ("queue = :queue", "queue", selection.queue),
        ("instr(lower(name), lower(:name)) > 0", "name", selection.name_part),
        ("id = :id", "id", selection.id),
        ("state = :state", "state", selection.state),
        ("owner = :owner", "owner", selection.owner),
        ("create_time >= :created_from", "created_from", selection.created_from),
        ("create_time <= :created_to", "created_to", selection.created_to),
    )
    asked = [(sql, key, value) for sql, key, value in offered if value is not None]
    return [sql for sql, _, _ in asked], {key: value for _, key, value in asked}
