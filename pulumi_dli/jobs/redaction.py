"""Masks secret texts in text that others wrote: the lines of a log, a message of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

MASK = "[secret]"

_MIN_LENGTH_INSIDE_WORDS = 6
_MIN_LINE_LENGTH = 4


def masked(text: str, secrets: Sequence[str] | None) -> str:
    """Return a text with `[secret]` in place of each secret, also in the form that the secret has in JSON.

    A secret with several lines is masked line by line, because a log has separate lines. A secret with less than 6
    characters is masked only as a whole word: a mask inside other words would show which letters are missing.
    """
    forms = sorted({form for secret in secrets or () for form in _forms(secret)}, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, forms)), MASK, text) if forms else text


def masked_lines(lines: Sequence[str] | None, secrets: Sequence[str] | None) -> list[str] | None:
    """Return the lines of a log, each masked, or None if there is no log."""
    return None if lines is None else [masked(line, secrets) for line in lines]


def _forms(secret: str) -> Iterator[str]:
    lines = [line.strip() for line in secret.splitlines() if line.strip()]
    for line in lines:
        if len(lines) == 1 or len(line) >= _MIN_LINE_LENGTH:
            yield line
            yield json.dumps(line)[1:-1]
            yield json.dumps(line, ensure_ascii=False)[1:-1]


def _pattern(form: str) -> str:
    pattern = re.escape(form)
    return rf"(?<!\w){pattern}(?!\w)" if len(form) < _MIN_LENGTH_INSIDE_WORDS else pattern
