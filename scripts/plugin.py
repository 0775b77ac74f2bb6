"""Pack the plugin `dli` for people who have no Python environment of their own. Called by `make plugin`.

plugin.py [--pin] [FOLDER]: writes the tarballs of a release and the wheel into FOLDER, by default dist.

A tarball holds three small files. Pulumi unpacks them, makes a virtual environment and installs the requirements. They
are pinned in scripts/plugin-source/requirements.txt. `--pin` writes these pins anew, from what is installed here.
"""

import gzip
import io
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "scripts" / "plugin-source"
PLATFORMS = ("darwin-amd64", "darwin-arm64", "linux-amd64", "linux-arm64", "windows-amd64")
"""Pulumi looks for a tarball of its own platform. All of them are equal."""


def pinned(needed: Sequence[str], found: dict[str, str]) -> dict[str, str]:
    """Return the versions of packages and of all that they need, as they are installed here."""
    for requirement in map(Requirement, needed):
        key = canonicalize_name(requirement.name)
        if key not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            package = distribution(requirement.name)
            found[key] = package.version
            pinned(package.requires or (), found)
    return found


def requirements(version: str, pins: Mapping[str, str]) -> str:
    """Write a requirements file: this package, and all that it needs."""
    return "".join(f"{name}=={pin}\n" for name, pin in [("pulumi-dli", version), *sorted(pins.items())])


def tarball(files: Mapping[str, bytes]) -> bytes:
    """Pack files so that the same files give the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def main(arguments: Sequence[str]) -> int:
    """Write the pins, or the files of a release."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version, pins_file = project["version"], SOURCE / "requirements.txt"
    if "--pin" in arguments:
        pins_file.write_text(requirements(version, pinned(project["dependencies"], {})), "utf-8")
        return 0
    folder = Path(next(iter(arguments), ROOT / "dist")).absolute()
    if f"pulumi-dli=={version}\n" not in pins_file.read_text("utf-8"):
        print(f"{pins_file.name} pins another version than {version}; `plugin.py --pin` fixes it.", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    names = ("PulumiPlugin.yaml", "__main__.py", "requirements.txt")
    packed = tarball({name: (SOURCE / name).read_bytes() for name in names})
    for platform in PLATFORMS:
        (folder / f"pulumi-resource-dli-v{version}-{platform}.tar.gz").write_bytes(packed)
    wheel = (sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps")
    subprocess.run([*wheel, "--wheel-dir", folder, ROOT], check=True)
    print(f"The plugin {version} and its wheel are in {folder}. Install it with:\n")
    first = folder / f"pulumi-resource-dli-v{version}-{PLATFORMS[2]}.tar.gz"
    print(f"    PIP_FIND_LINKS={folder} pulumi plugin install resource dli {version} --file {first}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
