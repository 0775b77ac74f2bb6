from __future__ import annotations

import io
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, job

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

PROGRAM = [sys.executable, "-m", "pulumi_dli.cli"]


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").out == f"pulumi-dli, version {version('pulumi-dli')}\n"


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("logs", "--help")])
def test_help_is_no_error(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out.split()[:2], ended.err) == (0, ["Usage:", "pulumi-dli"], "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("jbos",), "No such command 'jbos'"),
        (("logs",), "Missing argument 'NAME|ID'"),
        (("-C", "no-such-folder", "jobs"), "Directory 'no-such-folder' does not exist"),
        (("jobs", "--no-such-option"), "No such option"),
    ],
)
def test_a_wrong_command_line_is_refused_with_the_reason(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert problem in ended.err


def test_the_folder_and_the_stack_may_stand_before_or_after_the_command(
    run: Run, pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pulumi.has(job("load", state="success"))
    monkeypatch.chdir(tmp_path)
    shared = ("-C", "pulumi/project", "--stack", "dev")
    assert run(*shared, "jobs").out == run("jobs", *shared).out != ""
    assert set(pulumi.calls()) == {
        f"{command} --show-secrets --non-interactive --color=never --cwd {pulumi.project} --stack dev{end}"
        for command, end in (("stack export", ""), ("config", " --json"))
    }
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        (("jobs",), "no credentials. Set them as for `pulumi up`: "),
        (("show", ID), "no credentials. Set them as for `pulumi up`: "),
        (("logs", "load"), "there is no Pulumi project here, so jobs have no names. Give the id of a job"),
        (("cancel", "load"), "there is no Pulumi project here, so jobs have no names. Give the id of a job"),
        (("--stack", "dev", "jobs"), "there is no Pulumi project in "),
    ],
)
def test_what_is_missing_is_one_line(run: Run, arguments: tuple[str, ...], failure: str) -> None:
    assert run(*arguments).failure.startswith(failure)


@pytest.mark.parametrize("command", [("jobs",), ("show", "load"), ("logs", "load"), ("cancel", "load")])
@pytest.mark.parametrize(
    ("stderr", "failure"),
    [
        ("error: no stack selected", "no stack is selected. Run `pulumi stack select NAME`, or use --stack NAME."),
        ("error: incorrect passphrase", "`pulumi stack export` has failed: incorrect passphrase"),
    ],
)
def test_a_stack_that_cannot_be_read_is_one_line(
    run: Run, pulumi: FakePulumi, command: tuple[str, ...], stderr: str, failure: str
) -> None:
    pulumi.fail(stderr)
    assert run(*command).failure == failure


def test_a_setting_that_cannot_be_used_is_one_line_without_its_value(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load"), requestTimeout="hunter2-hunter2", token="hunter2-hunter2", region="eu-de")
    assert run("show", "load").failure.startswith("dli:requestTimeout: not a duration")


def test_no_secret_is_in_any_line(
    run: Run, pulumi: FakePulumi, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = service.server.credentials
    job_id = submit(service, "load-1", log="the password is hunter2-hunter2", args=["hunter2-hunter2"])
    pulumi.has(
        job("load", job_id, args=["hunter2-hunter2"], redact=["hunter2-hunter2"]),
        endpoint=account.endpoint,
        region=account.region,
        projectId=account.project_id,
        accessKey=account.access_key,
        secretKey=account.secret_key,
    )
    commands = [("jobs",), ("show", "load"), ("logs", "load"), ("show", "laod"), ("cancel", "load", "--yes")]
    for command in commands:
        for ended in (run(*command), run(*command, "--json")):
            assert ended.out or ended.err
            for secret in ("hunter2", account.secret_key):
                assert secret not in ended.out + ended.err


def test_a_reader_that_has_read_enough_is_no_error(service: Service, signed_in: None) -> None:
    job_id = submit(service, log="\n".join(["a line"] * 50_000))
    command = f"{' '.join(PROGRAM)} logs {job_id} --all | head -1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=120)
    assert (ended.stdout, ended.stderr) == ("a line\n", "")


def test_a_terminal_that_does_not_know_a_character_gets_an_escape(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr("sys.stderr", stream)
    assert run("jobs").code == 1
    stream.flush()
    assert b"(OS_\\u2026" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_an_unexpected_error_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_dli.cli.jobs.read_project_jobs", lambda *_, **__: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        run("jobs")
