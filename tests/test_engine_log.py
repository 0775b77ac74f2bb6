"""The log service of the engine, as the provider uses it: a real one over gRPC, a dead one, and none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from pulumi_dli.engine_log import EngineLog, StderrLog, ancestor_command_lines, may_show_debug
from pulumi_dli.operations.notifier import Level
from tests.engine import NewHost, ProviderProcess
from tests.grpc_server import serving
from tests.project import variables_of

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

URN = "urn:pulumi:dev::jobs::pulumi-python:dynamic/dli:BatchJob::load"
JOB = {"resourceName": "load", "scope": "0a1b2c3d", "file": "load.py", "queue": "default"}
NO_EFFECT = "max_retry_times has no effect"

Logged = tuple[str, str, str]
"""Level, URN and text of a message."""


@dataclass
class Engine(engine_pb2_grpc.EngineServicer):
    """Records what is logged. `before_reply` runs in each call."""

    logged: list[Logged] = field(default_factory=list)
    before_reply: Callable[[], object] = lambda: None
    address: str = ""

    def Log(self, request: Any, _context: Any) -> empty_pb2.Empty:  # noqa: N802  the name is gRPC's
        self.logged.append((engine_pb2.LogSeverity.Name(request.severity), request.urn, request.message))
        self.before_reply()
        return empty_pb2.Empty()


@contextmanager
def running(engine: Engine) -> Iterator[grpc.Server]:
    with serving(engine, engine_pb2_grpc.add_EngineServicer_to_server, threads=4) as server:
        yield server


@pytest.fixture
def engine() -> Iterator[Engine]:
    recorder = Engine()
    with running(recorder):
        yield recorder


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_message_about_the_job_of_the_call_stands_on_its_row(engine: Engine) -> None:
    log = EngineLog(engine.address, lambda: URN)
    for level in Level:
        log.notify(level, "load", f"a {level.value}")
    assert engine.logged == [
        ("DEBUG", URN, "load: a debug"),
        ("INFO", URN, "load: a info"),
        ("WARNING", URN, "load: a warning"),
    ]


@pytest.mark.parametrize(("urn", "resource"), [("", "load"), (URN, "dli"), (URN, "extract"), (URN, "oad")])
def test_any_other_message_stands_on_the_row_of_the_stack(engine: Engine, urn: str, resource: str) -> None:
    EngineLog(engine.address, lambda: urn).notify(Level.WARNING, resource, "look out")
    assert engine.logged == [("WARNING", "", f"{resource}: look out")]


def test_nothing_is_written_that_the_engine_has_got(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    EngineLog(engine.address, lambda: URN).notify(Level.INFO, "load", "once")
    assert capfd.readouterr().err == ""


def test_many_threads_share_a_log(engine: Engine) -> None:
    log = EngineLog(engine.address, lambda: URN)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: log.notify(Level.INFO, "load", str(number)), range(50)))
    assert sorted(int(text.removeprefix("load: ")) for _, _, text in engine.logged) == list(range(50))


def test_a_text_that_is_no_unicode_is_shown_all_the_same(engine: Engine) -> None:
    EngineLog(engine.address, lambda: URN).notify(Level.INFO, "load", "a\ud800b")
    assert engine.logged == [("INFO", URN, "load: a\\ud800b")]


def test_a_proxy_of_the_environment_is_not_asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, f"http://{free_address()}")
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    EngineLog(engine.address, lambda: URN).notify(Level.INFO, "load", "once")
    assert len(engine.logged) == 1


def test_a_dead_engine_loses_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    log = EngineLog(free_address(), lambda: URN)
    log.notify(Level.WARNING, "load", "one")
    log.notify(Level.INFO, "load", "two")
    assert capsys.readouterr().err == "load: one\nload: two\n"


def test_an_engine_that_does_not_answer_is_waited_for_once(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    log, ends = EngineLog(engine.address, lambda: URN, timeout=0.5), threading.Event()
    engine.before_reply = ends.wait
    for number in range(20):
        log.notify(Level.INFO, "load", str(number))
    ends.set()
    assert [text for _, _, text in engine.logged] in ([], ["load: 0"])  # a slow engine has not even read the first
    assert capsys.readouterr().err.splitlines() == [f"load: {number}" for number in range(20)]


def test_an_engine_that_ends_meanwhile_loses_no_message(capsys: pytest.CaptureFixture[str]) -> None:
    engine, has_ended = Engine(), threading.Event()
    with running(engine) as server:
        log = EngineLog(engine.address, lambda: URN)
        log.notify(Level.INFO, "load", "one")

        def end() -> None:
            server.stop(None)
            has_ended.wait()  # the end reaches the caller before the reply

        engine.before_reply = end
        log.notify(Level.INFO, "load", "two")
        has_ended.set()
    log.notify(Level.INFO, "load", "three")
    assert [text for _, _, text in engine.logged] == ["load: one", "load: two"]
    assert capsys.readouterr().err == "load: two\nload: three\n"


def test_a_closed_standard_error_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = socket.socketpair()
    broken = writer.makefile("w")
    monkeypatch.setattr("sys.stderr", broken)
    reader.close()
    StderrLog().notify(Level.INFO, "load", "to nobody")
    writer.close()
    with suppress(OSError):
        broken.close()
    StderrLog().notify(Level.INFO, "load", "to nobody")


def test_standard_error_gets_no_debug_message(capsys: pytest.CaptureFixture[str]) -> None:
    for level in Level:
        StderrLog().notify(level, "load", f"a {level.value}")
    assert capsys.readouterr().err == "load: a info\nload: a warning\n"


# The host, which gets the address and the requests


@pytest.mark.parametrize("urn", [URN, ""])
def test_the_host_logs_for_the_resource_of_the_request(service: Service, engine: Engine, urn: str) -> None:
    with ProviderProcess(variables_of(service), start=lambda known: NewHost(known, engine.address)) as provider:
        for _ in range(2):
            provider.jobs.check({**JOB, "maxRetryTimes": 3}, urn=urn)
        written = provider.kill()
    (logged,) = [one for one in engine.logged if NO_EFFECT in one[2]]
    assert logged[1] == urn
    assert logged[2].startswith(f"load: {NO_EFFECT}")
    assert written == []


@pytest.mark.parametrize("address", [None, "no address"])
def test_a_host_without_an_engine_writes_to_standard_error(service: Service, address: str | None) -> None:
    start: Callable[..., NewHost] = lambda known: NewHost(known, address or free_address())  # noqa: E731
    with ProviderProcess(variables_of(service), start=start) as provider:
        provider.jobs.check({**JOB, "maxRetryTimes": 3}, urn=URN)
        (line,) = provider.kill()
    assert line.startswith(f"load: {NO_EFFECT}")


@pytest.mark.parametrize(
    ("command_lines", "environment", "shown"),
    [
        ([["sh", "host"], ["/opt/pulumi/bin/pulumi", "up", "--yes"]], {}, False),
        ([["pulumi", "up", "--debug"]], {}, True),
        ([["pulumi", "up", "--debug=true"]], {}, True),
        ([["pulumi", "up", "-yd"]], {}, True),
        ([["pulumi", "up"]], {"PULUMI_OPTION_DEBUG": "true"}, True),
        ([["pulumi", "up"], ["pulumi", "up", "--debug"]], {}, False),
        ([["sh", "--debug"], [], ["pulumi", "destroy"]], {}, False),
        ([["sh", "host"]], {}, True),
        ([], {}, True),
    ],
)
def test_debug_messages_may_be_shown_if_pulumi_was_asked_for_them_or_is_not_found(
    command_lines: list[list[str]], environment: dict[str, str], *, shown: bool
) -> None:
    assert may_show_debug(command_lines, environment) is shown


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_the_ancestors_of_a_process_are_found() -> None:
    found = [list(command_line) for command_line in ancestor_command_lines()]
    assert found[0] == psutil.Process().parent().cmdline()


def test_no_debug_message_is_sent_that_the_engine_would_drop(engine: Engine) -> None:
    log = EngineLog(engine.address, lambda: URN, shows_debug=False)
    log.notify(Level.DEBUG, "load", "unseen")
    log.notify(Level.INFO, "load", "seen")
    assert engine.logged == [("INFO", URN, "load: seen")]
