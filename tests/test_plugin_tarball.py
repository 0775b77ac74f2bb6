"""The plugin as a folder: `make plugin` packs it, and `pulumi plugin install --file` installs it from the wheel."""

import io
import subprocess
import tarfile
import tomllib
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from packaging.requirements import Requirement
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from scripts import plugin as packing
from tests.project import Project

VERSION = tomllib.loads((packing.ROOT / "pyproject.toml").read_text())["project"]["version"]
PINS = (packing.SOURCE / "requirements.txt").read_text().splitlines()


def test_every_requirement_has_an_exact_pin_that_this_package_accepts() -> None:
    pins = {name: version for name, _, version in (line.partition("==") for line in PINS)}
    assert pins["pulumi-dli"] == VERSION
    declared = tomllib.loads((packing.ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for needed in map(Requirement, declared):
        assert needed.specifier.contains(pins[needed.name]), f"{needed}: `plugin.py --pin` writes the pins anew"


def test_the_pins_are_of_a_package_and_of_all_that_it_needs() -> None:
    found = packing.pinned(["requests>=2", "colorama; platform_system == 'Nowhere'"], {})
    assert {"requests", "urllib3", "certifi", "idna"} <= found.keys()
    assert "colorama" not in found
    assert packing.requirements("1.2.3", {"b": "2", "a": "1"}) == "pulumi-dli==1.2.3\na==1\nb==2\n"


def test_equal_files_give_an_equal_tarball_that_names_nobody() -> None:
    files = {"b.txt": b"two", "a.txt": b"one"}
    packed = packing.tarball(files)
    assert packed == packing.tarball(dict(reversed(files.items())))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = archive.getmembers()
    assert [(one.name, one.mtime, one.uid, one.uname) for one in members] == [("a.txt", 0, 0, ""), ("b.txt", 0, 0, "")]


def test_old_pins_are_not_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements.txt").write_text("pulumi-dli==0.0.1\n")
    monkeypatch.setattr(packing, "SOURCE", tmp_path)
    assert packing.main([str(tmp_path / "dist")]) == 1
    told = capsys.readouterr().err
    assert told == f"requirements.txt pins another version than {VERSION}; `plugin.py --pin` fixes it.\n"
    assert not (tmp_path / "dist").exists()


@pytest.mark.slow
def test_it_is_installed_from_the_wheel_with_its_pins_and_answers(tmp_path: Path, project: Project) -> None:
    """The Python host of the demo's CLI installs such a folder, but is too old to start it. The test starts it."""
    release = tmp_path / "dist"
    assert packing.main([str(release)]) == 0
    tarball = release / f"pulumi-resource-dli-v{VERSION}-linux-amd64.tar.gz"
    install = ("plugin", "install", "resource", "dli", VERSION, "--file", str(tarball))
    project.pulumi(*install, PIP_FIND_LINKS=str(release), PIP_DISABLE_PIP_VERSION_CHECK="1")
    (installed,) = (project.folder / "home" / "plugins").glob(f"resource-dli-v{VERSION}")
    assert "dli" in project.pulumi("plugin", "ls")

    python = next(installed.glob("**/bin/python"))
    listing = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    frozen = {line.lower().replace("_", "-") for line in listing.splitlines()}
    assert {pin for pin in PINS[1:] if not pin.startswith("setuptools")} <= frozen
    command = [python, installed / "__main__.py"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            schema = stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
            version = stub.GetPluginInfo(empty_pb2.Empty()).version
        process.terminate()
    assert schema == (packing.ROOT / "schema.json").read_text(encoding="utf-8")
    assert version == VERSION
