"""Numbers in the stack's configuration that stand for text.

YAML and Pulumi change a number before a program reads it: `052812345678` loses its zero, `3.10` is 3.1, `0x1F` is 31.
So a number is refused if its text is not known, or is not what would be sent.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from pulumi_dli.jobs.exact_numbers import LIMIT, is_number, leaves, number_in, written

Node = Any
"""A node of a YAML document, which has a text as it is written. None if there is none."""


class NumberTexts:
    """The numbers in the stack's file and in the project's file as they are written there. Read when first needed."""

    def text_of(self, number: float, keys: Sequence[str]) -> str | None:
        """Give the text of a number of the configuration. None if no file has it at these keys."""
        stack_file, project_file = self._files
        key, *inner = keys
        for node in (
            _node_at(stack_file, ["config", key]),
            _node_at(project_file, ["config", key, "value"]),
            _node_at(project_file, ["config", key]),
        ):
            text = getattr(_node_at(node, inner), "value", None)
            # Another number comes from elsewhere: from --config-file, or from an environment of Pulumi ESC.
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
    """Give the numbers of a job's block that must be in quotes, but for the large ones, which `JobInputs` refuses.

    `path` leads to the block as the user knows it, `keys` as the file has it.
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
    """Read a file without making values of its texts. None if it is not there or cannot be read."""
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
    """Give the value of a key, also where the map takes it over from another one with `<<`."""
    if getattr(node, "id", "") != "mapping":
        return None
    merged: list[Node] = []
    for name, value in node.value:
        if name.value == key:
            return value
        if name.value == "<<":
            merged += value.value if value.id == "sequence" else [value]
    return next((found for found in (_item(one, key) for one in merged) if found is not None), None)
