"""What a job registers for the provider's own use beside its arguments: whose it is, and what of it is secret."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pulumi

from pulumi_dli.jobs.naming import resource_fingerprint_of
from pulumi_dli.program.secret_inputs import SecretInputs

_is_from_configuration: ContextVar[bool] = ContextVar("is_from_configuration", default=False)


@contextmanager
def from_configuration() -> Iterator[None]:
    """Declare jobs in this block as jobs of a file. Messages about them spell the arguments as the file does."""
    token = _is_from_configuration.set(True)
    try:
        yield
    finally:
        _is_from_configuration.reset(token)


def is_from_configuration() -> bool:
    """Return whether the program declares jobs of a file now."""
    return _is_from_configuration.get()


def scope_of(resource_name: str, parent: pulumi.Resource | None) -> pulumi.Input[str]:
    """Return the fingerprint of a resource: the hash of its organization, project, stack, parents and name."""
    stack = pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()
    if parent is None:
        return resource_fingerprint_of(*stack, [], resource_name)

    async def scope_below_parent() -> str:
        # Await the URN: an output of a component would make the job depend on all children of it, and so on itself.
        *_, types, name = str(await parent.urn.future()).split("::", 3)
        return resource_fingerprint_of(*stack, [types, name], resource_name)

    return pulumi.Output.from_input(scope_below_parent())


def secrets_of(
    resource_name: str, declared: Mapping[str, Any], opts: pulumi.ResourceOptions, wire_names: Mapping[str, str]
) -> SecretInputs:
    """Return the secrets among the declared arguments, and those that the options mark.

    `wire_names` has the property names of the arguments.
    """
    inputs = {wire_names[name]: value for name, value in declared.items()}
    inputs["replacementTrigger"] = opts.replacement_trigger
    marked = [wire_names.get(name, name) for name in opts.additional_secret_outputs or ()]
    return SecretInputs(resource_name, inputs, marked)
