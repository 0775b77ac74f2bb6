"""How Sphinx makes the documentation: `make docs`. The pages are Markdown, so that they also read well in a repository.

Sphinx with the theme furo: warnings are errors (`-W`), links between pages and to headings are checked without a
network, search and dark mode are built in. Material for MkDocs was the other choice: MkDocs 1 and this theme only get
security fixes in 2026, and a link to a missing heading is no error there by default.
"""

import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = PROJECT["name"]
release = PROJECT["version"]
project_copyright = "the authors of pulumi-dli, Apache-2.0"

extensions = ["myst_parser", "sphinx_copybutton"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# The version of a tool or the time of a build changes no page.
html_last_updated_fmt = None
html_show_sphinx = False

html_theme = "furo"
html_title = "pulumi-dli"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
pygments_style = "friendly"
pygments_dark_style = "monokai"
exclude_patterns = ["_build"]
# Only the commands of a block with prompts are copied.
copybutton_prompt_text = "$ "

_LONGEST_SHORT_CELL = 60  # characters


def mark_tables_of_text(_: Sphinx, document: nodes.document) -> None:
    """Mark tables of three and more columns with sentences in the last: on a phone, tables.css stacks their cells."""
    for table in document.findall(nodes.table):
        rows = [[cell.astext() for cell in row.findall(nodes.entry)] for row in table.findall(nodes.row)]
        if len(rows[0]) > 2 and any(len(row[-1]) > _LONGEST_SHORT_CELL for row in rows):
            table["classes"].append("stacked")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", mark_tables_of_text)
