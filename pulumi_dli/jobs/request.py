"""The request of a job: its body, its canonical form (in which equal requests are equal) and its sizes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from pydantic.alias_generators import to_snake

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.sizes import Sizing, memory_mib
from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, are_same, earlier_forms, exact, leaves, unwritten
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES, JobInputs, OnChange, Properties, Value
from pulumi_dli.jobs.naming import request_fingerprint_of
from pulumi_dli.jobs.secret_paths import (
    MIN_SECRET_LENGTH,
    PUBLIC_ARGUMENTS,
    SECRET_INPUTS,
    SIZES,
    is_secret,
)
from pulumi_dli.jobs.validation import UNKNOWN, is_known

NEVER_SENT = ("triggers", "replacementTrigger")
"""The properties that make a job run again, but that the service does not know."""
_OFTEN_SECRET = ("args", "conf")
_RERUNS = [name for name, one in ARGUMENTS.items() if one.on_change is OnChange.RERUN and not one.is_sent]
_SIZE_FIELDS = {name: to_snake(name) for name in SIZES}
_SERVICE_DEFAULTS = {name: one.service_default for name, one in ARGUMENTS.items() if one.service_default is not None}


def request_body(job: JobInputs, name: str) -> dict[str, Any]:
    """Return the body of the create call, with the API's own names.

    It always has `className`, which is empty for a job without a main class. The service's own sample of a PySpark
    request has the same form.
    """
    properties = exact(job.properties)
    values = {wire_name: _plain(properties.get(key)) for key, wire_name in WIRE_NAMES.items()}
    body = {key: value for key, value in values.items() if value not in (None, [], {})}
    body = {"file": body.pop("file"), "className": body.pop("className", ""), **body, "name": name}
    return BatchRequest.model_validate(body).to_wire()


def canonical(properties: Properties) -> dict[str, Any]:
    """Return the request in a form in which equal requests are equal.

    It has the service's defaults, memory in MiB, `queue` in place of `clusterName`, and no empty list or map.
    """
    plain = {name: _plain(properties[name]) for name in WIRE_NAMES if name in properties}
    request = {name: value for name, value in plain.items() if value not in (None, [], {}, "")}
    queue = request.pop("clusterName", None)
    if queue is not None:
        request.setdefault("queue", queue)
    for name in ("driverMemory", "executorMemory"):
        if name in request:
            request[name] = _mib_if_readable(request[name])
    return _SERVICE_DEFAULTS | request


def changes(old: JobInputs, new: JobInputs) -> list[str]:
    """Return the arguments that differ between two declarations so that the job must run again.

    An unknown value differs from every other value.
    """
    known, wanted = exact(old.properties), exact(new.properties)
    before, after = canonical(known), canonical(wanted)
    if old.exact_numbers is None:  # 0.1.0 stored numbers in `conf` as text
        before["conf"] = unwritten(before.get("conf"))
    present = before.keys() | after.keys()
    sent = [name for name in WIRE_NAMES if name in present and not are_same(before.get(name), after.get(name))]
    reruns = [name for name in _RERUNS if not are_same(_or_empty(known, name), _or_empty(wanted, name))]
    trigger = "replacementTrigger"
    is_same_to_pulumi = old.properties.get(trigger) == new.properties.get(trigger)
    if is_same_to_pulumi and not are_same(known.get(trigger), wanted.get(trigger)):
        # Pulumi rounds both to the same number. For every other change, Pulumi itself replaces the job.
        reruns.append(trigger)
    return sent + reruns


def rewritten(old: JobInputs, new: JobInputs) -> list[str]:
    """Return the arguments that mean the same, but have a number in place of a text or a text in place of a number.

    An update must store the new form, because 0.1.0 would find a change in the old form.
    """
    names = ("conf", "triggers", EXACT_NUMBERS)
    return [name for name in names if _or_empty(old.properties, name) != _or_empty(new.properties, name)]


_ALWAYS_TOLD = ("file", "queue", "clusterName")
_NEVER_TOLD = ("args", "conf", "name")
_MAX_TOLD = 300


def told_values(job: JobInputs, refusal: str) -> dict[str, str]:
    """Return the sent values that the user needs to understand a refusal of the service, by their names.

    These are the file, the queue, and each parameter that the refusal names. Arguments, the configuration and secret
    values are never among them.
    """
    words = set(re.findall(r"\w+", refusal))
    told = (name for name in WIRE_NAMES if name in _ALWAYS_TOLD or words & {name, WIRE_NAMES[name]})
    shown = (
        name for name in told if name not in _NEVER_TOLD and not is_secret(name, job.properties.get(SECRET_INPUTS))
    )
    values = ((name, job.properties.get(name)) for name in shown)
    return {name: _as_text(value) for name, value in values if value not in (None, "", [])}


def _as_text(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(_plain(value))
    return text if len(text) <= _MAX_TOLD else f"{text[:_MAX_TOLD]}…"


def texts_of_arguments(job: JobInputs) -> set[str]:
    """Return the texts of `args`, `conf` and `triggers` that are masked in what the service answers to a submission.

    The service may repeat them, and only the program knows which are secret: Pulumi does not tell the provider. Texts
    of one or two characters and of public arguments are not in the result.
    """
    texts = {text for _, text in leaves([job.properties.get(name) for name in ("args", "conf", "triggers")])}
    public = {job.properties.get(name) for name in PUBLIC_ARGUMENTS} | {"true", "false"}
    return {text for text in texts - public if isinstance(text, str) and len(text) >= MIN_SECRET_LENGTH}


def fingerprint(properties: Properties) -> str:
    """Return the request fingerprint (8 hex digits). Like 0.1.0, it uses the rounded numbers.

    The name of a submission has it, in plain. So it does not have secret values, which could be guessed from it.
    """
    return _fingerprint(properties, left_out(properties))


def left_out(properties: Properties) -> tuple[str, ...]:
    """Return the properties that the fingerprint does not have: none for a job without secrets.

    With a secret these are the properties that have secrets, and always `args` and `conf`: which of their values are
    marked as secret may change, and the job is still the same.
    """
    secret_inputs = properties.get(SECRET_INPUTS)
    if secret_inputs is None:
        return ()
    secret = {name for name in (*WIRE_NAMES, *NEVER_SENT) if is_secret(name, secret_inputs)}
    return tuple(sorted({*_OFTEN_SECRET, *secret})) if secret else ()


def equal_fingerprints(job: JobInputs) -> frozenset[str]:
    """Return the fingerprints of equal requests in earlier forms, which prove that the requests are equal.

    Earlier versions did not leave out secret values. Numbers may be in place of texts, or texts in place of numbers.
    """
    return frozenset(_fingerprint(properties) for properties in (job.properties, *earlier_forms(job.properties)))


def similar_fingerprints(job: JobInputs) -> dict[str, tuple[str, ...]]:
    """Return the fingerprints of requests that are equal except in the properties that they leave out.

    For each fingerprint the result has these properties, which are still to be compared. Other values than today may
    have been marked as secret when the job was submitted.
    """
    similar = {}
    triggers = [name for name in NEVER_SENT if job.properties.get(name) is not None]
    for count in range(len(triggers) + 1):
        for marked in combinations(triggers, count):
            names = tuple(sorted({*_OFTEN_SECRET, *left_out(job.properties), *marked}))
            for properties in (job.properties, *earlier_forms(job.properties)):
                similar[_fingerprint(properties, names)] = names
    return similar


def _fingerprint(properties: Properties, names_left_out: Collection[str] = ()) -> str:
    kept = {name: value for name, value in properties.items() if name not in names_left_out}
    triggers, replacement_trigger = kept.get("triggers"), kept.get("replacementTrigger")
    return request_fingerprint_of(canonical(kept), triggers, replacement_trigger, names_left_out)


def sizing(job: JobInputs) -> Value[str]:
    """Return the sizes of a job in words: the vCPUs, the memory and the CUs (1 CU is 1 vCPU and 4 GB).

    UNKNOWN if a size is not known yet, and None if one is secret.
    """
    size = sizes_of(job)
    if size is None:
        return None if _has_secret_size(job) else UNKNOWN
    return (
        f"driver {size.driver_cores} vCPU {size.driver_memory}, {size.num_executors} executors of "
        f"{size.executor_cores} vCPU {size.executor_memory}: {size.vcpus} vCPU, {size.memory_mib / 1024:g}G, "
        f"{size.cus} CUs"
    )


def sizes_of(job: JobInputs) -> Sizing | None:
    """Return the sizes of a job, or None if a size is not known yet, or if one is secret."""
    sizes: dict[str, Any] = {field: job.properties.get(name) for name, field in _SIZE_FIELDS.items()}
    return None if not is_known(sizes) or _has_secret_size(job) else Sizing.of(**sizes)


def _has_secret_size(job: JobInputs) -> bool:
    if job.secret_inputs is UNKNOWN:
        return job.has_secret_size is True
    return any(is_secret(name, job.secret_inputs) for name in SIZES)


def _mib_if_readable(value: Any) -> Any:
    try:
        return memory_mib(value) if isinstance(value, str) else value
    except ValueError:
        return value  # an old state may contain a value that today's rules refuse


def _plain(value: Any) -> Any:
    """Return a value without nulls inside maps, and with whole numbers as integers."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value == value // 1:
        return int(value)
    return value


def _or_empty(properties: Properties, name: str) -> Any:
    return _plain(properties.get(name) or {})
