"""Masks secret texts in text that others wrote: the lines of a log, a message of the service."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import quote, quote_plus

MASK = "[secret]"

_MIN_LENGTH_INSIDE_WORDS = 6
_MIN_LENGTH_ENCODED = 8
"""The shortest secret that is also masked in encoded forms. Forms of a shorter one stand in any text by chance."""
_MIN_LINE_LENGTH = 4


def masked(text: str, secrets: Sequence[str] | None) -> str:
    """Return a text with `[secret]` in place of each secret, also in the form that the secret has in JSON.

    A secret of 8 characters or more is also masked in upper and lower case, URL-encoded, as hexadecimal digits, in
    base64 (also inside a longer base64 text), with the entities of XML, and as Python and shells quote it.

    A secret with several lines is masked line by line, because a log has separate lines, and as a whole, because its
    encoded forms have one line. A secret with less than 6
    characters is masked only as a whole word: a mask inside other words would show which letters are missing.
    """
    pattern = _pattern_of(tuple(secrets)) if secrets else None
    return pattern.sub(MASK, text) if pattern else text


def masked_lines(lines: Sequence[str] | None, secrets: Sequence[str] | None) -> list[str] | None:
    """Return the lines of a log, each masked, or None if there is no log.

    Two or more lines in a row that are lines of one secret are masked even if each of them is too short by itself.
    """
    if lines is None:
        return None
    hidden = {index for secret in secrets or () for index in _indices_of_parts(lines, _lines_of(secret))}
    return [MASK if index in hidden else masked(line, secrets) for index, line in enumerate(lines)]


def _indices_of_parts(lines: Sequence[str], parts: Sequence[str]) -> Iterator[int]:
    """Yield the indices of the lines that are consecutive lines of a secret, two or more in a row."""
    pairs = set(pairwise(parts))
    stripped = [line.strip() for line in lines] if pairs else []
    for index, pair in enumerate(pairwise(stripped)):
        if pair in pairs:
            yield from (index, index + 1)


def _lines_of(secret: str) -> list[str]:
    return [line.strip() for line in secret.splitlines() if line.strip()]


@lru_cache(maxsize=64)
def _pattern_of(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return the pattern that finds all forms of the secrets, the longest first, or None without a secret."""
    forms = {form: pattern for secret in secrets for form, pattern in _patterns(secret)}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(forms[form] for form in longest_first)) if forms else None


def _patterns(secret: str) -> Iterator[tuple[str, str]]:
    """Yield the forms of a secret, each with its pattern."""
    lines = _lines_of(secret)
    if len(lines) == 1:
        yield from _patterns_of_line(lines[0])
        return
    for line in lines:
        if len(line) >= _MIN_LINE_LENGTH:
            yield from _patterns_of_line(line)
    for whole in {secret, secret.strip()} if lines else ():
        yield from _patterns_of_line(whole)  # a program may write it in one line: as JSON, URL-encoded


def _patterns_of_line(line: str) -> Iterator[tuple[str, str]]:
    is_long = len(line) >= _MIN_LENGTH_ENCODED
    for form in (line, json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1]):
        yield form, _in_any_case(form) if is_long else _as_word(form)
    if is_long:
        yield from ((form, _in_any_case(form)) for form in _escaped(line))
        yield from _as_written(_base64_forms(line))


def _as_written(forms: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((form, re.escape(form)) for form in forms)


def _as_word(form: str) -> str:
    pattern = re.escape(form)
    return rf"(?<!\w){pattern}(?!\w)" if len(form) < _MIN_LENGTH_INSIDE_WORDS else pattern


def _in_any_case(form: str) -> str:
    return f"(?i:{re.escape(form)})"


def _escaped(text: str) -> Iterable[str]:
    """Return the forms in which programs write a text inside other text. Their case does not matter."""
    from html import escape  # noqa: PLC0415  its table of entities takes 2 ms, and most programs have no secret

    data = text.encode(errors="replace")
    xml = escape(text)
    return {
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        data.hex(),
        escape(text, quote=False),
        xml,
        xml.replace("&#x27;", "&apos;"),
        xml.replace("&#x27;", "&#39;"),
        repr(text)[1:-1],
        text.replace("\\", "\\\\"),
        text.replace("'", "'\\''"),
    }


def _base64_forms(text: str) -> Iterator[str]:
    """Yield what base64 makes of a text, alone and inside longer data, with both alphabets.

    Inside longer data, the first and the last characters depend on the neighbours, so they are left out.
    """
    data = text.encode(errors="replace")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            encoded = encode(b"\0" * offset + data).decode().rstrip("=")
            first = (offset * 8 + 5) // 6
            last = (offset + len(data)) * 8 // 6
            yield encoded[first:last]
