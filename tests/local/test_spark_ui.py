"""The Spark UI of a job: for who is signed in to the page, and for nobody else on this machine."""

import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from pulumi_dli.local.engines import spark_ui
from pulumi_dli.local.engines.spark_ui import SparkUi, location_behind
from pulumi_dli.local.private_files import make_private_dir
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, eventually
from tests.local.test_page import Browser

ELSEWHERE = {"spark.ui.proxyBase": "/elsewhere"}
"""Would lead the links of the UI away from the page, if it counted."""
AT_WORK = """
import sys, time
from pyspark.sql import SparkSession

spark = SparkSession.builder.config("spark.ui.enabled", sys.argv[1]).getOrCreate()
spark.range(10).selectExpr("sum(id)").collect()
spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
print("asleep from now on")
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def dli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDli]:
    """A local DLI with real Spark, and Java's quick compiler alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        with LocalDli(tmp_path_factory.mktemp("dli"), master="local[2]", slots=2) as running:
            (running.bucket("demo") / "at work.py").write_text(AT_WORK)
            yield running


@pytest.fixture(scope="module")
def api(dli: LocalDli) -> Api:
    return Api(dli.credentials)


@pytest.fixture
def browser(dli: LocalDli) -> Browser:
    browser = Browser(dli)
    browser.open(dli.sign_in_link())
    return browser


def start(api: Api, *, ui: str = "true") -> str:
    """Start a job, and wait until it has done all but sleep, and runs: then its UI has been found, if it has one."""
    job_id = str(api.create(file="obs://demo/at work.py", args=[ui], driverMemory="512M", conf=ELSEWHERE)["id"])
    eventually(lambda: api.lines(job_id, type="driver", size=1000), lambda lines: "asleep from now on" in lines)
    api.wait(job_id, "running")
    return job_id


@pytest.fixture(scope="module")
def job_id(api: Api) -> str:
    return start(api)


@pytest.mark.slow
def test_who_is_signed_in_sees_it_behind_the_page_of_the_job(browser: Browser, job_id: str) -> None:
    base = f"{browser.home}/jobs/{job_id}/spark"
    assert f'href="{base}/"' in browser.page(f"/jobs/{job_id}")
    reply = browser.ask("GET", f"{base}/")
    assert (reply.status_code, reply.headers["Location"]) == (302, f"{base}/jobs/")
    shown = browser.page(f"{base}/jobs/")
    assert "Completed Jobs" in shown
    assert "collect at" in shown
    addresses = re.findall(r'(?:href|src)="(/[^"]*)"', shown)
    assert {address for address in addresses if not address.startswith(f"{base}/")} == set()
    files = [address for address in addresses if re.search(r"\.(css|js|png)$", address)]
    assert len(files) > 10
    assert {browser.ask("GET", file).status_code for file in files} == {200}
    assert "DAG Visualization" in browser.page(f"{base}/stages/stage/?id=0&attempt=0")
    assert browser.ask("GET", f"{base}/api/v1/applications").json()[0]["attempts"][0]["completed"] is False


def test_its_pages_hold_no_secret_of_its_own(browser: Browser, dli: LocalDli, job_id: str) -> None:
    properties = (dli.data / "jobs" / job_id / "run-0" / "spark.properties").read_text()
    [password] = set(re.findall(r"Password=(.*)", properties))
    shown = browser.page(f"/jobs/{job_id}/spark/environment/")
    assert "spark.ssl.ui.keyStorePassword" in shown
    assert re.sub(r"\\u(....)", lambda unit: chr(int(unit[1], 16)), password) not in shown
    headers = browser.ask("GET", f"/jobs/{job_id}/spark/jobs/").headers
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


def test_who_is_not_signed_in_does_not_see_it(dli: LocalDli, browser: Browser, job_id: str) -> None:
    for path in ("", "/", "/jobs/", "/api/v1/applications", "/static/webui.js"):
        for home in ("", browser.home):
            assert Browser(dli).ask("GET", f"{home}/jobs/{job_id}/spark{path}").status_code == 401


def test_nobody_else_on_this_machine_sees_it_at_any_port_of_the_driver(tmp_path: Path, job_id: str) -> None:
    [driver] = drivers(job_id)
    listening = [found.laddr for found in driver.net_connections("tcp") if found.status == psutil.CONN_LISTEN]
    assert len(listening) >= 4  # the two of the UI, Spark's own, and Python's way in
    assert {re.sub("^::ffff:", "", address.ip) for address in listening} == {"127.0.0.1"}

    SparkUi(tmp_path)  # makes a certificate that looks just like the job's
    anonymous, stranger = ssl.create_default_context(), ssl.create_default_context()
    stranger.load_cert_chain(tmp_path / "ui.pem")
    for context in (anonymous, stranger):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for address in listening:
        for path in ("/", "/jobs/", f"/jobs/{job_id}/spark/jobs/", "/api/v1/applications", "/static/webui.js"):
            assert not answers(HTTPConnection("127.0.0.1", address.port, timeout=10), path)
            for context in (anonymous, stranger):
                assert not answers(HTTPSConnection("127.0.0.1", address.port, timeout=10, context=context), path)


def drivers(job_id: str) -> Iterator[psutil.Process]:
    """Find Java with this job's id; a process may end while it is asked."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == "java" and process.environ().get("PULUMI_DLI_LOCAL_JOB") == job_id:
                yield process


def answers(connection: HTTPConnection, path: str) -> bool:
    """See whether there is an answer other than one that leads to the port with TLS."""
    try:
        connection.request("GET", path)
        return connection.getresponse().status != 302
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@pytest.mark.slow
def test_it_leads_to_the_history_when_the_job_has_ended(browser: Browser, api: Api) -> None:
    job_id = start(api)
    assert browser.ask("GET", f"/jobs/{job_id}/spark/jobs/").status_code == 200
    api.cancel(job_id)
    api.wait(job_id, "dead")
    reply = browser.ask("GET", f"/jobs/{job_id}/spark/jobs/")
    assert (reply.status_code, reply.headers["Location"]) == (302, f"{browser.home}/jobs/{job_id}/attempts/1/spark/")


@pytest.mark.slow
def test_a_job_that_switches_it_off_runs_without(browser: Browser, api: Api) -> None:
    job_id = start(api, ui="false")
    assert api.state(job_id) == "running"
    assert "Spark UI" not in browser.text(f"/jobs/{job_id}")
    api.cancel(job_id)


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def server_after(port: int) -> HTTPServer:
    """Take the first free port after this one."""
    for later in range(port + 1, port + 17):
        with suppress(OSError):
            return HTTPServer(("127.0.0.1", later), Greeter)
    raise AssertionError(f"no port is free after {port}")


@contextmanager
def served(server: HTTPServer) -> Iterator[None]:
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def server_near(port: int, certificate: Path) -> Iterator[ssl.SSLContext]:
    """Answer with TLS at the first free port after this one; give what the next connection is answered with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = server_after(port)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with served(server):
        yield context


def test_it_is_found_at_a_later_port_where_its_own_is_taken(tmp_path: Path) -> None:
    ui = SparkUi(tmp_path)
    with server_near(port_of(ui), tmp_path / "ui.pem"):
        assert ui.find(os.getpid())
        assert ui.get("/a?b=c", "").body == b"/a?b=c"
    with pytest.raises(OSError, match="refused"):
        ui.get("/", "")


def port_of(ui: SparkUi) -> int:
    return int(ui.properties()["spark.ssl.ui.port"])


def test_what_else_the_driver_offers_near_its_port_is_not_taken_for_it(tmp_path: Path) -> None:
    ui = SparkUi(tmp_path)
    with served(other := server_after(port_of(ui))):
        assert not ui.find(os.getpid())
        with server_near(other.server_port, tmp_path / "ui.pem"):
            assert ui.find(os.getpid())
            assert ui.get("/a?b=c", "").body == b"/a?b=c"


def test_what_says_nothing_near_its_port_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_ui, "_TIMEOUT", 0.01)
    ui = SparkUi(tmp_path)
    with server_after(port_of(ui)):  # listens, and accepts nobody
        assert not ui.find(os.getpid())


def test_who_answers_with_another_certificate_is_told_nothing(tmp_path: Path) -> None:
    ui = SparkUi(make_private_dir(tmp_path / "its"))
    SparkUi(make_private_dir(tmp_path / "other"))
    with server_near(port_of(ui), tmp_path / "its" / "ui.pem") as answers_with:
        assert ui.find(os.getpid())
        answers_with.load_cert_chain(tmp_path / "other" / "ui.pem")
        with pytest.raises(OSError, match="certificate verify failed"):
            ui.get("/", "")
        assert not ui.find(os.getpid())


def test_a_driver_that_has_ended_has_none(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert not SparkUi(tmp_path).find(process.pid)


@pytest.mark.parametrize(
    ("location", "behind"),
    [
        ("https://127.0.0.1:4040/jobs/", "/jobs/ID/spark/jobs/"),
        ("https://127.0.0.1:4040/jobs/ID/spark/stages/?a=b", "/jobs/ID/spark/stages/?a=b"),
        ("/jobs/ID/spark", "/jobs/ID/spark"),
        ("/jobs/ID/sparkling", "/jobs/ID/spark/jobs/ID/sparkling"),
        ("stages/", "stages/"),
    ],
)
def test_a_redirect_stays_behind_the_page(location: str, behind: str) -> None:
    assert location_behind("/jobs/ID/spark", location) == behind
