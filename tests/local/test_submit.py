import os
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_dli.local.engines import submit
from pulumi_dli.local.engines.submit import read_command, restore_arguments


def test_the_command_is_what_stands_after_the_beginning_byte_for_byte() -> None:
    output = b"Picked up JAVA_TOOL_OPTIONS: -Da=b\n\0\njava\0-cp\0a b\0\0x\r\n\xff\0"
    assert read_command(output) == [b"java", b"-cp", b"a b", b"", b"x\r\n\xff"]


@pytest.mark.parametrize("output", [b"", b"Error: no memory\n", b"\0\njava\0-cp"])
def test_an_output_without_a_whole_command_is_an_error(output: bytes) -> None:
    with pytest.raises(ValueError, match="printed no command"):
        read_command(output)


def test_the_arguments_of_the_program_are_put_back_as_they_were() -> None:
    given = [b"--name", b"n", b"job.py", b"a\n\r", b"", b"\r", b"b"]
    printed = [b"java", b"--conf", b"x", b"--name", b"other", b"job.py", b"a\n", b"", b"", b"b"]
    assert restore_arguments(printed, given) == [*printed[:5], *given[2:]]


def test_without_arguments_the_command_is_as_it_was() -> None:
    assert restore_arguments([b"java"], []) == [b"java"]


def run(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Submit something with a shell script in the place of Java."""
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    variables = os.environ | {"SPARK_HOME": "/spark", "JAVA_HOME": str(tmp_path)}
    command = [sys.executable, "-I", submit.__file__, "--name", "a\rb"]
    return subprocess.run(command, env=variables, check=False, capture_output=True, text=True, timeout=60)


def test_the_job_takes_the_place_of_the_process(tmp_path: Path) -> None:
    ended = run(tmp_path, r"""printf '\0\n'; printf '%s\0' /bin/sh -c 'echo $$ $PYTHONHASHSEED; exit 3'""")
    assert (ended.returncode, ended.stdout.split()[1]) == (3, "0")


def test_arguments_of_which_spark_makes_no_command_end_with_its_exit_code_and_its_message(tmp_path: Path) -> None:
    ended = run(tmp_path, "echo usage; exit 7")
    assert (ended.returncode, ended.stdout) == (7, "usage\n")
