"""Draws the pictures of the documentation that are texts: docs/pictures/*.d2 become *.svg. With `--check`: compares.

The pictures are in the repository, so that its pages show them without a build.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
LIGHT_AND_DARK = ("--theme", "0", "--dark-theme", "200")


def draw(source: Path, target: Path) -> None:
    d2 = Path(sys.executable).with_name("d2")
    subprocess.run([d2, *LIGHT_AND_DARK, "--pad", "20", source, target], check=True, stderr=subprocess.DEVNULL)
    target.chmod(0o644)


def is_stale(source: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "picture.svg")
        draw(source, drawn)
        picture = source.with_suffix(".svg")
        return not picture.exists() or picture.read_bytes() != drawn.read_bytes()


def main(arguments: Sequence[str]) -> int:
    sources = sorted(PICTURES.glob("*.d2"))
    if "--check" not in arguments:
        for source in sources:
            draw(source, source.with_suffix(".svg"))
        return 0
    stale = [source.name for source in sources if is_stale(source)]
    if stale:
        print(
            f"The pictures of {', '.join(stale)} are stale; `python scripts/pictures.py` draws them.", file=sys.stderr
        )
    return len(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
