"""The request that a job makes: its body, its canonical form, in which equal requests are equal, and its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.sizes import Sizing, memory_mib
from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, are_same, earlier_forms, exact, unwritten
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES, JobInputs, OnChange, Properties
from pulumi_dli.jobs.naming import request_fingerprint_of
from pulumi_dli.jobs.validation import is_known

_RERUNS = [name for name, one in ARGUMENTS.items() if one.on_change is OnChange.RERUN and not one.is_sent]
_SERVICE_DEFAULTS = {name: one.service_default for name, one in ARGUMENTS.items() if one.service_default is not None}


def request_body(job: JobInputs, name: str) -> dict[str, Any]:
    """Make the body of the create call, in the API's spelling.

    `className` is always sent, empty where there is none: the service's own sample of a PySpark request has it so.
    """
    properties = exact(job.properties)
    given = {wire_name: _plain(properties.get(key)) for key, wire_name in WIRE_NAMES.items()}
    body = {key: value for key, value in given.items() if value not in (None, [], {})}
    body = {"file": body.pop("file"), "className": body.pop("className", ""), **body, "name": name}
    return BatchRequest.model_validate(body).to_wire()


def canonical(properties: Properties) -> dict[str, Any]:
    """Give what the service is asked to run, in a form in which equal requests are equal.

    The service's defaults are filled in, memory is MiB, `clusterName` is `queue`, and an empty list or map is absent.
    """
    plain = {name: _plain(properties[name]) for name in WIRE_NAMES if name in properties}
    given = {name: value for name, value in plain.items() if value not in (None, [], {}, "")}
    queue = given.pop("clusterName", None)
    if queue is not None:
        given.setdefault("queue", queue)
    for name in ("driverMemory", "executorMemory"):
        if name in given:
            given[name] = _mib_if_readable(given[name])
    return _SERVICE_DEFAULTS | given


def changes(old: JobInputs, new: JobInputs) -> list[str]:
    """Name the arguments in which two declarations differ so that the job must run again.

    An unknown value differs from any other.
    """
    known, wanted = exact(old.properties), exact(new.properties)
    before, after = canonical(known), canonical(wanted)
    if old.exact_numbers is None:  # what is text in the `conf` of 0.1.0 may have been a number
        before["conf"] = unwritten(before.get("conf"))
    sent = [name for name in WIRE_NAMES if not are_same(before.get(name), after.get(name))]
    reruns = [name for name in _RERUNS if not are_same(_or_empty(known, name), _or_empty(wanted, name))]
    trigger = "replacementTrigger"
    is_same_to_pulumi = old.properties.get(trigger) == new.properties.get(trigger)
    if is_same_to_pulumi and not are_same(known.get(trigger), wanted.get(trigger)):
        reruns.append(trigger)  # Pulumi rounds both to one number. For any other change it replaces the job itself.
    return sent + reruns


def rewritten(old: JobInputs, new: JobInputs) -> list[str]:
    """Name the arguments that mean the same, but have a number in the place of a text, or the reverse.

    The state has to have the new form: 0.1.0 would take the old one for a change.
    """
    names = ("conf", "triggers", EXACT_NUMBERS)
    return [name for name in names if _or_empty(old.properties, name) != _or_empty(new.properties, name)]


def fingerprint(properties: Properties) -> str:
    """Make the 8 hex digits that stand for what is run, as 0.1.0 makes them: from the rounded numbers."""
    return request_fingerprint_of(
        canonical(properties), properties.get("triggers"), properties.get("replacementTrigger")
    )


def earlier_fingerprints(job: JobInputs) -> frozenset[str]:
    """Give the fingerprints of equal requests that have a number in the place of a text, or the reverse."""
    return frozenset(map(fingerprint, earlier_forms(job.properties)))


def sizing(job: JobInputs) -> str | None:
    """Say in words what a job takes: vCPUs, memory and CUs (1 CU is 1 vCPU with 4 GB) of driver and executors.

    None where a size is not known yet.
    """
    sizes: dict[str, Any] = {name: getattr(job, name) for name in _SIZES}
    if not is_known(sizes):
        return None
    size = Sizing.of(**sizes)
    return (
        f"driver {size.driver_cores} vCPU {size.driver_memory}, {size.num_executors} executors of "
        f"{size.executor_cores} vCPU {size.executor_memory}: {size.vcpus} vCPU, {size.memory_mib / 1024:g}G, "
        f"{size.cus} CUs"
    )


_SIZES = ("sc_type", "driver_cores", "driver_memory", "executor_cores", "executor_memory", "num_executors")


def _mib_if_readable(value: Any) -> Any:
    try:
        return memory_mib(value) if isinstance(value, str) else value
    except ValueError:
        return value  # an old state may hold what today's rules refuse


def _plain(value: Any) -> Any:
    """Drop nulls inside maps, and write whole numbers as integers."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value == value // 1:
        return int(value)
    return value


def _or_empty(properties: Properties, name: str) -> Any:
    return _plain(properties.get(name) or {})
