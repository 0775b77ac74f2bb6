"""The rules for single values. Which property has which rule, and what it says, is in `test_inputs`."""

from collections.abc import Callable
from typing import Any

import pytest
from pulumi.output import _OutputToStringError

from pulumi_dli.jobs.validation import (
    UNKNOWN,
    RefusedError,
    anything,
    is_known,
    kind_of,
    list_of,
    map_of,
    name,
    object_of,
    path,
    scalar,
    text,
)


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
    ("value", "rule"),
    [
        *[
            (value, "is a path on this machine, which the service cannot read; upload the file to OBS, and write obs:")
            for value in (
                "./a.py",
                "../a.py",
                "/home/me/a.py",
                r"C:\a.py",
                "c:/a.py",
                r"..\a.py",
                "~/a.py",
                "file:///a.py",
            )
        ],
        *[
            (value, "is a path of another store; the service reads only OBS: copy the file there, and write")
            for value in ("s3://demo/a.py", "S3A://demo/a.py", "gs://demo/a.py", "abfss://a@b/c.py")
        ],
        *[
            (value, "must have a bucket and a key: obs://bucket/key")
            for value in ("obs://", "obs://demo", "obs://demo/", "obs:///a.py", "obs:/demo/a.py", "obs://demo/jobs/")
        ],
    ],
)
def test_a_path_that_the_service_cannot_read_is_refused_with_what_to_write(value: str, rule: str) -> None:
    with pytest.raises(RefusedError) as refused:
        path(value)
    assert str(refused.value).startswith(rule)


@pytest.mark.parametrize(
    "value",
    ["obs://demo/a.py", "obs://demo/a b/ü.py", "group/a.jar", "a.py", "c.py", "https://demo/a.py", "local:///opt/a.py"],
)
def test_other_paths_are_accepted(value: str) -> None:
    assert path(value) == value


OUTPUT_TEXTS = (
    "obs://Calling __str__ on an Output[T] is not supported.\n\nTo get the value of an Output[T] …/in",
    "obs://Calling [toString] on an [Output<T>] is not supported./in",
    "Calling [toJSON] on an [Output<T>] is not supported.",
)


@pytest.mark.parametrize("value", OUTPUT_TEXTS)
@pytest.mark.parametrize("rule", [text, name, path, scalar, anything, map_of(text), list_of(anything)])
def test_the_text_of_an_output_is_refused_anywhere(value: str, rule: Callable[[Any], Any]) -> None:
    inside = {"map_of": {"a": value}, "list_of": [value]}.get(rule.__qualname__.partition(".")[0], value)
    with pytest.raises(RefusedError, match=r"use pulumi\.Output\.format \(not an f-string\), or apply"):
        rule(inside)


def test_what_python_and_pulumi_write_for_an_output_is_known() -> None:
    assert OUTPUT_TEXTS[0].split("\n")[0].removeprefix("obs://") == str(_OutputToStringError()).split("\n")[0]


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
