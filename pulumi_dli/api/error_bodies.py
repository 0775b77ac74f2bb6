"""Reads the reason in the body of an error, whatever service has written it: DLI, the gateway, IAM or a proxy.

No two services write it alike. The forms here are those of public answers: DLI's `error_code` and `error_msg` with
`error_json_opt` (OTC FAQ; huaweicloud-cs-sdk, FlinkGlobalErrorResponse), OpenStack's nested `error`, OAuth's
`error_description`, Spring's `error` and `path`, lists named `errors`, and HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MAX_TEXT = 200
"""How many characters of a body that is not JSON are shown."""

_CODE_KEYS = ("error_code", "errorCode")
_TEXT_KEYS = ("error_msg", "errorMsg", "message", "msg", "error_description", "reason", "detail", "title", "error")
_REQUEST_ID_KEYS = ("request_id", "requestId")
_MAX_DEPTH = 8
_PLACEHOLDER = re.compile(r"\s*\{\d+\}")


class ErrorBody(NamedTuple):
    """What an error says of itself. A text is empty if the body does not have it."""

    code: str = ""
    message: str = ""
    request_id: str = ""


def decode(content: bytes, charset: str | None) -> str:
    """Decode a body as text. An unknown charset counts as UTF-8; what cannot be decoded is replaced."""
    try:
        return content.decode(charset or "utf-8", errors="replace")
    except (LookupError, ValueError):  # unknown, not for text, a name with NUL, or one that does not take "replace"
        return content.decode("utf-8", errors="replace")


def parse_json(content: bytes, charset: str | None = None) -> Any:
    """Return the JSON document in a body, or None if it is not JSON or is nested too deeply.

    The function replaces lone surrogates: JSON allows them, but they cannot be encoded as UTF-8.
    """
    try:
        document = _load(content, charset)
        if b"\\ud" in content.lower():
            return json.loads(json.dumps(document, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return document


def _load(content: bytes, charset: str | None) -> Any:
    try:
        return json.loads(content)  # it detects the encodings that JSON allows
    except UnicodeDecodeError:
        return json.loads(decode(content, charset))


def read_error_body(document: Any) -> ErrorBody:
    """Return code, reason and request id of an error body."""
    levels = [*_levels(document)]
    code = next((text for level in levels for text in _codes(level)), "")
    # The reason of an exception inside the service stands beside a text that has none.
    reasons = dict.fromkeys(text for level in levels for text in _reasons(level))
    request_id = next((text for level in levels for text in _texts(level, _REQUEST_ID_KEYS)), "")
    return ErrorBody(code, ": ".join(reason.rstrip(" .:") for reason in reasons), request_id)


def text_of(content: bytes, charset: str | None) -> str:
    """Return the beginning of a body that is not JSON, in one line."""
    return " ".join(decode(content, charset).split())[:MAX_TEXT]


def _levels(document: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the maps of a body that may describe the error, the outermost first."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(document, Mapping):
        yield document
        for value in document.values():
            yield from _levels(value, depth + 1)
    elif isinstance(document, list):
        for item in document[:3]:
            yield from _levels(item, depth + 1)


def _codes(level: Mapping[str, Any]) -> Iterator[str]:
    yield from _texts(level, _CODE_KEYS)
    if next(_texts(level, _TEXT_KEYS), None) is not None:
        yield from _texts(level, ("code",))  # a common word: it is an error's only beside a text


def _reasons(level: Mapping[str, Any]) -> Iterator[str]:
    texts = [*_texts(level, _TEXT_KEYS)][:1]
    details = level.get("errors")
    if isinstance(details, list):
        texts += [item for item in details[:3] if isinstance(item, str) and item.strip()]
    yield from (text for text in (_PLACEHOLDER.sub("", text).strip() for text in texts) if text)


def _texts(level: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    values = (level.get(key) for key in keys)
    numbers_and_texts = (str(value).strip() for value in values if isinstance(value, str | int) and value is not True)
    return (text for text in numbers_and_texts if text)
