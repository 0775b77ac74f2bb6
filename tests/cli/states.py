"""The state of a stack as `pulumi stack export --show-secrets` prints it, made by hand."""

import json
from collections.abc import Sequence
from typing import Any

from pulumi_dli.cli.stack import JOB_TYPE, WAIT_TYPE
from pulumi_dli.plugin import types as native

URN = "urn:pulumi:dev::jobs::"
STACK = f"{URN}pulumi:pulumi:Stack::jobs-dev"
PROVIDER_ID = "6d7c5b17-a235-4ab2-b7db-045d0fc0918b"
ID, OTHER_ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44", "91cad2e2-3eb9-4aba-9bdb-3fa536250347"


def secret(value: Any) -> dict[str, str]:
    """Wrap a value as Pulumi does."""
    return {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "plaintext": json.dumps(value),
    }


def job(
    name: str, batch_id: str = ID, parent: str = "", *, external: bool = False, delete: bool = False, **outputs: Any
) -> dict[str, Any]:
    """Make the resource of a job. `parent` is the name of a component."""
    kept = ({"external": True} if external else {}) | ({"delete": True} if delete else {})
    return kept | {
        "urn": f"{URN}x:y:C${JOB_TYPE}::{name}" if parent else f"{URN}{JOB_TYPE}::{name}",
        "type": JOB_TYPE,
        "id": batch_id,
        "parent": f"{URN}x:y:C::{parent}" if parent else STACK,
        "outputs": {"resourceName": name, "state": "starting"} | outputs,
    }


def wait(name: str, batch_id: str = ID, **outputs: Any) -> dict[str, Any]:
    """Make the resource of a wait."""
    known = {"jobName": name, "jobId": batch_id, "until": "success", "state": "success"}
    urn = f"{URN}{WAIT_TYPE}::{name}-success"
    return {"urn": urn, "type": WAIT_TYPE, "id": f"{batch_id}-success", "parent": STACK, "outputs": known | outputs}


def native_resource(
    name: str, batch_id: str = "", type_token: str = native.JOB, *, provider: str = "", **values: Any
) -> dict[str, Any]:
    """Make a resource of the native provider, whose inputs and outputs are these values."""
    return {
        "urn": f"{URN}{type_token}::{name}",
        "type": type_token,
        "parent": STACK,
        "inputs": values,
        "outputs": values,
        "provider": f"{URN}{native.PROVIDER}::{provider}::{PROVIDER_ID}" if provider else "",
    } | ({"id": batch_id} if batch_id else {})


def native_provider(name: str, **inputs: Any) -> dict[str, Any]:
    """Make the resource of an explicit provider."""
    urn = f"{URN}{native.PROVIDER}::{name}"
    return {"urn": urn, "type": native.PROVIDER, "id": PROVIDER_ID, "parent": STACK, "inputs": inputs}


def export(*resources: dict[str, Any], pending: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Make the state with these resources, and with operations that have begun with the pending ones."""
    operations = [{"resource": one, "type": "creating"} for one in pending]
    stack = {"urn": STACK, "type": "pulumi:pulumi:Stack", "outputs": {"password": secret("hunter2")}}
    return {"version": 3, "deployment": {"resources": [stack, *resources], "pending_operations": operations}}
