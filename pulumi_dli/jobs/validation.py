"""The rules for the values of properties: each rule checks and normalises one kind of value.

The values have the types that Pulumi can send: text, numbers, booleans, lists, maps, None for absent, and `UNKNOWN` for
a value that a plan does not know yet. A rule gets a known value. It returns the value normalised, or raises
RefusedError. The error does not show the value, which may be secret. The exceptions are the rules inside `shown`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeVar

from pulumi_dli.api.models import MAX_NAME_LENGTH, normal_id
from pulumi_dli.api.sizes import memory_mib
from pulumi_dli.jobs.exact_numbers import is_number, written


class Unknown(Enum):
    """The type of `UNKNOWN`. It is an enumeration so that a type checker knows its only value."""

    UNKNOWN = "a value that a plan does not know yet"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that a plan does not know yet."""


def is_known(value: Any) -> bool:
    """Return whether neither the value nor anything inside it is unknown."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


T = TypeVar("T")

# Python's and Node's text of an output (pulumi 3.272, `Output.__str__`; @pulumi/pulumi, `OutputImpl.toString`).
_OUTPUT_AS_TEXT = re.compile(r"Calling (__str__|\[?to(String|JSON)\]?) on an \[?Output[\[<]T[\]>]|\[Output<T>\]")
_LOCAL_PATH = re.compile(r"\.{0,2}/|~/|\.{1,2}\\|[A-Za-z]:[\\/]|file:", re.ASCII)
_OTHER_STORE = re.compile(r"(s3[an]?|gs|wasbs?|abfss?|oss|cosn?|swift)://", re.IGNORECASE)
_BATCH_ID = re.compile(r"[\w.-]+", re.ASCII)
_OBS_PATH = re.compile(r"obs://[^/]+/.*[^/]")


def known(value: T | Unknown) -> T:
    """Return a value that must be known here. Raises ValueError for an unknown value, which is a defect."""
    if isinstance(value, Unknown):
        raise ValueError("a value is unknown where the engine must know it")  # noqa: TRY004
    return value


class RefusedError(Exception):
    """A value breaks a rule.

    Args:
        rule: What the value must be. The text of the error, which may be shown for a secret.
        advice: What to write instead. It belongs to the text.
        value: The refused value, in words. None if it may not be shown, because the property may be secret.
        path: The path from the property to the value, for example `[2].name`.
    """

    def __init__(self, rule: str, advice: str = "", *, value: str | None = None, path: str = "") -> None:
        super().__init__(rule + advice)
        self.path = path
        self._parts = rule, advice, value

    @property
    def with_value(self) -> str:
        """The text of the error with the refused value. Never show it for a secret."""
        rule, advice, value = self._parts
        return f"{rule}{advice}" if value is None else f"{rule}, but is {value}{advice}"

    def inside(self, path: str) -> RefusedError:
        """Return the error for a value that contains the refused one at `path`."""
        rule, advice, value = self._parts
        return RefusedError(rule, advice, value=value, path=path + self.path)


def text(value: Any) -> str:
    """Accept text without NUL characters, and without what Pulumi writes in place of the value of an output."""
    if not isinstance(value, str):
        advice = "leave it out" if value is None else "put it in quotes"
        raise RefusedError(f"must be text, but is {kind_of(value)}; {advice}")
    if "\0" in value:  # an argument of a process cannot contain it
        raise RefusedError("must be text without NUL characters")
    if _OUTPUT_AS_TEXT.search(value):
        raise RefusedError(
            "contains the text of an Output in place of its value; use pulumi.Output.format (not an f-string), or apply"
        )
    return value


def name(value: Any) -> str:
    """Accept a name: text, not empty, without blanks around it."""
    return _trimmed(value, "a name")


def batch_id(value: Any) -> str:
    """Accept the id of a batch job, and return it as the service writes it."""
    if not isinstance(value, str) or not _BATCH_ID.fullmatch(value):
        raise RefusedError("must be the id of a batch job")
    return normal_id(value)


def class_name(value: Any) -> str:
    """Accept a name or empty text."""
    return "" if value == "" else name(value)


def shown(check: Callable[[str], str]) -> Callable[[Any], str]:
    """Make a rule for text whose error has the refused text. Use it only for properties that are rarely secret."""

    def check_and_show(value: Any) -> str:
        written = text(value)
        try:
            return check(written)
        except RefusedError as refused:
            raise RefusedError(str(refused), value=repr(written)) from refused

    return check_and_show


def job_name(value: Any) -> str:
    """Accept a name of at most 128 characters."""
    written = shown(name)(value)
    if len(written) > MAX_NAME_LENGTH:
        raise RefusedError(f"must have at most {MAX_NAME_LENGTH} characters, but has {len(written)}")
    return written


def path(value: Any) -> str:
    """Accept an `obs://` path or the name of an uploaded package."""
    written = _trimmed(value, "a package name or an obs:// path")
    if _LOCAL_PATH.match(written):
        raise RefusedError(
            "is a path on this machine, which the service cannot read; upload the file to OBS, and write "
            "obs://bucket/key"
        )
    if _OTHER_STORE.match(written):
        raise RefusedError(
            "is a path of another store; the service reads only OBS: copy the file there, and write obs://bucket/key"
        )
    if written.startswith("obs:") and not _OBS_PATH.fullmatch(written):
        raise RefusedError("must have a bucket and a key: obs://bucket/key")
    return written


def _trimmed(value: Any, kind: str) -> str:
    written = text(value)
    if written != written.strip() or not written:
        raise RefusedError(f"must be {kind}, not empty and without blanks around it")
    return written


def flag(value: Any) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise RefusedError(f"must be true or false, but is {kind_of(value)}")
    return value


def integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    """Make a rule for whole numbers in a range. `3.0` counts as a whole number."""
    limits = f"at least {least}" if most is None else f"from {least} to {most}"

    def check(value: Any) -> int:
        if not is_number(value) or value != value // 1:
            written = repr(value) if is_number(value) or isinstance(value, str) else kind_of(value)
            has_digits = is_number(value) or (isinstance(value, str) and value.strip().isdecimal())
            advice = "; write it without quotes and without a fraction" if has_digits else ", for example 4"
            raise RefusedError("must be a whole number", advice, value=written)
        if value < least or (most is not None and value > most):
            raise RefusedError(f"must be {limits}", value=str(int(value)))
        return int(value)

    return check


def memory(value: Any) -> str:
    """Accept a memory size with its unit, and return it in the page's form: `2G` or `2048M`."""
    if not isinstance(value, str):
        written = str(value) if is_number(value) else kind_of(value)
        raise RefusedError("must be text with a unit, for example '2G' or '2048M'", value=written)
    try:
        mib = memory_mib(value)
    except ValueError as error:
        raise RefusedError("must be a size with a unit, for example '2G' or '2048M'", value=repr(value)) from error
    return f"{mib // 1024}G" if "g" in value.lower() else f"{mib}M"


def choice(*allowed: str, meaning: str = "") -> Callable[[Any], str]:
    """Make a rule for one of these words. `meaning` explains them to the user, in their order."""
    explained = f" ({meaning})" if meaning else ""

    def check(value: Any) -> str:
        written = text(value)
        if written not in allowed:
            raise RefusedError(f"must be one of {', '.join(allowed)}{explained}")
        return written

    return check


def list_of(check_item: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    """Make a rule for a list whose items follow a rule."""

    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise RefusedError(f"must be a list, but is {kind_of(value)}; write a list with one item for each value")
        return [at(f"[{index}]", check_item, item) for index, item in enumerate(value)]

    return check


def object_of(**checks: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Make a rule for a map with these keys, each with a rule for its value. A null counts as absent."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise RefusedError(f"must be a map with {' and '.join(checks)}, but is {kind_of(value)}")
        for key in value:
            if key not in checks:
                raise RefusedError(f"has a key that is not known; known are {', '.join(checks)}")
        return {key: at(f".{key}", checks[key], item) for key, item in value.items() if item is not None}

    return check


def scalar(value: Any) -> str:
    """Accept a value of Spark's configuration, and return it as Spark reads it: `true`, not `True`; `3`, not `3.0`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    if is_number(value):
        return written(value)
    raise RefusedError(f"must be text, a number, true or false, but is {kind_of(value)}")


def map_of(check_item: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """Make a rule for a map with any keys, whose values follow a rule."""

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise RefusedError(f"must be a map, but is {kind_of(value)}")
        for key in value:
            # Do not strip a key: the engine knows a secret by its path, and would store it in plain under a new key.
            if key != key.strip() or not key:
                raise RefusedError("has a key that is empty or has blanks around it; write the key without them")
        return {key: at(f'["{key}"]', check_item, item) for key, item in value.items()}

    return check


def anything(value: Any) -> Any:
    """Accept any value of plain data, but no asset, archive or resource, because their form can differ each time."""
    if isinstance(value, Mapping):
        return {key: at(f'["{key}"]', anything, item) for key, item in value.items()}
    if isinstance(value, list):
        return [at(f"[{index}]", anything, item) for index, item in enumerate(value)]
    if isinstance(value, str):
        return text(value)
    if value is not None and not isinstance(value, int | float):
        rule = "must be text, a number, true or false, a list or a map"
        raise RefusedError(f"{rule}; for a file, use a digest of it (Python: file_digest)")
    return value


def at(path: str, check: Callable[[Any], Any], value: Any) -> Any:
    """Return a value inside another one, checked if it is known. Errors get `path` before their own path."""
    if value is UNKNOWN:
        return value
    try:
        return check(value)
    except RefusedError as refused:
        raise refused.inside(path) from refused


def kind_of(value: Any) -> str:
    """Return the kind of a value, in words. The value itself may be secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if is_number(value):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, Mapping) else "something else"
