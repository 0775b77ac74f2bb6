"""The detailed diff: the paths at which two values differ, as the engine writes paths."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)


class Change(StrEnum):
    """What happened to the value at a path."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


def differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Change]]:
    """Yield each path at which two values differ, with the change. None counts as absent.

    An unknown value differs from every value but itself.

    Args:
        path: The path of the two values.
        old: The stored value.
        new: The declared value.
    """
    if old == new:
        return
    if old is None or new is None:
        yield path, Change.ADD if old is None else Change.DELETE
        return
    items = _items(path, old, new)
    if items is None:
        yield path, Change.UPDATE
        return
    for item_path, before, after in items:
        yield from differences(item_path, before, after)


def _items(path: str, old: Any, new: Any) -> Iterable[tuple[str, Any, Any]] | None:
    """Return the items of two maps or of two lists, each with its path, or None for other values."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [(path_of_key(path, key), old.get(key), new.get(key)) for key in sorted({*old, *new})]
    if isinstance(old, list) and isinstance(new, list):
        pairs = enumerate(itertools.zip_longest(old, new))
        return [(f"{path}[{index}]", before, after) for index, (before, after) in pairs]
    return None


def property_of(path: str) -> str:
    """Return the property to which a path belongs."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def path_of_key(path: str, key: str) -> str:
    """Return the path of a value in a map: `triggers.day`, or `conf["spark.key"]` if the key is no word."""
    if _PLAIN_KEY.fullmatch(key):
        return f"{path}.{key}"
    quoted = key.replace('"', '\\"')
    return f'{path}["{quoted}"]'
