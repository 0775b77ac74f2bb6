"""The page about what the local DLI does: each row has a source, or is a guess, and has a test."""

import ast
import re
from typing import get_args

import pytest

from pulumi_dli.local.faults import RouteName
from tests.docs.pages import ROOT, page

PAGE = page("fidelity")


@pytest.mark.parametrize("route", get_args(RouteName))
def test_every_call_is_named(route: str) -> None:
    path = route.replace("{id}", "{batch_id}").replace("{name}", "{queue_name}")
    assert re.search(rf"`(?:GET|POST) [^` ]*{re.escape(path)}`", PAGE)


BEHAVIOURS = re.findall(r"^\| (.*) \| (.*) \| ((?:`test_\w+::test_\w+` ?)+) \|$", PAGE, re.M)
EXISTING = {
    f"{path.stem}::{node.name}"
    for path in (ROOT / "tests" / "local").glob("test_*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef)
}


def test_every_behaviour_has_a_source_or_is_a_guess_and_has_a_test() -> None:
    known = PAGE.split("## How this is known\n")[1]
    table = [row for row in known.splitlines() if row.startswith("| ") and not row.startswith("| behaviour ")]
    assert len(table) == len(BEHAVIOURS) > 50
    for behaviour, source, _ in BEHAVIOURS:
        assert re.search(r"20\d\d|3\.1\.219|sample|guide|of the local DLI|\*\*guess\*\*", source), behaviour


@pytest.mark.parametrize("name", sorted({name for _, _, tests in BEHAVIOURS for name in re.findall(r"[\w:]+", tests)}))
def test_a_test_that_stands_in_the_table_exists(name: str) -> None:
    assert name in EXISTING
