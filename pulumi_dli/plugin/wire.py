"""Converts properties between the engine's form, a protobuf Struct, and plain values.

The engine packs a secret, an unknown value and other special values in maps and texts with a signature. Here a secret
is its plain value, and the paths of the secrets stand beside the values. An unknown value is `UNKNOWN`. Numbers stay
floats, as the dynamic providers get them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2

from pulumi_dli.jobs.exact_numbers import path_of
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.plugin.properties import SIGNATURE, Properties

# From pulumi's sdk/go/common/resource and sdk/go/common/resource/plugin/rpc.go (3.259).
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a signature, no secret
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_TEXTS = frozenset(
    (
        _UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a truth value
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # a map
    )
)


class _Special(Enum):
    """The type of `NOT_PLAIN`. It is an enumeration so that a type checker knows its only value."""

    NOT_PLAIN = "an asset, an archive or a resource"


NOT_PLAIN: Final = _Special.NOT_PLAIN
"""An asset, an archive or a resource in place of a value. Every rule for values refuses it."""


def read(struct: Any) -> Properties:
    """Return the properties in a Struct."""
    secrets: set[str] = set()
    values = {name: _read(value, name, secrets) for name, value in struct.fields.items()}
    return Properties(values, frozenset(secrets))


def _read(value: Any, path: str, secrets: set[str]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _read_map(value.struct_value.fields, path, secrets)
    if kind == "list_value":
        return [_read(item, f"{path}[{index}]", secrets) for index, item in enumerate(value.list_value.values)]
    if kind == "string_value" and value.string_value in _UNKNOWN_TEXTS:
        return UNKNOWN
    return None if kind in (None, "null_value") else getattr(value, kind)


def _read_map(fields: Any, path: str, secrets: set[str]) -> Any:
    signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
    if not signature:
        return {key: _read(item, path_of(path, key), secrets) for key, item in fields.items()}
    if signature not in (_SECRET, _OUTPUT):
        return NOT_PLAIN
    if signature == _SECRET or ("secret" in fields and fields["secret"].bool_value):
        secrets.add(path)
        secrets = set()  # the path covers the secrets inside
    return _read(fields["value"], path, secrets) if "value" in fields else UNKNOWN


def write(properties: Mapping[str, Any], secrets: Iterable[str] = ()) -> Any:
    """Return a Struct with these properties, without those that are None.

    Args:
        properties: The plain values by property name.
        secrets: The paths of the values to mark as secret. Paths at which there is no value have no effect.
    """
    struct, marked = struct_pb2.Struct(), frozenset(secrets)
    for name, value in properties.items():
        if value is not None:
            _write(struct.fields[name], value, name, marked)
    return struct


def _write(into: Any, value: Any, path: str, secrets: frozenset[str]) -> None:
    if path in secrets:
        fields = into.struct_value.fields
        fields[SIGNATURE].string_value = _SECRET
        into, secrets = fields["value"], frozenset()
    if isinstance(value, Mapping):
        into.struct_value.SetInParent()
        for key, item in value.items():
            _write(into.struct_value.fields[key], item, path_of(path, key), secrets)
    elif isinstance(value, list | tuple):
        into.list_value.SetInParent()
        for index, item in enumerate(value):
            _write(into.list_value.values.add(), item, f"{path}[{index}]", secrets)
    else:
        _write_leaf(into, value)


def _write_leaf(into: Any, value: Any) -> None:
    if value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        into.string_value = _UNKNOWN_TEXT
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, str):
        into.string_value = value.encode(errors="backslashreplace").decode()  # protobuf refuses lone surrogates
    else:
        raise TypeError(f"a value of type {type(value).__name__} cannot be sent to the engine")
