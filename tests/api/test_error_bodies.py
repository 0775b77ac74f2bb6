import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.api.error_bodies import ErrorBody, decode, parse_json, read_error_body, text_of

FAQ = {
    "error_msg": "An internal error occurred. {0} Contact customer services.",
    "error_json_opt": {"error": "Unexpected exception[NoSuchElementException: None.get]"},
    "error_code": "DLI.10001",
}
"""An answer in Open Telekom Cloud's FAQ."""


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        (
            FAQ,
            "DLI.10001",
            "An internal error occurred. Contact customer services: Unexpected exception[NoSuchElementException: "
            "None.get]",
        ),
        ({"errors": [{"code": "X.1", "message": "No queue"}]}, "X.1", "No queue"),
        ({"errors": ["No queue", "No file"]}, "", "No queue: No file"),
        ({"code": 400, "msg": "No queue"}, "400", "No queue"),
        ({"error": "invalid_grant", "error_description": "The token is old"}, "", "The token is old"),
        ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v2.0"}, "", "Not Found"),
        ({"error": {"code": 401, "message": "Sign in", "title": "Unauthorized"}}, "401", "Sign in"),
        ({"code": 0, "data": {}}, "", ""),
        ({}, "", ""),
        ([], "", ""),
        ("text", "", ""),
        (None, "", ""),
    ],
)
def test_the_reason_is_found_in_bodies_of_each_known_form(document: Any, code: str, message: str) -> None:
    assert read_error_body(document)[:2] == (code, message)


def test_the_request_id_is_found_at_any_level() -> None:
    assert read_error_body({"error": {"request_id": "r1", "error_code": "A", "error_msg": "b"}}) == ("A", "b", "r1")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["error", "errors", "code", "msg", "message", "error_msg", "x"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_document_is_read(document: Any) -> None:
    assert isinstance(read_error_body(document), ErrorBody)


def test_a_document_that_is_nested_deep_is_no_document() -> None:
    assert parse_json(b"[" * 100_000) is None
    nested: Any = {"error_msg": "too deep"}
    for _ in range(50):
        nested = {"error": nested}
    assert read_error_body(nested) == ErrorBody()


@pytest.mark.parametrize(
    "charset", [None, "utf-8", "undefined", "idna", "punycode", "utf-8\0", "hex", "no such charset", ""]
)
def test_a_body_is_decoded_whatever_charset_it_names(charset: str | None) -> None:
    assert decode("über".encode(), charset) == "über"
    assert parse_json('{"a": "ü"}'.encode(), charset) == {"a": "ü"}


@given(st.binary(max_size=40), st.none() | st.text(max_size=12))
def test_any_body_is_decoded(content: bytes, charset: str | None) -> None:
    assert isinstance(decode(content, charset), str)


def test_a_charset_that_is_known_counts() -> None:
    assert decode("über".encode("latin-1"), "latin-1") == "über"
    assert parse_json(json.dumps("ü", ensure_ascii=False).encode("latin-1"), "latin-1") == "ü"


def test_lone_surrogates_are_replaced() -> None:
    assert parse_json(rb'["\ud800"]') == ["?"]


def test_a_body_that_is_no_json_is_shown_in_one_short_line() -> None:
    assert (
        text_of(b"<html>\n <body>Bad   Gateway</body>\n" + b"x" * 500, None)
        == ("<html> <body>Bad Gateway</body> " + "x" * 500)[:200]
    )
