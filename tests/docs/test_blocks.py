"""Every fenced block of the documentation is run or compared by a test, and every link leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, PAGES, ROOT, page

TESTS = Path(__file__).parent.parent


def all_blocks() -> set[tuple[str, str, str]]:
    """Return page, heading and language of each fenced block."""
    found = set()
    for name in PAGES:
        without_code = FENCE.sub(lambda block: f"```{block[1]}\n```", page(name))  # a `#` in a script is no heading
        heading = ""
        for line in without_code.splitlines():
            if title := re.match(r"#+ (.*)", line):
                heading = title[1]
            elif fence := re.match(r"```(\w+)$", line):
                found.add((name, heading, fence[1]))
    return found


def used_blocks() -> set[tuple[str, ...]]:
    """Return the arguments of all calls of `block` and `blocks` in the tests."""
    return {
        tuple(str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))
        for path in TESTS.rglob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("block", "blocks")
    }


def test_a_test_takes_each_block_from_its_page() -> None:
    assert all_blocks() - used_blocks() == set()


@pytest.mark.parametrize("name", PAGES)
def test_each_link_between_files_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page(name)):
        linked = PAGES[name].parent / target
        assert linked.exists(), target
        assert linked.resolve().is_relative_to(ROOT)
