"""A digest of a local file for `triggers`: when the content changes, the job runs again."""

from __future__ import annotations

import codecs
import hashlib
import io
import lzma
import os
import struct
import zlib
from pathlib import Path
from typing import IO

import pulumi

_ARCHIVES = (".jar", ".whl", ".zip", ".egg")


_MAX_SIZE = 4 * 2**30
_SMALL, _MAX_RATIO = 100 * 2**20, 100
_MAX_DEPTH = 4
_CHUNK = 2**20


class _ArchiveError(Exception):
    """An archive is broken or encrypted."""


class _TooLargeError(Exception):
    """An archive has more inside than anybody builds."""


def file_digest(path: str | os.PathLike[str]) -> str:
    """Return a digest of a file's content: 64 hex digits, equal on every machine.

    The digest of a jar, wheel, zip or egg covers the names and the contents of its files. It does not depend on times,
    order, compression or entries of folders, so a rebuild without a change has the same digest. The digest of a text
    file does not depend on the kind of its line ends.

    Args:
        path: The path of the file. A relative path begins at the program's working directory, which is the project's.

    Raises:
        pulumi.RunError: The file does not exist or cannot be read, or it is a broken or encrypted archive. Or an
            archive has more than 4 GB inside, or more than 100 MB and 100 times its size, or archives inside archives
            in more than 4 levels.
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
        return _digest(file.name, io.BytesIO(content), len(content), 0).hex()
    except _ArchiveError as error:
        raise pulumi.RunError(f"file_digest: {file} cannot be read as an archive: {error}") from error
    except _TooLargeError as error:
        raise pulumi.RunError(
            f"file_digest: {file} {error}. Use a version or a digest that your build makes, in place of file_digest"
        ) from error


def _digest(name: str, content: IO[bytes], size: int, depth: int) -> bytes:
    """Return the digest of a file or of an entry. `depth` is the number of archives around it."""
    if not name.lower().endswith(_ARCHIVES):
        return _content_digest(content)
    if depth == _MAX_DEPTH:
        raise _TooLargeError(f"has archives inside archives in more than {_MAX_DEPTH} levels")
    inner = content if depth == 0 else io.BytesIO(content.read())
    try:
        return _archive_digest(inner, size, depth)
    except _ArchiveError:
        if depth == 0:
            raise
        inner.seek(0)  # an archive inside may be broken on purpose, for example for a test: use its bytes
        return hashlib.sha256(inner.read()).digest()


def _archive_digest(content: IO[bytes], size: int, depth: int) -> bytes:
    import zipfile  # noqa: PLC0415  the import is slow, and few programs need it

    broken = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, ValueError, RuntimeError)
    try:
        with zipfile.ZipFile(content) as archive:
            entries = {entry.filename: entry for entry in archive.infolist() if not entry.filename.endswith("/")}
            _check_size(sum(entry.file_size for entry in entries.values()), size)
            whole = hashlib.sha256(b"archive")
            for name in sorted(entries):
                with archive.open(entries[name]) as entry:
                    digest = _digest(name, entry, entries[name].file_size, depth + 1)
                whole.update(name.encode() + b"\0" + digest)
            return whole.digest()
    except broken as error:  # zipfile raises RuntimeError for an encrypted archive
        raise _ArchiveError(str(error)) from error


def _check_size(inside: int, size: int) -> None:
    """Refuse an archive that cannot be read in some seconds. `inside` is the size of its files, unpacked."""
    if inside > _MAX_SIZE or (inside > _SMALL and inside > _MAX_RATIO * size):
        raise _TooLargeError(f"has {inside / 2**30:.1f} GB inside, in {size / 2**20:.1f} MB")


def _content_digest(content: IO[bytes]) -> bytes:
    """Return the digest of a file that is no archive. The line ends of a text count as `\\n`."""
    as_it_is, as_text = hashlib.sha256(), hashlib.sha256()
    decoder, is_text, held = codecs.getincrementaldecoder("utf-8")(), True, b""
    while chunk := content.read(_CHUNK):
        as_it_is.update(chunk)
        if is_text := is_text and b"\0" not in chunk and _decodes(decoder, chunk):
            text = held + chunk
            held = b"\r" if text.endswith(b"\r") else b""  # the line end may be cut in two
            as_text.update(text.removesuffix(held).replace(b"\r\n", b"\n"))
    as_text.update(held)
    return (as_text if is_text and _decodes(decoder, b"", final=True) else as_it_is).digest()


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
