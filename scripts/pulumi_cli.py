"""Find or fetch a Pulumi CLI; print the folder to put on PATH, and only that, on stdout.

PATH, the cache, Pulumi's own installer and a build from Go modules are tried in this order; what happens
is told on stderr. Only the cache is written (and Go's own caches, by a Go that was there before). It needs a
POSIX system and the standard library only, because it runs before anything is installed.

The CLI that is built from Go modules is for the demo and the tests only: its Python host is old and ignores the option
`virtualenv` of Pulumi.yaml, so that a terminal without an activated environment fails. Users need Pulumi's own CLI.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from go_programs import (
    SCRIPTS,
    SDK,
    Program,
    SourceError,
    ask_version,
    build,
    cache_root,
    dotted,
    find_go,
    keep,
    leave_through_the_clean_up,
    log,
    missing_files,
    recipe_hash,
    run,
)

VERSION = "3.259.0"  # what is fetched
OLDEST = (3, 238, 0)  # what is accepted on PATH: the first with resource hooks that can fail an update
INSTALLER = "https://get.pulumi.com"
MANUAL = "https://www.pulumi.com/docs/install/"
FILES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

PROGRAMS = (
    Program("pulumi", SCRIPTS / "pulumi-cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", VERSION),
    # 3.68 is the last whose language host is part of the SDK module; it works under newer CLIs.
    Program(
        "pulumi-language-python",
        SCRIPTS / "pulumi-language-python",
        f"{SDK}/python/cmd/pulumi-language-python",
        "3.68.0",
    ),
)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where the fetched CLI is kept."""
    return cache_root(environ) / f"pulumi-{VERSION}-{recipe_hash(VERSION, PROGRAMS)}"


def from_path() -> Path:
    """Return the folder of the `pulumi` on PATH, if it will do."""
    if not (found := shutil.which("pulumi")):
        raise SourceError("no pulumi there")
    pulumi = Path(found).absolute()
    if (version := ask_version(pulumi, "version")) < OLDEST:
        raise SourceError(f"{pulumi} is {dotted(version)}, older than {dotted(OLDEST)}")
    places = (pulumi.parent, pulumi.resolve().parent, os.environ.get("PATH", os.defpath))
    if not shutil.which("pulumi-language-python", path=os.pathsep.join(map(str, places))):
        raise SourceError(f"{pulumi} has no pulumi-language-python beside it")
    log(f"{dotted(version)} found on PATH, {pulumi}")
    return pulumi.parent


def from_cache(folder: Path) -> Path:
    """Return the folder that an earlier run filled."""
    if missing := missing_files(folder, FILES):
        raise SourceError(f"no {missing[0]} in {folder}")
    log(f"{VERSION} found in cache, {folder}")
    return folder


def from_installer(work: Path) -> Path:
    """Let Pulumi's own installer fill a folder; it touches neither the home folder nor shell profiles."""
    if not shutil.which("curl"):
        raise SourceError("it needs curl, which is not on PATH")
    log(f"asking {INSTALLER} for the official installer")
    script, root = work / "install.sh", work / "root"
    limits = ("--connect-timeout", "5", "--max-time", "30")
    run("download of the installer", "curl", "-fsSL", *limits, "-o", script, INSTALLER, cwd=work)
    options = ("--version", VERSION, "--install-root", root, "--no-edit-path")
    run("official installer", "sh", script, *options, cwd=work, env={**os.environ, "TMPDIR": str(work)})
    return root / "bin"


def from_go_modules(work: Path) -> Path:
    """Build the programs from Go modules and put the SDK's scripts beside them."""
    go, env = find_go(work, PROGRAMS)
    log("building from Go modules, 3 to 6 minutes on two cores, this once")
    target = work / "bin"
    target.mkdir()
    for program in PROGRAMS:
        build(program, target, go, env)
    listing = ("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK)
    sdk = Path(run("looking up the SDK", go, *listing, cwd=PROGRAMS[0].module, env=env))
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        copied = shutil.copyfile(sdk / "python" / script, target / Path(script).name)
        copied.chmod(0o755)
    return target


def fetch(fill: Callable[[Path], Path], folder: Path) -> Path:
    """Fill the cache with a CLI that answers."""

    def fill_and_ask(work: Path) -> Path:
        filled = fill(work)
        if not missing_files(filled, FILES):
            ask_version(filled / "pulumi", "version")
        return filled

    keep(fill_and_ask, folder, FILES)
    log(f"{VERSION} is ready, kept in {folder}")
    return folder


def main() -> int:
    """Try one source after the other."""
    leave_through_the_clean_up()
    folder = cache_folder(os.environ)
    sources: dict[str, Callable[[], Path]] = {
        "PATH": from_path,
        "cache": partial(from_cache, folder),
        "official installer": partial(fetch, from_installer, folder),
        "Go modules": partial(fetch, from_go_modules, folder),
    }
    tried = []
    for name, source in sources.items():
        try:
            print(source())
        except (SourceError, OSError, subprocess.SubprocessError) as error:
            tried.append(f"{name}: {error}")
            log(tried[-1].splitlines()[0])
        except KeyboardInterrupt:
            log("interrupted; nothing unfinished was kept")
            return 130
        else:
            return 0
    print("\nNo Pulumi CLI could be found or fetched. Tried:", file=sys.stderr)
    for text in tried:
        print("  " + text.replace("\n", "\n      "), file=sys.stderr)
    print(f"Install Pulumi {dotted(OLDEST)} or newer ({MANUAL}), then try again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
