"""The answer to a diff, as the engine wants it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from pulumi_dli.plugin.property_paths import Change, property_of

_KINDS = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def diff_response(
    changes: Mapping[str, Change],
    *,
    has_changes: bool,
    replaces: bool,
    observed: Collection[str] = (),
) -> Any:
    """Return the answer to a diff.

    Args:
        changes: The paths that are the reason for the decision, each with what happened there.
        has_changes: Whether the resource is updated or replaced.
        replaces: Whether it is replaced. The old one is deleted first.
        observed: The outputs that are no inputs.
    """
    detailed = {
        path: provider_pb2.PropertyDiff(kind=_KINDS[change, replaces], inputDiff=path not in observed)
        for path, change in changes.items()
    }
    names = [*dict.fromkeys(property_of(path) for path in changes)]
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if has_changes else response.DIFF_NONE,
        replaces=names if replaces else [],
        diffs=names if has_changes else [],
        detailedDiff=detailed if has_changes else {},
        hasDetailedDiff=has_changes and bool(detailed),
        deleteBeforeReplace=True,
    )
