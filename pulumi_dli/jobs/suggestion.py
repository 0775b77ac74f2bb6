"""Suggests the word that a user may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def most_similar(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known word that is most like `word`, or None. `likeness` is from 0 to 1; 1 is the same word."""
    return next(iter(difflib.get_close_matches(word, [*known], n=1, cutoff=likeness)), None)


def suggestion(word: str, known: Iterable[str], likeness: float = 0.6, prefix: str = "") -> str:
    """Return the end of a message that suggests the known word most like `word`, or "".

    Args:
        word: The word that is not known.
        known: The known words.
        likeness: How like a known word must be. 1 is the same word.
        prefix: What the message has before the known word.
    """
    similar = most_similar(word, known, likeness)
    return f"; did you mean {prefix}{similar}?" if similar else ""
