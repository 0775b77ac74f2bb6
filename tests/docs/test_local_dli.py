"""The page about the local DLI: its commands work, and its table has every option."""

import re
import subprocess
from pathlib import Path

import pytest

from pulumi_dli.local.__main__ import main
from tests.docs.pages import block, first_column
from tests.docs.projects import serving, typed


def output_of(commands: str, folder: Path) -> str:
    return subprocess.check_output(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, text=True)


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    serve = typed(block("local-dli", "The local DLI", "sh"))
    assert serve == "pulumi-dli local serve --data ./dli"
    with serving(f"{serve} --engine timeline", tmp_path):
        signed_in = output_of(block("local-dli", "Sign in", "sh") + "echo $DLI_ENDPOINT $OS_SECRET_KEY", tmp_path)
        output_of(block("local-dli", "Files", "sh"), tmp_path)
        link = output_of(block("local-dli", "The page", "sh"), tmp_path)
    assert re.match(r"http://127\.0\.0\.1:\d+ \S+\n$", signed_in)
    assert (tmp_path / "dli" / "obs" / "demo" / "in" / "text.txt").read_text() == "to be or not to be\n"
    assert "http://127.0.0.1:" in link


def test_every_option_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert first_column("local-dli", "option") == set(options)
