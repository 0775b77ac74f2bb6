"""The commands and their options. `main` is the entry point of `pulumi-dli`.

Each command imports its module when it runs, so that `--help` and `local` are quick.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pulumi_dli.cli.options import Options

if TYPE_CHECKING:
    from pulumi_dli.cli.session import Session

Command = TypeVar("Command", bound=Callable[..., Any])

_INTERRUPTED = 130
_PROGRAM = "pulumi-dli"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. An error that the user can cause is one line on standard error."""
    from pulumi_dli.api.errors import DliError  # noqa: PLC0415
    from pulumi_dli.cli.errors import CliError  # noqa: PLC0415
    from pulumi_dli.cli.terminal import print_message  # noqa: PLC0415

    _accept_all_characters()
    try:
        return int(commands.main(arguments, prog_name=_PROGRAM, standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except (CliError, DliError) as error:
        print_message(error)
        return 1


def _accept_all_characters() -> None:
    """Let a character that the terminal's encoding does not have be printed as an escape, not fail the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store an option that all commands share. It may stand before or after the name of the command."""
    options = context.ensure_object(Options)
    if value and parameter.name:
        setattr(options, parameter.name, value)


def _shared_options(command: Command) -> Command:
    """Add the options that all commands share."""
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    shared: dict[str, Any] = {"expose_value": False, "callback": _remember}
    for option in (
        click.option("--json", is_flag=True, help="Print JSON.", **shared),
        click.option("--stack", metavar="NAME", help="The stack. By default the selected one.", **shared),
        click.option("-C", "directory", metavar="DIR", type=folder, help="Run as if started in DIR.", **shared),
    ):
        command = option(command)
    return command


def _session(context: click.Context) -> Session:
    """Return the session of a command, in the directory that the user gave."""
    from pulumi_dli.cli.session import Session  # noqa: PLC0415

    _enter_directory(context)
    return Session(context.ensure_object(Options))


def _enter_directory(context: click.Context) -> None:
    """Change to the directory that the user gave, until the command has ended."""
    directory = context.ensure_object(Options).directory
    try:
        if directory is not None:
            context.with_resource(chdir(directory))
    except OSError as error:
        raise click.UsageError(f"cannot change to {directory}: {error.strerror}") from error


_job = click.argument("job", metavar="NAME|ID")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@_shared_options
@click.version_option(package_name=_PROGRAM, prog_name=_PROGRAM)
def commands() -> None:
    """Show and cancel Spark batch jobs of DLI.

    In the folder of a Pulumi project, give a job's logical name in the selected stack. A job's id works everywhere.
    The account is that of `pulumi up`: from the stack's configuration, the environment or files.
    """


@commands.command("jobs")
@click.option("--all", "with_ended", is_flag=True, help="Outside a Pulumi project: list also the jobs that have ended.")
@_shared_options
@click.pass_context
def _jobs(context: click.Context, with_ended: bool) -> None:
    """List the jobs of the stack. Outside a Pulumi project, list the jobs of the DLI project that have not ended."""
    from pulumi_dli.cli.jobs import list_jobs  # noqa: PLC0415

    context.exit(list_jobs(_session(context), with_ended=with_ended))


@commands.command("show")
@_job
@_shared_options
@click.pass_context
def _show(context: click.Context, job: str) -> None:
    """Show the details of a job."""
    from pulumi_dli.cli.show import show_job  # noqa: PLC0415

    show_job(_session(context), job)


@commands.command("logs")
@_job
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the job has ended.")
@click.option("--all", "from_start", is_flag=True, help="Begin with the first line, not with the last 100 lines.")
@_shared_options
@click.pass_context
def _logs(context: click.Context, job: str, follow: bool, from_start: bool) -> None:
    """Print the driver log of a job. Secret values of a job of the stack are masked."""
    from pulumi_dli.cli.logs import print_log  # noqa: PLC0415

    print_log(_session(context), job, follow=follow, from_start=from_start)


@commands.command("cancel")
@_job
@click.option("-y", "--yes", "is_confirmed", is_flag=True, help="Do not ask.")
@_shared_options
@click.pass_context
def _cancel(context: click.Context, job: str, is_confirmed: bool) -> None:
    """Cancel a job, and wait until it has ended."""
    from pulumi_dli.cli.cancel import cancel_job  # noqa: PLC0415

    cancel_job(_session(context), job, is_confirmed=is_confirmed)


@commands.command(
    "local",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def _local(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Run a local DLI: `serve`, `env` and `link`. See `pulumi-dli local --help`."""
    from pulumi_dli.cli.local import run  # noqa: PLC0415

    _enter_directory(context)
    context.exit(run(arguments))
