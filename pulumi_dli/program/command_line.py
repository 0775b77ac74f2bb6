"""Judges by Pulumi's command line whether the engine will create a wait.

Pulumi does not tell a program which command it runs or which resources are targets. A wait that the engine does not
create would hold the program up for nothing. If the answer is wrong, the provider waits instead of the program.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

_CREATING_COMMANDS = frozenset(("up", "update", "watch", "preview", "pre"))
_OTHER_COMMANDS = frozenset(("destroy", "down", "dn", "refresh"))
_TARGETS = ("--target", "-t", "--target-replace")
_EXCLUDES = ("--exclude",)


def may_create(command_lines: Iterable[Sequence[str]], names: Collection[str]) -> bool:
    """Return whether the engine may create a resource.

    Args:
        command_lines: The command lines of this process's ancestors, the nearest first.
        names: The logical names of the resource and of the resources on which it depends.
    """
    for command, *arguments in filter(None, command_lines):
        if Path(command).name in ("pulumi", "pulumi.exe"):
            return _may_create(arguments, names)
    return True


def _may_create(arguments: Sequence[str], names: Collection[str]) -> bool:
    if _OTHER_COMMANDS.intersection(arguments) and not _CREATING_COMMANDS.intersection(arguments):
        return False  # with --run-program they run the program too
    targets, excludes = [*_values(arguments, _TARGETS)], [*_values(arguments, _EXCLUDES)]
    is_target = not targets or any(_matches(target, name) for target in targets for name in names)
    return is_target and not any(_matches(exclude, name) for exclude in excludes for name in names)


def _values(arguments: Sequence[str], options: Collection[str]) -> Iterator[str]:
    """Yield the values of options: `--target URN`, `--target=URN`, several in one with commas."""
    for index, argument in enumerate(arguments):
        name, is_joined, value = argument.partition("=")
        if name in options:
            yield from (value if is_joined else "".join(arguments[index + 1 : index + 2])).split(",")


def _matches(pattern: str, name: str) -> bool:
    """Return whether a URN or a pattern of URNs may name a resource with this logical name."""
    return fnmatchcase(name, pattern.rpartition("::")[2].replace("**", "*"))
