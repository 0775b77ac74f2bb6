import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_dli.jobs.exact_numbers import (
    LIMIT,
    are_same,
    earlier_forms,
    exact,
    exact_texts,
    large_as_text,
    large_numbers,
    number_in,
    rounded_places,
    unwritten,
    written,
)
from pulumi_dli.jobs.validation import UNKNOWN

SNAPSHOT = 1234567890123456789
BUILD = 20261124093000124
"""A double holds this number, but neither of its neighbours."""

in_doubles = st.integers(-(2**1023), 2**1023)


def over_the_wire(value: Any) -> Any:
    """Make of a value what Pulumi's wire makes of it: every number is a double."""
    if isinstance(value, dict):
        return {key: over_the_wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return [over_the_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def sent(places: dict[str, Any]) -> dict[str, Any]:
    """Give what arrives at the provider."""
    sent_places = large_as_text(places)
    return over_the_wire(sent_places) | {"exactNumbers": exact_texts(sent_places)}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("3.10", 3.1),
        (".5", 0.5),
        ("1.", 1),
        ("1e3", 1000),
        ("1E-3", 0.001),
        ("0x1F", 31),
        ("-0x1F", -31),
        ("0b11", 3),
        ("0o17", 15),
        ("017", 15),
        ("020222070707", 2185785799),
        ("052812345678", 52812345678),
        ("1_000", 1000),
        ("5781947118336215154", 5781947118336215154.0),
        ("1e400", None),
        ("9" * 400, None),
        ("0x" + "f" * 400, None),
        ("", None),
        ("-_1", -1),
        ("0_7", 7),
        ("08.5", 8.5),
        ("_1", None),
        ("0x", None),
        ("12:30:45", None),
        ("2026-11-24", None),
        ("1 000", None),
        ("nan", None),
        ("inf", None),
        ("true", None),
        ("٣", None),
    ],
)
def test_a_number_is_read_as_yaml_and_pulumi_read_it(text: str, number: float | None) -> None:
    assert number_in(text) == number


@given(st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = number_in(text)
    assert number is None or isinstance(number, float)


# The digits beside the rounded numbers


def test_the_digits_of_large_whole_numbers_are_given_by_their_place() -> None:
    places = {
        "conf": {"spark.a": SNAPSHOT, "spark.b": LIMIT - 1, "spark.c": str(SNAPSHOT), "spark.d": 1e300, "e": True},
        "triggers": {'a"b': [{"c": -LIMIT}, None]},
        "replacementTrigger": BUILD,
    }
    assert exact_texts(places) == {
        'conf["spark.a"]': str(SNAPSHOT),
        'triggers["a\\"b"][0]["c"]': str(-LIMIT),
        "replacementTrigger": str(BUILD),
    }


@given(st.dictionaries(st.text(), in_doubles | st.booleans() | st.text()))
def test_whole_numbers_of_any_size_are_exact_after_the_wire(values: dict[str, Any]) -> None:
    known = exact(sent({"conf": values}))["conf"]
    for key, value in values.items():
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        assert (written(known[key]) if isinstance(known[key], float) else known[key]) == (
            str(value) if is_whole else value
        )


def test_a_number_that_no_double_holds_is_sent_as_text() -> None:
    huge = 10**400
    assert large_as_text({"a": [huge, (-huge, 1, 1.5, "x", None, True)]}) == {
        "a": [str(huge), [str(-huge), 1, 1.5, "x", None, True]]
    }
    assert exact_texts(large_as_text({"conf": {"a": huge}})) == {}


@pytest.mark.parametrize("digits", [{'conf["a"]': "1234567890123999999"}, {'conf["b"]': str(SNAPSHOT)}, UNKNOWN, {}])
def test_digits_that_do_not_fit_the_number_are_ignored(digits: Any) -> None:
    conf = {"a": float(SNAPSHOT)}
    assert exact({"conf": conf, "exactNumbers": digits})["conf"] == conf


def test_digits_replace_the_text_that_is_made_of_the_rounded_number_too() -> None:
    declared = {"conf": {"a": "1234567890123456768"}, "exactNumbers": {'conf["a"]': str(SNAPSHOT)}}
    assert exact(declared)["conf"] == {"a": str(SNAPSHOT)}


@pytest.mark.parametrize(
    ("conf", "places"),
    [
        ({"a": float(SNAPSHOT), "b": float(BUILD)}, ['conf["b"]']),
        ({"b": 1e300}, ['conf["b"]']),
        ({"b": -float(LIMIT)}, ['conf["b"]']),
        ({"b": float(LIMIT - 1), "c": 0.5, "d": str(SNAPSHOT), "e": UNKNOWN}, []),
        (UNKNOWN, []),
    ],
)
def test_a_large_number_without_digits_may_be_rounded(conf: Any, places: list[str]) -> None:
    digits = {'conf["a"]': str(SNAPSHOT)}
    assert rounded_places({"conf": conf, "exactNumbers": digits}, "conf") == places
    assert rounded_places({"conf": conf, "exactNumbers": UNKNOWN}, "conf") == []


# Equality


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, "1", True),
        (3.1, "3.10", True),
        (31.0, "0x1F", True),
        (float(BUILD), str(BUILD - 1), True),
        (float(BUILD), str(BUILD + 1), True),
        (float(BUILD), str(BUILD + 9), False),
        ("3.1", "3.10", False),
        (str(BUILD), str(BUILD + 1), False),
        (1, 1.0, True),
        (1, True, False),
        (0, "", False),
        (0, None, False),
        (1, "true", False),
        ({"a": [1.0, {"b": 2.0}]}, {"a": ["1", {"b": "2"}]}, True),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0}, False),
        ([1.0], ["1", "1"], False),
        ({}, [], False),
        (UNKNOWN, UNKNOWN, True),
        (UNKNOWN, "1", False),
        (1.0, UNKNOWN, False),
    ],
)
def test_a_number_and_its_text_are_the_same(one: Any, other: Any, same: bool) -> None:
    assert are_same(one, other) is same
    assert are_same(other, one) is same


@given(in_doubles)
def test_a_stored_number_is_the_same_as_each_text_that_rounds_to_it(number: int) -> None:
    assert are_same(over_the_wire(number), str(number))
    assert are_same(unwritten(written(float(number))), str(number))


@pytest.mark.parametrize(
    ("stored", "declared", "may_be"),
    [
        ("3.1", "3.10", True),
        ("3", "3.0", True),
        ("2185785799", "020222070707", True),
        ("5781947118336215040", "5781947118336215154", True),
        ("5781947118336215154", "5781947118336215153", False),
        ("3.10", "3.1", False),
        ("007", "7", False),
        ("a", "a", True),
        ("a", "b", False),
        (None, "1", False),
    ],
)
def test_0_1_0_may_have_made_a_stored_text_of_a_number(stored: Any, declared: Any, may_be: bool) -> None:
    assert are_same(unwritten(stored), declared) is may_be
    assert are_same(unwritten({"key": stored}), {"key": declared}) is may_be


@given(st.integers(-LIMIT, LIMIT) | st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_written_of_a_number_is_read_back(number: float) -> None:
    assert unwritten(written(number)) == number


# Runs that no state knows


def forms(properties: dict[str, Any]) -> list[str]:
    return [json.dumps({key: form[key] for key in ("conf", "triggers")}) for form in earlier_forms(properties)]


def test_a_run_may_have_been_submitted_with_a_number_or_a_flag_for_each_text_that_is_one() -> None:
    declared = {
        "file": "1",
        "conf": {"a": "3.10", "b": "64", "c": "x"},
        "triggers": {"d": ["42", "x"], "e": 7.0, "f": True},
    }
    found = forms(declared)
    assert len(set(found)) == 16  # the flag may have been its text too
    for conf in ({"a": "3.10", "b": "64", "c": "x"}, {"a": "3.1", "b": "64", "c": "x"}):
        for triggers in ({"d": ["42", "x"], "e": 7.0, "f": True}, {"d": [42.0, "x"], "e": "7", "f": True}):
            assert json.dumps({"conf": conf, "triggers": triggers}) in found
    assert {form["file"] for form in earlier_forms(declared)} == {"1"}


def test_a_rounded_number_may_have_been_its_exact_text() -> None:
    declared = sent({"conf": {}, "triggers": {"build": BUILD + 1}})
    assert forms(declared) == [
        json.dumps({"conf": {}, "triggers": {"build": form}}) for form in (str(BUILD + 1), float(BUILD))
    ]


def test_a_replacement_trigger_may_have_been_a_text_too() -> None:
    forms = [*earlier_forms({"replacementTrigger": 42.0}), *earlier_forms({"replacementTrigger": "42"})]
    assert sorted(str(form["replacementTrigger"]) for form in forms) == ["42", "42", "42.0", "42.0"]


def test_of_many_numbers_all_are_numbers_or_none() -> None:
    texts = {str(number): str(number) for number in range(50)}
    numbers = {key: float(value) for key, value in texts.items()}
    expected = [json.dumps({"conf": {}, "triggers": triggers}) for triggers in (texts, numbers)]
    assert forms({"conf": {}, "triggers": texts}) == expected
    # 0.1.0 sent the small whole numbers as they are written.
    assert len(forms({"conf": {**texts, "version": "3.10", "zero": "007"}, "triggers": {}})) == 4


@given(in_doubles, in_doubles)
def test_large_numbers_tell_runs_apart_and_quotes_do_not(one: int, other: int) -> None:
    assume(abs(one) >= LIMIT)
    numbers = large_numbers(sent({"conf": {"a": one}, "triggers": {"b": [one]}}))
    assert numbers == {'conf["a"]': str(one), 'triggers["b"][0]': str(one)}
    assert large_numbers({"conf": {"a": str(one)}, "triggers": {"b": [str(one)]}}) == numbers
    assert (large_numbers({"conf": {"a": str(other)}, "triggers": {"b": [str(other)]}}) == numbers) is (one == other)


def test_small_numbers_and_other_texts_are_not_large() -> None:
    assert large_numbers({"file": str(LIMIT), "conf": {"a": str(LIMIT - 1), "b": "x"}, "triggers": {"d": 1.0}}) == {}
