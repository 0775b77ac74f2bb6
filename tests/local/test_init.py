import ast
import re
from pathlib import Path

from pulumi_dli import local

PACKAGE = Path(local.__file__).parent


def imports_of(path: Path) -> set[str]:
    """Give the modules of the package that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    named = {f"{node.module}.{alias.name}" for node in nodes for alias in node.names}
    return {name.split(".")[2] for name in named if name.startswith("pulumi_dli.local.")}


def test_the_map_names_every_module_in_the_order_of_imports() -> None:
    rows: list[str] = re.findall(r"^    (\w[\w, ]*?)  +\S", local.__doc__ or "", re.MULTILINE)
    order = [name for row in rows for name in row.split(", ")]
    files = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")} - {Path("__init__.py")}
    assert sorted(order) == sorted({file.parts[0].removesuffix(".py") for file in files})
    for file in files:
        module = file.parts[0].removesuffix(".py")
        earlier = order[: order.index(module)]
        assert imports_of(PACKAGE / file).isdisjoint(earlier), f"{file} imports from a module that stands before it"
