"""The body of the create call: parse it, and check it as the service does.

Source unless said otherwise: "Creating a Batch Processing Job" (dli_02_0124), 2023-11, with the additions of 2026-04.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pulumi_dli.api.models import DEFAULT_MAX_RETRY_TIMES, MAX_RETRY_TIMES, SERVICE_ONLY, BatchRequest
from pulumi_dli.api.sizes import DEFAULT_SC_TYPE, memory_mib
from pulumi_dli.local.errors import bad_parameter, not_found
from pulumi_dli.local.obs import SCHEME

DEFAULT_QUEUE = "default"
DEFAULT_RECOVERY_DELAY_MS = 10_000
"""The default of `minRecoveryDelayTime` (`req_body` in the samples of huaweicloudsdkdli 3.1.219)."""

_MAX_INTEGER = 2**31 - 1  # the page's Integer
_MAX_DEPTH = 100  # well within what pydantic reads and writes
_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})", re.ASCII)
_SIZES = ("driver_memory", "driver_cores", "executor_memory", "executor_cores", "num_executors")
_MEMORIES = {"driverMemory": "driver_memory", "executorMemory": "executor_memory"}
_RETRIES = {"maxRetryTimes", "minRecoveryDelayTime"}
_IGNORED_PARAMETERS = [name for name, info in BatchRequest.model_fields.items() if SERVICE_ONLY in info.metadata]
_LOCAL_FEATURE = "basic"
_METADATA_CATALOG = "dli"
_META_ACCESS = "spark.dli.metaAccess.enable"
_INTEGERS = {"driverCores": "driver_cores", "executorCores": "executor_cores", "numExecutors": "num_executors"}


@dataclass(frozen=True)
class Submission:
    """An accepted create call.

    `queue` is the queue's name in the service's spelling. `sc_type` is the value in replies. `recovery_delay_ms` is the
    pause before each retry.
    """

    request: BatchRequest
    queue: str
    sc_type: str
    max_retry_times: int
    recovery_delay_ms: int

    @property
    def retries(self) -> int:
        """The number of retries after a failure: 0 without `auto_recovery`."""
        return self.max_retry_times if self.request.auto_recovery else 0


def read_json(body: bytes) -> Any:
    """Read a JSON document. Raises ApiError if it is invalid, nested too deep, or not text."""
    try:
        document = json.loads(body, parse_constant=_no_constant)
        # A lone surrogate is valid JSON, but not text. 1e999 is valid JSON, but not a number.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        is_too_deep = _is_too_deep(document)
    except RecursionError:
        is_too_deep = True
    except ValueError as error:
        raise bad_parameter("The request body is not valid JSON.") from error
    if is_too_deep:
        raise bad_parameter("The request body is nested too deep.")
    return document


def _is_too_deep(document: Any) -> bool:
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(_MAX_DEPTH):
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [child for children in inner for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_submission(document: Any, queues: Container[str]) -> Submission:
    """Read the body of a create call. `queues` has the names of all queues. Raises ApiError if the body is invalid."""
    if not isinstance(document, dict):
        raise bad_parameter("The request body must be a JSON object.")
    try:
        request = BatchRequest.model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise bad_parameter(f"Parameter {where} is invalid: {problem['msg']}.") from error
    _check_application(request)
    _check_sizes(request)
    _check_packages(request)
    return resolve_submission(request, _queue(request, queues))


def resolve_submission(request: BatchRequest, queue: str) -> Submission:
    """Fill in what a checked request means on this queue. Raises ApiError for an invalid retry parameter."""
    extra = request.model_extra or {}
    customized = any(getattr(request, size) is not None for size in _SIZES)
    retry_times = request.max_retry_times
    if retry_times is None:  # the getting-started page (dli_02_0309) spells it maxRetryTimes
        retry_times = _integer("maxRetryTimes", extra.get("maxRetryTimes"), DEFAULT_MAX_RETRY_TIMES, MAX_RETRY_TIMES)
    delay = extra.get("minRecoveryDelayTime")
    return Submission(
        request=request,
        queue=queue,
        sc_type="CUSTOMIZED" if customized else request.sc_type or DEFAULT_SC_TYPE,
        max_retry_times=retry_times,
        recovery_delay_ms=_integer("minRecoveryDelayTime", delay, DEFAULT_RECOVERY_DELAY_MS, _MAX_INTEGER),
    )


def uses_metadata(request: BatchRequest) -> bool:
    """Return whether a job uses DLI's metadata: by `catalog_name`, or by `conf` (developer guide, dli_09_0176)."""
    enabled = (request.conf or {}).get(_META_ACCESS)
    return request.catalog_name == _METADATA_CATALOG or str(enabled).strip().lower() == "true"


def ignored_parameters(request: BatchRequest, *, has_metadata: bool = False) -> list[str]:
    """Return the names of what has no effect here: parameters, unknown parameters, and keys of `conf`.

    Args:
        request: A checked request.
        has_metadata: Whether jobs can use DLI's metadata here.
    """
    named = {name for name in _IGNORED_PARAMETERS if getattr(request, name)}
    named |= {*_unknown_parameters(request), *_ignored_conf(request)}
    if request.feature == _LOCAL_FEATURE:
        named.remove("feature")
    if has_metadata:
        named.discard(f"conf {_META_ACCESS}")
        if request.catalog_name == _METADATA_CATALOG:
            named.discard("catalog_name")
    return sorted(named)


def _unknown_parameters(request: BatchRequest) -> list[str]:
    unknown = (request.model_extra or {}).keys() - _RETRIES
    return [name if name.isidentifier() else repr(name) for name in unknown]


def _ignored_conf(request: BatchRequest) -> list[str]:
    keys = [key for key, value in (request.conf or {}).items() if value is not None]
    return [f"conf {key}" for key in keys if key.startswith("spark.dli.") and not key.startswith("spark.dli.local.")]


def _integer(name: str, value: Any, default: int, maximum: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= maximum:
        raise bad_parameter(f"Parameter {name} is invalid: it must be an integer from 0 to {maximum}.")
    return value


def _check_application(request: BatchRequest) -> None:
    file = request.file.strip()
    if not file:
        raise bad_parameter("Parameter file is invalid: it must not be empty.")
    if not file.endswith(".py") and not (request.class_name or "").strip():
        raise bad_parameter("Parameter className is invalid: a main class is required for a JAR.")
    for parameter, texts in (("className", [request.class_name or ""]), ("args", request.args or [])):
        if any("\0" in text for text in texts):
            raise bad_parameter(f"Parameter {parameter} is invalid: it holds a NUL character.")


def _check_sizes(request: BatchRequest) -> None:
    for parameter, attribute in _MEMORIES.items():
        memory = getattr(request, attribute)
        if memory is None:
            continue
        try:
            memory_mib(memory)
        except ValueError as error:
            raise bad_parameter(
                f"Parameter {parameter} is invalid: it must be an integer with a unit, as in 2G or 2048M."
            ) from error
    for parameter, attribute in _INTEGERS.items():
        _integer(parameter, getattr(request, attribute), 0, _MAX_INTEGER)


def _check_packages(request: BatchRequest) -> None:
    """Refuse names of uploaded packages from Spark 3.3 on (dli_02_0124, 2026-04; the service's answer is a guess).

    A request without a version passes, because the version of its queue would count.
    """
    version = _VERSION.match(request.spark_version or "")
    if version is None or (int(version[1]), int(version[2])) < (3, 3):
        return
    if not request.file.strip().startswith(SCHEME):
        raise bad_parameter("Parameter file is invalid: from Spark 3.3 on it must be a path in OBS.")
    for parameter in ("resources", "groups"):
        if getattr(request, parameter):
            raise bad_parameter(f"Parameter {parameter} is invalid: it is not supported from Spark 3.3 on.")


def _queue(request: BatchRequest, queues: Container[str]) -> str:
    """Return the queue's name. The page's own example has a blank before it."""
    queue = (request.queue or "").strip()
    cluster = (request.cluster_name or "").strip()
    if queue and cluster:
        raise bad_parameter("Parameters queue and cluster_name are invalid: they cannot coexist.")
    name = (queue or cluster or DEFAULT_QUEUE).lower()
    if name not in queues:
        raise not_found("The queue that parameter queue names does not exist.")
    return name
