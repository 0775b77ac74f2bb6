"""The types of a program's values that are more than text, numbers and lists, and their names on Pulumi's wire."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

import pulumi
from pulumi import dynamic

Scalar = str | int | float | bool
Strings = pulumi.Input[Sequence[pulumi.Input[str]]]

OnRecordExpired = Literal["keep", "rerun"]
WhenRunning = Literal["cancel", "refuse"]
Until = Literal["success", "running", "finished"]


class PackageArgsDict(TypedDict, total=False):
    """A package that was uploaded before (table 4 of the API page)."""

    name: pulumi.Input[str]
    """The package's name, `group/name`, or an `obs://` path."""
    type: pulumi.Input[str]
    """Its type: `jar`, `pyFile` or `file`."""


class GroupArgsDict(TypedDict, total=False):
    """A package group that was uploaded before (table 5 of the API page)."""

    name: pulumi.Input[str]
    """The group's name."""
    resources: pulumi.Input[Sequence[pulumi.Input[PackageArgsDict]]]
    """The packages of the group that the job uses. The service does not check their types."""


class SubmittedToArgsDict(TypedDict, total=False):
    """The place where a job was submitted, by the names that it has in the state."""

    region: str | None
    """The region; none where only an address was set."""
    projectId: str
    """The id of the project."""


@pulumi.output_type
class Package(dict[str, Any]):
    """A package that was uploaded before, as it was declared."""

    name: str | None
    """The package's name, `group/name`, or an `obs://` path."""
    type: str | None
    """Its type: `jar`, `pyFile` or `file`."""


@pulumi.output_type
class Group(dict[str, Any]):
    """A package group that was uploaded before, as it was declared."""

    name: str | None
    """The group's name."""
    resources: Sequence[Package] | None
    """The packages of the group that the job uses."""


@pulumi.output_type
class SubmittedTo(dict[str, Any]):
    """The place where a job was submitted."""

    region: str | None
    """The region; none where only an address was set."""
    project_id: str = pulumi.property("projectId")
    """The id of the project."""


def wire_names(resource: type[dynamic.Resource]) -> dict[str, str]:
    """Give the name on Pulumi's wire of each property of a resource."""
    return {name: getattr(resource, name, pulumi.property(name)).name for name in resource.__annotations__}


def input_type_of(resource: type[dynamic.Resource]) -> type[dict[str, Any]]:
    """Make the type from which Pulumi learns the wire names of a resource's inputs: they are those of its outputs."""
    names = wire_names(resource)
    members = {name: pulumi.property(wire_name) for name, wire_name in names.items()}
    members |= {"__annotations__": dict.fromkeys(names, Any), "__init__": dict.__init__}
    return pulumi.input_type(type("Inputs", (dict,), members))
