"""The page about the architecture: the picture of the layers, and the tables, are those of the code."""

import re
import tomllib

from tests.docs.pages import ROOT, section

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS = [layer.split(" | ") for layer in CONTRACTS[0]["layers"]]


def test_the_picture_has_the_layers_of_the_contract() -> None:
    picture = (ROOT / "docs" / "pictures" / "layers.d2").read_text(encoding="utf-8")
    rows = re.findall(r'^row\d: "(.*?)"', picture, re.MULTILINE)
    assert [[line.split(":")[0] for line in row.split("\\n")] for row in rows] == LAYERS


def test_the_table_has_every_package() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section("architecture", "The layers"), re.MULTILINE)
    assert {*rows} == {package for layer in LAYERS for package in layer}


def test_the_modules_that_the_page_names_exist() -> None:
    named = re.findall(
        r"`(operations/\w+\.py)`", section("architecture", "How an interrupted job is not lost and not run twice")
    )
    assert named
    assert all((ROOT / "pulumi_dli" / name).exists() for name in named)
