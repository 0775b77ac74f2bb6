"""Spark's History Server behind the page: for who is signed in, started on demand, and gone with the server."""

import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import psutil
import pytest

from pulumi_dli.local.engines.history_server import HistoryServer, application_of, keeps_event_log
from pulumi_dli.local.engines.spark_ui import SparkUi
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, eventually
from tests.local.serving import USABLE_BY_SPARK
from tests.local.test_page import Browser, link_named, text_of
from tests.local.test_spark_ui import answers

SUM = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.range(10).selectExpr("sum(id)").collect()
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("name", "application"),
    [
        ("local-1700000000000", "local-1700000000000"),
        ("local-1700000000000.zstd.inprogress", "local-1700000000000"),
        ("app-20240101000000-0000.lz4", "app-20240101000000-0000"),
    ],
)
def test_the_name_of_an_event_log_tells_its_application(name: str, application: str) -> None:
    assert application_of(Path("x", name)) == application


@pytest.mark.parametrize(("conf", "keeps"), [({}, True), ({"spark.eventLog.enabled": " False "}, False)])
def test_a_job_that_switches_its_event_log_off_keeps_none(conf: dict[str, str], keeps: bool) -> None:
    assert keeps_event_log(conf) is keeps


def fake_spark(home: Path, script: str) -> Path:
    """Make a Spark whose History Server is a shell script."""
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "spark-class"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    return home


def test_a_server_that_does_not_start_is_an_error_with_the_place_of_its_log(tmp_path: Path) -> None:
    home = fake_spark(tmp_path / "spark", "echo no memory; exit 3")
    server = HistoryServer(home, tmp_path / "history", dict(os.environ))
    with pytest.raises(OSError, match=f"see {tmp_path}/history/server.log"):
        server.get(tmp_path / "events" / "local-1", "/base", "/")
    assert (tmp_path / "history" / "server.log").read_text() == "no memory\n"
    server.close()


def test_none_starts_after_the_close(tmp_path: Path) -> None:
    server = HistoryServer(fake_spark(tmp_path, "exit 3"), tmp_path / "history", {})
    server.close()
    with pytest.raises(OSError, match="the local DLI stops"):
        server.get(tmp_path / "local-1", "/base", "/")
    assert not (tmp_path / "history").exists()


def test_a_process_ends_with_the_one_that_started_it_even_if_that_is_killed(tmp_path: Path) -> None:
    home = fake_spark(tmp_path / "spark", f"echo $$ >{tmp_path}/pid; exec sleep 3600")
    code = f"""if True:
        import os
        from pathlib import Path
        from pulumi_dli.local.engines.history_server import HistoryServer
        server = HistoryServer(Path({str(home)!r}), Path({str(tmp_path / "history")!r}), dict(os.environ))
        server.get(Path("local-1"), "/base", "/")
    """
    starter = subprocess.Popen([sys.executable, "-c", code])
    pid = int(eventually(lambda: (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else "", bool))
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    eventually(lambda: psutil.pid_exists(pid), lambda exists: not exists)


@pytest.fixture(scope="module")
def dli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDli]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        with LocalDli(tmp_path_factory.mktemp("dli") / USABLE_BY_SPARK, master="local[2]", slots=1) as running:
            (running.bucket("demo") / "sum.py").write_text(SUM)
            yield running


@pytest.fixture
def browser(dli: LocalDli) -> Browser:
    browser = Browser(dli)
    browser.open(dli.sign_in_link())
    return browser


def servers(data: Path) -> list[psutil.Process]:
    """Find the History Servers of a data directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "java" and str(data / "history") in " ".join(process.cmdline()):
                found.append(process)
    return found


@pytest.mark.slow
def test_what_has_ended_is_shown_behind_the_page_to_nobody_else(
    dli: LocalDli, browser: Browser, tmp_path: Path
) -> None:
    api = Api(dli.credentials)
    retried = {"auto_recovery": True, "maxRetryTimes": 1, "minRecoveryDelayTime": 60}
    job_id = str(api.create(file="obs://demo/sum.py", args=["1"], **retried)["id"])
    off = str(api.create(file="obs://demo/sum.py", args=["0"], conf={"spark.eventLog.enabled": "false"})["id"])
    assert (api.wait(job_id, "dead", "success"), api.wait(off, "dead", "success")) == ("dead", "success")
    assert servers(dli.data) == []

    page = browser.page(f"/jobs/{job_id}")
    first, second = (f"{link_named(page, f'Spark UI of attempt {number}')}" for number in (1, 2))
    assert "Spark UI" not in browser.text(f"/jobs/{off}")
    reply = browser.ask("GET", f"/jobs/{off}/spark/")
    assert (reply.status_code, "switches the UI or the event log off" in text_of(reply.text)) == (404, True)
    assert browser.ask("GET", f"/jobs/{job_id}/spark/stages/").headers["Location"] == second

    for base in (second, first):
        place = browser.ask("GET", base).headers["Location"]
        assert re.fullmatch(rf"{base}history/local-\d+/jobs/", place)
        while (reply := browser.ask("GET", place)).status_code == 302:  # it loads the application meanwhile
            place = reply.headers["Location"]
        assert "Completed Jobs" in reply.text
        addresses = set(re.findall(r'(?:href|src)="(/[^"]*)"', reply.text))
        assert {address for address in addresses if not address.startswith(base)} == set()
        files = [address for address in addresses if re.search(r"\.(css|js|png)$", address)]
        assert {browser.ask("GET", file).status_code for file in files} == {200}
        [application] = browser.ask("GET", f"{base}api/v1/applications/{place.split('/')[-3]}").json()["attempts"]
        assert application["completed"] is True

    [java] = servers(dli.data)
    listening = [found.laddr for found in java.net_connections("tcp") if found.status == psutil.CONN_LISTEN]
    assert {re.sub("^::ffff:", "", address.ip) for address in listening} == {"127.0.0.1"}
    SparkUi(tmp_path)  # makes a certificate that looks just like the server's
    stranger = ssl.create_default_context()
    stranger.load_cert_chain(tmp_path / "ui.pem")
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE
    for address in listening:
        assert not answers(HTTPConnection("127.0.0.1", address.port, timeout=10), "/")
        assert not answers(HTTPSConnection("127.0.0.1", address.port, timeout=10, context=stranger), "/")
    for path in (first, f"{second}api/v1/applications"):
        assert Browser(dli).ask("GET", path).status_code == 401

    java.kill()  # the next request starts another one
    java.wait(60)
    assert browser.ask("GET", first).status_code == 302
    assert [one.pid for one in servers(dli.data)] != [java.pid]


@pytest.mark.slow
def test_it_ends_when_nobody_asks_and_with_the_local_dli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_dli.local.engines.history_server.HistoryServer.__init__.__defaults__", (0.1,))
    with LocalDli(tmp_path, master="local[1]") as dli:
        (dli.bucket("demo") / "sum.py").write_text(SUM)
        api = Api(dli.credentials)
        job_id = str(api.create(file="obs://demo/sum.py", args=["0"])["id"])
        api.wait(job_id, "success", "dead")
        browser = Browser(dli)
        browser.open(dli.sign_in_link())
        history = link_named(browser.page(f"/jobs/{job_id}"), "Spark UI")
        assert browser.ask("GET", history).status_code in (302, 502)
        eventually(lambda: servers(tmp_path), lambda found: not found)
    assert servers(tmp_path) == []
