"""The declaration that has created a run, as far as the service tells it: for `pulumi import` and `get`."""

from __future__ import annotations

from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES, JobInputs
from pulumi_dli.jobs.naming import SubmissionName

_PROPERTY_NAMES = {wire_name: name for name, wire_name in WIRE_NAMES.items()}
_FILLED_IN = {"feature": "basic"}
"""The values that the service adds to a request, as far as they say nothing."""


def declaration_of_run(batch: Batch) -> dict[str, Any]:
    """Return the arguments of a job that would have created this run.

    What the service does not tell or tells in another form is absent: sizes, for example. A dead run is not to run
    again at the next `up`, so the result then has `rerunOnFailure: false`.
    """
    request = {_PROPERTY_NAMES.get(key, key): value for key, value in (batch.request() or {}).items()}
    found = {name: request[name] for name in WIRE_NAMES if _is_declared(name, request.get(name))}
    if "name" not in found and batch.name:
        found["name"] = batch.name
    if SubmissionName.parse(found.get("name")) is not None:
        del found["name"]  # the provider has made it
    if batch.is_failure:
        found["rerunOnFailure"] = False
    return found


def _is_declared(name: str, value: Any) -> bool:
    is_default = value in (ARGUMENTS[name].service_default, _FILLED_IN.get(name))
    return value not in (None, "", [], {}) and not is_default and not JobInputs.parse({name: value}).failures
