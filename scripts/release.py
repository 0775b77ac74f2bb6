"""Build everything of a release into dist/: release.py VERSION. Called by `make release VERSION=x.y.z`.

It sets the version, cuts the changelog, commits both, and builds from that commit. It uploads, pushes and tags nothing.
If it runs again on the same commit, it builds the same files: SOURCE_DATE_EPOCH is the time of the commit.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DOCS = "docs/_build/html"  # where `make docs` writes
PINS = "scripts/plugin-source/requirements.txt"
PAGES = ("docs/languages.md", "examples/README.md")  # their commands install the plugin or add the SDK
VERSION_IN_COMMAND = re.compile(r"(?<=\bdli[ @])\d+\.\d+\.\d+\b|(?<=-resource-dli-v)\d+\.\d+\.\d+\b")
SUMS = "SHA256SUMS"
OTHERS = ("plugin", "sdks", "docs")  # the make targets that build the rest
EMPTY = "## [Unreleased]\n"


class RefusedError(Exception):
    """The release must not be made; the text says why and what to do."""


class Repository(NamedTuple):
    """The facts about the working tree. `tagged` is the commit of the version's tag, or empty."""

    changes: str
    head: str
    tagged: str


def parse(version: str) -> tuple[int, ...]:
    """Read x.y.z. The registries of the SDKs need three numbers without leading zeros."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise RefusedError(f"{version!r} is not a version like 1.2.3. Run: make release VERSION=1.2.3")
    return tuple(map(int, version.split(".")))


def version_of(pyproject: str) -> str:
    (version,) = re.findall(r'^version = "(.+)"$', pyproject, re.MULTILINE)
    return str(version)


def with_version(pyproject: str, version: str) -> str:
    """Set the version of pyproject.toml. A release may have the current version, but none before it."""
    current = version_of(pyproject)
    if parse(version) < parse(current):
        raise RefusedError(f"{version} is older than {current}, the version in pyproject.toml. Choose a newer version.")
    return pyproject.replace(f'version = "{current}"', f'version = "{version}"', 1)


def cut(changelog: str, version: str, day: date) -> str:
    """Move what is unreleased into a section of the version. A changelog that is cut already stays as it is."""
    if EMPTY not in changelog:
        raise RefusedError(f"CHANGELOG.md has no section `{EMPTY.strip()}`. Add it above the last version.")
    head, rest = changelog.split(EMPTY, 1)
    unreleased, *_ = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)
    is_cut = re.search(rf"^## \[?{re.escape(version)}\]?(\s|$)", rest, re.MULTILINE) is not None
    if is_cut and unreleased.strip():
        raise RefusedError(f"CHANGELOG.md has changes after {version}. Choose a newer version.")
    if not is_cut and not unreleased.strip():
        raise RefusedError("CHANGELOG.md has no unreleased changes. Describe what is new, then commit it.")
    return changelog if is_cut else f"{head}{EMPTY}\n## [{version}] - {day.isoformat()}\n{rest}"


def with_pin(requirements: str, version: str) -> str:
    """Set the version of this package in the requirements that the plugin installs."""
    return re.sub(r"^pulumi-dli==.+$", f"pulumi-dli=={version}", requirements, flags=re.MULTILINE)


def with_commands(page: str, version: str) -> str:
    """Set the version in the commands of a page: the plugin's own version must be that of the SDK."""
    return VERSION_IN_COMMAND.sub(version, page)


def check_tree(repository: Repository, version: str) -> None:
    """Refuse a tree with changes, and a version whose tag names another commit."""
    if repository.changes:
        raise RefusedError(f"The working tree has changes. Commit or remove them:\n{repository.changes.rstrip()}")
    if repository.tagged not in ("", repository.head):
        raise RefusedError(f"The tag v{version} exists, at another commit. Choose a newer version.")


def check_tag(repository: Repository, version: str, *, changes_files: bool) -> None:
    """Refuse a tagged commit that is not the release: the release would be another commit."""
    if repository.tagged and changes_files:
        raise RefusedError(f"The tag v{version} exists, at a commit that is not the release. Choose a newer version.")


def checksums(folder: Path) -> str:
    """Give a line for each file, as `sha256sum --check` reads it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    names = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return "".join(f"{digest}  {name}\n" for name, digest in names.items())


def pack(folder: Path, archive: Path, seconds: int) -> None:
    """Pack a folder into a .tar.gz that depends on the names, the contents and the time alone."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = seconds
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=seconds) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,  # type: ignore[arg-type]
    ):
        tar.add(folder, archive.name.removesuffix(".tar.gz"), filter=plain)  # in the order of the names


def run(root: Path, *command: str, variables: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=root, env=os.environ | dict(variables or {}), check=True)


def output(root: Path, *command: str) -> str:
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def look(root: Path, version: str) -> Repository:
    tags = output(root, "git", "tag", "--list", f"v{version}")
    return Repository(
        changes=output(root, "git", "status", "--porcelain"),
        head=output(root, "git", "rev-parse", "HEAD"),
        tagged=output(root, "git", "rev-parse", f"v{version}^{{commit}}") if tags else "",
    )


def set_version(root: Path, version: str, day: date) -> None:
    """Write and commit the version. Nothing is written if something is refused, or if it is there already."""
    repository = look(root, version)
    check_tree(repository, version)
    paths = [root / name for name in ("pyproject.toml", "CHANGELOG.md", PINS, *PAGES)]
    old = [path.read_text(encoding="utf-8") for path in paths]
    new = [with_version(old[0], version), cut(old[1], version, day), with_pin(old[2], version)]
    new += [with_commands(page, version) for page in old[3:]]
    check_tag(repository, version, changes_files=new != old)
    for path, text in zip(paths, new, strict=True):
        path.write_text(text, encoding="utf-8", newline="\n")
    run(root, sys.executable, "scripts/generate.py")
    if output(root, "git", "status", "--porcelain"):
        run(root, "git", "commit", "--quiet", "--all", "--message", f"Release {version}")


def build_python(root: Path, dist: Path, variables: Mapping[str, str]) -> None:
    """Build the sdist, and the wheel from the sdist: so the sdist has all that the wheel needs."""
    run(root, sys.executable, "-m", "build", "--outdir", str(dist), ".", variables=variables)


def pack_folders(dist: Path, folders: Mapping[str, Path], version: str, seconds: int) -> None:
    for name, folder in folders.items():
        pack(folder, dist / f"pulumi-dli-{name}-{version}.tar.gz", seconds)


Build = Callable[[Path, Path, Mapping[str, str]], None]


def release(root: Path, version: str, day: date, build: Build = build_python) -> None:
    """Make the commit of the release if there is none, and build its files into dist/. What was there is removed."""
    parse(version)
    set_version(root, version, day)
    seconds = int(output(root, "git", "log", "-1", "--format=%ct"))
    variables = {"SOURCE_DATE_EPOCH": str(seconds)}
    dist = root / "dist"
    for made in (dist, root / DOCS):  # a page that is no longer written would be packed
        shutil.rmtree(made, ignore_errors=True)
    dist.mkdir()
    build(root, dist, variables)
    run(root, os.environ.get("MAKE", "make"), "--no-print-directory", *OTHERS, variables=variables)
    sdks = {f"sdk-{path.name}": path for path in sorted((dist / "sdks").iterdir())}
    pack_folders(dist, {**sdks, "docs": root / DOCS}, version, seconds)
    shutil.rmtree(dist / "sdks")
    (dist / SUMS).write_text(checksums(dist), encoding="utf-8", newline="\n")
    print(f"\nThe files of {version} are in dist/. Nothing was uploaded, pushed or tagged. The next commands:")
    print(f"  git tag v{version}\n  git push origin HEAD v{version}")


def main(arguments: list[str]) -> int:
    try:
        release(ROOT, arguments[0] if arguments else "", datetime.now(UTC).date())
    except RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"`{' '.join(error.cmd)}` failed; the reason stands above. Then run the release again.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
