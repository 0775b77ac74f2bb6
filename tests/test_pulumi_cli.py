"""Where `scripts/pulumi_cli.py` finds a CLI, and what it says when there is none. No network, no build."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.api import eventually

SCRIPT = Path(__file__).parent.parent / "scripts" / "pulumi_cli.py"
FILES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
# What the real installer is called with (pulumi/get.pulumi.com, dist/install.sh), and the part of it we use.
INSTALLER = f"""
[ "$#" = 5 ] && [ "$1" = --version ] && [ "$3" = --install-root ] && [ "$5" = --no-edit-path ] || exit 64
mkdir -p "$4/bin"
for name in {" ".join(FILES)}; do printf '#!/bin/sh\\necho v%s\\n' "$2" >"$4/bin/$name"; done
chmod +x "$4"/bin/*
"""
# A Go that builds nothing; the module cache that it names holds the two scripts of the SDK.
GO = """
case $1 in
    version) echo go version go1.99.0 linux/amd64 ;;
    build) while [ "$1" != -o ]; do shift; done; printf '#!/bin/sh\\necho v3.259.0\\n' >"$2"; chmod +x "$2" ;;
    list) echo "$HOME/sdk" ;;
esac
"""


COMMAND = [sys.executable, "-S", SCRIPT]  # -S: it has to do without installed packages


class Machine:
    """A machine with nothing on PATH but what a test puts there, and no network."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.cache = root / "cache"
        self.bin.mkdir()
        for tool in ("sh", "cat", "chmod", "mkdir", "sleep"):
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)

    def has(self, name: str, script: str = "") -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    @property
    def env(self) -> dict[str, str]:
        env = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(self.cache), "HOME": str(self.bin.parent)}
        return env | {"GOPROXY": "off", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}

    def run(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(COMMAND, env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def cached(self) -> list[Path]:
        return sorted((self.cache / "pulumi-dli").glob("*"))  # hidden names too


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def installer(machine: Machine, script: str) -> None:
    """Put a `curl` on PATH that fetches this instead of the installer."""
    source = machine.bin.parent / "install.sh"
    source.write_text(script)
    machine.has("curl", f'while [ "$1" != -o ]; do shift; done; cat "{source}" >"$2"')


@pytest.mark.parametrize("version", ["v3.238.0", "v3.260.1-alpha.x1", "v4.0.0"])
def test_a_cli_on_path_that_is_new_enough_is_used(machine: Machine, version: str) -> None:
    machine.has("pulumi", f"echo {version}")
    machine.has("pulumi-language-python")
    result = machine.run()
    assert (result.returncode, result.stdout) == (0, f"{machine.bin}\n")
    assert "found on PATH" in result.stderr
    assert not machine.cache.exists()


def test_the_language_host_may_lie_beside_the_program_that_a_link_points_to(machine: Machine) -> None:
    real = machine.bin.parent / "opt"
    real.mkdir()
    machine.has("pulumi", "echo v3.259.0").rename(real / "pulumi")
    machine.has("pulumi-language-python").rename(real / "pulumi-language-python")
    (machine.bin / "pulumi").symlink_to(real / "pulumi")
    assert machine.run().stdout == f"{machine.bin}\n"


@pytest.mark.parametrize(
    ("script", "host", "reason"),
    [
        ("echo v3.237.9", True, "is 3.237.9, older than 3.238.0"),
        ("echo v3.259.0", False, "has no pulumi-language-python beside it"),
        ("echo cannot start >&2; exit 3", True, "does not run: cannot start"),
        ("echo hello", True, "no version in 'hello'"),
    ],
)
def test_a_cli_on_path_that_will_not_do_is_passed_over_with_the_reason(
    machine: Machine, script: str, host: bool, reason: str
) -> None:
    machine.has("pulumi", script)
    if host:
        machine.has("pulumi-language-python")
    installer(machine, INSTALLER)
    result = machine.run()
    assert reason in result.stderr
    assert result.stdout == f"{machine.cached()[0]}\n"


def test_the_installer_fills_the_cache_and_the_next_run_finds_it_there(machine: Machine) -> None:
    installer(machine, INSTALLER)
    first = machine.run()
    (folder,) = machine.cached()
    assert (first.returncode, first.stdout) == (0, f"{folder}\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    (machine.bin / "curl").unlink()
    second = machine.run()
    assert second.stdout == first.stdout
    assert "found in cache" in second.stderr


def test_a_cache_folder_that_lost_a_file_is_filled_again(machine: Machine) -> None:
    installer(machine, INSTALLER)
    machine.run()
    (folder,) = machine.cached()
    (folder / "pulumi-language-python").unlink()
    assert machine.run().stdout == f"{folder}\n"
    assert (folder / "pulumi-language-python").exists()


def test_what_an_installer_leaves_out_is_not_taken_for_a_cli(machine: Machine) -> None:
    installer(machine, 'mkdir -p "$4/bin"')
    machine.has("go", "exit 1")
    result = machine.run()
    assert result.returncode == 1
    assert f"official installer: it brought no {', '.join(FILES)}" in result.stderr
    assert not machine.cached()


def test_without_the_installer_it_is_built_from_go_modules(machine: Machine) -> None:
    machine.has("go", GO)
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        path = machine.bin.parent / "sdk/python" / script
        path.parent.mkdir(parents=True)
        path.write_text("of the SDK")
    result = machine.run()
    (folder,) = machine.cached()
    assert (result.returncode, result.stdout) == (0, f"{folder}\n")
    assert "building with Go 1.99.0" in result.stderr
    assert (folder / "pulumi-language-python-exec").read_text() == "of the SDK"


@pytest.mark.parametrize("ended_by", ["the parent's wait", "its own start"])
def test_a_build_that_is_ended_leaves_nothing_behind(machine: Machine, ended_by: str) -> None:
    started = machine.bin.parent / "started"
    end = "kill -TERM $PPID; " * (ended_by == "its own start")
    machine.has("go", f'[ "$1" = version ] && echo go1.99.0 && exit\necho $$ >"{started}"\n{end}exec sleep 60')
    with subprocess.Popen(COMMAND, env=machine.env, stderr=subprocess.DEVNULL) as process:
        if not end:
            eventually(lambda: started.exists() and started.read_text().strip(), bool)
            process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert not machine.cached()


def test_nothing_works(machine: Machine) -> None:
    machine.has("curl", "echo 'curl: (6) Could not resolve host' >&2; exit 6")
    machine.has("go", "echo go version go1.19.2 linux/amd64")
    result = machine.run()
    assert (result.returncode, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    told = result.stderr[result.stderr.index("No Pulumi CLI") :]
    for part in (
        "PATH: no pulumi there",
        f"cache: no pulumi in {machine.cache}",
        "official installer: download of the installer failed (6)",
        "curl: (6) Could not resolve host",
        "Go modules: download of Go failed",
        "https://www.pulumi.com/docs/install/",
    ):
        assert part in told
    assert "go is 1.19.2, older than" in result.stderr
    assert not machine.cached()


def test_a_cache_that_cannot_be_written_is_a_reason_and_no_traceback(machine: Machine) -> None:
    machine.cache.write_text("a file where a folder should be")
    installer(machine, INSTALLER)
    result = machine.run()
    assert result.returncode == 1
    assert "official installer: [Errno" in result.stderr
    assert "Traceback" not in result.stderr
