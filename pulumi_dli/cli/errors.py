"""The errors of the command line, and every error as one line of text."""

from __future__ import annotations

from pulumi_dli.api.errors import NoCredentialsError
from pulumi_dli.jobs.screen import shown_text


class CliError(Exception):
    """A command cannot do what the user asked. `str(error)` is the reason and the advice."""


class NoStackError(CliError):
    """There is no stack to read. A command that has the id of a job can do without."""


def one_line(error: Exception | str) -> str:
    """Return an error or a message as one line that a terminal only shows."""
    if isinstance(error, NoCredentialsError):
        place = "in the stack's configuration (run the command in the project's folder, or with -C)"
        if error.provider is not None:
            place = f"in the arguments of the provider {error.provider} (`pulumi up` stores them in the stack)"
        return (
            f"no credentials. Set them as for `pulumi up`: {place}, in the environment (OS_… or HW_…), or in "
            "~/.huaweicloud/credentials."
        )
    return " ".join(shown_text(str(error)).split())
