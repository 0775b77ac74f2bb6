"""Refuses numbers in the stack's configuration that must be in quotes.

YAML and Pulumi change a number before a program reads it: `052812345678` loses its zero, `3.10` becomes 3.1, and `0x1F`
becomes 31. So a number is refused if the file has it in another form than the provider would send.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from pulumi_dli.jobs.exact_numbers import LIMIT, is_number, leaves, number_in, written

Node = Any
"""A node of a YAML document, with its text as the file has it. None if there is no node."""


class NumberTexts:
    """Finds the texts of numbers in the stack's file and in the project's file. It reads the files at the first use."""

    def text_of(self, number: float, keys: Sequence[str]) -> str | None:
        """Return the text of a number in the configuration, or None if no file has this number at these keys."""
        stack_file, project_file = self._files
        key, *inner = keys
        for node in (
            _node_at(stack_file, ["config", key]),
            _node_at(project_file, ["config", key, "value"]),
            _node_at(project_file, ["config", key]),
        ):
            text = getattr(_node_at(node, inner), "value", None)
            # If the number differs, it comes from --config-file or from an environment of Pulumi ESC.
            if isinstance(text, str) and number_in(text) == number:
                return text
        return None

    @functools.cached_property
    def _files(self) -> tuple[Node, Node]:
        folders = (Path.cwd(), *Path.cwd().parents)
        paths = (folder / f"Pulumi{suffix}" for folder in folders for suffix in (".yaml", ".yml", ".json"))
        project_path = next((path for path in paths if path.is_file()), None)
        if project_path is None:
            return None, None
        project_file = _read(project_path)
        setting = _node_at(project_file, ["stackConfigDir"]) or _node_at(project_file, ["config"])
        subfolder = getattr(setting, "value", "")
        stack_folder = project_path.parent / (subfolder if isinstance(subfolder, str) else "")
        return _read(stack_folder / f"Pulumi.{pulumi.get_stack()}{project_path.suffix}"), project_file


def faults_of_numbers(block: Any, path: str, keys: Sequence[str], texts: NumberTexts) -> Iterator[str]:
    """Yield a failure for each number in a job's block that must be in quotes. `JobInputs` refuses the large numbers.

    Args:
        block: The job's block.
        path: The path of the block for the user.
        keys: The keys of the block in the file.
        texts: Finds the texts of numbers.
    """
    if not isinstance(block, Mapping):
        return
    for place, value in leaves(block.get("triggers"), "triggers"):
        if is_number(value):
            yield f"{path}.{place}: must be text, but is a number; put it in quotes"
    conf = block.get("conf")
    for key, value in conf.items() if isinstance(conf, Mapping) else ():
        fault = _fault_of(value, [*keys, "conf", key], texts) if is_number(value) else ""
        if fault:
            yield f'{path}.conf["{key}"]: {fault}; put it in quotes'


def _fault_of(number: float, keys: Sequence[str], texts: NumberTexts) -> str:
    if abs(number) >= LIMIT:
        return ""
    if number != number // 1:
        return "must be text, but is a number with a fraction"
    is_changed = texts.text_of(number, keys) not in (None, written(number))
    return "is a number that YAML reads otherwise than it is written" if is_changed else ""


def _read(path: Path) -> Node:
    """Return a file as YAML nodes, which keep their texts, or None if it does not exist or cannot be read."""
    import yaml  # noqa: PLC0415  only a configuration with numbers needs it

    try:
        return yaml.compose(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def _node_at(node: Node, keys: Sequence[str]) -> Node:
    for key in keys:
        node = _item(node, key)
    return node


def _item(node: Node, key: str) -> Node:
    """Return the value of a key, also if the map merges it from another map with `<<`."""
    if getattr(node, "id", "") != "mapping":
        return None
    merged: list[Node] = []
    for name, value in node.value:
        if name.value == key:
            return value
        if name.value == "<<":
            merged += value.value if value.id == "sequence" else [value]
    return next((found for found in (_item(one, key) for one in merged) if found is not None), None)
