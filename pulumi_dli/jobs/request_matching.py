"""Compares a job of the service with the request that may have created it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.exact_numbers import are_same, unwritten
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES
from pulumi_dli.jobs.request import canonical

_PROPERTY_NAMES = {wire_name: name for name, wire_name in WIRE_NAMES.items()}


def is_same_request(batch: Batch, body: Mapping[str, Any]) -> bool | None:
    """Return whether this request created a job. None if the job has no `req_body`.

    The service omits some keys of `req_body`, fills in defaults, writes the queue in lower case and gives two keys
    other names (`autoRecovery`, `maxRetryTimes`). So only the keys that `req_body` has are compared.
    """
    request = batch.request()
    if request is None:
        return None
    theirs_by_name = {_PROPERTY_NAMES.get(key, key): value for key, value in request.items()}
    theirs, ours = canonical(theirs_by_name), canonical({_PROPERTY_NAMES.get(key, key): body[key] for key in body})
    return all(_same_value(name, theirs.get(name), ours.get(name)) for name in theirs_by_name if name in WIRE_NAMES)


def _same_value(name: str, theirs: Any, ours: Any) -> bool:
    if ours is None and ARGUMENTS[name].is_filled_in:
        return True
    if name == "queue":
        return str(theirs).lower() == str(ours).lower()
    if name == "conf" and isinstance(theirs, Mapping):
        # The service may add to it. 0.1.0 may have made a text of a number.
        return all(are_same(unwritten(theirs.get(key)), value) for key, value in (ours or {}).items())
    return bool(theirs == ours) or theirs == "CUSTOMIZED"
