import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "complexity.py"


def function(complexity: int, indent: str = "") -> str:
    """Write a function with one path more than it has branches."""
    branches = "".join(f"{indent}    if x == {number}:\n{indent}        return\n" for number in range(complexity - 1))
    return f"{indent}def decide(x):\n{branches}{indent}    return\n"


def check(*folders: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *folders], capture_output=True, text=True, check=False)


def test_blocks_of_complexity_10_pass(tmp_path: Path) -> None:
    (tmp_path / "simple.py").write_text(function(10))
    run = check(tmp_path)
    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.parametrize(
    ("code", "place"),
    [
        (function(11), "1: decide"),
        (f"class Judge:\n{function(1, '    ')}\n{function(11, '    ')}", "5: Judge.decide"),
    ],
    ids=["function", "method"],
)
def test_a_block_of_complexity_11_fails_and_is_named(tmp_path: Path, code: str, place: str) -> None:
    (tmp_path / "package").mkdir()
    file = tmp_path / "package" / "complex.py"
    file.write_text(code)
    (tmp_path / "simple.py").write_text(function(1))
    run = check(tmp_path)
    assert run.returncode == 1
    assert f"{file}:{place} has complexity 11, the limit is 10" in run.stdout


def test_a_folder_without_python_files_fails(tmp_path: Path) -> None:
    run = check(tmp_path / "misspelt")
    assert run.returncode == 1
    assert "no Python files" in run.stderr
