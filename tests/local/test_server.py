import json
import signal
import socket
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from pulumi_dli.local.server import LocalDli, LocalDliError
from tests.local.api import ENDLESS, TIMEOUT, Api, eventually
from tests.local.serving import free_port


def test_it_answers_from_start_to_stop_at_the_address_in_its_credentials(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    with dli:
        assert dli.endpoint.startswith("http://127.0.0.1:")
        assert Api(dli.credentials).sessions() == []
    with pytest.raises(requests.ConnectionError):
        Api(dli.credentials).sessions()


def test_it_has_no_address_before_it_was_started(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = LocalDli(tmp_path).endpoint


def test_one_that_was_stopped_starts_again_with_its_jobs(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    with dli:
        job_id = Api(dli.credentials).submit("success")
        Api(dli.credentials).wait(job_id, "success")
    dli.stop()
    with dli:
        assert Api(dli.credentials).state(job_id) == "success"


def test_it_leaves_no_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with LocalDli(tmp_path, engine="timeline") as dli:
        Api(dli.credentials).submit(ENDLESS)
    assert set(threading.enumerate()) <= before


def test_a_directory_has_one_server_at_a_time(tmp_path: Path) -> None:
    reason = f"another local DLI uses {tmp_path}. Stop it, or give another --data"
    with LocalDli(tmp_path, engine="timeline"), pytest.raises(LocalDliError, match=reason):
        LocalDli(tmp_path, engine="timeline").start()
    with LocalDli(tmp_path, engine="timeline"):
        pass


def test_a_port_that_is_in_use_is_said_and_nothing_stays_locked(tmp_path: Path) -> None:
    port = free_port()
    reason = rf"^cannot use port {port}: .*\. Give another --port, or 0$"
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LocalDliError, match=reason):
        LocalDli(tmp_path, engine="timeline", port=port).start()
    with LocalDli(tmp_path, engine="timeline", port=port) as dli:
        assert dli.endpoint == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_said(tmp_path: Path, port: int) -> None:
    with pytest.raises(LocalDliError, match=f"^cannot use port {port}: it is not from 0 to 65535"):
        LocalDli(tmp_path, engine="timeline", port=port).start()


@pytest.mark.parametrize("in_the_way", ["", "obs", "packages", "jobs", "jobs.sqlite/x", "lock/x"])
def test_a_directory_that_cannot_be_used_is_said_and_nothing_stays_locked(tmp_path: Path, in_the_way: str) -> None:
    data = tmp_path / "data"
    obstacle = data / in_the_way
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    obstacle.touch()
    with pytest.raises(LocalDliError, match=rf"^cannot use the directory {data}: \[Errno"):
        LocalDli(data, engine="timeline").start()
    obstacle.unlink()
    if "/" in in_the_way:
        obstacle.parent.rmdir()
    with LocalDli(data, engine="timeline"):
        pass


def test_a_table_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_text("this is no table" * 100)
    with pytest.raises(LocalDliError, match=r"^cannot use the directory .*: file is not a database"):
        LocalDli(tmp_path, engine="timeline").start()


def test_credentials_that_cannot_be_read_are_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{")
    with pytest.raises(LocalDliError, match=r"credentials\.json cannot be read .*\. Remove it"):
        LocalDli(tmp_path, engine="timeline").start()
    assert (tmp_path / "credentials.json").read_text() == "{"


def test_a_start_that_fails_in_the_servers_thread_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli:
        api = Api(dli.credentials)
        job_id = api.submit(ENDLESS)
        api.wait(job_id, "running")
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as database:
        database.execute("CREATE TRIGGER locked BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'locked'); END")
    before = set(threading.enumerate())
    again = LocalDli(tmp_path, engine="timeline")
    with pytest.raises(LocalDliError, match=r"^the local DLI failed: IntegrityError: locked$"):
        again.start()
    assert set(threading.enumerate()) <= before
    with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as database:
        database.execute("DROP TRIGGER locked")
    with again:
        assert Api(again.credentials).state(job_id) == "dead"


def test_one_that_fails_while_it_runs_says_so_to_who_waits_and_frees_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_counter: int) -> bool:
        raise OSError("the event loop is broken")

    dli = LocalDli(tmp_path, engine="timeline")
    dli.start()
    job_id = Api(dli.credentials).submit(ENDLESS)
    Api(dli.credentials).wait(job_id, "running")
    monkeypatch.setattr(dli._server, "on_tick", fail)
    dli.wait()
    with pytest.raises(LocalDliError, match=r"^the local DLI failed: OSError: the event loop is broken$"):
        dli.stop()
    with dli:
        assert Api(dli.credentials).state(job_id) == "dead"


def test_one_that_is_asked_to_stop_while_it_starts_stops(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    dli.request_stop()
    with dli:
        dli.wait()
    with dli:
        assert Api(dli.credentials).sessions() == []


JOINS = ("_wait_for_tstate_lock", "join")
"""The function in which `Thread.join` blocks, in Python 3.11 and in 3.13."""


def test_a_signal_that_does_not_wake_the_main_thread_stops_it_too(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    earlier = signal.signal(signal.SIGUSR1, lambda _number, _frame: dli.request_stop())
    main = threading.get_ident()

    def send_elsewhere() -> None:
        """Send the signal to another thread when the main thread waits. Python's handler runs in the main thread."""
        eventually(lambda: sys._current_frames()[main].f_code.co_name, lambda name: name in JOINS)
        assert sender.ident is not None
        signal.pthread_kill(sender.ident, signal.SIGUSR1)

    sender = threading.Thread(target=send_elsewhere)
    rescue = threading.Timer(60, dli.request_stop)
    try:
        with dli:
            rescue.start()
            sender.start()
            dli.wait()
            assert rescue.is_alive(), "the signal did not stop it"
    finally:
        rescue.cancel()
        signal.signal(signal.SIGUSR1, earlier)
    sender.join()


def test_buckets_are_directories_that_are_made_when_they_are_asked_for(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path / "data")
    assert dli.bucket("demo") == dli.bucket("demo") == tmp_path / "data" / "obs" / "demo"
    assert dli.bucket("demo").is_dir()


def test_a_call_that_is_still_answered_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    dli = LocalDli(tmp_path, engine="timeline")
    answers = []
    with dli:
        api = Api(dli.credentials)
        dli.faults.set([{"action": "delay", "seconds": 0.2}])
        caller = threading.Thread(target=lambda: answers.append(api.call("GET", api.batches).status_code))
        caller.start()
        eventually(dli.call_counter.as_dict, lambda calls: "GET /batches" in calls)
    caller.join()
    assert answers == [200]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no write count as one that hangs, however slow the machine is."""
    monkeypatch.setattr("pulumi_dli.local.job_changes.HANG_TIMEOUT", TIMEOUT)


@pytest.mark.usefixtures("patient")
def test_two_hundred_clients_at_once_are_all_answered(tmp_path: Path) -> None:
    everybody_is_here = threading.Barrier(200)
    with LocalDli(tmp_path, engine="timeline") as dli, ThreadPoolExecutor(200) as clients:
        api = Api(dli.credentials)

        def run_a_job(number: int) -> tuple[str, str]:
            everybody_is_here.wait()
            job_id = api.submit("running:0s,success", name=f"job-{number}")
            return job_id, api.wait(job_id, "success", "dead")

        jobs = dict(clients.map(run_a_job, range(200)))
        assert set(jobs.values()) == {"success"}
        pages = [api.sessions(**{"from": start}) for start in (0, 100)]
    assert {job["id"] for page in pages for job in page} == jobs.keys()
    assert {job["name"] for page in pages for job in page} == {f"job-{number}" for number in range(200)}


@pytest.mark.usefixtures("patient")
def test_large_bodies_that_come_together_are_all_kept_whole(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline") as dli, ThreadPoolExecutor(4) as clients:
        api = Api(dli.credentials)

        def is_kept(letter: str) -> bool:
            args = [letter * 1000] * 12_000
            job_id = api.submit("success", args=args)
            return bool(json.loads(api.details(job_id)["req_body"])["args"] == args)

        assert list(clients.map(is_kept, "abcd")) == [True] * 4
