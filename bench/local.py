"""The local DLI with many jobs in its table, measured over HTTP: `python -m bench.local`."""

import argparse
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.measure import Row, print_heading
from pulumi_dli.api.states import LIVE_STATES
from pulumi_dli.local.credentials import Credentials

CLIENTS = 200
POLL_INTERVAL = 10.0
"""Seconds between two looks of a client that waits: the default of `dli:pollInterval`."""
PAGE = 100
STARTS = 5


class Client:
    """One connection that stays open, with the account's token."""

    def __init__(self, account: Credentials) -> None:
        address = urlsplit(account.endpoint)
        self._connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
        self._headers = {"X-Auth-Token": account.token}
        self.batches = f"/v2.0/{account.project_id}/batches"

    def call(self, path: str = "", *, body: str | None = None) -> bytes:
        """Ask, or submit a body, at the address of the jobs with this behind it."""
        self._connection.request("POST" if body else "GET", self.batches + path, body, self._headers)
        reply = self._connection.getresponse()
        content = reply.read()
        if reply.status != 200:
            raise SystemExit(f"{path or 'a submission'} was answered with {reply.status}: {content[:500]!r}")
        return content

    def live_jobs(self) -> Iterator[bytes]:
        """Look as a waiting `up` does: at all jobs that have not ended, page by page."""
        for state in LIVE_STATES:
            start, total = 0, 1
            while start < total:
                page = self.call(f"?state={state}&from={start}&size={PAGE}")
                yield page
                start, total = start + PAGE, json.loads(page)["total"]


@dataclass(frozen=True)
class Serving:
    """A process that serves, and the seconds until it was ready."""

    process: psutil.Process
    seconds: float

    @property
    def cpu_milliseconds(self) -> float:
        """The CPU time of the process so far."""
        times = self.process.cpu_times()
        return (times.user + times.system) * 1000


@contextmanager
def serving(data: Path) -> Iterator[Serving]:
    """Run `serve` in a process of its own. It is stopped afterwards."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "pulumi_dli.local", "serve", "--data", str(data), "--engine", "timeline"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None  # noqa: S101
        if not process.stdout.readline().startswith(b"local DLI ready"):
            raise SystemExit("the local DLI did not start")
        yield Serving(psutil.Process(process.pid), time.monotonic() - began)
        process.terminate()


def start_and_stop(data: Path) -> float:
    """Give the seconds until it was ready."""
    with serving(data) as server:
        return server.seconds


def milliseconds(do: Callable[[], object]) -> float:
    """Measure one call."""
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def submit(client: Client, number: int, timeline: str) -> None:
    """Submit a job of an ordinary size."""
    body = {
        "file": "obs://bench/jobs/load.py",
        "name": f"job-{number}",
        "args": [f"obs://bench/in/{number}", "obs://bench/out"],
        "queue": "default",
        "conf": {"spark.dli.local.timeline": timeline, "spark.sql.shuffle.partitions": "64"},
    }
    client.call(body=json.dumps(body))


def wait_together(account: Credentials, stop: Event) -> None:
    """Be all the clients that wait, each of which looks every ten seconds, from some moment on."""

    def wait() -> None:
        client = Client(account)
        pause = random.uniform(0, POLL_INTERVAL)  # noqa: S311
        while not stop.wait(pause):
            for _ in client.live_jobs():
                pass
            pause = POLL_INTERVAL

    threads = [threading.Thread(target=wait) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def medians(client: Client, calls: int, server: Serving) -> Iterator[Row]:
    """Ask the same again and again."""
    newest = json.loads(client.call())
    job, total = newest["sessions"][-1], newest["total"]
    requested = {
        "list page": ("", 10),
        "last list page": (f"?from={max(total - PAGE, 0)}", None),
        "list page of the jobs that run": ("?state=running", None),
        "list page, longest first": ("?order=DURATION_DESC", None),
        "list by a part of the name": ("?job_name=job-77", None),
        "details": (f"/{job['id']}", 10),
        "state": (f"/{job['id']}/state", None),
    }
    for figure, (path, limit) in requested.items():
        began = server.cpu_milliseconds
        times = [milliseconds(partial(client.call, path)) for _ in range(calls)]
        cpu = (server.cpu_milliseconds - began) / calls
        size = len(client.call(path)) / 1000
        how = f"median of {calls} calls in turn, {size:.1f} kB each, CPU of the server {cpu:.3g} ms"
        yield Row(f"{figure}, ms", statistics.median(times), limit, how)


def run(data: Path, jobs: int, calls: int) -> Iterator[Row]:
    """Measure everything."""
    with serving(data) as server:
        client = Client(Credentials.load(data))
        began = time.monotonic()
        for number in range(jobs):
            submit(client, number, "running" if number >= jobs - CLIENTS else "running:0s,success")
        rate, cpu = jobs / (time.monotonic() - began), server.cpu_milliseconds / jobs
        how = f"{jobs} in turn on one connection; most run and end meanwhile; CPU of the server {cpu:.3g} ms each"
        yield Row("submissions per second", rate, None, how)
        yield from medians(client, calls, server)
        spawning = multiprocessing.get_context("spawn")
        stop = spawning.Event()
        waiting = spawning.Process(target=wait_together, args=(Credentials.load(data), stop))
        waiting.start()
        time.sleep(POLL_INTERVAL)
        for row in medians(client, calls, server):
            if row.limit:
                yield Row(f"{CLIENTS} clients wait: {row.figure}", row.value, row.limit, row.how)
        stop.set()
        waiting.join()
    with serving(data) as server:
        yield Row(
            "from start to ready, s",
            server.seconds,
            1,
            f"whole process, {jobs} jobs in the table, {CLIENTS} interrupted",
        )
    starts = [start_and_stop(data) for _ in range(STARTS)]
    how = f"whole process, {jobs} jobs in the table, all ended, median of {STARTS} starts"
    yield Row("from start to ready once more, s", statistics.median(starts), 1, how)


def main() -> int:
    """Run, print the table, give 1 where a bound is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench.local", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000, help="jobs in the table (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=200, help="medians of so many (default: %(default)s)")
    options = parser.parse_args()
    print_heading(f"{options.jobs} jobs in the table, of which {CLIENTS} run")
    held = True
    with tempfile.TemporaryDirectory() as name:
        for row in run(Path(name) / "dli", options.jobs, options.calls):
            print(row, flush=True)
            held = held and row.is_within_limit
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
