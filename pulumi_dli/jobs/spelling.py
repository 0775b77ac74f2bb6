"""Spells the arguments of a job in a message as a Python program does: `sc_type` in place of `scType`."""

from __future__ import annotations

import re

from pydantic.alias_generators import to_snake

from pulumi_dli.jobs.inputs import ARGUMENTS

_NAMES = "|".join(name for name, argument in ARGUMENTS.items() if name != to_snake(name) and not argument.is_hidden)
_ARGUMENT = re.compile(rf"(?<![\w/.:'\"-])({_NAMES})(?![\w/'\"-]|\.\w)")
"""An argument that is a word of its own: not a part of a path, of a setting (`dli:projectId`) or of a quoted text."""
_LOG_LINE = re.compile(r"  \| ")


def in_python(message: str) -> str:
    """Return a message with each argument as Python spells it. Lines of a job's log stay as they are."""
    lines = message.split("\n")
    return "\n".join(line if _LOG_LINE.match(line) else _ARGUMENT.sub(_to_snake, line) for line in lines)


def _to_snake(match: re.Match[str]) -> str:
    return to_snake(match[1])
