"""Finds the secret inputs of a job: their texts, so that logs can be masked, and their paths."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.output import UNKNOWN

from pulumi_dli.jobs.exact_numbers import is_number, path_of, written
from pulumi_dli.jobs.secret_paths import PUBLIC_ARGUMENTS, SIZES, texts_to_mask

Texts = pulumi.Output[list[str] | None]
"""The texts inside secret values, as a secret, or None if there are none."""


@dataclass
class _Found:
    """What is inside values: by property the texts inside secret and inside plain values, and the paths of secrets."""

    secret: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    plain: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    paths: list[str] = field(default_factory=list)
    is_known: bool = True

    def add(self, name: str, value: Any, *, is_secret: bool) -> None:
        """Add a text or a number of a property."""
        if isinstance(value, str) or is_number(value):
            texts = self.secret if is_secret and name not in PUBLIC_ARGUMENTS else self.plain
            texts[name].add(value if isinstance(value, str) else written(value))


class SecretInputs:
    """The secret inputs of a job.

    Texts that are also inside a plain input are not secret, because everybody can read them. Texts of public arguments
    (`PUBLIC_ARGUMENTS`) and texts of one or two characters are never secret. In a preview both are unknown if
    a declared value is unknown.

    Args:
        resource_name: The logical name of the job, which everybody can read.
        declared: The declared values by property name.
        marked: The names of plain properties that the program marks as secret.
    """

    def __init__(self, resource_name: str, declared: Mapping[str, Any], marked: Iterable[str] = ()) -> None:
        self._resource_name = resource_name
        self._declared = declared
        self._marked = [name for name in marked if name in declared]
        # Most jobs of a large program have plain inputs only: save the time of a task.
        self._found = asyncio.ensure_future(_inspect(declared)) if has_output(declared) else None

    @property
    def texts(self) -> Texts | None:
        """The texts inside the declared secret inputs, or None if no input is an output."""
        return None if self._found is None else _as_secret(self._texts(self._found, {}))

    @property
    def paths(self) -> pulumi.Input[list[str] | None] | None:
        """The paths of the declared secret inputs, in plain, or None if there are none."""
        if self._found is None:
            return sorted(self._marked) or None
        return pulumi.Output.from_input(self._paths(self._found))

    async def _paths(self, found: Awaitable[_Found]) -> Any:
        declared = await found
        return sorted({*declared.paths, *self._marked}) or None if declared.is_known else UNKNOWN

    @property
    def has_secret_size(self) -> pulumi.Input[bool | None] | None:
        """True if the paths are unknown, and one of them is surely a size. None otherwise."""
        return None if self._found is None else pulumi.Output.from_input(self._has_secret_size(self._found))

    async def _has_secret_size(self, found: Awaitable[_Found]) -> bool | None:
        declared = await found
        return (not declared.is_known and not {*SIZES}.isdisjoint((*declared.paths, *self._marked))) or None

    def texts_with_marks(self, outputs: Mapping[str, pulumi.Output[Any]]) -> Texts:
        """Return the texts inside all secret inputs, also those that Pulumi has marked after the declaration.

        A transform may add a secret, and `additional_secret_outputs` marks a plain property. Both come after the
        constructor, and only the outputs of the properties tell.

        Args:
            outputs: The outputs of the declared properties, by property name.
        """
        return _as_secret(self._texts(self._found or asyncio.ensure_future(_inspect(self._declared)), outputs))

    async def _texts(self, found: Awaitable[_Found], outputs: Mapping[str, pulumi.Output[Any]]) -> Any:
        declared = await found
        if not declared.is_known:
            return UNKNOWN  # a plan accepts any texts then
        plain, secret = {**declared.plain}, set[str]().union(*declared.secret.values())
        for name, output in outputs.items():
            if name in PUBLIC_ARGUMENTS or not await output.is_secret():
                continue
            marked = _Found()
            await _look_into(await output.future(), name, name, marked, is_secret=True)
            if marked.secret[name] <= plain.get(name, set()) and name not in declared.secret:
                plain.pop(name, None)  # the plain property as a whole was marked
            secret |= marked.secret[name]
        return texts_to_mask(secret, set[str]().union(*plain.values()), self._resource_name)


def secret_texts(value: Any) -> Texts:
    """Return all texts inside a value, each of three characters at least."""
    return SecretInputs("", {"": pulumi.Output.secret(value)}).texts_with_marks({})


def has_output(value: Any) -> bool:
    """True if a value is an output, or holds one."""
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(has_output, value))
    return isinstance(value, pulumi.Output)


def _as_secret(texts: Awaitable[Any]) -> Texts:
    async def secret_or_none() -> Any:
        found = await texts
        return found if found is UNKNOWN else pulumi.Output.secret(found) if found else None

    collected: Texts = pulumi.Output.from_input(secret_or_none())
    return collected


async def _inspect(declared: Mapping[str, Any]) -> _Found:
    found = _Found()
    for name, value in declared.items():
        await _look_into(value, name, name, found)
    return found


async def _look_into(value: Any, name: str, path: str, found: _Found, *, is_secret: bool = False) -> None:
    """Add what is inside a value of a property to `found`. `is_secret`: an output around the value is secret."""
    if isinstance(value, pulumi.Output):
        is_marked = await value.is_secret()
        found.is_known = found.is_known and await value.is_known()
        if is_marked and not is_secret:
            found.paths.append(path)
        await _look_into(await value.future(), name, path, found, is_secret=is_secret or is_marked)
    for item_path, item in _items(value, path):
        await _look_into(item, name, item_path, found, is_secret=is_secret)
    found.add(name, value, is_secret=is_secret)


def _items(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the items of a map or a list, each with its path."""
    if isinstance(value, Mapping):
        yield from ((path_of(path, key), item) for key, item in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
