"""The rules for single values. Which property has which rule, and what it says, is in `test_inputs`."""

from typing import Any

import pytest

from pulumi_dli.jobs.validation import UNKNOWN, RefusedError, is_known, kind_of, list_of, map_of, object_of, path


@pytest.mark.parametrize("value", [UNKNOWN, [UNKNOWN], {"a": [{"b": UNKNOWN}]}])
def test_a_value_with_something_unknown_inside_is_not_known(value: Any) -> None:
    assert not is_known(value)
    assert not is_known({"file": "a.py", "args": value})


def test_a_value_without_anything_unknown_is_known() -> None:
    assert is_known({"file": "a.py", "args": ["UNKNOWN", None], "conf": {}})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (True, "true or false"),
        (7, "a number"),
        (0.5, "a number"),
        ("swordfish", "text"),
        (["swordfish"], "a list"),
        ({"password": "swordfish"}, "a map"),
        (b"swordfish", "something else"),
    ],
)
def test_a_kind_is_named_without_the_value(value: Any, kind: str) -> None:
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([{"name": "a.jar"}, {"name": 7}], "[1].name"),
        ([{"name": "a.jar", "parts": {"b c": [UNKNOWN, " "]}}], '[0].parts["b c"][1]'),
    ],
)
def test_a_refusal_says_where_in_the_value_it_is(value: Any, place: str) -> None:
    with pytest.raises(RefusedError) as refused:
        list_of(object_of(name=path, parts=map_of(list_of(path))))(value)
    assert refused.value.path == place
