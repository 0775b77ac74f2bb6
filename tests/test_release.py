"""`make release`: one version everywhere, the same files each time, and nothing that is half done."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from scripts import release
from scripts.release import RefusedError, Repository

ROOT = Path(__file__).parent.parent
DAY = date(2026, 12, 1)
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- Something.

## 0.1.0

The first version.
"""
MAKEFILE = """
.PHONY: plugin sdks docs
plugin:
\techo plugin $$SOURCE_DATE_EPOCH >dist/plugin.tar.gz
sdks:
\tmkdir -p dist/sdks/nodejs && echo sdk >dist/sdks/nodejs/index.js
docs:
\tmkdir -p docs/_build/html && echo page >docs/_build/html/index.html
"""
PAGE = (
    "`pulumi plugin install resource dli 0.1.0 --file CLONE/dist/pulumi-resource-dli-v0.1.0-linux-amd64.tar.gz`\n"
    "`pulumi package add dli@0.1.0`. A stack of 0.1.0 stays as it is. click==0.1.0\n"
)
GENERATE = """
import json, pathlib, tomllib
version = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]["version"]
pathlib.Path("schema.json").write_text(json.dumps({"version": version}))
"""


@pytest.mark.parametrize("version", ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.03", "1.2.3rc1", "1.2.3\n", "../1.2.3"])
def test_a_version_has_three_numbers(version: str) -> None:
    with pytest.raises(RefusedError, match=r"make release VERSION=1\.2\.3"):
        release.parse(version)


def test_versions_are_compared_as_numbers() -> None:
    project = '[project]\nversion = "0.9.0"\n'
    assert release.with_version(project, "0.10.0") == '[project]\nversion = "0.10.0"\n'
    assert release.with_version(project, "0.9.0") == project
    with pytest.raises(RefusedError, match=r"0\.8\.11 is older than 0\.9\.0"):
        release.with_version(project, "0.8.11")


def test_the_changelog_is_cut_once() -> None:
    after = release.cut(CHANGELOG, "0.2.0", DAY)
    assert "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- Something.\n\n## 0.1.0\n" in after
    assert release.cut(after, "0.2.0", date(2027, 1, 1)) == after


@pytest.mark.parametrize(
    ("changelog", "version", "reason"),
    [
        (CHANGELOG, "0.1.0", r"changes after 0\.1\.0"),
        (CHANGELOG.replace("### Added\n\n- Something.\n\n", ""), "0.2.0", "no unreleased changes"),
        (CHANGELOG.replace("## [Unreleased]", ""), "0.2.0", "has no section"),
    ],
)
def test_a_changelog_that_does_not_fit_is_refused(changelog: str, version: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        release.cut(changelog, version, DAY)


def test_our_own_files_can_be_released() -> None:
    current = release.version_of((ROOT / "pyproject.toml").read_text())
    version = f"{release.parse(current)[0] + 1}.0.0"
    project = tomllib.loads(release.with_version((ROOT / "pyproject.toml").read_text(), version))
    assert project["project"]["version"] == version
    assert release.EMPTY in (ROOT / "CHANGELOG.md").read_text()
    assert f"pulumi-dli=={version}\n" in release.with_pin((ROOT / release.PINS).read_text(), version)


def test_each_command_of_a_page_gets_the_version_of_a_release() -> None:
    current = release.version_of((ROOT / "pyproject.toml").read_text())
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    texts = {page.relative_to(ROOT).as_posix(): page.read_text() for page in pages}
    named = {name: found for name, text in texts.items() if (found := release.VERSION_IN_COMMAND.findall(text))}
    assert {*named} == {*release.PAGES}
    assert {version for versions in named.values() for version in versions} == {current}
    assert "9.8.7" in release.with_commands(texts["docs/languages.md"], "9.8.7")


def test_a_tag_at_another_commit_is_refused() -> None:
    release.check_tree(Repository("", "a", ""), "0.2.0")
    release.check_tree(Repository("", "a", "a"), "0.2.0")
    with pytest.raises(RefusedError, match=r"v0\.2\.0 exists"):
        release.check_tree(Repository("", "a", "b"), "0.2.0")
    with pytest.raises(RefusedError, match="has changes"):
        release.check_tree(Repository(" M README.md", "a", ""), "0.2.0")


def test_a_packed_folder_depends_on_its_contents_alone(tmp_path: Path) -> None:
    packed = []
    for number, names in enumerate((("b", "a"), ("a", "b"))):
        folder = tmp_path / str(number) / "html"
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(name)
            os.utime(folder / name, (number, number))
        archive = tmp_path / str(number) / "docs-1.0.0.tar.gz"
        release.pack(folder, archive, 1_700_000_000)
        packed.append(archive)
    assert packed[0].read_bytes() == packed[1].read_bytes()
    with tarfile.open(packed[0]) as archive:
        assert archive.getnames() == ["docs-1.0.0", "docs-1.0.0/a", "docs-1.0.0/b"]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose make targets write a file each."""
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    root = tmp_path / "project"
    files = {
        "pyproject.toml": '[project]\nversion = "0.1.0"\n',
        "CHANGELOG.md": CHANGELOG,
        "Makefile": MAKEFILE,
        "scripts/generate.py": GENERATE,
        "schema.json": "{}",
        release.PINS: "pulumi-dli==0.1.0\nclick==8.5.1\n",
        **dict.fromkeys(release.PAGES, PAGE),
        ".gitignore": "dist/\n_build/\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Begin"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return root


def build(_: Path, dist: Path, variables: Mapping[str, str]) -> None:
    (dist / "wheel.whl").write_text(variables["SOURCE_DATE_EPOCH"])


def test_a_release_is_one_commit_and_its_files_are_the_same_each_time(repository: Path) -> None:
    (repository / "dist").mkdir()
    (repository / "dist" / "of-an-old-version").touch()
    sums = []
    for day in (DAY, date(2027, 1, 1)):
        release.release(repository, "0.2.0", day, build)
        sums.append((repository / "dist" / "SHA256SUMS").read_text())
    assert sums[0] == sums[1]
    assert [line.split()[1] for line in sums[0].splitlines()] == [
        "plugin.tar.gz",
        "pulumi-dli-docs-0.2.0.tar.gz",
        "pulumi-dli-sdk-nodejs-0.2.0.tar.gz",
        "wheel.whl",
    ]
    assert (repository / "schema.json").read_text() == '{"version": "0.2.0"}'
    assert (repository / release.PINS).read_text() == "pulumi-dli==0.2.0\nclick==8.5.1\n"
    for page in release.PAGES:
        assert (repository / page).read_text() == PAGE.replace("0.1.0", "0.2.0", 3)
    assert release.output(repository, "git", "log", "--format=%s").splitlines() == ["Release 0.2.0", "Begin"]
    assert release.output(repository, "git", "status", "--porcelain") == ""
    assert release.output(repository, "git", "tag") == ""


def test_a_page_of_an_earlier_build_is_not_released(repository: Path) -> None:
    (repository / release.DOCS).mkdir(parents=True)
    (repository / release.DOCS / "removed.html").touch()
    release.release(repository, "0.2.0", DAY, build)
    with tarfile.open(repository / "dist" / "pulumi-dli-docs-0.2.0.tar.gz") as archive:
        assert [Path(name).name for name in archive.getnames()] == ["pulumi-dli-docs-0.2.0", "index.html"]


def test_the_tagged_commit_of_a_release_can_be_built_again(repository: Path) -> None:
    release.release(repository, "0.2.0", DAY, build)
    subprocess.run(["git", "tag", "v0.2.0"], cwd=repository, check=True)
    release.release(repository, "0.2.0", DAY, build)
    subprocess.run(["git", "commit", "--quiet", "--allow-empty", "-m", "More"], cwd=repository, check=True)
    with pytest.raises(RefusedError, match="at another commit"):
        release.release(repository, "0.2.0", DAY, build)


@pytest.mark.parametrize(
    ("command", "version"),
    [("git tag v0.2.0", "0.2.0"), ("echo >more", "0.2.0"), ("true", "0.0.9"), ("true", "0.2")],
)
def test_what_is_refused_changes_nothing(repository: Path, command: str, version: str) -> None:
    subprocess.run(command, shell=True, cwd=repository, check=True)  # noqa: S602
    before = release.look(repository, "0.2.0")
    with pytest.raises(RefusedError):
        release.release(repository, version, DAY, build)
    assert release.look(repository, "0.2.0") == before
    assert not (repository / "dist").exists()


@pytest.mark.slow
def test_two_builds_of_one_tree_give_equal_files(tmp_path: Path) -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sums = []
    for number in (1, 2):
        tree, dist = tmp_path / f"tree{number}", tmp_path / f"dist{number}"
        for name in filter(None, files.split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, tree / name)
                os.utime(tree / name, (1_600_000_000 + number, 1_600_000_000 + number))
        release.build_python(tree, dist, {"SOURCE_DATE_EPOCH": "1700000000"})
        sums.append(release.checksums(dist))
    assert [Path(line.split()[1]).suffix for line in sums[0].splitlines()] == [".whl", ".gz"]
    assert sums[0] == sums[1]


def test_the_command_says_in_one_line_what_is_wrong() -> None:
    script = [sys.executable, ROOT / "scripts" / "release.py", "one"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "'one' is not a version like 1.2.3. Run: make release VERSION=1.2.3\n"
