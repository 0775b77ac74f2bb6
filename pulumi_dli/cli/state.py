"""The resources in the state of a stack, as `pulumi stack export --show-secrets` prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pulumi_dli.jobs.exact_numbers import path_of
from pulumi_dli.plugin.properties import SIGNATURE, Properties


@dataclass(frozen=True)
class StateResource:
    """A resource in the state of a stack.

    Args:
        urn: The URN.
        type: The type token.
        id: The id. Empty if the resource has none.
        parent: The URN of the parent, or an empty string.
        provider: The reference of the provider resource, `URN::ID`, or an empty string.
        inputs: The inputs, with the paths of the secrets.
        outputs: The outputs, with the paths of the secrets.
        is_read_only: Whether the stack only reads the resource.
        is_pending_delete: Whether a new resource has replaced it, and Pulumi has not deleted it yet.
    """

    urn: str
    type: str
    id: str
    parent: str
    provider: str
    inputs: Properties
    outputs: Properties
    is_read_only: bool = False
    is_pending_delete: bool = False

    @classmethod
    def parse(cls, resource: Mapping[str, Any]) -> Self:
        """Parse one element of the list of resources."""
        return cls(
            urn=str(resource.get("urn") or ""),
            type=str(resource.get("type") or ""),
            id=str(resource.get("id") or ""),
            parent=str(resource.get("parent") or ""),
            provider=str(resource.get("provider") or ""),
            inputs=properties_of(resource.get("inputs") or {}),
            outputs=properties_of(resource.get("outputs") or {}),
            is_read_only=bool(resource.get("external")),
            is_pending_delete=bool(resource.get("delete")),
        )

    @property
    def name(self) -> str:
        """The logical name."""
        return name_in(self.urn)

    @property
    def parent_name(self) -> str:
        """The logical name of the parent. Empty if the parent is the stack itself."""
        return "" if "::pulumi:pulumi:Stack::" in self.parent else name_in(self.parent)


@dataclass(frozen=True)
class State:
    """The state of a stack.

    Args:
        resources: The resources, in the order of the state.
        pending: The resources with which an operation has begun and not ended. Most of them are in `resources` too.
    """

    resources: tuple[StateResource, ...]
    pending: tuple[StateResource, ...] = field(default=())

    @classmethod
    def parse(cls, export: Mapping[str, Any]) -> Self:
        """Parse the output of `pulumi stack export --show-secrets`."""
        deployment = export.get("deployment") or {}
        pending = (one.get("resource") or {} for one in deployment.get("pending_operations") or ())
        return cls(
            tuple(map(StateResource.parse, deployment.get("resources") or ())), tuple(map(StateResource.parse, pending))
        )

    @property
    def stack_name(self) -> str:
        """The name of the stack, which each URN has, or an empty string: `urn:pulumi:<stack>::<project>::…`."""
        urns = (one.urn for one in self.resources)
        return next((urn.split(":")[2] for urn in urns if urn.startswith("urn:pulumi:")), "")


def name_in(urn: str) -> str:
    """Return the logical name in a URN: `urn:pulumi:<stack>::<project>::<types>::<name>`. The name may contain `::`."""
    return (urn.split("::", 3) + [""] * 3)[3]


def properties_of(values: Mapping[str, Any]) -> Properties:
    """Return properties as the state has them, with the plain value in place of each secret."""
    secrets: set[str] = set()
    plain = {name: _plain(value, name, secrets) for name, value in values.items()}
    return Properties(plain, frozenset(secrets))


def _plain(value: Any, path: str, secrets: set[str]) -> Any:
    """Return a value without the wrappers of secrets, and add the path of each secret."""
    if isinstance(value, list):
        return [_plain(item, f"{path}[{index}]", secrets) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if SIGNATURE in value and "plaintext" in value:
        secrets.add(path)
        return _plain(json.loads(value["plaintext"]), path, set())  # the path covers the secrets inside
    return {key: _plain(item, path_of(path, key), secrets) for key, item in value.items()}
