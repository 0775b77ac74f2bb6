"""Refuses texts of a request that no process of this machine can get as arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.errors import bad_parameter
from pulumi_dli.local.replies import conf_texts

MAX_ARGUMENT = 128 * 1024 - 1
"""The bytes of one argument that Linux takes at most (`MAX_ARG_STRLEN` with the NUL at the end; execve(2))."""
_BYTES_BESIDE = 9
"""The bytes that the system adds to each argument: a NUL and a pointer."""
_OPTIONS = ("spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions", "spark.driver.extraClassPath")
"""The keys of `conf` that become options of the driver's Java."""


def check_arguments(request: BatchRequest, *, limit: int | None = None) -> None:
    """Refuse arguments that are too long, and those with NUL. Raises ApiError that names the parameter.

    Args:
        request: The request to create a job.
        limit: The bytes of all arguments together. Default: half of what the system takes with the environment.
    """
    conf = conf_texts(request)
    options = {f"conf {key}": [conf[key]] for key in _OPTIONS if key in conf}
    named = {"args": request.args or [], "className": [request.class_name or ""], **options}
    for parameter, texts in named.items():
        _check(parameter, texts, os.sysconf("SC_ARG_MAX") // 2 if limit is None else limit)


def _check(parameter: str, texts: Iterable[str], limit: int) -> None:
    if any("\0" in text for text in texts):
        raise bad_parameter(f"Parameter {parameter} is invalid: it must not hold NUL.")
    sizes = [len(text.encode()) for text in texts]
    if max(sizes, default=0) > MAX_ARGUMENT:
        raise bad_parameter(
            f"Parameter {parameter} is invalid: an argument must not be longer than {MAX_ARGUMENT} bytes."
        )
    if sum(sizes) + _BYTES_BESIDE * len(sizes) > limit:
        raise bad_parameter(f"Parameter {parameter} is invalid: all together must not be longer than {limit} bytes.")
