"""The reason of a failure on the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.jobs.failure_reason import failure_reason
from pulumi_dli.jobs.screen import MAX_LINE_LENGTH

PYTHON = ["Traceback (most recent call last):", '  File "load.py", line 3, in <module>', "ValueError: no column"]
SPARK = "26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9"


def test_a_line_of_three_megabytes_is_cut() -> None:
    found = failure_reason([*PYTHON[:2], f"ValueError: {'x' * 3_000_000}", "y" * 3_000_000])
    assert found.text is not None
    assert found.text.startswith("ValueError: xxx")
    assert len(found.text) == MAX_LINE_LENGTH + 1
    assert sum(map(len, found.lines)) < 5000


@pytest.mark.parametrize("log", [[], ["row 1"], [SPARK]])
def test_a_log_without_a_reason_has_none(log: list[str]) -> None:
    assert failure_reason(log).text is None


SECRET = "swordfish-ö"
parts = st.sampled_from([*"ab: \t\r\x1b[]31m\x07\x9b\n", SECRET, "sword", "fish-ö", "Error", "\x1b]0;t\x07"])
texts = st.lists(parts, max_size=60).map("".join)
lines = st.sampled_from([*PYTHON, SPARK, "Caused by: a.B: c", "\tat a.B", f"ValueError: {SECRET}"]) | texts


@given(st.lists(lines, max_size=40))
def test_nothing_shown_has_a_control_character_or_a_secret(log: list[str]) -> None:
    found = failure_reason(log, [SECRET])
    for line in (*found.lines, found.text or ""):
        assert SECRET not in line
        assert all(character.isprintable() or character == "\t" for character in line)
    assert len(found.lines) <= 20
