"""The engine's floor: a dynamic resource that does nothing, in a module that imports only pulumi."""

from typing import Any

from pulumi import ResourceOptions, dynamic


class FloorProvider(dynamic.ResourceProvider):
    """Creates, compares and deletes without doing anything."""

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["name"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=_olds["name"] != _news["name"])


class Floor(dynamic.Resource, module="bench", name="Floor"):
    """A resource with a handful of properties, like a small job."""

    def __init__(self, name: str, opts: ResourceOptions | None = None) -> None:
        props = {"name": name, "file": f"obs://bench/{name}.py", "args": [name], "queue": "default"}
        super().__init__(FloorProvider(), name, props, opts)
