"""The engine's form of properties, and back. Pulumi's own SDK reads and writes as the witness."""

import asyncio
from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from pulumi.output import Unknown
from pulumi.runtime import rpc

from pulumi_dli.jobs.exact_numbers import path_of
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.plugin.properties import Properties, is_covered
from pulumi_dli.plugin.wire import NOT_PLAIN, read, write

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)
LEAVES = TEXTS | NUMBERS | st.booleans() | st.just(UNKNOWN)
VALUES = st.recursive(
    LEAVES | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
NAMES = st.text("abcXYZ", min_size=1, max_size=4)
DOCUMENTS = st.dictionaries(NAMES, VALUES.filter(lambda value: value is not None), max_size=4)


def paths_of(value: Any, path: str = "") -> list[str]:
    """Give the path of each value at every depth."""
    items = value.items() if isinstance(value, dict) else ()
    inner = [(path_of(path, key), item) for key, item in items]
    if isinstance(value, list):
        inner = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    return [path for path, _ in inner] + [deep for path, item in inner for deep in paths_of(item, path)]


def without_nulls_in_maps(value: Any) -> Any:
    """Give a value as the SDK reads it."""
    if isinstance(value, dict):
        return {key: without_nulls_in_maps(item) for key, item in value.items() if item is not None}
    return [without_nulls_in_maps(item) for item in value] if isinstance(value, list) else value


@given(DOCUMENTS, st.data())
def test_what_is_written_is_read_again_with_its_secrets(values: dict[str, Any], data: st.DataObject) -> None:
    secrets = data.draw(st.sets(st.sampled_from(paths_of(values)))) if values else set()
    found = read(write(values, secrets))
    assert found.values == values
    outermost = {path for path in secrets if not is_covered(path, secrets - {path})}
    assert found.secrets == outermost


@given(DOCUMENTS)
def test_the_sdk_reads_what_is_written(values: dict[str, Any]) -> None:
    def as_sdk(value: Any) -> Any:
        if isinstance(value, Unknown):
            return UNKNOWN
        if isinstance(value, dict):
            return {key: as_sdk(item) for key, item in value.items()}
        return [as_sdk(item) for item in value] if isinstance(value, list) else value

    assert as_sdk(rpc.deserialize_properties(write(values), True)) == without_nulls_in_maps(values)


@given(DOCUMENTS)
def test_a_secret_is_no_other_value_to_the_sdk(values: dict[str, Any]) -> None:
    found = rpc.deserialize_properties(write(values, values), True)
    assert all(rpc.is_rpc_secret(one) for one in found.values())


def test_it_reads_what_the_sdk_writes() -> None:
    async def written() -> Any:
        secret = rpc.wrap_rpc_secret("hunter2")
        return await rpc.serialize_properties({"args": ["a", secret], "conf": {"a.b": secret}, "cores": 3}, {})

    properties = read(asyncio.run(written()))
    assert properties.values == {"args": ["a", "hunter2"], "conf": {"a.b": "hunter2"}, "cores": 3.0}
    assert properties.secrets == {"args[1]", 'conf["a.b"]'}


@pytest.mark.parametrize("value", [0, -1, 2**53, 2**53 - 1, 0.1, 1e300, 1796004693445])
def test_numbers_keep_their_value(value: float) -> None:
    assert read(write({"a": value})).values == {"a": value}
    assert isinstance(read(write({"a": value})).values["a"], float)


def test_none_counts_as_absent_at_the_top_and_stays_inside() -> None:
    assert read(write({"a": None, "b": {"c": None}, "d": [None]})).values == {"b": {"c": None}, "d": [None]}


def test_a_secret_unknown_value_is_both() -> None:
    assert read(write({"a": UNKNOWN}, ["a"])) == Properties({"a": UNKNOWN}, frozenset({"a"}))


def special(signature: str, **fields: Any) -> Any:
    struct = struct_pb2.Struct()
    struct.update({"a": {"4dabf18193072939515e22adb298388d": signature, **fields}})
    return struct


@pytest.mark.parametrize("signature", ["c44067f5952c0a294b673a41bacd8c17", "5cf8f73096256a8f31e491e813e4eb8e", "new"])
def test_assets_archives_and_resources_are_no_plain_data(signature: str) -> None:
    assert read(special(signature)).values == {"a": NOT_PLAIN}
    with pytest.raises(TypeError, match="cannot be sent"):
        write({"a": NOT_PLAIN})


@pytest.mark.parametrize(
    ("fields", "value", "secrets"),
    [
        ({"value": "x"}, "x", set()),
        ({"value": "x", "secret": True}, "x", {"a"}),
        ({"secret": True}, UNKNOWN, {"a"}),
        ({}, UNKNOWN, set()),
    ],
)
def test_outputs_are_their_values(fields: dict[str, Any], value: Any, secrets: set[str]) -> None:
    assert read(special("d0e6a833031e9bbcd3f4e8bde6ca49a4", **fields)) == Properties({"a": value}, frozenset(secrets))


def test_a_text_that_is_no_unicode_can_be_written() -> None:
    assert read(write({"log": ["a\ud800b"]})).values == {"log": ["a\\ud800b"]}
