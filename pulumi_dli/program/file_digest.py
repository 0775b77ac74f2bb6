"""A digest of a local file for `triggers`: when the content changes, the job runs again."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import struct
import zlib
from pathlib import Path

import pulumi

_ARCHIVES = (".jar", ".whl", ".zip", ".egg")


class _ArchiveError(Exception):
    """An archive is broken or encrypted."""


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return a digest of a file's content: 64 hex digits, equal on every machine.

    The digest of a jar, wheel, zip or egg covers the names and the contents of its files. It does not depend on times,
    order, compression or entries of folders, so a rebuild without a change has the same digest. The digest of a text
    file does not depend on the kind of its line ends.

    Args:
        path: The path of the file. A relative path begins at the program's working directory, which is the project's.

    Raises:
        pulumi.RunError: The file does not exist or cannot be read, or it is a broken or encrypted archive.
    """
    file = Path(path).absolute()
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise pulumi.RunError(f"file_digest: there is no file {file}") from error
    except IsADirectoryError as error:
        raise pulumi.RunError(f"file_digest: {file} is a folder; name a file") from error
    except OSError as error:
        raise pulumi.RunError(f"file_digest: {file} cannot be read: {error.strerror}") from error
    try:
        return _digest(file.name, content).hex()
    except _ArchiveError as error:
        raise pulumi.RunError(f"file_digest: {file} cannot be read as an archive: {error}") from error


def _digest(name: str, content: bytes) -> bytes:
    if name.lower().endswith(_ARCHIVES):
        return _archive_digest(content)
    return hashlib.sha256(content.replace(b"\r\n", b"\n") if _is_text(content) else content).digest()


def _archive_digest(content: bytes) -> bytes:
    import zipfile  # noqa: PLC0415  the import is slow, and few programs need it

    broken = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, ValueError, RuntimeError)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {
                entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.filename.endswith("/")
            }
    except broken as error:  # zipfile raises RuntimeError for an encrypted archive
        raise _ArchiveError(str(error)) from error
    whole = hashlib.sha256(b"archive")
    for name in sorted(entries):
        try:
            digest = _digest(name, entries[name])
        except _ArchiveError:  # an archive inside may be broken on purpose, for example for a test: use its bytes
            digest = hashlib.sha256(entries[name]).digest()
        whole.update(name.encode() + b"\0" + digest)
    return whole.digest()


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
