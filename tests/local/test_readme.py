"""What the README of the local DLI says is so."""

import ast
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from pulumi_dli import local
from pulumi_dli.local.__main__ import main
from pulumi_dli.local.engines import timeline
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.faults import Faults, RouteName
from pulumi_dli.local.testing import Service

pytest_plugins = ["pytester"]

README = Path(local.__file__).with_name("README.md").read_text()
BLOCKS = dict(re.findall(r"```(json|python)\n(.*?)```", README, re.DOTALL))


def first_column(heading: str) -> set[str]:
    """Give the names in the first column of a table."""
    (table,) = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|-.*\n((?:\|.*\n)+)", README, re.MULTILINE)
    return {name for row in table.splitlines() for name in re.findall(r"`(--[a-z-]+|[\w.]+)", row.split(" | ")[0])}


@pytest.mark.slow
def test_the_test_of_a_pulumi_program_passes_as_it_stands_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BLOCKS["python"])
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_the_rule_for_a_fault_is_one() -> None:
    faults = Faults()
    faults.set(json.loads(BLOCKS["json"]))
    assert len(faults.match("POST", "/v2.0/p/batches", "/batches")) == 1


def test_every_option_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert first_column("option") == set(options)


def test_every_action_has_a_row() -> None:
    with pytest.raises(ApiError, match="expected tags") as raised:
        Faults().set([{"action": ""}])
    assert first_column("action") == {*re.findall(r"'(\w+)'", str(raised.value).split("expected tags")[1])}


def test_every_key_of_a_timeline_has_a_row() -> None:
    assert first_column("key") == {timeline.TIMELINE, timeline.LOG, timeline.CANCELLING}


def test_everything_of_the_fixture_has_a_row() -> None:
    assert first_column("`local_dli.`") == {*(name for name in vars(Service) if name[0] != "_"), "server"}


@pytest.mark.parametrize("route", get_args(RouteName))
def test_every_call_is_named(route: str) -> None:
    path = route.replace("{id}", "{batch_id}").replace("{name}", "{queue_name}")
    assert re.search(rf"`(?:GET|POST) [^` ]*{re.escape(path)}`", README)


BEHAVIOURS = re.findall(r"^\| (.*) \| (.*) \| ((?:`test_\w+::test_\w+` ?)+) \|$", README, re.M)
EXISTING = {
    f"{path.stem}::{node.name}"
    for path in Path(__file__).parent.glob("test_*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef)
}


def test_every_behaviour_has_a_source_or_is_a_guess_and_has_a_test() -> None:
    section = README.split("## What it does, and how that is known\n")[1]
    table = [row for row in section.splitlines() if row.startswith("| ") and not row.startswith("| behaviour ")]
    assert len(table) == len(BEHAVIOURS) > 50
    for behaviour, source, _ in BEHAVIOURS:
        assert re.search(r"20\d\d|3\.1\.219|sample|guide|of the local DLI|\*\*guess\*\*", source), behaviour


@pytest.mark.parametrize("name", sorted({name for _, _, tests in BEHAVIOURS for name in re.findall(r"[\w:]+", tests)}))
def test_a_test_that_stands_in_the_table_exists(name: str) -> None:
    assert name in EXISTING
