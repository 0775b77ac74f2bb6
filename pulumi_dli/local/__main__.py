"""The command line: `python -m pulumi_dli.local serve`, `env` and `link`. `pulumi-dli local` is the same."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import signal
import sys
from pathlib import Path
from types import FrameType

from pulumi_dli.local.credentials import Credentials, CredentialsError
from pulumi_dli.local.durations import parse_duration
from pulumi_dli.local.environment import environment_of

STOP_TIMEOUT = 60
"""The seconds after which `serve` stops even if a file does not answer."""

_UTF8_MODE = "PYTHONUTF8"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _LinkError(Exception):
    """The running service does not make a link. `str(error)` says why and what to do."""


def main(arguments: list[str] | None = None, *, program: str = "python -m pulumi_dli.local") -> int:
    """Run a command and return its exit code. `program` is how the user calls it, for its help."""
    options = _parser(program).parse_args(arguments)
    if options.command == "serve":
        _require_utf8()
    try:
        match options.command:
            case "env":
                return _print_environment(options.data)
            case "link":
                return _print_link(options.data)
            case _:
                return _serve(options)
    except (CredentialsError, _LinkError) as error:
        print(f"local DLI: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"local DLI: {error.name} is not installed. Run: pip install 'pulumi-dli[local]'", file=sys.stderr)
    return 1


def _require_utf8() -> None:
    """Start this process again in Python's UTF-8 mode if its locale is not one of UTF-8.

    Spark reads and writes file names in UTF-8, so this process must do the same.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get(_UTF8_MODE) != "1":
        os.environ[_UTF8_MODE] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="A local DLI: the API of DLI's batch jobs, with Spark on this machine.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the service until ^C")
    exports = 'print the account as shell exports: variables="$(... env --data DIR)" && eval "$variables"'
    env = commands.add_parser("env", help=exports)
    link = commands.add_parser("link", help="print a link to the page of the running service (it works once)")
    for command in (serve, env, link):
        command.add_argument("--data", type=Path, required=True, metavar="DIR", help="data directory of the service")
    serve.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    serve.add_argument("--master", default="local[*]", help="Spark's master (default: %(default)s)")
    serve.add_argument(
        "--slots",
        type=_positive,
        metavar="N",
        help="number of jobs that run at once; the others wait "
        "(default: one for every two processors with Spark, no limit with timelines)",
    )
    serve.add_argument(
        "--queue",
        action="append",
        default=[],
        metavar="NAME[:CUs]",
        help="add a queue, or set the CUs of `default`; without CUs a queue has no limit; may be given several times",
    )
    serve.add_argument(
        "--starve-after",
        type=_duration,
        default="3h",
        metavar="TIME",
        help="how long a job waits for capacity before it is dead (default 3h)",
    )
    serve.add_argument(
        "--engine",
        choices=("spark", "timeline"),
        default="spark",
        help="spark runs the jobs, timeline only plays their states (default: %(default)s)",
    )
    serve.add_argument(
        "--keep-finished",
        type=_duration,
        default="6h",
        metavar="TIME",
        help="how long the record of an ended job is kept (default 6h)",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _serve(options: argparse.Namespace) -> int:
    from pulumi_dli.local.server import LocalDli, LocalDliError  # noqa: PLC0415  `env` must not load the server

    logging.basicConfig(level=logging.WARNING, format="local DLI: %(message)s")
    dli = LocalDli(
        options.data,
        port=options.port,
        engine=options.engine,
        master=options.master,
        slots=options.slots,
        queues=options.queue,
        starve_after=options.starve_after,
        keep_finished=options.keep_finished,
    )

    def give_up(_number: int, _frame: FrameType | None) -> None:
        problem = f"did not stop within {STOP_TIMEOUT} s, because a file in {dli.data} does not answer"
        print(f"local DLI: {problem}. Its jobs end without it.", file=sys.stderr, flush=True)
        os._exit(1)  # an ordinary exit waits for threads, and the one that reads the file does not end

    handled = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in handled:  # a second signal ends the process at once
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(STOP_TIMEOUT)
        dli.request_stop()

    for number in handled:
        signal.signal(number, stop)
    try:
        with dli:
            print(f"local DLI ready at {dli.endpoint}")
            print(f"page, with a link that works once: {dli.sign_in_link()}")
            print(f"engine: {dli.description}", flush=True)
            dli.wait()
    except LocalDliError as error:
        print(f"local DLI: {error}", file=sys.stderr)
        return 1
    return 0


def _print_environment(data: Path) -> int:
    for name, value in environment_of(Credentials.load(data)).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _print_link(data: Path) -> int:
    import requests  # noqa: PLC0415  `serve` and `env` start sooner without it

    from pulumi_dli.local.server import is_running  # noqa: PLC0415  `env` must not load the server

    Credentials.load(data)  # raises an error if the directory has none
    if not is_running(data):  # another program may listen at the old address and must not get the token
        raise _LinkError(f"no service runs in {data}. Start it: pulumi-dli local serve --data {data}")
    account = Credentials.load(data)
    with requests.Session() as http:
        http.trust_env = False  # use no proxy for a call to this machine
        try:
            reply = http.post(
                f"{account.endpoint}/local/sign-in-links", headers={"X-Auth-Token": account.token}, timeout=10
            )
            reply.raise_for_status()
        except requests.RequestException as error:
            raise _LinkError(f"the service in {data} did not make a link: {error}") from error
    print(reply.json()["url"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
