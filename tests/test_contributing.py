"""CONTRIBUTING.md names only what exists: make targets, files, tests, folders."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
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
    modules = re.findall(r"`((?:api|account|jobs|program)/\w+\.py)`", TEXT)
    assert len(paths) > 20
    assert len(modules) > 8
    missing = [path for path in [*paths, *(f"pulumi_dli/{one}" for one in modules)] if not (ROOT / path).exists()]
    assert missing == []


def test_every_package_has_a_row() -> None:
    packages = {path.parent.name for path in (ROOT / "pulumi_dli").glob("*/__init__.py")}
    assert packages <= set(re.findall(r"`pulumi_dli/(\w+)`", TEXT))
