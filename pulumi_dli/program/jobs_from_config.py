"""Declares the jobs of the stack's configuration. Each job is one block under `dli:jobs`.

config:
  dli:jobDefaults:
    queue: batch
  dli:jobs:
    extract:
      file: obs://demo/jobs/extract.py
    load:
      file: obs://demo/jobs/load.py
      dependsOn: [extract]
      wait: true
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi.runtime import get_config, is_config_secret

from pulumi_dli.program.batch_job import BatchJob
from pulumi_dli.program.config_numbers import NumberTexts, faults_of_numbers
from pulumi_dli.program.job_blocks import Block, declare_blocks, values_in

JOBS = "dli:jobs"
"""The setting that holds the jobs: a map from the name of a job to its block."""
DEFAULTS = "dli:jobDefaults"
"""The setting that holds the defaults of all jobs. A job's own block overrides them."""

_MAY_BE_SECRET = ("args", "conf", "triggers")
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \S+")
"""The form in which Pulumi passes a value that YAML reads as a date."""
_LARGE = 96 * 1024
"""Bytes of the configuration from which on there is a warning. Linux lets a variable have 128 KiB."""


def jobs_from_config(opts: pulumi.ResourceOptions | None = None) -> dict[str, BatchJob]:
    """Declare every job of the stack's configuration, and return the jobs by name.

    `dli:jobs` is a map from the name of a job to its block. A block has the arguments of `BatchJob`, named as in the
    schema (`driverMemory`), and these keys:

    * `wait`: true, or a map with `until`, `timeout` and `streamLog`. The update waits for the outcome of the job, as
      `BatchJob.wait` does.
    * `dependsOn`: a list of jobs. The job is submitted after all of them have succeeded.
    * `rerunWith`: a list of jobs. The job runs again whenever one of them runs again.

    `dli:jobDefaults` has the same keys and applies to every job. A job's own block overrides it: maps are merged by
    key, lists are replaced, and null removes a default. If one of the two settings holds a secret, `args`, `conf` and
    `triggers` of all jobs become secret, because Pulumi does not report which value is the secret one.

    Args:
        opts: Resource options for every job.

    Raises:
        pulumi.RunError: The configuration has mistakes. The message lists all of them with their paths in the file.
    """
    if get_config(JOBS) is None:
        pulumi.log.warn(f"{JOBS} is not in this stack's configuration, so it declares no job")
    size = len(os.environ.get("PULUMI_CONFIG", "").encode())
    if size > _LARGE:
        pulumi.log.warn(
            f"dli: the stack's configuration has {size // 1024} kB. With 128 kB no program starts any more (argument "
            "list too long). Move the jobs into a file of their own: dli.jobs_from_file"
        )
    return declare_blocks(_Configuration(), _read(JOBS), _read(DEFAULTS), opts)


class _Configuration:
    """The stack's configuration as a source of blocks."""

    jobs, defaults = JOBS, DEFAULTS
    quoting = f"On the command line: pulumi config set --path --type string '{JOBS}.NAME…' VALUE"

    def __init__(self) -> None:
        self._is_secret = is_config_secret(JOBS) or is_config_secret(DEFAULTS)
        self._texts = NumberTexts()

    def path(self, name: str) -> str:
        """Return the path of a job as `pulumi config set --path` reads it."""
        return f"{JOBS}.{name}" if _PLAIN_NAME.fullmatch(name) else f'{JOBS}["{name}"]'

    def faults(self, block: Any, path: str, name: str | None) -> Iterator[str]:
        """Yield the mistakes that only YAML and Pulumi make: numbers and dates in another form than written."""
        for place, value in values_in(block, path):
            if isinstance(value, str) and _DATE.fullmatch(value):
                yield f"{place}: YAML reads this as a date, which Pulumi writes in another way; put it in quotes"
        yield from faults_of_numbers(block, path, [DEFAULTS] if name is None else [JOBS, name], self._texts)

    def declared(self, block: Block) -> Block:
        """Return a block with secrets, if the configuration has one."""
        if not self._is_secret:
            return block
        return {key: _as_secrets(value) if key in _MAY_BE_SECRET and value else value for key, value in block.items()}

    def checked(self, block: Any) -> Any:
        """Return the block itself: it has no output."""
        return block


def _as_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: pulumi.Output.secret(item) for key, item in value.items()}
    return [pulumi.Output.secret(item) for item in value]


def _read(key: str) -> dict[str, Any]:
    text = get_config(key)
    try:
        value = {} if text is None else json.loads(text)
    except ValueError:
        value = text
    if not isinstance(value, dict):
        raise pulumi.RunError(
            f"{key}: must be a map; write it into the stack's file, or use `pulumi config set --path`"
        )
    return value
