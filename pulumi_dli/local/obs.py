"""The buckets: `obs://bucket/key` is the file `DIR/obs/bucket/key`, in requests and inside Spark jobs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pulumi_dli.local.errors import ApiError, bad_parameter
from pulumi_dli.local.private_files import make_private_dir

SCHEME = "obs://"


class ObjectStore:
    """The buckets and the uploaded packages in a data directory.

    A name without `obs://` is an uploaded package: `group/name` is the file `DIR/packages/group/name`.
    """

    def __init__(self, data_dir: Path) -> None:
        """Make the directories. Raises OSError."""
        self._buckets = make_private_dir(data_dir / "obs").resolve()
        self._packages = make_private_dir(data_dir / "packages").resolve()

    def find(self, parameter: str, name: str) -> Path:
        """Return the file that a parameter of a request names. Raises ApiError if it does not exist.

        No path finds a file outside of the two directories.
        """
        root = self._buckets if name.startswith(SCHEME) else self._packages
        if "\0" in name or "," in name:  # Spark separates paths by commas
            raise bad_parameter(f"Parameter {parameter} is invalid: a path must not hold a comma or NUL.")
        try:
            file = (root / name.removeprefix(SCHEME).lstrip("/")).resolve(strict=True)
        except (OSError, RuntimeError, UnicodeError):  # missing, a name that no file can have, or a cycle of links
            file = root
        if not file.is_relative_to(root) or not file.is_file():
            what = "the package" if root == self._packages else self._missing(name)
            raise ApiError("DLI.0011", f"Parameter {parameter} is invalid: {what} that it names does not exist.")
        return file

    def _missing(self, name: str) -> str:
        """Return what is missing of an `obs://` path, in words."""
        bucket, _, key = name.removeprefix(SCHEME).lstrip("/").partition("/")
        if not key:
            return "the key of the path"
        return "the object" if (self._buckets / bucket).is_dir() else "the bucket"

    def hadoop_conf(self) -> dict[str, str]:
        """Return the Hadoop properties that make `obs://` work inside a job, for the buckets that exist now.

        A job cannot make a bucket. Neither can it in the cloud.
        """
        conf = {
            "fs.obs.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
            "fs.viewfs.overload.scheme.target.file.impl": "org.apache.hadoop.fs.LocalFileSystem",
        }
        for bucket in sorted(path for path in self._buckets.iterdir() if path.is_dir()):
            conf[f"fs.viewfs.mounttable.{bucket.name}.linkFallback"] = bucket.as_uri()
        return conf

    def remove_checksums(self) -> None:
        """Remove the checksum files that Hadoop has written beside the objects.

        A file that is edited by hand would no longer match its checksum, and the buckets of the cloud have none. Hadoop
        can do without them at any time, but SparkContext.textFile needs the class that writes them.
        """
        for folder, _, names in os.walk(self._buckets):  # other jobs may remove a folder meanwhile
            for name in {f".{name}.crc" for name in names}.intersection(names):
                with suppress(OSError):
                    Path(folder, name).unlink()
