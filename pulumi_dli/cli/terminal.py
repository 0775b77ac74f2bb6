"""Writes to the terminal: results to standard output, messages to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from pulumi_dli.cli.errors import one_line
from pulumi_dli.operations.notifier import Level


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, which must be safe for a terminal."""
    text = "\n".join(lines)
    if text:
        click.echo(text)


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON. Every character that is not ASCII is escaped, so that no text controls the terminal."""
    click.echo(json.dumps(value, indent=indent))


def print_message(message: Exception | str) -> None:
    """Print an error or a message as one line on standard error."""
    click.echo(f"pulumi-dli: {one_line(message)}", err=True)


class TerminalNotifier:
    """Shows the messages of the operations on standard error."""

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message about a job. Debug messages are not shown: the debug log has them."""
        if level is not Level.DEBUG:
            print_message(f"{resource}: {message}")
