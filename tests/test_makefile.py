"""The Makefile: what `make help` shows, and that it shows every target."""

import re
import subprocess
from pathlib import Path

import pytest

from scripts import release

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "Makefile").read_text()


def shown(folder: Path = ROOT) -> list[str]:
    command = ["make", "--no-print-directory", "help"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout.split(
        "\n"
    )[:-1]


def test_help_shows_every_target_with_a_text() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", TEXT, re.MULTILINE)
    assert sorted(line.split()[1] for line in shown()) == sorted(phony.split())
    assert all(len(line) < 120 for line in shown())


@pytest.mark.parametrize("name", ["a", "a-very-long-name-of-a-target"])
def test_the_texts_of_help_stand_in_one_column(tmp_path: Path, name: str) -> None:
    (tmp_path / "Makefile").write_text(f"{TEXT}\n{name}: ## a text of its own\n")
    lines = shown(tmp_path)
    assert lines[-1].split(maxsplit=2) == ["make", name, "a text of its own"]
    columns = {len(line) - len(line.split(maxsplit=2)[2]) for line in lines}
    assert len(columns) == 1
    longest = max(len(line.split()[1]) for line in lines)
    assert columns == {len("make ") + longest + 2}


def test_the_documentation_is_built_apart_from_the_cache_of_the_build() -> None:
    """Sphinx's cache differs from build to build, and a release packs the whole folder of the documentation."""
    command = ["make", "--dry-run", "docs"]
    recipe = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    (arguments,) = (line.split() for line in recipe.splitlines() if " -m sphinx " in line)
    assert arguments[-1] == release.DOCS
    cache = Path(arguments[arguments.index("-d") + 1])
    assert not cache.is_relative_to(release.DOCS)
