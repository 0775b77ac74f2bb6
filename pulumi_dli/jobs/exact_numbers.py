"""Keeps the digits of numbers that Pulumi rounds, and compares numbers with texts.

Pulumi sends every number as a double. So a whole number from 2^53 on loses digits on its way from the program to the
provider. The program therefore also sends the hidden input `exactNumbers`: a map from the path of the number, for
example `conf["spark.key"]`, to its digits. The number itself stays in its place, because 0.1.0 compares it and makes
the name of a run from it.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

EXACT_NUMBERS = "exactNumbers"
"""The name of the hidden input. If a stored job does not have it, 0.1.0 has stored the job."""

LIMIT = 2**53
"""From this number on, a double cannot represent every whole number."""

_PLACES = ("conf", "triggers", "replacementTrigger")
_MAX_CHOICES = 8
_NUMBER = re.compile(
    r"[-+]?((?P<octal>0o?[0-7]+)|(?P<prefixed>0(x[\da-f]+|b[01]+))|(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?)",
    re.IGNORECASE | re.ASCII,
)

Properties = Mapping[str, Any]


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a value is a number. True and false are not, although Python counts them as numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(number: float) -> str:
    """Return the text that the provider sends for a number: `3`, not `3.0`."""
    return str(int(number)) if number == number // 1 else repr(number)


def number_in(text: str) -> float | None:
    """Return the double that YAML reads in a text without quotes, or None if YAML reads text.

    Pulumi also reads `0x1F`, `1_000` and the octal `017` as numbers (tried with CLI 3.259.0).
    """
    match = _NUMBER.fullmatch(text.replace("_", ""))
    if match is None or text.startswith("_"):
        return None
    base = 8 if match["octal"] else 0
    number = int(match[0], base) if match["octal"] or match["prefixed"] else float(match[0])
    return float(number) if abs(number) <= sys.float_info.max else None


def unwritten(value: Any) -> Any:
    """Return a value with the texts of `written` as numbers again. Other texts stay, for example `3.10`."""
    if isinstance(value, Mapping):
        return {key: unwritten(item) for key, item in value.items()}
    number = number_in(value) if isinstance(value, str) else None
    return value if number is None or written(number) != value else number


def are_same(one: Any, other: Any) -> bool:
    """Return whether two values are the same: a number or a flag, and a text in which YAML reads it, are the same."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(are_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(are_same, one, other))
    return _are_same_leaf(one, other)


def _are_same_leaf(one: Any, other: Any) -> bool:
    if isinstance(one, bool) != isinstance(other, bool):
        flag, text = (one, other) if isinstance(one, bool) else (other, one)
        return bool(text == json.dumps(flag))
    if is_number(one) == is_number(other):
        return bool(one == other)
    number, text = (one, other) if is_number(one) else (other, one)
    return isinstance(text, str) and number_in(text) == number


def exact_texts(places: Properties) -> dict[str, str]:
    """Return the digits of each whole number that Pulumi may round, by its path."""
    return {path: str(int(leaf)) for path, leaf in leaves(places) if isinstance(leaf, int) and abs(leaf) >= LIMIT}


def large_as_text(value: Any) -> Any:
    """Return a value with whole numbers as text if they are too large for a double. Pulumi cannot send them."""
    largest = sys.float_info.max
    return with_leaves(value, lambda _, leaf: str(leaf) if isinstance(leaf, int) and abs(leaf) > largest else leaf)


def exact(properties: Properties) -> dict[str, Any]:
    """Return properties with the exact digits in place of the rounded numbers. Ignore digits that do not match."""
    digits = properties.get(EXACT_NUMBERS)
    texts = digits if isinstance(digits, Mapping) else {}  # in a plan they may be unknown
    if not texts:
        return {**properties}

    def replace(path: str, leaf: Any) -> Any:
        return texts[path] if path in texts and are_same(unwritten(leaf), texts[path]) else leaf

    known: dict[str, Any] = with_leaves(properties, replace)
    return known


def rounded_places(properties: Properties, name: str) -> list[str]:
    """Return the paths of the numbers in a property whose digits are lost."""
    if not isinstance(properties.get(EXACT_NUMBERS) or {}, Mapping):
        return []  # in a plan the digits are unknown
    value = exact(properties).get(name)
    return [path for path, leaf in leaves(value, name) if is_number(leaf) and abs(leaf) >= LIMIT]


def large_numbers(properties: Properties) -> dict[str, str]:
    """Return the digits of all numbers that a double may round, by path. They may be declared as numbers or as text.

    They distinguish runs whose fingerprints are equal.
    """
    return {
        path: leaf
        for path, leaf in _leaves_to_compare(exact(properties))
        if isinstance(leaf, str) and abs(number_in(leaf) or 0) >= LIMIT
    }


def earlier_forms(properties: Properties) -> Iterator[dict[str, Any]]:
    """Yield a job's properties with numbers in place of texts and texts in place of numbers, in all combinations.

    A run may have been submitted before the user put a number of the stack's configuration in quotes.
    """
    known = exact(properties)
    pairs = ((path, leaf, _other_form(path, leaf)) for path, leaf in _leaves_to_compare(known))
    others = {path: other for path, leaf, other in pairs if other not in (None, leaf)}
    count = len(others)
    all_or_none = [(False,) * count, (True,) * count]
    for chosen in itertools.product((False, True), repeat=count) if count <= _MAX_CHOICES else all_or_none:
        forms = dict(itertools.compress(others.items(), chosen))
        yield with_leaves(known, lambda path, leaf, forms=forms: forms.get(path, leaf))  # type: ignore[misc]


def _other_form(path: str, leaf: Any) -> Any:
    """Return the text of a number or a flag, or what is in a text. In `conf` a number is text, as 0.1.0 stored it."""
    if isinstance(leaf, bool):
        return json.dumps(leaf)
    if leaf in ("true", "false") and not path.startswith("conf"):
        return leaf == "true"
    if is_number(leaf):
        return written(leaf)
    number = number_in(leaf) if isinstance(leaf, str) else None
    return written(number) if number is not None and path.startswith("conf") else number


def _leaves_to_compare(properties: Properties) -> Iterator[tuple[str, Any]]:
    return leaves({name: properties.get(name) for name in _PLACES})


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value inside maps and lists, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, path_of(path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def with_leaves(value: Any, replace: Callable[[str, Any], Any], path: str = "") -> Any:
    """Return a value with what `replace` returns for each value inside maps and lists, from its path and itself."""
    if isinstance(value, Mapping):
        return {key: with_leaves(item, replace, path_of(path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_leaves(item, replace, f"{path}[{index}]") for index, item in enumerate(value)]
    return replace(path, value)


def path_of(path: str, key: Any) -> str:
    """Return the path of a value in a map: `conf["spark.key"]`. At the top it is the key itself."""
    return f"{path}[{json.dumps(key, ensure_ascii=False, default=str)}]" if path else str(key)
