"""The properties of a batch job: which there are, what is allowed, when two are equal, and the body they make.

A property has the API's name in camelCase (`scType` for `sc_type`). Values are what Pulumi's wire can carry: text,
numbers, booleans, lists, maps, None for absent, and `UNKNOWN` for what a plan does not know yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic.alias_generators import to_camel

from pulumi_dli.models import (
    DEFAULT_MAX_RETRY_TIMES,
    DEFAULT_SC_TYPE,
    MAX_INTEGER,
    MAX_NAME_LENGTH,
    MAX_RETRY_TIMES,
    RESOURCE_TYPES,
    BatchRequest,
    Sizing,
    memory_mib,
)

Properties = Mapping[str, Any]

OTC_REGION = "eu-de"
"""The region of Open Telekom Cloud that has DLI ("Regions and Endpoints", 2026-04)."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""A value that a plan does not know yet."""


def is_known(value: Any) -> bool:
    """True where neither the value nor anything inside it is unknown."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


class _RefusedError(Exception):
    """A rule that a value breaks. `path` leads from the property to the value, as in `[2].name`."""

    def __init__(self, rule: str, path: str = "") -> None:
        super().__init__(rule)
        self.path = path


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _RefusedError(f"must be text, but is {kind_of(value)}; put it in quotes")
    if "\0" in value:  # no argument of a process can hold one
        raise _RefusedError("must be text without NUL characters")
    return value


def _name(value: Any) -> str:
    text = _text(value)
    if text != text.strip() or not text:
        raise _RefusedError("must be a name, not empty and without blanks around it")
    return text


def _class_name(value: Any) -> str:
    return "" if value == "" else _name(value)


def _shown(check: Callable[[str], str]) -> Callable[[Any], str]:
    """Show a text that is refused. Only for properties that are never secret."""

    def check_and_show(value: Any) -> str:
        text = _text(value)
        try:
            return check(text)
        except _RefusedError as refused:
            raise _RefusedError(f"{refused}, but is {text!r}") from None

    return check_and_show


def _job_name(value: Any) -> str:
    text = _shown(_name)(value)
    if len(text) > MAX_NAME_LENGTH:
        raise _RefusedError(f"must have at most {MAX_NAME_LENGTH} characters, but has {len(text)}")
    return text


def _path(value: Any) -> str:
    text = _text(value)
    if text != text.strip() or not text:
        raise _RefusedError("must be a package name or an obs:// path, not empty and without blanks around it")
    return text


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _RefusedError(f"must be true or false, but is {kind_of(value)}")
    return value


def _integer(least: int, most: int | None = None) -> Callable[[Any], int]:
    limits = f"at least {least}" if most is None else f"from {least} to {most}"

    def check(value: Any) -> int:
        if not _is_number(value) or value != value // 1:
            shown = repr(value) if _is_number(value) or isinstance(value, str) else kind_of(value)
            raise _RefusedError(
                f"must be a whole number, but is {shown}; write it without quotes and without a fraction"
            )
        if value < least or (most is not None and value > most):
            raise _RefusedError(f"must be {limits}, but is {int(value)}")
        return int(value)

    return check


def _memory(value: Any) -> str:
    if not isinstance(value, str):
        raise _RefusedError(
            f"must be text with a unit, as in '2G' or '2048M', but is {value if _is_number(value) else kind_of(value)}"
        )
    try:
        mib = memory_mib(value)
    except ValueError:
        raise _RefusedError(f"must be a size with a unit, as in '2G' or '2048M', but is {value!r}") from None
    return f"{mib // 1024}G" if "g" in value.lower() else f"{mib}M"


def _choice(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = _text(value)
        if text not in allowed:
            raise _RefusedError(f"must be one of {', '.join(allowed)}")
        return text

    return check


def _list_of(check_item: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _RefusedError(f"must be a list, but is {kind_of(value)}; put it in square brackets")
        return [_at(f"[{index}]", check_item, item) for index, item in enumerate(value)]

    return check


def _object_of(**checks: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _RefusedError(f"must be a map with {' and '.join(checks)}, but is {kind_of(value)}")
        for key in value:
            if key not in checks:
                raise _RefusedError(f"has a key that is not known; known are {', '.join(checks)}")
        return {key: _at(f".{key}", checks[key], item) for key, item in value.items() if item is not None}

    return check


def _scalar(value: Any) -> str:
    """Write a configuration value as Spark reads it: `true`, not `True`; `3`, not `3.0`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if _is_number(value):
        return str(int(value)) if value == value // 1 else repr(value)
    raise _RefusedError(f"must be text, a number, true or false, but is {kind_of(value)}")


def _map_of(check_item: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _RefusedError(f"must be a map, but is {kind_of(value)}")
        for key in value:
            # Mended keys would move a secret value to a path that the engine does not know as secret.
            if key != key.strip() or not key:
                raise _RefusedError("has a key that is empty or has blanks around it; write the key without them")
        return {key: _at(f'["{key}"]', check_item, item) for key, item in value.items()}

    return check


def _any(value: Any) -> Any:
    return value


def _at(path: str, check: Callable[[Any], Any], value: Any) -> Any:
    """Check a value inside another one, if it is known."""
    if value is UNKNOWN:
        return value
    try:
        return check(value)
    except _RefusedError as refused:
        raise _RefusedError(str(refused), path + refused.path) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: Any) -> str:
    """Name the kind of a value without showing it: it may be secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if _is_number(value):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, Mapping) else "something else"


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

_PACKAGE = _object_of(name=_path, type=_name)

_REQUEST_CHECKS: dict[str, Callable[[Any], Any]] = {
    "file": _path,
    "className": _class_name,
    "queue": _shown(_name),
    "clusterName": _shown(_name),
    "args": _list_of(_text),
    "scType": _shown(_choice(*CHOICES["scType"])),
    "jars": _list_of(_path),
    "pyFiles": _list_of(_path),
    "files": _list_of(_path),
    "modules": _list_of(_name),
    "resources": _list_of(_PACKAGE),
    "groups": _list_of(_object_of(name=_name, resources=_list_of(_PACKAGE))),
    "conf": _map_of(_scalar),
    "name": _job_name,
    "driverMemory": _memory,
    "driverCores": _integer(0, MAX_INTEGER),
    "executorMemory": _memory,
    "executorCores": _integer(0, MAX_INTEGER),
    "numExecutors": _integer(0, MAX_INTEGER),
    "obsBucket": _name,
    "autoRecovery": _flag,
    "maxRetryTimes": _integer(0, MAX_RETRY_TIMES),
    "catalogName": _name,
    "feature": _choice(*CHOICES["feature"]),
    "sparkVersion": _name,
    "image": _name,
    "executionAgencyUrn": _name,
}

_OPTION_CHECKS: dict[str, Callable[[Any], Any]] = {
    "region": _name,
    "projectId": _name,
    "triggers": _map_of(_any),
    "replacementTrigger": _any,
    "rerunOnFailure": _flag,
    "onRecordExpired": _choice(*CHOICES["onRecordExpired"]),
    "whenRunning": _choice(*CHOICES["whenRunning"]),
    "cancelTimeout": _integer(0),
    "adoptId": _name,
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


def check(declared: Properties, region: str | None = None) -> Checked:
    """Judge and normalise declared properties, without the cloud. Unknown values are never judged.

    `region` is where the job goes if the properties do not say it: what only some regions know is doubtful elsewhere.

    No key of a map is changed and no item of a list is moved: the engine knows a secret by its path.
    """
    checked = check_values(declared)
    if not checked.failures:
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
                checked.properties[name] = _at("", checks[name], value)
            except _RefusedError as refused:
                checked.failures.append(f"{name}{refused.path}: {refused}")
                checked.properties[name] = value
    return checked


def _contradictions(properties: Properties) -> Iterator[str]:
    """Give the rules that concern more than one property. Only known values break one."""
    known = {name: value for name, value in properties.items() if value is not UNKNOWN}
    file = known.get("file")
    if "file" not in properties:
        yield "file: is missing; give the package to run, as in obs://bucket/jobs/wordcount.py"
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
    undocumented = [name for name in ("feature", "sparkVersion", "image") if name in known]
    if undocumented and region == OTC_REGION:
        yield (
            f"{', '.join(undocumented)}: not documented for Open Telekom Cloud ({OTC_REGION}); the service may refuse "
            "or ignore this"
        )


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


def _as_json(value: Any) -> str | _Unknown:
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
