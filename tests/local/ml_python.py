"""A Python with the extra `local-ml`, in the user's cache: `make demo` and `make test` do without its 306 MB."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def requirements() -> list[str]:
    """Give what the extra installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra: list[str] = project["optional-dependencies"]["local-ml"]
    return extra


def ml_python() -> Path:
    """Give a Python that has everything of this one, and the extra. The first call installs it."""
    key = hashlib.sha256(repr((sys.version, sys.prefix, requirements())).encode()).hexdigest()[:8]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pulumi-dli"
    home = cache / f"local-ml-{key}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [home / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements()], check=True)
        [packages] = home.glob("lib/python*/site-packages")
        (packages / "outer.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        (home / "ready").touch()
    return home / "bin" / "python"
