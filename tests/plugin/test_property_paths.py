"""The paths at which values differ."""

from typing import Any

import pytest
from hypothesis import given

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.plugin.property_paths import Change, differences, path_of_key, property_of
from tests.plugin.test_wire import VALUES

ADD, DELETE, UPDATE = Change.ADD, Change.DELETE, Change.UPDATE


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (["a", "b"], ["a", "c", "d"], {"p[1]": UPDATE, "p[2]": ADD}),
        (["a", "b"], ["a"], {"p[1]": DELETE}),
        ({"spark.a": "1", "b": "2"}, {"spark.a": "2", "c": "3"}, {'p["spark.a"]': UPDATE, "p.b": DELETE, "p.c": ADD}),
        ([{"name": "g", "resources": [{"name": "x"}]}], [{"name": "g", "resources": [{"name": "y"}]}],
         {"p[0].resources[0].name": UPDATE}),
        (None, "a", {"p": ADD}),
        ("a", None, {"p": DELETE}),
        ("a", UNKNOWN, {"p": UPDATE}),
        ("a", ["a"], {"p": UPDATE}),
        ("a", "a", {}),
    ],
)  # fmt: skip
def test_the_differences(old: Any, new: Any, found: dict[str, Change]) -> None:
    assert dict(differences("p", old, new)) == found


@given(VALUES, VALUES)
def test_different_values_differ_somewhere_and_equal_ones_nowhere(old: Any, new: Any) -> None:
    assert bool([*differences("p", old, new)]) == (old != new) or _differ_in_nulls_only(old, new)
    assert not [*differences("p", old, old)]
    assert all(property_of(path) == "p" for path, _ in differences("p", old, new))


def _differ_in_nulls_only(old: Any, new: Any) -> bool:
    """None counts as absent, so it differs from a missing key or item no more."""
    return "None" in repr((old, new))


@pytest.mark.parametrize(
    ("key", "path"), [("day", "p.day"), ("a b", 'p["a b"]'), ('a"b', 'p["a\\"b"]'), ("1", 'p["1"]'), ("", 'p[""]')]
)
def test_a_key_that_is_no_word_is_quoted(key: str, path: str) -> None:
    assert path_of_key("p", key) == path
