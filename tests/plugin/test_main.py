"""The executable `pulumi-resource-dli`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2_grpc

from pulumi_dli.plugin.__main__ import main
from tests.project import clean_environment

COMMAND = [sys.executable, "-m", "pulumi_dli.plugin"]


@pytest.fixture
def process() -> Iterator["subprocess.Popen[str]"]:
    command = [*COMMAND, "-v=9", "127.0.0.1:1"]
    with subprocess.Popen(command, env=clean_environment({}), stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def port_of(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals to another process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_port_serves_and_ends_with_a_signal(
    process: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        assert stub.GetPluginInfo(empty_pb2.Empty(), timeout=30).version == version("pulumi-dli")
    process.send_signal(number)
    assert process.wait(30) == 0
    assert process.stdout is not None
    assert process.stdout.read() == "", "the engine reads the port only"


def test_it_ends_when_the_process_that_has_started_it_is_killed() -> None:
    starter = f"import subprocess, sys, time\nsubprocess.Popen({COMMAND!r})\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as parent:
        port_of(parent)
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
        child.wait(30)
    assert not child.is_running()


def test_it_ends_if_the_engine_has_ended_before_it_reads_the_port() -> None:
    starter = f"import os, subprocess\nsubprocess.Popen({COMMAND!r}, stdout=subprocess.PIPE)\nos._exit(0)"
    # The provider has the same standard error, so this returns when the provider has ended.
    started = subprocess.run([sys.executable, "-c", starter], stderr=subprocess.PIPE, text=True, check=True, timeout=60)
    assert started.stderr == ""


def test_it_tells_its_version_and_how_it_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--version"])
    assert capsys.readouterr().out == f"{version('pulumi-dli')}\n"
    main(["--help"])
    assert "pulumi plugin install resource dli VERSION --file venv/bin/pulumi-resource-dli" in capsys.readouterr().out


def test_the_schema_needs_no_operations() -> None:
    code = "import sys, pulumi_dli.plugin.servicer; print([m for m in sys.modules if m.startswith('pulumi_dli.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "operations" not in found
    assert "requests" not in found
