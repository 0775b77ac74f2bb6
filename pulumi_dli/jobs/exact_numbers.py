"""Numbers that Pulumi's wire rounds, and the question whether a number and a text say the same.

Pulumi sends every number as a double. So a whole number of 2^53 or more loses digits on its way from the program to
the provider. The program therefore sends its digits beside it, as the hidden input `exactNumbers`: a map from the place
of the number, as in `conf["spark.key"]`, to its digits. The number itself stays where it was, because 0.1.0 compares
it and makes the name of a run from it.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

EXACT_NUMBERS = "exactNumbers"
"""The name of the hidden input. A stored job without it was stored by 0.1.0."""

LIMIT = 2**53
"""From here on a double does not hold every whole number."""

_PLACES = ("conf", "triggers", "replacementTrigger")
_MAX_CHOICES = 8
_NUMBER = re.compile(
    r"[-+]?((?P<octal>0o?[0-7]+)|(?P<prefixed>0(x[\da-f]+|b[01]+))|(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?)",
    re.IGNORECASE | re.ASCII,
)

Properties = Mapping[str, Any]


def is_number(value: Any) -> TypeGuard[int | float]:
    """True for a number. In Python, true and false are numbers too, but not here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(number: float) -> str:
    """Write a number as it is sent: `3`, not `3.0`."""
    return str(int(number)) if number == number // 1 else repr(number)


def number_in(text: str) -> float | None:
    """Give the double that YAML makes of a text without quotes. None if YAML takes it for text.

    Pulumi reads `0x1F`, `1_000` and the octal `017` as numbers too (tried with CLI 3.259.0).
    """
    match = _NUMBER.fullmatch(text.replace("_", ""))
    if match is None or text.startswith("_"):
        return None
    base = 8 if match["octal"] else 0
    number = int(match[0], base) if match["octal"] or match["prefixed"] else float(match[0])
    return float(number) if abs(number) <= sys.float_info.max else None


def unwritten(value: Any) -> Any:
    """Read back the numbers that `written` has made texts of. All else stays: `3.10` is none of these texts."""
    if isinstance(value, Mapping):
        return {key: unwritten(item) for key, item in value.items()}
    number = number_in(value) if isinstance(value, str) else None
    return value if number is None or written(number) != value else number


def are_same(one: Any, other: Any) -> bool:
    """Compare two values. A number and a text are the same if YAML reads this number in the text."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(are_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_same, one, other))
    return _are_same_leaf(one, other)


def _are_same_leaf(one: Any, other: Any) -> bool:
    if is_number(one) == is_number(other):
        return bool(one == other)
    number, text = (one, other) if is_number(one) else (other, one)
    return isinstance(text, str) and number_in(text) == number


def exact_texts(places: Properties) -> dict[str, str]:
    """Give the digits of each whole number that the wire may round, by its place."""
    return {path: str(int(leaf)) for path, leaf in leaves(places) if isinstance(leaf, int) and abs(leaf) >= LIMIT}


def sendable(value: Any) -> Any:
    """Write whole numbers as text that are too large for any double: Pulumi would fail to send them."""
    largest = sys.float_info.max
    return _with_leaves(value, lambda _, leaf: str(leaf) if isinstance(leaf, int) and abs(leaf) > largest else leaf)


def exact(properties: Properties) -> dict[str, Any]:
    """Put the exact digits into the places of the rounded numbers. Digits that do not fit the number are ignored."""
    digits = properties.get(EXACT_NUMBERS)
    texts = digits if isinstance(digits, Mapping) else {}  # a plan may not know them yet

    def replace(path: str, leaf: Any) -> Any:
        return texts[path] if path in texts and are_same(unwritten(leaf), texts[path]) else leaf

    known: dict[str, Any] = _with_leaves(properties, replace)
    return known


def rounded_places(properties: Properties, name: str) -> list[str]:
    """Give the places of the numbers in a property whose digits are lost."""
    if not isinstance(properties.get(EXACT_NUMBERS) or {}, Mapping):
        return []  # a plan does not know the digits yet
    value = exact(properties).get(name)
    return [path for path, leaf in leaves(value, name) if is_number(leaf) and abs(leaf) >= LIMIT]


def large_numbers(properties: Properties) -> dict[str, str]:
    """Give the digits of all numbers that a double may round, by place, whether declared as numbers or as text.

    They tell runs apart whose names have the same fingerprint.
    """
    return {
        path: leaf
        for path, leaf in _leaves_to_compare(exact(properties))
        if isinstance(leaf, str) and abs(number_in(leaf) or 0) >= LIMIT
    }


def earlier_forms(properties: Properties) -> Iterator[dict[str, Any]]:
    """Give a job's properties as they may have been with a number where there is a text now, or the reverse.

    Before the numbers in the stack's configuration were put in quotes, a run may have been submitted with them.
    """
    known = exact(properties)
    pairs = ((path, leaf, _other_form(path, leaf)) for path, leaf in _leaves_to_compare(known))
    others = {path: other for path, leaf, other in pairs if other not in (None, leaf)}
    count = len(others)
    all_or_none = [(False,) * count, (True,) * count]
    for chosen in itertools.product((False, True), repeat=count) if count <= _MAX_CHOICES else all_or_none:
        forms = dict(itertools.compress(others.items(), chosen))
        yield _with_leaves(known, lambda path, leaf, forms=forms: forms.get(path, leaf))  # type: ignore[misc]


def _other_form(path: str, leaf: Any) -> Any:
    """Give the text of a number, or the number in a text. In `conf` 0.1.0 has written the number as text."""
    if is_number(leaf):
        return written(leaf)
    number = number_in(leaf) if isinstance(leaf, str) else None
    return written(number) if number is not None and path.startswith("conf") else number


def _leaves_to_compare(properties: Properties) -> Iterator[tuple[str, Any]]:
    return leaves({name: properties.get(name) for name in _PLACES})


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each value inside maps and lists, with its place."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, _path_of(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def _with_leaves(value: Any, replace: Callable[[str, Any], Any], path: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _with_leaves(item, replace, _path_of(path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_leaves(item, replace, f"{path}[{index}]") for index, item in enumerate(value)]
    return replace(path, value)


def _path_of(path: str, key: Any) -> str:
    return f"{path}[{json.dumps(key, ensure_ascii=False)}]" if path else str(key)
