"""Compares a job of the service with the request that may have created it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.exact_numbers import are_same, unwritten
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES
from pulumi_dli.jobs.request import NEVER_SENT, canonical

_COMPARED = frozenset(WIRE_NAMES) - {"name"}
_PROPERTY_NAMES = {wire_name: name for name, wire_name in WIRE_NAMES.items()}


def is_same_request(batch: Batch, body: Mapping[str, Any], exactly: Collection[str] = ()) -> bool | None:
    """Return whether this request created a job. None if the job has no `req_body`.

    The properties `exactly` must have the same texts. In the others, a number and its text are the same.

    The service omits some keys of `req_body`, fills in defaults, writes the queue in lower case and gives two keys
    other names (`autoRecovery`, `maxRetryTimes`). So only the keys that `req_body` has are compared, except the name:
    the caller has found the job by it.
    """
    request = batch.request()
    if request is None:
        return None
    theirs_by_name = {_PROPERTY_NAMES.get(key, key): value for key, value in request.items()}
    theirs, ours = canonical(theirs_by_name), canonical({_PROPERTY_NAMES.get(key, key): body[key] for key in body})
    return all(
        _same_value(name, theirs.get(name), ours.get(name), is_exact=name in exactly)
        for name in theirs_by_name
        if name in _COMPARED
    )


def unknown_properties(batch: Batch, body: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """Return those of these properties of a request that cannot be compared with a job, because it does not say."""
    known = _known_properties(batch.request() or {}, body)
    sent = [_PROPERTY_NAMES.get(key, key) for key in body]
    return [name for name in (*sent, *NEVER_SENT) if name in names and name not in known]


def _known_properties(request: Mapping[str, Any], body: Mapping[str, Any]) -> set[str]:
    known = {_PROPERTY_NAMES.get(key, key) for key in request}
    if "queue" in known:
        known.add("clusterName")  # the service stores both under this name
    theirs = request.get("conf")
    if isinstance(theirs, Mapping) and not theirs.keys() <= (body.get("conf") or {}).keys():
        known.discard("conf")  # either the service has added to it, or it is another declaration
    return known


def _same_value(name: str, theirs: Any, ours: Any, *, is_exact: bool) -> bool:
    if ours is None and ARGUMENTS[name].is_filled_in:
        return True
    if name == "queue":
        return str(theirs).lower() == str(ours).lower()
    if name == "conf" and isinstance(theirs, Mapping):
        return _same_conf(theirs, ours or {}, is_exact=is_exact)
    return bool(theirs == ours) or theirs == "CUSTOMIZED"


def _same_conf(theirs: Mapping[str, Any], ours: Mapping[str, Any], *, is_exact: bool) -> bool:
    if is_exact:
        return all(theirs.get(key) == value for key, value in ours.items())
    # The service may add to it. 0.1.0 may have made a text of a number.
    return all(are_same(unwritten(theirs.get(key)), value) for key, value in ours.items())
