"""Compare the CPU seconds of two versions of `pulumi_dli` in one run: those of a commit and of the working tree."""

import compileall
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import PROGRAM, Measured, print_heading, pulumi
from tests.project import Project

ROOT = Path(__file__).parent.parent
PACKAGE = "pulumi_dli"
PROBE = Path(__file__).parent / "import_probe"
PROVIDER_HOST = "pulumi.dynamic"
LIMIT = 1.03
COLUMNS = ("row", "wall, s", "CPU new, s", "CPU old, s", "new ÷ old", "at most", "held")

OpenProject = Callable[[str, Path], AbstractContextManager[Project]]
"""Gives a project with this program. The project imports `pulumi_dli` from this folder."""


@dataclass(frozen=True)
class Scenario:
    """A program, and the commands that run on it in turn: each with the name of its row."""

    program: str
    commands: list[tuple[str, str]]


@dataclass(frozen=True)
class Versions:
    """The folders with the two versions of the package."""

    new: Path
    old: Path


def compare(open_project: OpenProject, scenarios: list[Scenario], commit: str, rounds: int) -> int:
    """Print a row for each command. Give 1 if one takes more CPU than the limit allows."""
    new_name, old_name = (_git("describe", "--always", *words) for words in (["--dirty"], [commit]))
    held = True
    with tempfile.TemporaryDirectory() as name:
        versions = check_out(Path(name), commit)
        for code in (versions.new, versions.old):
            verify_imports(open_project, scenarios[0].program, code)
        how = f"new is {new_name}, old is {old_name}, median CPU, least wall, median of the ratios of {rounds} rounds"
        print_heading(how, *COLUMNS)
        for scenario in scenarios:
            held &= compare_scenario(open_project, scenario, versions, rounds)
    return int(not held)


def check_out(folder: Path, commit: str) -> Versions:
    """Copy the package of the working tree and that of the commit into folders, both compiled."""
    versions = Versions(folder / "new", folder / "old")
    shutil.copytree(ROOT / PACKAGE, versions.new / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    archive = folder / "old.tar"
    _git("archive", "--output", str(archive), commit, PACKAGE)
    with tarfile.open(archive) as tar:
        tar.extractall(versions.old, filter="data")
    for code in (versions.new, versions.old):
        compileall.compile_dir(code, quiet=1)
    return versions


def verify_imports(open_project: OpenProject, program: str, code: Path) -> None:
    """Fail unless the program and the provider host both import the package from this folder."""
    with open_project(program, code) as project:
        record = project.folder / "imports"
        path = f"{PROBE}:{project.environment['PYTHONPATH']}"
        project.up(PYTHONPATH=path, IMPORT_PROBE=str(record))
        imports = [json.loads(line) for line in record.read_text().splitlines()]
    for process in (PROGRAM, PROVIDER_HOST):
        origins = {origin for command, origin in imports if process in command}
        if origins != {str(code / PACKAGE / "__init__.py")}:
            raise SystemExit(f"{process} imports {PACKAGE} from {origins or 'nowhere'}, and not from {code}")


def compare_scenario(open_project: OpenProject, scenario: Scenario, versions: Versions, rounds: int) -> bool:
    """Run each command in turn with both versions, print the rows, and tell whether all are held.

    The version that comes first changes from round to round, because the second finds warmer caches.
    """
    new_rounds: list[list[Measured]] = []
    old_rounds: list[list[Measured]] = []
    for number in range(rounds):
        with open_project(scenario.program, versions.new) as new, open_project(scenario.program, versions.old) as old:
            sides = [(new, new_rounds), (old, old_rounds)]
            run_round(scenario, sides if number % 2 else sides[::-1])
    held = True
    for number, (figure, _) in enumerate(scenario.commands):
        runs = [(new[number], old[number]) for new, old in zip(new_rounds, old_rounds, strict=True)]
        held &= print_row(figure, runs)
    return held


def run_round(scenario: Scenario, sides: list[tuple[Project, list[list[Measured]]]]) -> None:
    """Run each command in turn with both versions, and append what was measured to the rounds of each."""
    for _, measured in sides:
        measured.append([])
    for _, command in scenario.commands:
        for project, measured in sides:
            measured[-1].append(pulumi(project, command))


def print_row(figure: str, runs: list[tuple[Measured, Measured]]) -> bool:
    """Print the row of a command, from its runs (new, old) in each round, and tell whether it is held."""
    wall = min(new.seconds for new, _ in runs)
    new_cpu, old_cpu = (median(run.cpu_seconds for run in side) for side in zip(*runs, strict=True))
    # The load of the machine drifts, so each run is compared with the other version's run of its own round.
    ratio = median(new.cpu_seconds / old.cpu_seconds for new, old in runs)
    is_within_limit = ratio <= LIMIT
    numbers = f"{wall:.1f} | {new_cpu:.2f} | {old_cpu:.2f} | {ratio:.3f} | {LIMIT}"
    print(f"| {figure} | {numbers} | {'yes' if is_within_limit else '**no**'} |", flush=True)
    return is_within_limit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
