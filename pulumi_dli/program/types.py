"""The types of arguments and outputs in a program, and the names of properties in Pulumi's state."""

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
StreamLog = bool | Literal["all"]

JOB_TYPE, WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJob", "pulumi-python:dynamic/dli:BatchJobWait"
"""The type tokens of the two resources in Pulumi's state."""


class PackageArgsDict(TypedDict, total=False):
    """A package that the user uploaded earlier (table 4 of the API page)."""

    name: pulumi.Input[str]
    """The package's name, `group/name`, or an `obs://` path."""
    type: pulumi.Input[str]
    """Its type: `jar`, `pyFile` or `file`."""


class GroupArgsDict(TypedDict, total=False):
    """A group of packages that the user uploaded earlier (table 5 of the API page)."""

    name: pulumi.Input[str]
    """The group's name."""
    resources: pulumi.Input[Sequence[pulumi.Input[PackageArgsDict]]]
    """The packages of the group that the job uses. The service does not check their types."""


class SubmittedToArgsDict(TypedDict, total=False):
    """The region and the project where a job runs, with their names in Pulumi's state."""

    region: str | None
    """The region. It is missing if only an endpoint was set."""
    projectId: str
    """The id of the project."""


@pulumi.output_type
class Package(dict[str, Any]):
    """An uploaded package, as declared."""

    name: str | None
    """The package's name, `group/name`, or an `obs://` path."""
    type: str | None
    """Its type: `jar`, `pyFile` or `file`."""


@pulumi.output_type
class Group(dict[str, Any]):
    """A group of uploaded packages, as declared."""

    name: str | None
    """The group's name."""
    resources: Sequence[Package] | None
    """The packages of the group that the job uses."""


@pulumi.output_type
class SubmittedTo(dict[str, Any]):
    """The region and the project where a job runs."""

    region: str | None
    """The region. It is missing if only an endpoint was set."""
    project_id: str = pulumi.property("projectId")
    """The id of the project."""


def location_inputs(location: SubmittedTo | None) -> SubmittedToArgsDict:
    """Return where a job runs as an input of its wait."""
    return {} if location is None else {"region": location.region, "projectId": location.project_id}


@pulumi.output_type
class PreviousRun(dict[str, Any]):
    """An earlier run of a job, which was replaced."""

    id: str
    """The id of the batch job."""
    state: str | None
    """Its last known state, or `cancelled` if the provider has cancelled it to run the job again."""
    create_time: int | None = pulumi.property("createTime")
    """When the service created it, in milliseconds since 1970."""
    update_time: int | None = pulumi.property("updateTime")
    """When it last changed, as far as a refresh has seen it, in milliseconds since 1970."""
    duration: int | None
    """The time from its submission to its end, as far as the provider has seen it, in milliseconds."""
    replaced_because: str | None = pulumi.property("replacedBecause")
    """Why the job ran again."""


def with_getters(resource: type[Resource]) -> type[Resource]:
    """Replace the annotated outputs of a class by getters, as in Pulumi's generated packages.

    Pulumi reads the types of getters once. It reads annotations again for each resource, which takes 0.5 ms.
    """
    _WIRE_NAMES[resource] = {}
    for name, hint in inspect.get_annotations(resource).items():

        def get(self: Any) -> Any: ...  # `pulumi.getter` replaces the body

        get.__name__, get.__annotations__ = name, {"return": hint}
        wire_name = getattr(resource, name, pulumi.property(name)).name
        setattr(resource, name, property(pulumi.getter(name=wire_name)(get)))
        _WIRE_NAMES[resource][name] = wire_name
    resource.__annotations__ = {}
    return resource


_WIRE_NAMES: dict[type, dict[str, str]] = {}


def wire_names(resource: type[dynamic.Resource]) -> dict[str, str]:
    """Return the name in Pulumi's state of each output of a resource, by its name in Python."""
    return _WIRE_NAMES[resource]


def input_type_of(resource: type[dynamic.Resource]) -> type[dict[str, Any]]:
    """Return the type from which Pulumi learns the names of a resource's inputs. They are the names of its outputs."""
    names = wire_names(resource)
    members = {name: pulumi.property(wire_name) for name, wire_name in names.items()}
    members |= {"__annotations__": dict.fromkeys(names, Any), "__init__": dict.__init__}
    return pulumi.input_type(type("Inputs", (dict,), members))
