"""Find a Chromium for the tests of the local DLI's page in a browser. If CI runs as root, install one.

The script never fails: without a Chromium pytest skips those tests. It needs the standard library only.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = "install it (Debian: apt-get install chromium)"
LIMIT = 900  # seconds for a step
STEPS = (("apt-get", "update"), ("apt-get", "install", "--yes", "--no-install-recommends", "chromium"))


def find() -> Path | None:
    """Give the first Chromium on PATH."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def log(text: str) -> None:
    print(f"Chromium: {text}", file=sys.stderr, flush=True)


def install() -> str | None:
    """Install Debian's package. Give the reason if it fails, else None."""
    for step in STEPS:
        log(" ".join(step))
        try:
            subprocess.run(
                step,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT,
                check=True,
            )
        except subprocess.TimeoutExpired:
            return f"given up after {LIMIT // 60} minutes"
        except subprocess.CalledProcessError as error:
            return "\n".join(error.stdout.strip().splitlines()[-5:]) or f"it ended with {error.returncode}"
        except OSError as error:
            return str(error)
    return None


def main() -> int:
    if found := find():
        log(f"found on PATH, {found}")
    elif not os.environ.get("CI") or os.geteuid() != 0 or not shutil.which("apt-get"):
        log(f"none on PATH. The tests of the page in a browser will be skipped; to have them run, {HOW}")
    elif problem := install():
        log(f"{problem}\nIt could not be installed; the tests of the page in a browser will be skipped.")
    else:
        log("installed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
