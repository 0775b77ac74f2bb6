"""The texts of a resource's secret inputs, so that they can be masked in what others write."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi


def secret_texts(*inputs: Any) -> pulumi.Output[list[str] | None] | None:
    """Give the texts inside the secret inputs, as a secret; None where there are none.

    A text that is an input in plain too is none: everybody can read it. Values that are not known yet have no text.
    """
    if not _has_output(inputs):
        return None  # nothing is to be awaited, which most jobs of a large program are spared so

    async def collect() -> list[str] | None:
        texts: dict[bool, set[str]] = {True: set(), False: set()}
        await _sort(inputs, texts)
        return sorted(texts[True] - texts[False]) or None

    collected: pulumi.Output[list[str] | None] = pulumi.Output.from_input(asyncio.ensure_future(collect()))
    return collected.apply(lambda texts: pulumi.Output.secret(texts) if texts else None)


def _has_output(value: Any) -> bool:
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(map(_has_output, value))
    return isinstance(value, pulumi.Output)


async def _sort(value: Any, texts: dict[bool, set[str]], *, is_secret: bool = False) -> None:
    """Sort the texts inside a value by whether they are secret: themselves, or something that they are in."""
    if isinstance(value, pulumi.Output):
        await _sort(await value.future(), texts, is_secret=is_secret or await value.is_secret())
    elif isinstance(value, str):
        texts[is_secret].add(value)
    elif isinstance(value, Mapping):
        await _sort([*value.values()], texts, is_secret=is_secret)
    elif isinstance(value, Sequence):
        for item in value:
            await _sort(item, texts, is_secret=is_secret)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        texts[is_secret].add(str(value))
