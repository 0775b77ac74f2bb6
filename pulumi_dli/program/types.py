"""The types of a program's values that are more than text, numbers and lists, and their names on Pulumi's wire."""

import inspect
from collections.abc import Sequence
from typing import Any, Literal, TypedDict, TypeVar

import pulumi
from pulumi import dynamic

Resource = TypeVar("Resource", bound=dynamic.Resource)
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


def with_getters(resource: type[Resource]) -> type[Resource]:
    """Make a getter of each annotated output, as Pulumi's generated packages have them.

    Pulumi reads the types of getters once, but those of annotations again for each resource: half a millisecond.
    """
    _WIRE_NAMES[resource] = {}
    for name, hint in inspect.get_annotations(resource).items():

        def get(self: Any) -> Any: ...  # Pulumi fills it

        get.__name__, get.__annotations__ = name, {"return": hint}
        wire_name = getattr(resource, name, pulumi.property(name)).name
        setattr(resource, name, property(pulumi.getter(name=wire_name)(get)))
        _WIRE_NAMES[resource][name] = wire_name
    resource.__annotations__ = {}
    return resource


_WIRE_NAMES: dict[type, dict[str, str]] = {}


def wire_names(resource: type[dynamic.Resource]) -> dict[str, str]:
    """Give the name on Pulumi's wire of each output of a resource, by its name here."""
    return _WIRE_NAMES[resource]


def input_type_of(resource: type[dynamic.Resource]) -> type[dict[str, Any]]:
    """Make the type from which Pulumi learns the wire names of a resource's inputs: they are those of its outputs."""
    names = wire_names(resource)
    members = {name: pulumi.property(wire_name) for name, wire_name in names.items()}
    members |= {"__annotations__": dict.fromkeys(names, Any), "__init__": dict.__init__}
    return pulumi.input_type(type("Inputs", (dict,), members))
