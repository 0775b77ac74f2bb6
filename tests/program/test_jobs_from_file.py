"""Jobs from a file: what differs from jobs in the stack's configuration (`test_jobs_from_config`)."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import rpc

import pulumi_dli as dli
from tests.project import Project
from tests.registrations import JOB_TYPE, WAIT_TYPE, Registrations, run

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def declared(text: str, configuration: dict[str, str] | None = None) -> Registrations:
    Path("jobs.yaml").write_text(dedent(text), encoding="utf-8")
    sent, _ = run(
        lambda: {name: job.id for name, job in dli.jobs_from_file("jobs.yaml").items()},
        configuration=configuration,
        secret_keys=[*(configuration or {})],
    )
    return sent


def refusal(text: str) -> str:
    with pytest.raises(pulumi.RunError) as raised:
        declared(text)
    return str(raised.value)


def test_scalars_are_what_is_written_and_have_the_types_of_the_arguments() -> None:
    sent = declared(
        """
        jobDefaults: {queue: batch, numExecutors: 3, conf: {spark.a: 3.10, spark.b: no}}
        jobs:
          load:
            file: obs://demo/load.py
            args: [no, 007, 1_000, 2026-11-29, 0x1F, "8", ~x, true]
            conf: {spark.c: 1e3, spark.b: null, secret: plain}
            triggers: {build: 020222070707, at: 12:30}
            autoRecovery: true
            cancelTimeout: 60
            numExecutors: ~
            wait: {timeout: 90, streamLog: false}
        """
    )
    assert sent.inputs("load") == {
        "file": "obs://demo/load.py",
        "queue": "batch",
        "args": ["no", "007", "1_000", "2026-11-29", "0x1F", "8", "~x", "true"],
        "conf": {"spark.a": "3.10", "spark.c": "1e3", "secret": "plain"},
        "triggers": {"build": "020222070707", "at": "12:30"},
        "autoRecovery": True,
        "cancelTimeout": 60,
    }
    assert sent.inputs("load-success")["timeout"] == "90"


def test_a_secret_is_named_by_its_key_and_nothing_else_is_secret() -> None:
    sent = declared(
        """
        jobs:
          load:
            file: load.py
            args: [--password, {secret: load.password}]
            conf: {spark.url: {secret: "other:url"}, spark.a: plain}
        """,
        {"demo:load.password": "hunter2", "other:url": "jdbc"},
    )
    properties = sent.requests["load"].object
    sent_as = MessageToDict(properties)
    plain, password = sent_as["args"]
    assert (plain, sent_as["conf"]["spark.a"]) == ("--password", "plain")
    for secret, value in ((password, "hunter2"), (sent_as["conf"]["spark.url"], "jdbc")):
        assert rpc.is_rpc_secret(secret)
        assert secret["value"] == value


def test_jobs_come_in_their_order_with_their_waits() -> None:
    sent = declared(
        """
        jobDefaults: {wait: true}
        jobs:
          report: {file: report.py, dependsOn: [load], rerunWith: [load]}
          load: {file: load.py}
        """
    )
    order = [name for name, one in sent.requests.items() if one.type in (JOB_TYPE, WAIT_TYPE)]
    assert order.index("load") < order.index("report")
    assert {"load-success", "report-success"} <= set(order)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: {load: {file: a.py, queu: b}}", "jobs.yaml: jobs.load.queu: there is no such property; did you mean"),
        ("jobs: {load: {file: a.py, numExecutors: many}}", "jobs.yaml: jobs.load.numExecutors: must be a whole number"),
        ("jobs: {load: {file: a.py, autoRecovery: yes}}", "jobs.yaml: jobs.load.autoRecovery: must be true or false"),
        ("jobs: {load: {file: s3://a/b.py}}", "jobs.yaml: jobs.load.file: is a path of another store"),
        ("jobDefaults: {args: a}\njobs: {}", "jobs.yaml: jobDefaults.args: must be a list, but is text"),
        (
            "jobs: {load: {file: a.py, args: [{secret: pw}]}}",
            "jobs.yaml: jobs.load.args[0].secret: the configuration has no pw; set it with `pulumi config set --secret",
        ),
        ("jobs: {a: {file: a.py}, a: {file: b.py}}", "jobs.yaml: line 1: the key a comes twice"),
        (
            "jobs: {a: {file: a.py, dependsOn: [b]}}",
            "jobs.yaml: jobs.a.dependsOn[0]: there is no job 'b' in",
        ),
        ("jobs: {~: {file: a.py}}", "jobs.yaml: line 1: a key is null"),
        ("jobs: {a: {file: a.py, ~: x}}", "jobs.yaml: line 1: a key is null"),
        ("jobs: {a: {file: a.py, numExecutors: !!int abc}}", "jobs.yaml: cannot be read as YAML"),
        ("job: {}", "jobs.yaml: job: there is no such key; known are jobs and jobDefaults"),
        ("jobs: [a]", "jobs.yaml: jobs: must be a map, beside jobs and jobDefaults"),
        ("- a", "jobs.yaml: must be a map with jobs and jobDefaults"),
        ("jobs: {a: [", "jobs.yaml: line 1: "),
        ("jobs: *x", "jobs.yaml: line 1: found undefined alias"),
    ],
)
def test_what_is_wrong_is_told_with_its_path_in_the_file(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def test_a_file_that_cannot_be_read_is_named() -> None:
    for path, problem in (("nowhere.yaml", "No such file"), (".", "directory")):
        with pytest.raises(pulumi.RunError, match=rf"^{path}: cannot be read \(in .+\): .*{problem}"):
            run(lambda path=path: {"x": dli.jobs_from_file(path)})  # type: ignore[misc]
    Path("latin.yaml").write_bytes(b"jobs: \xe9")
    with pytest.raises(pulumi.RunError, match=r"^latin\.yaml: is no text in UTF-8"):
        run(lambda: {"x": dli.jobs_from_file("latin.yaml")})


def write_jobs(project: Project, number: int) -> None:
    jobs = {f"job{index}": {"file": f"obs://demo/{'x' * 220}/{index}.py", "queue": "batch"} for index in range(number)}
    (project.folder / "jobs.yaml").write_text(json.dumps({"jobs": jobs}))


@pytest.mark.slow
def test_five_hundred_jobs_are_declared(project: Project, service: Service) -> None:
    write_jobs(project, 500)
    assert (project.folder / "jobs.yaml").stat().st_size > 128 * 1024
    project.write('dli.jobs_from_file("jobs.yaml")')
    assert "+ 501 to create" in project.pulumi("preview")
    assert service.calls() == {}


def test_a_configuration_that_is_almost_too_large_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for size, is_warned in ((90 * 1024, False), (100 * 1024, True)):
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"demo:x": "y" * size}))
        warned: list[str] = []
        monkeypatch.setattr(pulumi.log, "warn", lambda message, *_, warned=warned: warned.append(message))
        run(lambda: {"x": [*dli.jobs_from_config()]}, configuration={"dli:jobs": "{}"})
        assert any("has 100 kB" in message and "dli.jobs_from_file" in message for message in warned) is is_warned
