"""How `make test` comes by a Chromium: one that is there, or on a machine of CI the one that apt-get brings."""

import os
from pathlib import Path

import pytest

from scripts import chromium


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, on a machine of CI, as root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def program(path: Path, name: str, script: str = "") -> Path:
    file = path / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("name", chromium.NAMES)
def test_one_on_path_is_taken(path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    program(path, "apt-get", "exit 1")
    file = program(path, name)
    assert chromium.main() == 0
    assert chromium.find() == file
    assert capsys.readouterr().err == f"Chromium: found on PATH, {file}\n"


def test_on_a_machine_of_ci_it_is_installed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chromium_file = path / "chromium"
    script = f"""
    echo "$DEBIAN_FRONTEND $*" >>{path}/calls
    [ "$1" = update ] || {{ echo '#!/bin/sh' >{chromium_file}; /bin/chmod +x {chromium_file}; }}
    """
    program(path, "apt-get", script)
    assert chromium.main() == 0
    assert chromium.find() == chromium_file
    assert (path / "calls").read_text().splitlines() == [
        "noninteractive update",
        "noninteractive install --yes --no-install-recommends chromium",
    ]
    assert capsys.readouterr().err.splitlines()[-1] == "Chromium: installed"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'E: Unable to locate package chromium'; exit 100", "E: Unable to locate package chromium"),
        ("exit 7", "it ended with 7"),
    ],
)
def test_an_installation_that_fails_breaks_nothing(
    path: Path, capsys: pytest.CaptureFixture[str], script: str, reason: str
) -> None:
    program(path, "apt-get", script)
    assert chromium.main() == 0
    said = capsys.readouterr().err
    assert f"Chromium: {reason}\n" in said
    assert said.endswith("the tests of the page in a browser will be skipped.\n")
    assert chromium.find() is None


def test_an_installer_that_does_not_start_breaks_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(path, "apt-get").write_text("#!/no/such/shell\n")
    assert chromium.main() == 0
    assert "It could not be installed" in capsys.readouterr().err


@pytest.mark.parametrize("lack", ["CI", "root", "apt-get"])
def test_elsewhere_it_is_left_to_the_person_who_is_told_how(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lack: str
) -> None:
    if lack != "apt-get":
        program(path, "apt-get", f"echo >{path}/called")
    if lack == "CI":
        monkeypatch.delenv("CI")
    if lack == "root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert chromium.main() == 0
    assert "to have them run, install it (Debian: apt-get install chromium)" in capsys.readouterr().err
    assert not (path / "called").exists()
