"""The new lines of a job's record, which has the last lines only."""

import pytest

from pulumi_dli.operations.log_pages import new_record_lines


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("", "", ""),
        ("", "ab", "ab"),
        ("ab", "abc", "c"),
        ("abb", "bbc", "c"),
        ("abb", "bbb", "b"),
        ("ab", "cd", "cd"),
        ("abc", "", ""),
    ],
)
def test_the_new_lines_follow_the_longest_overlap(before: str, now: str, new: str) -> None:
    assert new_record_lines([*before], [*now]) == [*new]


def test_a_last_line_that_was_incomplete_comes_again() -> None:
    assert new_record_lines(["a", "b", "hal"], ["b", "half", "c"]) == ["half", "c"]
