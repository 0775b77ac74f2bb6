"""kill -9 in the midst of whatever the service does: what it has acknowledged is there when it starts again."""

import json
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any

import pytest
import requests

from pulumi_dli.local.credentials import Credentials
from tests.local.api import ENDLESS, Api
from tests.local.serving import serving

CLIENTS = 8
OPTIONS = ("--slots", "4", "--queue", "small:16")
TIMELINES = ("success", "running:0s,success", "running:0s,dead", "starting:0s,running:10ms,success", ENDLESS)
FINAL = ("success", "dead")
LOG = {"spark.dli.local.log": "ran"}


@dataclass
class Clients:
    """What all clients together have sent, and what was acknowledged."""

    sent: set[str] = field(default_factory=set)
    accepted: dict[str, str] = field(default_factory=dict)
    """By id the name."""
    cancelled: set[str] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def work_until_it_is_killed(self, process: subprocess.Popen[str], api: Api, random: Random) -> None:
        """Submit and cancel side by side; kill the server as soon as so many calls were acknowledged."""
        fuse = random.randint(1, 80)

        def acknowledge() -> None:
            nonlocal fuse
            fuse -= 1
            if not fuse:
                process.kill()

        def work(choices: Random) -> None:
            while True:
                name = f"job-{choices.getrandbits(64):x}"
                body = {"queue": choices.choice(["default", "small"]), "auto_recovery": choices.random() < 0.2}
                with self.lock:
                    self.sent.add(name)
                try:
                    job_id = api.submit(
                        choices.choice(TIMELINES), LOG, name=name, args=[name], minRecoveryDelayTime=0, **body
                    )
                    with self.lock:
                        self.accepted[job_id] = name
                        acknowledge()
                    if choices.random() < 0.5 and api.call("DELETE", f"{api.batches}/{job_id}").ok:
                        with self.lock:
                            self.cancelled.add(job_id)
                            acknowledge()
                except requests.RequestException:
                    return

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(work, [Random(random.random()) for _ in range(CLIENTS)]))
        assert process.wait(60) == -9


def everything(api: Api) -> list[dict[str, Any]]:
    """Give all jobs, page by page."""
    total = api.ask("GET", api.batches)["total"]
    pages = [api.sessions(order="CREATE_TIME_ASC", **{"from": start}) for start in range(0, total, 100)]
    return [job for page in pages for job in page]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_whenever_it_is_killed_what_was_acknowledged_is_there_once_and_in_a_legal_state(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    clients = Clients()
    ended: dict[str, dict[str, Any]] = {}
    for _ in range(3):
        with serving(tmp_path, *OPTIONS) as (process, _):
            clients.work_until_it_is_killed(process, Api(Credentials.load(tmp_path)), random)
        with serving(tmp_path, *OPTIONS):
            api = Api(Credentials.load(tmp_path))
            jobs = everything(api)
            with closing(sqlite3.connect(tmp_path / "jobs.sqlite")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert {job["id"]: job["name"] for job in jobs}.items() >= clients.accepted.items()
            assert {job["name"] for job in jobs} <= clients.sent
            assert len({job["name"] for job in jobs}) == len({job["id"] for job in jobs}) == len(jobs)
            for job in jobs:
                assert json.loads(job["req_body"])["args"] == [job["name"]]
                assert job["state"] in FINAL or job["id"] not in clients.cancelled
                assert api.lines(job["id"], index=0).count("ran") <= 1
            now_ended = {job["id"]: job for job in jobs if job["state"] in FINAL}
            assert now_ended.items() >= ended.items()
            ended = now_ended
