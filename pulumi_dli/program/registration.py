"""Helpers for the registration of both resources: what is refused, which inputs are sent, and which outputs exist."""

import inspect
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

import pulumi
from pulumi import dynamic

from pulumi_dli.jobs.exact_numbers import leaves
from pulumi_dli.program.types import wire_names

_UNSENDABLE = (date, time, timedelta, Decimal, UUID, PurePath, bytes, set, frozenset)
"""Types of Python that programs use and that Pulumi cannot send."""


def check_is_set(argument: str, value: Any, what: str) -> None:
    """Raise pulumi.RunError if an argument is None. `argument` names the resource and the argument."""
    if value is None:
        raise pulumi.RunError(f"{argument} is None. Set it to {what}")


def check_declaration(kind: str, resource_name: Any, opts: Any, declared: Mapping[str, Any]) -> None:
    """Raise pulumi.RunError if a program passes what Pulumi cannot use, and would refuse with a traceback.

    Args:
        kind: What the program declares, for the message.
        resource_name: The logical name.
        opts: The options of the resource.
        declared: The arguments by their names in Python.
    """
    if not isinstance(resource_name, str):
        what = "an Output, whose value comes too late" if isinstance(resource_name, pulumi.Output) else "no text"
        raise pulumi.RunError(f"{kind}: the name of the resource is {what}. Write the name as text")
    if opts is not None and not isinstance(opts, pulumi.ResourceOptions):
        raise pulumi.RunError(f"{kind} {resource_name}: opts must be pulumi.ResourceOptions(...)")
    for path, value in leaves(declared):
        if isinstance(value, _UNSENDABLE):
            how = "isoformat()" if isinstance(value, date | time) else "str()"
            raise pulumi.RunError(
                f"{kind} {resource_name}: {path}: is a {type(value).__name__}, which Pulumi cannot send. Make text of "
                f"it, for example with {how}"
            )


def duration_of(timeout: Any, opts: pulumi.ResourceOptions | None) -> Any:
    """Return the timeout of a wait. A `timedelta` becomes seconds. The default is `custom_timeouts.create`."""
    if isinstance(timeout, timedelta):
        return timeout.total_seconds()
    custom: Any = opts.custom_timeouts if opts is not None else None
    if timeout is not None or custom is None:
        return timeout
    return custom.get("create") if isinstance(custom, Mapping) else custom.create  # Pulumi takes a dict too


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
