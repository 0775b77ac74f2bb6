import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_dli.cli.local import run
from pulumi_dli.cli.main import main
from pulumi_dli.local import __main__ as local
from pulumi_dli.local.testing import Service


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["env", "-h"]])
def test_the_help_names_the_program_as_it_is_called(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for call, program in ((local.main, "python -m pulumi_dli.local"), (run, "pulumi-dli local")):
        with pytest.raises(SystemExit) as ended:
            call(arguments)
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: {program} ")


def test_all_arguments_are_passed_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Service(tmp_path / "data"):
        assert main(["local", "env", "--data", str(tmp_path / "data")]) == 0
    assert "export DLI_ENDPOINT=" in capsys.readouterr().out


def test_its_directory_is_that_of_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Service(tmp_path / "data"):
        assert main(["-C", str(tmp_path), "local", "env", "--data", "data"]) == 0
    assert Path.cwd() != tmp_path


def test_an_error_is_that_of_the_local_dli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local", "env", "--data", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith("local DLI: ")
    with pytest.raises(SystemExit) as ended:
        main(["local", "serve"])
    assert ended.value.code == 2
    assert "usage: pulumi-dli local serve" in capsys.readouterr().err


def test_no_other_command_imports_the_local_dli() -> None:
    program = (
        "import sys; from pulumi_dli.cli import main, jobs, logs, show, cancel; "
        "print([name for name in sys.modules if name.startswith(('pulumi_dli.local', 'grpc', 'pulumi.'))])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_without_fcntl_as_on_windows_one_line_says_where_it_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pulumi_dli.cli.local.find_spec", {}.get)
    assert main(["local", "serve"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "the local DLI runs on Linux and macOS only" in line
