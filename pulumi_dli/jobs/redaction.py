"""Masks secret texts in what others have written: the lines of a log, a message of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

MASK = "[secret]"

_SHORT = 6
_TOO_SHORT_FOR_A_LINE = 4


def masked(text: str, secrets: Sequence[str] | None) -> str:
    """Write a text with `[secret]` in the place of each secret, also where it stands as in JSON.

    A secret of several lines is masked line by line, as a log has them. A short one is masked where it stands alone:
    inside other words it would give itself away by what is missing.
    """
    forms = sorted({form for secret in secrets or () for form in _forms(secret)}, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, forms)), MASK, text) if forms else text


def masked_lines(lines: Sequence[str] | None, secrets: Sequence[str] | None) -> list[str] | None:
    """Mask each line of a log."""
    return None if lines is None else [masked(line, secrets) for line in lines]


def _forms(secret: str) -> Iterator[str]:
    lines = [line.strip() for line in secret.splitlines() if line.strip()]
    for line in lines:
        if len(lines) == 1 or len(line) >= _TOO_SHORT_FOR_A_LINE:
            yield line
            yield json.dumps(line)[1:-1]
            yield json.dumps(line, ensure_ascii=False)[1:-1]


def _pattern(form: str) -> str:
    pattern = re.escape(form)
    return rf"(?<!\w){pattern}(?!\w)" if len(form) < _SHORT else pattern
