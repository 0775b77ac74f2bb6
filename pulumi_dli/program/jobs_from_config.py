"""Read jobs from the stack's configuration and declare them. Each job is one block under `dli:jobs`.

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

import functools
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pulumi
from pulumi.runtime import get_config, is_config_secret

from pulumi_dli.program.batch_job import BatchJob, from_configuration
from pulumi_dli.program.config_numbers import NumberTexts, faults_of_numbers
from pulumi_dli.program.settings_check import settings_failures, suggestion
from pulumi_dli.program.types import wire_names

JOBS = "dli:jobs"
"""The setting that holds the jobs: a map from the name of a job to its block."""
DEFAULTS = "dli:jobDefaults"
"""The setting that holds the defaults of all jobs. A job's own block overrides them."""

_ORDER = ("dependsOn", "rerunWith")
_MAY_BE_SECRET = ("args", "conf", "triggers")
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \S+")
"""The form in which Pulumi passes a value that YAML reads as a date."""

Block = Mapping[str, Any]


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
    defaults = _completed(_read(DEFAULTS))
    declared = {name: _completed(block) for name, block in _read(JOBS).items()}
    _refuse(settings_failures(), *_faults_of_blocks(defaults, declared))
    blocks = {name: _merged(defaults, block) for name, block in declared.items()}
    _refuse(*(_contradictions(name, blocks) for name in blocks))
    is_secret = is_config_secret(JOBS) or is_config_secret(DEFAULTS)
    jobs: dict[str, BatchJob] = {}
    for name in _in_order(blocks):
        jobs[name] = _declare(name, _with_secrets(blocks[name]) if is_secret else blocks[name], jobs, opts)
    return {name: jobs[name] for name in blocks}


def _faults_of_blocks(defaults: Any, declared: Mapping[str, Any]) -> Iterator[Iterable[str]]:
    texts = NumberTexts()
    yield _faults(defaults, DEFAULTS)
    yield faults_of_numbers(defaults, DEFAULTS, [DEFAULTS], texts)
    for name, block in declared.items():
        yield _faults(block, _path(name))
        yield faults_of_numbers(block, _path(name), [JOBS, name], texts)


def _declare(name: str, block: Block, jobs: Mapping[str, BatchJob], opts: pulumi.ResourceOptions | None) -> BatchJob:
    arguments: dict[str, Any] = {argument: block.get(key) for key, argument in _arguments().items()}
    if block.get("rerunWith"):
        reruns = {"rerunWith": {other: jobs[other].id for other in block["rerunWith"]}}
        arguments["triggers"] = {**(block.get("triggers") or {}), **reruns}
    order = pulumi.ResourceOptions(depends_on=[jobs[other].wait() for other in block.get("dependsOn") or ()])
    with from_configuration():
        job = BatchJob(name, **arguments, opts=pulumi.ResourceOptions.merge(opts, order))
    wait = block.get("wait")
    if isinstance(wait, Mapping):
        job.wait(wait.get("until") or "success", wait.get("timeout"), stream_log=wait.get("streamLog") or False)
    return job


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


def _completed(block: Any) -> Any:
    """Return a block in its long form: an empty block, `wait: true` and booleans in `args` have a short form."""
    if not isinstance(block, dict):
        return {} if block is None else block
    written_out: dict[str, Any] = {"wait": {}} if block.get("wait") is True else {}
    if isinstance(block.get("args"), list):
        written_out["args"] = [json.dumps(item) if isinstance(item, bool) else item for item in block["args"]]
    return block | written_out


def _merged(default: Any, own: Any) -> Any:
    if not (isinstance(default, dict) and isinstance(own, dict)):
        return own
    merged = default | {key: _merged(default.get(key), value) for key, value in own.items()}
    return {key: value for key, value in merged.items() if value is not None or key not in default}


def _with_secrets(block: Block) -> Block:
    def secret(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: pulumi.Output.secret(item) for key, item in value.items()}
        return [pulumi.Output.secret(item) for item in value]

    return {key: secret(value) if key in _MAY_BE_SECRET and value else value for key, value in block.items()}


def _in_order(blocks: Mapping[str, Block]) -> list[str]:
    """Return the names of the jobs in an order in which each job comes after the jobs that it names."""
    try:
        return [*TopologicalSorter({name: _names_in(block) for name, block in blocks.items()}).static_order()]
    except CycleError as error:
        cycle = [*reversed(error.args[1])]
        key = next(key for key in _ORDER if cycle[1] in (blocks[cycle[0]].get(key) or ()))
        raise pulumi.RunError(f"{_path(cycle[0])}.{key}: is a cycle: {' after '.join(cycle)}") from error


def _names_in(block: Block) -> list[str]:
    return [name for key in _ORDER for name in block.get(key) or ()]


def _refuse(*faults: Iterable[str]) -> None:
    lines = [fault for group in faults for fault in group]
    if lines:
        raise pulumi.RunError("\n".join(lines))


def _path(name: str) -> str:
    """Return the path of a job as `pulumi config set --path` reads it."""
    return f"{JOBS}.{name}" if _PLAIN_NAME.fullmatch(name) else f'{JOBS}["{name}"]'


@functools.cache
def _arguments() -> dict[str, str]:
    """Return the names of the Python arguments of a job, by their names in the file."""
    parameters = inspect.signature(BatchJob).parameters
    return {wire_name: name for name, wire_name in wire_names(BatchJob).items() if name in parameters}


def _faults(block: Any, path: str) -> Iterator[str]:
    """Yield the mistakes that one block has by itself, without its defaults."""
    from pulumi_dli.jobs.inputs import JobInputs  # noqa: PLC0415  it imports pydantic, which is slow
    from pulumi_dli.jobs.validation import kind_of  # noqa: PLC0415

    if not isinstance(block, dict):
        yield f"{path}: must be a map with the properties of a job, but is {kind_of(block)}"
        return
    arguments = _arguments()
    yield from _unknown_keys(block, [*arguments, "wait", *_ORDER], path)
    # A null in a map may remove a default. `_contradictions` refuses the nulls that are left after the merge.
    given = {key: _without_nulls(value) for key, value in block.items() if key in arguments}
    yield from (f"{path}.{failure}" for failure in JobInputs.parse(given).failures)
    yield from _dates(block, path)
    yield from _faults_of_wait(block.get("wait"), f"{path}.wait")
    for key in _ORDER:
        names = block.get(key)
        if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            yield f"{path}.{key}: must be a list of jobs, for example [extract, clean]"


def _without_nulls(value: Any) -> Any:
    return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


def _unknown_keys(block: Block, known: list[str], path: str) -> Iterator[str]:
    for key in block:
        if key not in known:
            yield f"{path}.{key}: there is no such property{suggestion(key, known)}"


def _faults_of_wait(wait: Any, path: str) -> Iterator[str]:
    from pulumi_dli.jobs.validation import kind_of  # noqa: PLC0415
    from pulumi_dli.jobs.wait_inputs import WaitInputs  # noqa: PLC0415

    if wait is None or wait is False:
        return
    if not isinstance(wait, dict):
        yield f"{path}: must be true, or a map with until, timeout and streamLog, but is {kind_of(wait)}"
        return
    yield from _unknown_keys(wait, ["until", "timeout", "streamLog"], path)
    stream_log = wait.get("streamLog")
    if stream_log is not None and not isinstance(stream_log, bool):
        yield f"{path}.streamLog: must be true or false, but is {kind_of(stream_log)}"
    declared = WaitInputs.parse({key: wait.get(key) for key in ("until", "timeout")})
    yield from (f"{path}.{failure}" for failure in declared.failures)


def _dates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _dates(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _dates(item, f"{path}[{index}]")
    elif isinstance(value, str) and _DATE.fullmatch(value):
        yield f"{path}: YAML reads this as a date, which Pulumi writes in another way; put it in quotes"


def _contradictions(name: str, blocks: Mapping[str, Block]) -> Iterator[str]:
    """Yield the mistakes of a job that has got its defaults."""
    from pulumi_dli.jobs.inputs import JobInputs  # noqa: PLC0415
    from pulumi_dli.jobs.job_rules import check  # noqa: PLC0415

    block = blocks[name]
    if name != name.strip() or not name:
        yield f"{_path(name)}: a job's name must not be empty or have blanks around it"
    for failure in check(JobInputs.parse({key: block.get(key) for key in _arguments()})).failures:
        yield f"{_path(name)}.{failure}"
    for key in _ORDER:
        for index, other in enumerate(block.get(key) or ()):
            if other not in blocks:
                end = suggestion(other, blocks)
                yield f"{_path(name)}.{key}[{index}]: there is no job {other!r} in {JOBS}{end}"
