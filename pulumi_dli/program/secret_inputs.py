"""Collects the texts of a resource's secret inputs, so that logs can be masked."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from pulumi_dli.jobs.exact_numbers import is_number, written


def secret_texts(*inputs: Any) -> pulumi.Output[list[str] | None] | None:
    """Return the texts inside the secret inputs, as a secret, or None if there are none.

    A text that is also inside a plain input does not count, because everybody can read it. Values that are not known
    yet have no text.
    """
    if not has_output(inputs):
        return None  # most jobs of a large program have plain inputs only: save the time of a task

    async def collect() -> list[str] | None:
        texts: dict[bool, set[str]] = {True: set(), False: set()}
        await _collect_texts(inputs, texts)
        return sorted(texts[True] - texts[False]) or None

    collected: pulumi.Output[list[str] | None] = pulumi.Output.from_input(asyncio.ensure_future(collect()))
    return collected.apply(lambda texts: pulumi.Output.secret(texts) if texts else None)


def has_output(value: Any) -> bool:
    """True if a value is an output, or holds one."""
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(has_output, value))
    return isinstance(value, pulumi.Output)


async def _collect_texts(value: Any, texts: dict[bool, set[str]], *, is_secret: bool = False) -> None:
    """Add the texts inside a value to `texts`: to True if they, or an output around them, are secret, else to False."""
    if isinstance(value, pulumi.Output):
        await _collect_texts(await value.future(), texts, is_secret=is_secret or await value.is_secret())
    elif isinstance(value, str):
        texts[is_secret].add(value)
    elif isinstance(value, Mapping):
        await _collect_texts([*value.values()], texts, is_secret=is_secret)
    elif isinstance(value, Sequence):
        for item in value:
            await _collect_texts(item, texts, is_secret=is_secret)
    elif is_number(value):
        texts[is_secret].add(written(value))
