"""The properties of a batch job: which there are, what is allowed, when two are equal, and the body they make.

A property has the API's name in camelCase (`scType` for `sc_type`); what its value may be is in `values`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from pulumi_dli.api.models import DEFAULT_MAX_RETRY_TIMES, MAX_INTEGER, MAX_RETRY_TIMES, BatchRequest
from pulumi_dli.api.regions import cloud_of
from pulumi_dli.api.sizes import DEFAULT_SC_TYPE, RESOURCE_TYPES, Sizing, memory_mib
from pulumi_dli.jobs import validation as values
from pulumi_dli.jobs.validation import UNKNOWN, is_known

Properties = Mapping[str, Any]


CHOICES: dict[str, tuple[str, ...]] = {
    "scType": tuple(RESOURCE_TYPES),
    "feature": ("basic", "ai", "custom"),
    "onRecordExpired": ("keep", "rerun"),
    "whenRunning": ("cancel", "refuse"),
}
"""The properties that take one of a few words, and the words."""

OPTION_DEFAULTS: dict[str, Any] = {
    "rerunOnFailure": True,
    "onRecordExpired": "keep",
    "whenRunning": "cancel",
    "cancelTimeout": 300,
}
"""What an option is where it is not given."""

FILE_MISSING = "file: is missing; give the package to run, as in obs://bucket/jobs/wordcount.py"
"""What is said of a job without its one mandatory property."""

_PACKAGE = values.object_of(name=values.path, type=values.name)

_REQUEST_CHECKS: dict[str, Callable[[Any], Any]] = {
    "file": values.path,
    "className": values.class_name,
    "queue": values.shown(values.name),
    "clusterName": values.shown(values.name),
    "args": values.list_of(values.text),
    "scType": values.shown(values.choice(*CHOICES["scType"])),
    "jars": values.list_of(values.path),
    "pyFiles": values.list_of(values.path),
    "files": values.list_of(values.path),
    "modules": values.list_of(values.name),
    "resources": values.list_of(_PACKAGE),
    "groups": values.list_of(values.object_of(name=values.name, resources=values.list_of(_PACKAGE))),
    "conf": values.map_of(values.scalar),
    "name": values.job_name,
    "driverMemory": values.memory,
    "driverCores": values.integer(0, MAX_INTEGER),
    "executorMemory": values.memory,
    "executorCores": values.integer(0, MAX_INTEGER),
    "numExecutors": values.integer(0, MAX_INTEGER),
    "obsBucket": values.name,
    "autoRecovery": values.flag,
    "maxRetryTimes": values.integer(0, MAX_RETRY_TIMES),
    "catalogName": values.name,
    "feature": values.choice(*CHOICES["feature"]),
    "sparkVersion": values.name,
    "image": values.name,
    "executionAgencyUrn": values.name,
}

_OPTION_CHECKS: dict[str, Callable[[Any], Any]] = {
    "region": values.name,
    "projectId": values.name,
    "triggers": values.map_of(values.anything),
    "replacementTrigger": values.anything,
    "rerunOnFailure": values.flag,
    "onRecordExpired": values.choice(*CHOICES["onRecordExpired"]),
    "whenRunning": values.choice(*CHOICES["whenRunning"]),
    "cancelTimeout": values.integer(0),
    "adoptId": values.name,
}

WIRE_NAMES: dict[str, str] = {
    to_camel(name): info.serialization_alias or name for name, info in BatchRequest.model_fields.items()
}
"""The API's spelling of each property that is sent, by property name, in the order of the page."""

OPTIONS: tuple[str, ...] = tuple(_OPTION_CHECKS)
"""The properties that are never sent in the body."""

HIDDEN: tuple[str, ...] = ("resourceName", "scope", "redact")
"""What the program passes for the provider's own use: the logical name, the scope of the submission's name, and the
secret texts among the properties, to be masked in what the service and the job write."""

DECLARED: tuple[str, ...] = (*WIRE_NAMES, *OPTIONS, *HIDDEN)
"""Everything that is declared, and echoed into the outputs under the same name."""


@dataclass
class Checked:
    """The result of `check`: normalised properties, what is refused, what is only doubtful. Both in words."""

    properties: dict[str, Any]
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(declared: Properties, region: str | None = None, *, needs_file: bool = True) -> Checked:
    """Judge and normalise declared properties, without the cloud. Unknown values are never judged.

    `region` is where the job goes if the properties do not say it: what only some regions know is doubtful elsewhere.
    Not `needs_file`: a job without one is not refused.

    No key of a map is changed and no item of a list is moved: the engine knows a secret by its path.
    """
    checked = check_values(declared)
    if not checked.failures:
        checked.failures += [FILE_MISSING] if needs_file and "file" not in checked.properties else []
        checked.failures += _contradictions(checked.properties)
    if not checked.failures:
        checked.warnings += _doubts(checked.properties, checked.properties.get("region", region))
    return checked


def check_values(declared: Properties) -> Checked:
    """Judge and normalise each property for itself: some of a job's properties, which need not make a job."""
    checked = Checked({})
    checks = _REQUEST_CHECKS | _OPTION_CHECKS
    for name, value in declared.items():
        if value is None:
            continue
        if name in HIDDEN:
            checked.properties[name] = value
        elif name not in checks:
            checked.failures.append(f"{name}: there is no such property of a batch job")
        else:
            try:
                checked.properties[name] = values.at("", checks[name], value)
            except values.RefusedError as refused:
                checked.failures.append(f"{name}{refused.path}: {refused}")
                checked.properties[name] = value
    return checked


def _contradictions(properties: Properties) -> Iterator[str]:
    """Give the rules that concern more than one property. Only known values break one."""
    known = {name: value for name, value in properties.items() if value is not UNKNOWN}
    file = known.get("file")
    if isinstance(file, str) and file.lower().endswith(".jar") and not properties.get("className", ""):
        yield "className: is missing; a .jar needs the main class to run, as in org.example.Main"
    if "queue" in known and "clusterName" in known:
        yield "queue and clusterName: both are given, and both mean the queue; keep queue"
    if "image" in known and properties.get("feature") not in ("custom", UNKNOWN):
        yield "image: is used only with feature custom; set feature to custom, or leave image out"
    if known.get("feature") == "custom" and "image" not in properties:
        yield "feature: custom needs image, as in organization/name:tag"
    if _is_spark_3_3_or_later(known.get("sparkVersion", "")):
        yield from _spark_3_3_rules(known)


def _is_spark_3_3_or_later(version: str) -> bool:
    numbers = version.split(".")[:2]
    return all(number.isdecimal() for number in numbers) and [int(number) for number in numbers] >= [3, 3]


def _spark_3_3_rules(properties: Properties) -> Iterator[str]:
    """Give what Spark 3.3 and later refuses (DLI API reference, dli_02_0124, 2026-04)."""
    for name in ("resources", "groups"):
        if properties.get(name):
            yield f"{name}: is not supported by Spark 3.3 and later; use jars, pyFiles or files with obs:// paths"
    for name in ("file", "jars", "pyFiles", "files"):
        value = properties.get(name)
        paths = value if isinstance(value, list) else [value]
        if any(isinstance(path, str) and not path.startswith("obs://") for path in paths):
            yield f"{name}: must be an obs:// path with Spark 3.3 and later"


def _doubts(properties: Properties, region: str | None) -> Iterator[str]:
    known = {name for name, value in properties.items() if value is not UNKNOWN}
    if "queue" not in properties and "clusterName" not in properties:
        yield "neither queue nor clusterName is given: the service chooses a queue, or refuses the job"
    if _needs_agency(properties):
        yield (
            "Spark 3.3 and later reads OBS with an agency: give executionAgencyUrn, or the service may refuse the job "
            "(DLI.0001)"
        )
    if "maxRetryTimes" in known and properties.get("autoRecovery", False) is False:
        yield "maxRetryTimes has no effect without autoRecovery"
    yield from _undocumented(known, region)


def _undocumented(names: Collection[str], region: str | None) -> Iterator[str]:
    cloud = cloud_of(region)
    undocumented = [name for name in cloud.undocumented if name in names] if cloud else []
    if cloud and undocumented:
        listed = ", ".join(undocumented)
        yield f"{listed}: not documented for {cloud.name} ({region}); the service may refuse or ignore this"


def _needs_agency(properties: Properties) -> bool:
    """True where a job would read OBS without one; it may stand in `conf` too."""
    version, conf = properties.get("sparkVersion", ""), properties.get("conf", {})
    return (
        version is not UNKNOWN
        and _is_spark_3_3_or_later(version)
        and "executionAgencyUrn" not in properties
        and conf is not UNKNOWN
        and "spark.dli.job.agency.name" not in conf
    )


def sizing(properties: Properties) -> str | None:
    """Say in words what a job takes: vCPUs, memory and CUs (1 CU is 1 vCPU with 4 GB) of driver and executors.

    The properties are checked ones. None where a size is not known yet.
    """
    sizes = {name: properties.get(to_camel(name)) for name in _SIZES}
    if not is_known(sizes):
        return None
    size = Sizing.of(**sizes)
    return (
        f"driver {size.driver_cores} vCPU {size.driver_memory}, {size.num_executors} executors of "
        f"{size.executor_cores} vCPU {size.executor_memory}: {size.vcpus} vCPU, {size.memory_mib / 1024:g}G, "
        f"{size.cus} CUs"
    )


_SIZES = ("sc_type", "driver_cores", "driver_memory", "executor_cores", "executor_memory", "num_executors")


def canonical(properties: Properties) -> dict[str, Any]:
    """Give what the service is asked to run, in a form in which equal requests are equal.

    The page's defaults are filled in, memory is MiB, `clusterName` is `queue`, and an empty list or map is absent.
    """
    known = {name: _plain(properties.get(name)) for name in WIRE_NAMES}
    given = {name: value for name, value in known.items() if value not in (None, [], {}, "")}
    queue = given.pop("clusterName", None)
    if queue is not None:
        given.setdefault("queue", queue)
    for name in ("driverMemory", "executorMemory"):
        if name in given:
            given[name] = _mib_if_readable(given[name])
    defaults = {"scType": DEFAULT_SC_TYPE, "autoRecovery": False, "maxRetryTimes": DEFAULT_MAX_RETRY_TIMES}
    return defaults | given


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


def changes(old: Properties, new: Properties) -> list[str]:
    """Name the properties in which two declarations differ so that the job must run again.

    What is compared: everything that is sent, by today's rules on both sides, and `triggers`. An unknown value
    differs from any other.
    """
    before, after = canonical(_normalised(old)), canonical(_normalised(new))
    differing = [name for name in WIRE_NAMES if before.get(name) != after.get(name)]
    if _as_json(old.get("triggers")) != _as_json(new.get("triggers")):
        differing.append("triggers")
    return differing


def _as_json(value: Any) -> Any:
    """Write a value so that 1 and true, which Python takes for equal, are not."""
    return json.dumps(_plain(value or {}), sort_keys=True) if is_known(value) else UNKNOWN


def _normalised(properties: Properties) -> Properties:
    """Apply today's rules to stored properties too; what breaks them is compared as it is."""
    return check({name: properties.get(name) for name in WIRE_NAMES}).properties


def request_body(properties: Properties, name: str) -> dict[str, Any]:
    """Make the body of the create call from checked properties, in the API's spelling.

    `className` is always sent, empty where there is none: the service's own sample of a PySpark request has it so.
    """
    given = {WIRE_NAMES[key]: _plain(properties.get(key)) for key in WIRE_NAMES}
    body = {key: value for key, value in given.items() if value not in (None, [], {})}
    body = {"file": body.pop("file"), "className": body.pop("className", ""), **body, "name": name}
    return BatchRequest.model_validate(body).to_wire()
