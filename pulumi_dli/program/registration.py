"""What the resources share when they register: which inputs are given, which outputs exist."""

import inspect
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from pulumi_dli.program.types import (
    wire_names,
)


def given(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the inputs that are None, so that they are not registered."""
    return {name: value for name, value in inputs.items() if value is not None}


def outputs_only(resource: type[dynamic.Resource]) -> dict[str, None]:
    """Give a place for each output that is no input: an output exists only where its key does.

    Each takes some kilobytes while a program runs, so what is not declared has none of its own.
    """
    parameters = inspect.signature(resource).parameters
    return dict.fromkeys(name for name in wire_names(resource) if name not in parameters)


def fill_undeclared(resource: dynamic.Resource) -> None:
    """Let the outputs of what was not declared be None."""
    nothing = pulumi.Output.from_input(None)
    undeclared = (name for name in wire_names(type(resource)) if name not in resource.__dict__)
    resource.__dict__.update(dict.fromkeys(undeclared, nothing))
