"""The properties of a resource: plain values, and the paths of those that are secret.

A path has the form of `exact_numbers.path_of`: `file`, `args[1]`, `conf["spark.key"]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key that marks an object in which Pulumi wraps a special value (3.259, sdk/go/common/resource/sig)."""


@dataclass(frozen=True)
class Properties:
    """The properties of a resource.

    Args:
        values: The plain values by property name.
        secrets: The paths of the secret values. A path covers everything inside its value.
    """

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secrets: frozenset[str] = frozenset()


def is_covered(path: str, paths: Iterable[str]) -> bool:
    """Return whether a value at a path is at one of these paths or inside a value at one of them."""
    return any(path == one or path.startswith(f"{one}[") for one in paths)
