"""The pages of the documentation, their sections and fenced blocks."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = {"README": ROOT / "README.md"} | {
    str(path.relative_to(ROOT / "docs").with_suffix("")): path for path in sorted((ROOT / "docs").rglob("*.md"))
}

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
"""A fenced block with a language. A directive of Sphinx, `{name}`, is none."""

BLOCK_OR_HEADING = re.compile(r"^```.*?^```$|^#+ (?P<heading>[^\n]+)$", re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """Return the text between a heading of a page and the next heading. A comment in a fenced block is no heading."""
    text = page(name)
    headings = [found for found in BLOCK_OR_HEADING.finditer(text) if found["heading"] is not None]
    ends = [found.start() for found in headings[1:]] + [len(text)]
    (body,) = [
        text[found.end() : end] for found, end in zip(headings, ends, strict=True) if found["heading"] == heading
    ]
    return body


def blocks(name: str, heading: str, language: str) -> list[str]:
    """Return the blocks of a language below a heading."""
    return [code for kind, code in FENCE.findall(section(name, heading)) if kind == language]


def block(name: str, heading: str, language: str) -> str:
    """Return the only block of a language below a heading."""
    (code,) = blocks(name, heading, language)
    return code


def first_column(name: str, heading: str) -> set[str]:
    """Return the names in the first column of the table whose first heading this is."""
    (table,) = re.findall(rf"^\| {re.escape(heading)} \|.*\n\|-.*\n((?:\|.*\n)+)", page(name), re.MULTILINE)
    return {name for row in table.splitlines() for name in re.findall(r"`(--[a-z-]+|[\w.]+)", row.split(" | ")[0])}
