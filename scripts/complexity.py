"""Fail if a block of the code is more complex than 10 by radon: complexity.py FOLDER...

radon counts the paths through each function, method and class. `radon cc` only prints the numbers; its exit code is
always 0.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from radon.complexity import cc_visit

LIMIT = 10


def too_complex(path: Path) -> Iterator[str]:
    """Give a line for each block of a file that is over the limit."""
    for block in cc_visit(path.read_text(encoding="utf-8")):
        if block.complexity > LIMIT:
            yield f"{path}:{block.lineno}: {block.fullname} has complexity {block.complexity}, the limit is {LIMIT}"


def main(folders: Sequence[str]) -> int:
    files = [file for folder in folders for file in sorted(Path(folder).rglob("*.py"))]
    if not files:
        raise SystemExit(f"no Python files in {', '.join(folders) or 'no folder'}")
    lines = [line for file in files for line in too_complex(file)]
    print(*lines, sep="\n", end="\n" if lines else "")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
