"""Declares the jobs of a YAML file. Its size has no limit, and its values are what is written.

jobDefaults:
  queue: batch
jobs:
  load:
    file: obs://demo/jobs/load.py
    args: [--password, {secret: load.password}, 2026-11-29, no]
    wait: {timeout: 2h}
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pulumi
import yaml

from pulumi_dli.jobs.exact_numbers import with_leaves
from pulumi_dli.program.batch_job import BatchJob
from pulumi_dli.program.job_blocks import Block, arguments, declare_blocks, values_in

_NULL, _MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"
_KEYS = ("jobs", "jobDefaults")
_MAPS = ("conf", "triggers")
"""The properties whose keys users choose, so that a key `secret` there is one of theirs."""


def jobs_from_file(path: str, opts: pulumi.ResourceOptions | None = None) -> dict[str, BatchJob]:
    """Declare every job of a YAML file, and return the jobs by name.

    The file has the maps `jobs` and `jobDefaults`, with the same blocks as `dli:jobs` and `dli:jobDefaults` of
    `jobs_from_config`. There is no limit for its size. Scalars are text, as they are written (`3.10`, `007`, `no`),
    and become numbers, true and false only for arguments of these types. Null removes a default.

    In place of a text, `{secret: KEY}` is the secret of the stack's configuration with this key, for example
    `{secret: load.password}` after `pulumi config set --secret load.password`. Only this value is secret.

    Args:
        path: The path of the file, from the folder in which Pulumi runs the program: that of Pulumi.yaml.
        opts: Resource options for every job.

    Raises:
        pulumi.RunError: The file cannot be read, or it has mistakes. The message lists all of them with their paths.
    """
    document = _read(path)
    jobs, defaults = (document.get(key) or {} for key in _KEYS)
    unknown = [key for key in document if key not in _KEYS]
    if unknown or not isinstance(jobs, dict):
        what = f"{unknown[0]}: there is no such key; known are" if unknown else "jobs: must be a map, beside"
        raise pulumi.RunError(f"{path}: {what} {' and '.join(_KEYS)}")
    if not jobs:
        pulumi.log.warn(f"{path} has no jobs, so it declares none")
    blocks = {name: _typed(block) for name, block in jobs.items()}
    return declare_blocks(_File(path), blocks, _typed(defaults), opts)


@dataclass(frozen=True)
class _Secret:
    """A secret of the stack's configuration, by its key."""

    key: str

    def value(self) -> pulumi.Output[str] | None:
        """Return the secret, or None if the configuration has no such key."""
        namespace, _, name = self.key.rpartition(":")
        return pulumi.Config(namespace or None).get_secret(name)


class _File:
    """A file as a source of blocks."""

    def __init__(self, path: str) -> None:
        self.quoting = ""
        self.jobs, self.defaults = f"{path}: jobs", f"{path}: jobDefaults"

    def path(self, name: str) -> str:
        """Return the path of a job in the file."""
        return f"{self.jobs}.{name}"

    def faults(self, block: Any, path: str, name: str | None) -> Iterator[str]:
        """Yield the secrets that the stack's configuration does not have."""
        for place, secret in values_in(block, path):
            if isinstance(secret, _Secret) and secret.value() is None:
                yield (
                    f"{place}.secret: the configuration has no {secret.key}; set it with `pulumi config set --secret "
                    f"{secret.key}`"
                )

    def declared(self, block: Block) -> Block:
        """Return a block with the values of its secrets."""
        declared: Block = with_leaves(block, lambda _, leaf: leaf.value() if isinstance(leaf, _Secret) else leaf)
        return declared

    def checked(self, block: Any) -> Any:
        """Return a block with unknown values in place of its secrets."""
        from pulumi_dli.jobs.validation import UNKNOWN  # noqa: PLC0415  it imports pydantic, which is slow

        return with_leaves(block, lambda _, leaf: UNKNOWN if isinstance(leaf, _Secret) else leaf)


class _TextLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Loads YAML with every scalar as text, except null. It refuses a key that comes twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012  as in the base class
        first: [pair for pair in pairs if pair[0] in (_NULL, _MERGE)]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a map. Raises ConstructorError for a key that comes twice or is null."""
        problem = _problem_of_keys([key for key, _ in node.value if key.tag != _MERGE])
        if problem:
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _problem_of_keys(keys: Sequence[yaml.Node]) -> str:
    if any(key.tag == _NULL for key in keys):
        return "a key is null"
    names = [str(key.value) for key in keys]
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    return "" if twice is None else f"the key {twice} comes twice"


def _read(path: str) -> dict[str, Any]:
    text = _read_text(path)
    try:
        document = yaml.load(text, _TextLoader)  # noqa: S506  a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        raise pulumi.RunError(f"{path}: {line}{problem or 'cannot be read as YAML'}") from error
    if document is not None and not isinstance(document, dict):
        raise pulumi.RunError(f"{path}: must be a map with {' and '.join(_KEYS)}")
    return document or {}


def _read_text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        folder = "" if Path(path).is_absolute() else f" (in {Path.cwd()})"
        raise pulumi.RunError(f"{path}: cannot be read{folder}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise pulumi.RunError(f"{path}: is no text in UTF-8") from error


def _typed(block: Any) -> Any:
    """Return a block with numbers, flags and secrets in the types of the arguments."""
    if not isinstance(block, dict):
        return block
    typed = {key: _typed_value(key, value) for key, value in block.items()}
    if isinstance(typed.get("wait"), dict):
        typed["wait"] = {key: _as_flag(value) if key == "streamLog" else value for key, value in typed["wait"].items()}
    return typed


def _typed_value(key: str, value: Any) -> Any:
    if key in _MAPS and isinstance(value, dict):
        return {name: _with_secrets(item) for name, item in value.items()}
    return _with_secrets(value) if not isinstance(value, str) else _converters().get(key, str)(value)


@cache
def _converters() -> dict[str, Callable[[str], Any]]:
    """Return what makes a number or a flag of a text, for each argument of these types."""
    parameters = inspect.signature(BatchJob).parameters
    types = {
        key: {part for one in get_args(parameters[name].annotation) for part in (one, *get_args(one))}
        for key, name in arguments().items()
    }
    found: dict[str, Callable[[str], Any]] = {"wait": _as_flag}
    found |= {key: _as_flag for key, parts in types.items() if bool in parts}
    return found | {key: _as_number for key, parts in types.items() if int in parts}


def _as_flag(text: Any) -> Any:
    return {"true": True, "false": False}.get(text, text) if isinstance(text, str) else text


def _as_number(text: str) -> Any:
    return int(text) if re.fullmatch(r"[-+]?\d{1,15}", text, re.ASCII) else text


def _with_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secret"} and isinstance(value["secret"], str):
            return _Secret(value["secret"])
        return {key: _with_secrets(item) for key, item in value.items()}
    return [_with_secrets(item) for item in value] if isinstance(value, list) else value
