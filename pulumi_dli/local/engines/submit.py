"""Starts a job like Spark's script `spark-submit`, but passes every argument on as it is.

This is a program of its own: `python -I submit.py ARGUMENT...`, with SPARK_HOME in the environment. Spark's script
removes every carriage return from the arguments (`spark-class` of Spark 3.5).
"""

from __future__ import annotations

import os
import subprocess
import sys

_LAUNCHER = "org.apache.spark.launcher.Main"
_SUBMIT = "org.apache.spark.deploy.SparkSubmit"
_BEGIN = b"\0\n"
_ENVIRONMENT = {"SPARK_SCALA_VERSION": "2.12", "PYTHONHASHSEED": "0"}
"""What Spark's scripts set: the Scala of pyspark 3.5, and one hash of texts in all Python workers."""


def read_command(output: bytes) -> list[bytes]:
    """Read the command that Spark's launcher prints: each part ends with NUL, and messages of Java may come before.

    Raises ValueError if there is none.
    """
    _, begin, command = output.partition(_BEGIN)
    if not begin or not command.endswith(b"\0"):
        raise ValueError("Spark's launcher printed no command")
    return command[:-1].split(b"\0")


def restore_arguments(command: list[bytes], arguments: list[bytes]) -> list[bytes]:
    """Put the arguments of the program back as they were. They are the end of both lists.

    The launcher removes a carriage return from the end of each (`Main` of spark-launcher 3.5).
    """
    count = 0
    for given, printed in zip(reversed(arguments), reversed(command), strict=False):
        if given.removesuffix(b"\r") != printed.removesuffix(b"\r"):
            break
        count += 1
    return command[: len(command) - count] + arguments[len(arguments) - count :]


def main(arguments: list[bytes]) -> int:
    """Replace this process by the job's. Return an exit code if there is no job to run."""
    os.environ.update(_ENVIRONMENT)
    home = os.environb[b"SPARK_HOME"]
    java_home = os.environb.get(b"JAVA_HOME")
    java = os.path.join(java_home, b"bin", b"java") if java_home else b"java"  # noqa: PTH118  paths as bytes
    class_path = os.path.join(home, b"jars", b"*")  # noqa: PTH118
    launcher = [java, b"-Xmx128m", b"-cp", class_path, _LAUNCHER.encode(), _SUBMIT.encode(), *arguments]
    ended = subprocess.run(launcher, stdout=subprocess.PIPE, check=False)
    if ended.returncode:
        sys.stdout.buffer.write(ended.stdout)
        return ended.returncode if ended.returncode > 0 else 1
    command = restore_arguments(read_command(ended.stdout), arguments)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main([os.fsencode(argument) for argument in sys.argv[1:]]))
