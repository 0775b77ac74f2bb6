"""Sent text is written text, or it is refused: from the stack's file, as YAML and Pulumi's CLI read it."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_dli as dli
from pulumi_dli.program.config_numbers import NumberTexts, faults_of_numbers
from tests.project import Project
from tests.registrations import run

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

SCALARS = """
    0 00 -0 5 +5 -5 007 08 052812345678 020222070707 0x1F 0X1f -0x1F 0o17 0b11 0_7 1_000 -1_000 1__0 _1 1_0.5
    3.0 3.10 3.5 1. .5 0.10 1e3 1E3 1e+3 1e-7 1.5e3 5.0e0 1e400 1e21 1e20 100000000000000000000.0
    9007199254740991 -9007199254740991 9007199254740992 9007199254740992.0 9007199254740993 1152921504606846976
    5781947118336215154 -5781947118336215154 18446744073709551616 123456789012345678901234567890
    12:30:45 0x true false text 1,000 1-2 "3.10" '052812345678' "5781947118336215154"
"""
WRITTEN = SCALARS.split()

KEPT = {
    *("0", "5", "-5", "_1", "1e400", "9007199254740991", "-9007199254740991", "12:30:45", "0x", "true", "false"),
    *("text", "1,000", "1-2", '"3.10"', "'052812345678'", '"5781947118336215154"'),
}
"""What Pulumi reads as it is written, as a number below 2^53 or as text. `5` may stand without quotes."""


def write(project: Project, configuration: Mapping[str, Any] | str, file: str = "Pulumi.dev.yaml") -> None:
    settings = project.folder / file
    kept = settings.read_text().split("\nconfig:")[0].rstrip()
    settings.write_text(f"{kept}\nconfig:\n  dli:jobs:\n{configuration}")


def block(written: list[str]) -> str:
    lines = [f"        k{number}: {text}" for number, text in enumerate(written)]
    return "\n".join(["    load:", "      file: load.py", "      queue: default", "      conf:", *lines])


SIGNS = ("", "-", "+")
WHOLES = ("0", "07", "08", "10", "0x1F", "0o17", "0b11", "1_0", "1__0", "_1", "9007199254740993", ".", "x")
ENDS = ("", ".", ".0", ".10", "e3", "E-2", "e+03", ".5e1", "_", "_.0")
LOOK_LIKE_NUMBERS = {"".join(parts) for parts in itertools.product(SIGNS, WHOLES, ENDS)}


def test_what_the_stacks_file_has_is_sent_as_written_or_refused(tmp_path: Path, local_dli: Service) -> None:
    project = Project(tmp_path / "project", local_dli.environment)
    project.write("dli.jobs_from_config()")
    written = sorted(LOOK_LIKE_NUMBERS | {*WRITTEN})
    write(project, block(written))
    screen = joined(project.failing_up())
    assert local_dli.jobs() == []
    kept = [text for n, text in enumerate(written) if f'error: dli:jobs.load.conf["k{n}"]: ' not in screen]
    assert {*kept} & {*WRITTEN} == KEPT

    write(project, block(kept))
    project.up()
    (job,) = local_dli.jobs()
    assert job.body["conf"] == {f"k{n}": text.strip("\"'") for n, text in enumerate(kept)}


def test_the_stacks_file_may_be_in_another_folder(tmp_path: Path, local_dli: Service) -> None:
    project = Project(tmp_path / "project", local_dli.environment)
    project.write("dli.jobs_from_config()")
    with (project.folder / "Pulumi.yaml").open("a") as file:
        file.write("stackConfigDir: stacks\n")
    (project.folder / "stacks").mkdir()
    (project.folder / "Pulumi.dev.yaml").rename(project.folder / "stacks/Pulumi.dev.yaml")
    write(project, block(["007"]), "stacks/Pulumi.dev.yaml")
    assert 'dli:jobs.load.conf["k0"]: is a number that YAML reads otherwise' in project.failing_up()
    write(project, block(["'007'", "7"]), "stacks/Pulumi.dev.yaml")
    project.up()
    (job,) = local_dli.jobs()
    assert job.body["conf"] == {"k0": "007", "k1": "7"}


def test_a_number_of_another_configuration_file_is_sent_as_pulumi_reads_it(tmp_path: Path, local_dli: Service) -> None:
    """The program is not told which file that is. Whatever a double cannot hold is refused all the same."""
    project = Project(tmp_path / "project", local_dli.environment)
    project.write("dli.jobs_from_config()")
    write(project, block(["0x2F"]))
    other = tmp_path / "other.yaml"
    shutil.copy(project.folder / "Pulumi.dev.yaml", other)
    options = ("--config-file", str(other))

    def write_other(*written: str) -> None:
        other.write_text(f"{other.read_text().split('config:')[0]}config:\n  dli:jobs:\n{block([*written])}")

    write_other("5781947118336215154", "3.10")
    screen = project.failing_up(*options)
    assert 'conf["k0"]: must be text, since Pulumi rounds whole numbers' in screen
    assert 'conf["k1"]: must be text, but is a number with a fraction' in screen
    write_other("007", "'007'")
    project.up(*options)
    (job,) = local_dli.jobs()
    assert job.body["conf"] == {"k0": "7", "k1": "007"}


def joined(screen: str) -> str:
    """Write what begins each line of one error with the word `error`."""
    return screen.replace("\n    dli:jobs", "\n    error: dli:jobs")


@pytest.mark.slow
def test_pulumi_config_set_writes_text_or_it_is_refused(tmp_path: Path, local_dli: Service) -> None:
    project = Project(tmp_path / "project", local_dli.environment)
    project.write("dli.jobs_from_config()")

    def set_path(path: str, value: str, *options: str) -> None:
        project.pulumi("config", "set", "--path", *options, f"dli:jobs.load.{path}", value)

    set_path("file", "load.py")
    set_path("queue", "default")
    written = {"snapshot": "5781947118336215154", "version": "3.10", "zero": "052812345678", "parts": "64"}
    for key, value in written.items():
        set_path(f'conf["spark.{key}"]', value)
    set_path("triggers.build", "42")
    set_path("args[0]", "7")
    screen = project.failing_up()
    for fault in (
        'conf["spark.snapshot"]: must be text, since Pulumi rounds whole numbers from 9007199254740992 on',
        'triggers["build"]: must be text, but is a number',
        "args[0]: must be text, but is a number",
    ):
        assert f"dli:jobs.load.{fault}; put it in quotes" in screen
    assert screen.partition("\nDiagnostics:\n")[2].count("put it in quotes") == 3
    assert local_dli.jobs() == []

    set_path('conf["spark.snapshot"]', written["snapshot"], "--type", "string")
    set_path("triggers.build", "42", "--type", "string")
    set_path("args[0]", "7", "--type", "string")
    project.up()
    (job,) = local_dli.jobs()
    assert job.body["conf"] == {f"spark.{key}": value for key, value in written.items()}
    assert job.body["args"] == ["7"]


# Where the text of a number is found


class Files:
    """The files of a project, in the current folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    return Files(tmp_path)


def text_of(number: float, *keys: str) -> str | None:
    return NumberTexts().text_of(number, ["dli:jobs", "a", "conf", *(keys or ["k"])])


JOBS = "{dli:jobs: {a: {conf: {k: 0x1F}}}}"


@pytest.mark.parametrize(
    ("project_file", "name", "text"),
    [
        ("Pulumi.yaml", "Pulumi.dev.yaml", "config: " + JOBS),
        ("Pulumi.yml", "Pulumi.dev.yml", "config: " + JOBS),
        ("Pulumi.json", "Pulumi.dev.json", "config: " + JOBS),
        ("program/Pulumi.yaml", "program/Pulumi.dev.yaml", "config: " + JOBS),
        ("Pulumi.yaml", "Pulumi.dev.yaml", "config: {dli:jobs: {x: &x {k: 0x1F}, a: {conf: *x}}}"),
        ("Pulumi.yaml", "Pulumi.dev.yaml", "config: {dli:jobs: {x: &x {k: 0x1F}, a: {conf: {<<: *x, j: 1}}}}"),
        ("Pulumi.yaml", "Pulumi.dev.yaml", "config: {dli:jobs: {x: &x {k: 0x1F}, a: {conf: {<<: [{j: 1}, *x]}}}}"),
    ],
)
def test_a_number_is_found_in_the_stacks_file(files: Files, project_file: str, name: str, text: str) -> None:
    files.write(project_file, "name: jobs")
    files.write(name, text)
    assert text_of(31) == "0x1F"


@pytest.mark.parametrize("setting", ["stackConfigDir: stacks", "config: stacks"])
def test_the_stacks_file_may_be_in_a_folder_of_its_own(files: Files, setting: str) -> None:
    files.write("Pulumi.yaml", f"name: jobs\n{setting}")
    files.write("stacks/Pulumi.dev.yaml", "config: " + JOBS)
    assert text_of(31) == "0x1F"


@pytest.mark.parametrize("jobs", ["{dli:jobs: {a: {conf: {k: 0x1F}}}}", "{dli:jobs: {value: {a: {conf: {k: 0x1F}}}}}"])
def test_a_number_is_found_in_the_projects_file(files: Files, jobs: str) -> None:
    files.write("Pulumi.yaml", f"config: {jobs}")
    assert text_of(31) == "0x1F"


@pytest.mark.parametrize(
    ("project", "stack"),
    [
        (None, "config: " + JOBS),
        ("name: jobs", None),
        ("name: jobs", "config: {dli:jobs: {a: {conf: {k: 0x2F}}}}"),  # --config-file named another one
        ("name: jobs", "config: {dli:jobs: {a: {conf: {j: 0x1F}}}}"),
        ("name: jobs", "config: {dli:jobs: {a: [0x1F]}}"),
        ("name: jobs", "config: {dli:jobs: 31}"),
        ("name: jobs", "- config"),
        ("name: jobs", ""),
        ("name: jobs", "config: {"),
        ("name: jobs", "\udc80"),
        ("{", "config: {"),
    ],
)
def test_a_number_that_is_not_found_has_no_text(files: Files, project: str | None, stack: str | None) -> None:
    for name, text in (("Pulumi.yaml", project), ("Pulumi.dev.yaml", stack)):
        if text is not None:
            (files.folder / name).write_bytes(text.encode(errors="surrogateescape"))
    assert text_of(31) is None


def test_the_files_are_read_only_for_numbers(files: Files) -> None:
    class NoFiles(NumberTexts):
        def text_of(self, number: float, keys: Any) -> str | None:
            raise AssertionError

    texts = {"conf": {"a": "1", "b": True, "c": None}, "triggers": {"d": "1", "e": False, "f": ["x"]}}
    assert [*faults_of_numbers(texts, "dli:jobs.a", ["dli:jobs", "a"], NoFiles())] == []
    for odd in (None, "text", {"conf": "text", "triggers": "text"}):
        assert [*faults_of_numbers(odd, "dli:jobs.a", ["dli:jobs", "a"], NoFiles())] == []


@pytest.mark.parametrize("key", ["dli:jobs", "dli:jobDefaults"])
def test_numbers_in_triggers_are_refused_however_deep(key: str) -> None:
    numbers = {"triggers": {"build": 42, "jar": {"size": [1.5]}}}
    configuration = {"dli:jobs": {"a": {"file": "a.py"}}, "dli:jobDefaults": {}}
    configuration[key] = {"a": {"file": "a.py", **numbers}} if key == "dli:jobs" else numbers
    with pytest.raises(pulumi.RunError) as caught:
        run(dli.jobs_from_config, configuration={name: json.dumps(value) for name, value in configuration.items()})
    path = "dli:jobs.a" if key == "dli:jobs" else key
    assert str(caught.value).splitlines()[:-1] == [
        f'{path}.triggers["build"]: must be text, but is a number; put it in quotes',
        f'{path}.triggers["jar"]["size"][0]: must be text, but is a number; put it in quotes',
    ]
