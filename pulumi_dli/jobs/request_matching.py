"""Compares a job of the service with the request that may have created it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.exact_numbers import are_same, unwritten
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES
from pulumi_dli.jobs.request import canonical
from pulumi_dli.jobs.secret_paths import is_secret

_NEVER_SENT = ("triggers", "replacementTrigger")
"""The properties that make a job run again, but that the service does not know."""
_COMPARED = frozenset(WIRE_NAMES) - {"name"}
_PROPERTY_NAMES = {wire_name: name for name, wire_name in WIRE_NAMES.items()}


def is_same_request(batch: Batch, body: Mapping[str, Any]) -> bool | None:
    """Return whether this request created a job. None if the job has no `req_body`.

    The service omits some keys of `req_body`, fills in defaults, writes the queue in lower case and gives two keys
    other names (`autoRecovery`, `maxRetryTimes`). So only the keys that `req_body` has are compared, except the name:
    the caller has found the job by it.
    """
    request = batch.request()
    if request is None:
        return None
    theirs_by_name = {_PROPERTY_NAMES.get(key, key): value for key, value in request.items()}
    theirs, ours = canonical(theirs_by_name), canonical({_PROPERTY_NAMES.get(key, key): body[key] for key in body})
    return all(_same_value(name, theirs.get(name), ours.get(name)) for name in theirs_by_name if name in _COMPARED)


def unknown_secrets(batch: Batch, body: Mapping[str, Any], secret_inputs: Sequence[str]) -> list[str]:
    """Return the secret properties of a request that cannot be compared with a job, because the job does not say."""
    known = {_PROPERTY_NAMES.get(key, key) for key in batch.request() or {}}
    if "queue" in known:
        known.add("clusterName")  # the service stores both under this name
    sent = [_PROPERTY_NAMES.get(key, key) for key in body]
    return [name for name in (*sent, *_NEVER_SENT) if is_secret(name, [*secret_inputs]) and name not in known]


def _same_value(name: str, theirs: Any, ours: Any) -> bool:
    if ours is None and ARGUMENTS[name].is_filled_in:
        return True
    if name == "queue":
        return str(theirs).lower() == str(ours).lower()
    if name == "conf" and isinstance(theirs, Mapping):
        # The service may add to it. 0.1.0 may have made a text of a number.
        return all(are_same(unwritten(theirs.get(key)), value) for key, value in (ours or {}).items())
    return bool(theirs == ours) or theirs == "CUSTOMIZED"
