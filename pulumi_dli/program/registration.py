"""Helpers for the registration of both resources: which inputs are sent, and which outputs exist."""

import inspect
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from pulumi_dli.program.types import (
    wire_names,
)


def without_none(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that are not None. Pulumi registers only these."""
    return {name: value for name, value in inputs.items() if value is not None}


def outputs_only(resource: type[dynamic.Resource]) -> dict[str, None]:
    """Return a property for each output that is not an input. Pulumi makes an output only for a property that exists.

    Each output needs some kilobytes in the program, so the undeclared inputs share one: see `fill_undeclared`.
    """
    parameters = inspect.signature(resource).parameters
    return dict.fromkeys(name for name in wire_names(resource) if name not in parameters)


def fill_undeclared(resource: dynamic.Resource) -> None:
    """Set the outputs of all undeclared inputs to one shared output, which is None."""
    nothing = pulumi.Output.from_input(None)
    undeclared = (name for name in wire_names(type(resource)) if name not in resource.__dict__)
    resource.__dict__.update(dict.fromkeys(undeclared, nothing))
