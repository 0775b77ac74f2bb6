"""How `scripts/language_hosts.py` builds and keeps a program, and what it says when it cannot. No network, no build."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "language_hosts.py"
NAMES = {"yaml": "pulumi-language-yaml", "nodejs": "pulumi-language-nodejs", "go": "pulumi-language-go"}
# A Go that notes its call and writes an empty program.
GO = """
[ "$1" = version ] && echo go version go1.99.0 linux/amd64 && exit
echo "$PWD $*" >>"$HOME/calls"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' >"$2"; chmod +x "$2"
"""


class Machine:
    """A machine with a Go that a test has made, and no network."""

    def __init__(self, root: Path, go: str = GO) -> None:
        self.root = root
        self.bin = root / "bin"
        self.bin.mkdir()
        for tool in ("sh", "chmod"):
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        (self.bin / "go").write_text(f"#!/bin/sh\n{go}\n")
        (self.bin / "go").chmod(0o755)

    def start(self, *names: str) -> subprocess.Popen[str]:
        env = {"PATH": str(self.bin), "XDG_CACHE_HOME": str(self.root / "cache"), "HOME": str(self.root)}
        env |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        command = [sys.executable, "-S", SCRIPT, *names]  # -S: it has to do without installed packages
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *names: str) -> subprocess.CompletedProcess[str]:
        with self.start(*names) as process:
            stdout, stderr = process.communicate(timeout=60)
        return subprocess.CompletedProcess(names, process.returncode, stdout, stderr)

    def calls(self) -> list[str]:
        calls = self.root / "calls"
        return calls.read_text().splitlines() if calls.exists() else []


def test_each_is_built_once_by_its_own_pins_and_kept_in_a_folder_of_its_own(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    first = machine.run("yaml", "nodejs", "go")
    assert first.returncode == 0, first.stderr
    folders = first.stdout.strip().split(os.pathsep)
    assert [os.access(Path(folder) / name, os.X_OK) for folder, name in zip(folders, NAMES.values(), strict=True)]
    assert "building pulumi-language-yaml 1.25.0 from Go modules" in first.stderr
    assert [call.split()[0] for call in machine.calls()] == [str(SCRIPT.parent / name) for name in NAMES.values()]
    assert all(" -mod=readonly " in call for call in machine.calls())
    second = machine.run("yaml", "nodejs", "go")
    assert (second.stdout, second.stderr) == (first.stdout, "")
    assert len(machine.calls()) == 3


@pytest.mark.parametrize("name", [*NAMES.values(), "generate-sdk"])
def test_its_modules_are_pinned_with_checksums(name: str) -> None:
    folder = SCRIPT.parent / name
    assert "github.com/pulumi/pulumi" in (folder / "go.mod").read_text()
    assert (folder / "go.sum").read_text().count(" h1:") > 100


def test_two_that_want_the_same_at_once_build_it_once(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    with machine.start("go") as first, machine.start("go") as second:
        assert (first.wait(60), second.wait(60)) == (0, 0)
    assert len(machine.calls()) == 1


def test_a_build_that_fails_keeps_nothing_and_says_why(tmp_path: Path) -> None:
    machine = Machine(tmp_path, '[ "$1" = version ] && echo go1.99.0 && exit\necho no route to the proxy >&2; exit 1')
    done = machine.run("yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "building pulumi-language-yaml failed (1)\nno route to the proxy" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in (tmp_path / "cache" / "pulumi-dli").iterdir() if path.is_dir()]


def test_a_name_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    done = Machine(tmp_path).run("cobol")
    assert done.returncode == 2
    assert done.stderr == "There is no 'cobol'. Choose from: yaml, nodejs, go, generate-sdk.\n"
