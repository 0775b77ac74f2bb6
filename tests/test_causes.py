"""An error keeps its cause: `raise … from None` stands only where a comment in the same line says why.

ruff (B904) sees to it that every `raise` in an `except` has a `from`.
"""

from pathlib import Path

import pulumi_dli

ROOT = Path(pulumi_dli.__file__).parent


def test_no_cause_is_cut_without_a_reason() -> None:
    cut = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in ROOT.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "from None" in line and "#" not in line
    ]
    assert cut == []
