"""The Spark on this machine, and how a job is submitted to it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pulumi_dli.local.engines import submit
from pulumi_dli.local.engines.java import NoJavaError, find_java


class SparkError(Exception):
    """Spark cannot run here. `str(error)` says why and what to do."""


@dataclass(frozen=True)
class Spark:
    """A Spark installation and the Java for it."""

    home: Path
    java_home: Path | None
    """None means the `java` on PATH."""
    submit: tuple[str, ...]
    """The command that takes the arguments of `spark-submit`."""
    description: str = ""
    """The versions, and where the Java was found."""

    @classmethod
    def find(cls) -> Spark:
        """Find pyspark and a suitable Java. Raises SparkError."""
        try:
            import pyspark  # noqa: PLC0415  the timeline engine does not need it
        except ImportError as error:
            raise SparkError("pyspark is not installed. Run: pip install 'pulumi-dli[local]'") from error
        encoding = sys.getfilesystemencoding()
        if encoding != "utf-8":  # Spark would look for other file names than this process
            raise SparkError(f"Python writes file names as {encoding}, but Spark needs UTF-8. Set PYTHONUTF8=1")
        try:
            java = find_java()
        except NoJavaError as error:
            raise SparkError(
                f"Spark needs Java 8, 11 or 17, and there is none: {error}. "
                "Install one, or run: pip install 'pulumi-dli[local]'"
            ) from error
        return cls(
            Path(pyspark.__file__).parent,
            java.home,
            (sys.executable, "-I", submit.__file__),
            f"Spark {pyspark.__version__} and Java {java.version.text} (from {java.source})",
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which Spark's programs find Spark and Java."""
        java = {"JAVA_HOME": str(self.java_home)} if self.java_home else {}
        return {**java, "SPARK_HOME": str(self.home)}

    @property
    def java(self) -> str:
        """The `java` to run."""
        return "java" if self.java_home is None else os.fspath(self.java_home / "bin" / "java")
