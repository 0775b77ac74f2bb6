"""CONTRIBUTING.md names only what exists: make targets, files, tests, folders."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
FILE = re.compile(r"`((?:api|account|jobs|program|cli|operations)/\w+\.py)`")
MODULES = FILE.findall(TEXT)
MESSAGES = sorted((ROOT / "pulumi_dli" / "jobs").glob("*messages.py"))
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


def test_it_is_short() -> None:
    assert len(TEXT.splitlines()) <= 200


def test_every_make_target_exists() -> None:
    named = {word for words in re.findall(r"`make ([a-z -]+?)[`A-Z]", TEXT) for word in words.split()}
    assert named | {line.split()[1] for line in COMMANDS if line.startswith("make ")} <= TARGETS


def test_every_command_is_make_or_names_a_module_and_tests_that_exist() -> None:
    for line in COMMANDS:
        assert line.startswith(("make ", ".venv/bin/python -m pytest tests/", ".venv/bin/python -m bench "))
        for path in re.findall(r"tests/[\w/.]+", line):
            assert (ROOT / path).exists(), path


def test_every_file_and_folder_exists() -> None:
    paths = re.findall(r"`((?:pulumi_dli|tests|bench|scripts|examples|\.ci|\.github)[\w/.]*)`", TEXT)
    assert len(paths) > 20
    assert len(MODULES) > 8
    missing = [path for path in [*paths, *(f"pulumi_dli/{one}" for one in MODULES)] if not (ROOT / path).exists()]
    assert missing == []


def test_every_name_of_the_code_is_there() -> None:
    """A recipe names functions, classes and tables. Each must be defined in a file that the same row or line names."""
    found = 0
    for line in TEXT.splitlines():
        files = [ROOT / "pulumi_dli" / one for one in FILE.findall(line)]
        files += [ROOT / one for one in re.findall(r"`(tests/[\w/]+\.py)`", line)]
        names = re.findall(r"`([A-Z][A-Za-z]+|[a-z]+_[a-z_]+|[A-Z]{4,})`", line) if files else []
        code = "\n".join(path.read_text(encoding="utf-8") for path in files if path.exists())
        for name in names:
            assert re.search(rf"^(?:def |class )?{name}\b", code, re.MULTILINE), f"{name} is in none of {files}"
            found += 1
    assert found > 5


@pytest.mark.parametrize("file", MESSAGES, ids=lambda file: file.stem)
def test_every_message_has_a_caller(file: Path) -> None:
    others = [path for path in (ROOT / "pulumi_dli").rglob("*.py") if path != file]
    code = "\n".join(path.read_text(encoding="utf-8") for path in others)
    names = re.findall(r"^def ([a-z]\w+_message)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 10
    assert f"`jobs/{file.name}`" in TEXT
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []


def test_every_package_has_a_row() -> None:
    packages = {path.parent.name for path in (ROOT / "pulumi_dli").glob("*/__init__.py")}
    assert packages <= set(re.findall(r"`pulumi_dli/(\w+)`", TEXT))
