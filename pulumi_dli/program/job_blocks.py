"""Declares jobs that are blocks of a file: of the stack's configuration, or of a file of their own."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

import pulumi

from pulumi_dli.jobs.suggestion import suggestion
from pulumi_dli.program.batch_job import BatchJob
from pulumi_dli.program.job_identity import from_configuration
from pulumi_dli.program.settings_check import settings_failures
from pulumi_dli.program.types import wire_names

_ORDER = ("dependsOn", "rerunWith")

Block = Mapping[str, Any]


class Source(Protocol):
    """Where blocks come from."""

    jobs: str
    """The path of the map with the jobs, for messages."""
    defaults: str
    """The path of the block with the defaults."""

    quoting: str
    """How to put a value in quotes without an editor, as a sentence, or an empty text."""

    def path(self, name: str) -> str:
        """Return the path of a job's block."""

    def faults(self, block: Any, path: str, name: str | None) -> Iterable[str]:
        """Return the mistakes that only this kind of file can have. `name` is None for the defaults."""

    def declared(self, block: Block) -> Block:
        """Return a block without mistakes as it is declared, with its secrets."""

    def checked(self, block: Any) -> Any:
        """Return a block as it is checked, with unknown values in place of outputs."""


def declare_blocks(
    source: Source, jobs: Mapping[str, Any], defaults: Any, opts: pulumi.ResourceOptions | None
) -> dict[str, BatchJob]:
    """Declare the jobs of a file, and return them by name. Raises pulumi.RunError with all mistakes and their paths."""
    defaults = _completed(defaults)
    own = {name: _completed(block) for name, block in jobs.items()}
    _refuse(source, settings_failures(), *_faults_of_blocks(source, defaults, own))
    blocks = {name: _merged(defaults, block) for name, block in own.items()}
    _refuse(source, *(_contradictions(source, name, blocks) for name in blocks))
    declared: dict[str, BatchJob] = {}
    for name in _in_order(source, blocks):
        declared[name] = _declare(name, source.declared(blocks[name]), declared, opts)
    return {name: declared[name] for name in blocks}


def _faults_of_blocks(source: Source, defaults: Any, jobs: Mapping[str, Any]) -> Iterator[Iterable[str]]:
    for name, block in ((None, defaults), *jobs.items()):
        path = source.defaults if name is None else source.path(name)
        yield _faults(source.checked(block), path)
        yield source.faults(block, path, name)


def _declare(name: str, block: Block, jobs: Mapping[str, BatchJob], opts: pulumi.ResourceOptions | None) -> BatchJob:
    declared: dict[str, Any] = {argument: block.get(key) for key, argument in arguments().items()}
    if block.get("rerunWith"):
        reruns = {"rerunWith": {other: jobs[other].id for other in block["rerunWith"]}}
        declared["triggers"] = {**(block.get("triggers") or {}), **reruns}
    order = pulumi.ResourceOptions(depends_on=[jobs[other].wait() for other in block.get("dependsOn") or ()])
    with from_configuration():
        job = BatchJob(name, **declared, opts=pulumi.ResourceOptions.merge(opts, order))
    wait = block.get("wait")
    if isinstance(wait, Mapping):
        job.wait(wait.get("until") or "success", wait.get("timeout"), stream_log=wait.get("streamLog") or False)
    return job


def values_in(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield each value inside the maps and lists of a block, with its path as messages write it: `args[1]`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from values_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from values_in(item, f"{path}[{index}]")
    else:
        yield path, value


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


def _in_order(source: Source, blocks: Mapping[str, Block]) -> list[str]:
    """Return the names of the jobs in an order in which each job comes after the jobs that it names."""
    try:
        return [*TopologicalSorter({name: _names_in(block) for name, block in blocks.items()}).static_order()]
    except CycleError as error:
        cycle = [*reversed(error.args[1])]
        key = next(key for key in _ORDER if cycle[1] in (blocks[cycle[0]].get(key) or ()))
        raise pulumi.RunError(f"{source.path(cycle[0])}.{key}: is a cycle: {' after '.join(cycle)}") from error


def _names_in(block: Block) -> list[str]:
    return [name for key in _ORDER for name in block.get(key) or ()]


def _refuse(source: Source, *faults: Iterable[str]) -> None:
    lines = [fault for group in faults for fault in group]
    if source.quoting and any(line.endswith("put it in quotes") for line in lines):
        lines.append(source.quoting)
    if lines:
        raise pulumi.RunError("\n".join(lines))


@functools.cache
def arguments() -> dict[str, str]:
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
    known = arguments()
    yield from _unknown_keys(block, [*known, "wait", *_ORDER], path)
    # A null in a map may remove a default. `_contradictions` refuses the nulls that are left after the merge.
    given = {key: _without_nulls(value) for key, value in block.items() if key in known}
    yield from (f"{path}.{failure}" for failure in JobInputs.parse(given).failures)
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
    from pulumi_dli.jobs.exact_numbers import is_number  # noqa: PLC0415
    from pulumi_dli.jobs.validation import kind_of  # noqa: PLC0415
    from pulumi_dli.jobs.wait_inputs import WaitInputs  # noqa: PLC0415

    if wait is None or wait is False:
        return
    if not isinstance(wait, dict):
        yield f"{path}: must be true, or a map with until, timeout and streamLog, but is {kind_of(wait)}"
        return
    yield from _unknown_keys(wait, ["until", "timeout", "streamLog"], path)
    stream_log = wait.get("streamLog")
    if stream_log not in (None, True, False, "all") or is_number(stream_log):
        what = repr(stream_log) if isinstance(stream_log, str) else kind_of(stream_log)
        yield f"{path}.streamLog: must be true, false or all, but is {what}"
    declared = WaitInputs.parse({key: wait.get(key) for key in ("until", "timeout")})
    yield from (f"{path}.{failure}" for failure in declared.failures)


def _contradictions(source: Source, name: str, blocks: Mapping[str, Block]) -> Iterator[str]:
    """Yield the mistakes of a job that has got its defaults."""
    from pulumi_dli.jobs.inputs import JobInputs  # noqa: PLC0415
    from pulumi_dli.jobs.job_rules import check  # noqa: PLC0415

    block, path = source.checked(blocks[name]), source.path(name)
    if name != name.strip() or not name:
        yield f"{path}: a job's name must not be empty or have blanks around it"
    for failure in check(JobInputs.parse({key: block.get(key) for key in arguments()})).failures:
        yield f"{path}.{failure}"
    for key in _ORDER:
        for index, other in enumerate(block.get(key) or ()):
            if other not in blocks:
                end = suggestion(other, blocks)
                yield f"{path}.{key}[{index}]: there is no job {other!r} in {source.jobs}{end}"
