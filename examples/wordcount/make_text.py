"""Makes a text to count words in: make_text.py FILE. 400 kB, the same one every time, words as unequal as in a book."""

import random
import sys
from pathlib import Path

SYLLABLES = ["al", "ba", "cor", "dim", "en", "far", "go", "hul", "is", "jun", "ka", "lor", "mi", "nos", "or", "pel"]
KILOBYTES = 400


def main(target: str) -> None:
    chance = random.Random(7)
    words = ["".join(chance.choices(SYLLABLES, k=1 + rank // 150)) + SYLLABLES[rank % 16] for rank in range(600)]
    weights = [1 / (rank + 1) for rank in range(len(words))]  # Zipf's law
    lines = []
    size = 0
    while size < KILOBYTES * 1000:
        line = " ".join(chance.choices(words, weights, k=12)).capitalize() + "."
        lines.append(line)
        size += len(line) + 1
    Path(target).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
