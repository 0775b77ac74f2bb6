"""Spells a message as the user's program does: `sc_type` in place of `scType`, and the type of a job in a target."""

from __future__ import annotations

import re
from collections.abc import Callable

from pydantic.alias_generators import to_snake

from pulumi_dli.jobs.inputs import ARGUMENTS
from pulumi_dli.jobs.messages import TARGET

_NAMES = "|".join(name for name, argument in ARGUMENTS.items() if name != to_snake(name) and not argument.is_hidden)
_ARGUMENT = re.compile(rf"(?<![\w/.:'\"-])({_NAMES})(?![\w/'\"-]|\.\w)")
"""An argument that is a word of its own: not a part of a path, of a setting (`dli:projectId`) or of a quoted text."""
_LOG_LINE = re.compile(r"  \| ")


def in_python(message: str) -> str:
    """Return a message with each argument as Python spells it. Lines of a job's log stay as they are."""
    return _with_own_lines(message, lambda line: _ARGUMENT.sub(_to_snake, line))


def with_target(message: str, target: str) -> str:
    """Return a message in which `target` chooses a job for a command. Lines of a job's log stay as they are."""
    return _with_own_lines(message, lambda line: line.replace(TARGET, target))


def _with_own_lines(message: str, change: Callable[[str], str]) -> str:
    return "\n".join(line if _LOG_LINE.match(line) else change(line) for line in message.split("\n"))


def _to_snake(match: re.Match[str]) -> str:
    return to_snake(match[1])
