"""Run the quick tests with the lowest direct dependencies that pyproject.toml allows. Called by `make test-lowest`.

lowest.py [PYTEST ARGUMENTS]: uv, which pip fetches, makes the environment in the cache of pulumi-dli. Only tests of the
provider, the program, the command line and the local DLI run. They take about 12 minutes on two processors.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("api", "spark_logs", "account", "jobs", "operations", "program", "cli", "plugin", "local")
TESTS = tuple(f"tests/{name}" for name in PACKAGES)


def folder(environment: Mapping[str, str]) -> Path:
    """Return where the environment is: with the Pulumi CLI of this package."""
    cache = environment.get("XDG_CACHE_HOME") or str(Path(environment.get("HOME", ".")) / ".cache")
    return Path(cache) / "pulumi-dli" / f"lowest-{sys.version_info.major}.{sys.version_info.minor}"


def commands(place: Path, arguments: Sequence[str]) -> list[list[str]]:
    """Return the commands: make the environments, install, test."""
    python, uv = str(place / "bin" / "python"), str(place / "uv" / "bin" / "python")
    lowest = [
        "--resolution",
        "lowest-direct",
        "--editable",
        f"{ROOT}[local,clouds]",
        "--group",
        f"{ROOT}/pyproject.toml:dev",
    ]
    return [
        [sys.executable, "-m", "venv", "--clear", str(place)],
        [sys.executable, "-m", "venv", str(place / "uv")],
        [uv, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv>=0.13"],
        [uv, "-m", "uv", "pip", "install", "--python", python, *lowest],
        [python, "-m", "pytest", "-n", "4", "--dist", "worksteal", "-m", "not slow", *(arguments or TESTS)],
    ]


def main(arguments: Sequence[str]) -> int:
    place = folder(os.environ)
    path = os.pathsep.join((str(place / "bin"), os.environ.get("PATH", "")))
    # Like pip, uv is to trust the certificates of this machine: a company's proxy may have one of its own.
    environment = os.environ | {"VIRTUAL_ENV": str(place), "PATH": path, "UV_SYSTEM_CERTS": "true"}
    for command in commands(place, arguments):
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
