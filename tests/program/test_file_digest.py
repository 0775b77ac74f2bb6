from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pulumi_dli as dli
from tests.project import Project, row

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

ENTRIES = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "org/example/Main.class": b"\xca\xfe\xba\xbe\0\0\0\x3d"}


def archive(entries: Mapping[str, bytes], *, year: int = 2026, **options: Any) -> bytes:
    """Make an archive, as a build does in some year."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as built:
        for name, content in entries.items():
            built.writestr(zipfile.ZipInfo(name, (year, 11, 24, 12, 0, 0)), content, options.get("compression"))
    return file.getvalue()


def digest(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return dli.file_digest(folder / name)


def failure(path: Path) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        dli.file_digest(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "pinned"),
    [
        ("load.py", b"print('load')\n", "336bbdc3eb3e0247c0861bad8ae78454571902fabc0b4e214956121b5e7a083b"),
        ("load.jar", archive(ENTRIES), "ad6ea71b29a4eb0df895e53e66876d25bd70000f518c1396db92b8e8f877b9a3"),
    ],
)
def test_a_digest_stays_the_same_for_ever(tmp_path: Path, name: str, content: bytes, pinned: str) -> None:
    assert digest(tmp_path, name, content) == pinned


def test_a_digest_is_that_of_the_content_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = digest(tmp_path, "a.py", b"print('load')\n")
    assert digest(tmp_path, "b.txt", b"print('load')\n") == first
    assert digest(tmp_path, "a.py", b"print('load') \n") != first
    monkeypatch.chdir(tmp_path)
    assert dli.file_digest("b.txt") == dli.file_digest(os.fspath(tmp_path / "b.txt")) == first


def test_line_ends_of_a_text_are_alike_on_every_machine(tmp_path: Path) -> None:
    assert digest(tmp_path, "a.py", b"a\r\nb\r\n") == digest(tmp_path, "b.py", b"a\nb\n")
    assert digest(tmp_path, "a.zip", archive({"a.py": b"a\r\nb"})) == digest(
        tmp_path, "b.zip", archive({"a.py": b"a\nb"})
    )


@pytest.mark.parametrize("content", [b"a\r\n\0b", b"a\r\n\xff"])
def test_what_is_no_text_counts_as_it_is(tmp_path: Path, content: bytes) -> None:
    assert digest(tmp_path, "a", content) != digest(tmp_path, "b", content.replace(b"\r\n", b"\n"))


@pytest.mark.parametrize("name", ["load.jar", "load.whl", "load.zip", "load.egg", "LOAD.JAR"])
@pytest.mark.parametrize(
    "rebuilt",
    [
        archive(ENTRIES, year=2027),
        archive(dict(reversed(ENTRIES.items()))),
        archive(ENTRIES, compression=zipfile.ZIP_DEFLATED),
        archive({"org/": b"", "org/example/": b"", **ENTRIES}),
    ],
    ids=["at another time", "in another order", "compressed", "with folders"],
)
def test_a_rebuild_without_a_change_is_no_change(tmp_path: Path, name: str, rebuilt: bytes) -> None:
    assert digest(tmp_path, name, rebuilt) == digest(tmp_path, f"first-{name}", archive(ENTRIES))


@pytest.mark.parametrize(
    "changed",
    [
        {**ENTRIES, "org/example/Main.class": b"\xca\xfe\xba\xbe\0\0\0\x3e"},
        {**ENTRIES, "org/example/Other.class": b""},
        {"META-INF/MANIFEST.MF": ENTRIES["META-INF/MANIFEST.MF"]},
        {"META-INF/MANIFEST.MF": ENTRIES["META-INF/MANIFEST.MF"], "Main.class": ENTRIES["org/example/Main.class"]},
        {},
    ],
    ids=["content", "one more", "one less", "renamed", "empty"],
)
def test_a_change_inside_an_archive_is_a_change(tmp_path: Path, changed: dict[str, bytes]) -> None:
    assert digest(tmp_path, "a.jar", archive(changed)) != digest(tmp_path, "b.jar", archive(ENTRIES))


def test_an_archive_in_an_archive_is_one_too(tmp_path: Path) -> None:
    def nested(**options: Any) -> bytes:
        return archive({"lib/inner.jar": archive(ENTRIES, **options), "a.txt": b""})

    other = archive({"lib/inner.jar": archive({"a": b""}), "a.txt": b""})
    assert digest(tmp_path, "a.jar", nested(year=2027)) == digest(tmp_path, "b.jar", nested())
    assert digest(tmp_path, "c.jar", other) != digest(tmp_path, "b.jar", nested())


@pytest.mark.parametrize("inner", [b"", b"no archive"])
def test_a_broken_archive_in_an_archive_counts_by_its_bytes(tmp_path: Path, inner: bytes) -> None:
    one, other = (digest(tmp_path, "a.whl", archive({"tests/bad.zip": bytes_})) for bytes_ in (inner, inner + b"!"))
    assert one != other


def test_an_entry_without_a_name_is_an_entry(tmp_path: Path) -> None:
    assert digest(tmp_path, "a.jar", archive({"": b"a"})) != digest(tmp_path, "b.jar", archive({"": b"b"}))


def test_an_archive_by_another_name_counts_as_it_is(tmp_path: Path) -> None:
    assert digest(tmp_path, "a.bin", archive(ENTRIES)) != digest(tmp_path, "b.bin", archive(ENTRIES, year=2027))


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert failure(tmp_path / "none.jar") == f"file_digest: there is no file {tmp_path / 'none.jar'}"
    assert failure(tmp_path) == f"file_digest: {tmp_path} is a folder; name a file"
    (tmp_path / "file").touch()
    assert (
        failure(tmp_path / "file" / "a.jar")
        == f"file_digest: {tmp_path / 'file' / 'a.jar'} cannot be read: Not a directory"
    )


def encrypted(content: bytes) -> bytes:
    """Set the flag of the first entry, in both places, that says that it is encrypted."""
    local, central = content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8
    return bytes(byte | 1 if place in (local, central) else byte for place, byte in enumerate(content))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "File is not a zip file"),
        (b"not an archive", "File is not a zip file"),
        (archive(ENTRIES)[:-30], "File is not a zip file"),
        (archive(ENTRIES).replace(b"Manifest-V", b"Manifest-W"), "Bad CRC-32 for file 'META-INF/MANIFEST.MF'"),
        (encrypted(archive(ENTRIES)), "is encrypted, password required for extraction"),
    ],
    ids=["empty", "text", "cut", "damaged", "encrypted"],
)
def test_an_archive_that_is_broken_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.jar").write_bytes(content)
    told = failure(tmp_path / "a.jar")
    assert told.startswith(f"file_digest: {tmp_path / 'a.jar'} cannot be read as an archive: ")
    assert why in told


@settings(deadline=None)
@given(st.data())
def test_a_damaged_archive_has_a_digest_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(archive(ENTRIES, compression=data.draw(st.sampled_from([0, 8, 12, 14]))))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.jar"
    path.write_bytes(content)
    try:
        assert len(dli.file_digest(path)) == 64
    except pulumi.RunError as error:
        # A damaged size can also say that too much is inside.
        assert re.search("cannot be read as an archive|Use a version or a digest that your build makes", str(error))


def test_a_job_runs_again_when_its_jar_changes_and_only_then(project: Project, service: Service) -> None:
    jar = project.folder / "load.jar"
    project.write("""
        dli.BatchJob(
            "load", file="obs://demo/load.jar", class_name="org.example.Main", queue="default",
            triggers={"jar": dli.file_digest("load.jar")},
        )
    """)
    assert f"file_digest: there is no file {jar}" in project.failing_up()
    jar.write_bytes(archive(ENTRIES))
    project.up()
    jar.write_bytes(archive(ENTRIES, year=2027))
    project.up("--expect-no-changes")
    jar.write_bytes(archive({**ENTRIES, "more": b""}))
    assert "load: must run again, because triggers changed." in row(project.up(), "load")
    assert len(service.jobs()) == 2


def deep(levels: int) -> bytes:
    """Make an archive inside an archive, and so on, with so many levels."""
    return archive({"inner.jar": deep(levels - 1)} if levels > 1 else {"a.txt": b"a"})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (archive({"zeros": bytes(110 * 2**20)}, compression=zipfile.ZIP_DEFLATED), "has 0.1 GB inside, in 0.1 MB"),
        (
            archive({"inner.jar": archive({"zeros": bytes(110 * 2**20)}, compression=zipfile.ZIP_DEFLATED)}),
            "has 0.1 GB inside, in 0.1 MB",
        ),
        (deep(5), "has archives inside archives in more than 4 levels"),
    ],
    ids=["zeros", "zeros inside", "deep"],
)
def test_an_archive_that_nobody_builds_is_refused_at_once(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "bomb.jar").write_bytes(content)
    assert failure(tmp_path / "bomb.jar").endswith(
        f"bomb.jar {problem}. Use a version or a digest that your build makes, in place of file_digest"
    )


def test_four_levels_of_archives_are_read(tmp_path: Path) -> None:
    assert len(digest(tmp_path, "a.jar", deep(4))) == 64


@pytest.mark.parametrize("end", [b"", b"\r", b"\r\n", b"\n", "ü".encode()[:1], b"\0"])
@pytest.mark.parametrize("at", [2**20 - 1, 2**20, 2**20 + 1])
def test_a_large_file_has_the_digest_that_it_always_had(tmp_path: Path, at: int, end: bytes) -> None:
    content = b"x" * at + b"\r\n" + "ü".encode() + end
    text = b"\0" not in content
    try:
        content.decode()
    except UnicodeDecodeError:
        text = False
    known = hashlib.sha256(content.replace(b"\r\n", b"\n") if text else content).hexdigest()
    assert digest(tmp_path, "a.bin", content) == known
