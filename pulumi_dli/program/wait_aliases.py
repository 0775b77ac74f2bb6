"""The aliases of a job's wait, so that the state keeps the wait when its job is moved or renamed, and in an upgrade."""

from collections.abc import Sequence
from typing import Any

import pulumi

_WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"

AliasInput = pulumi.Input[str | pulumi.Alias]


def wait_aliases(job: pulumi.Resource, job_aliases: Sequence[AliasInput] | None, until: str) -> list[AliasInput]:
    """Give the aliases of a wait whose parent is that of its job.

    In 0.1.0 the job itself was the parent. Pulumi finds the earlier URN of the job by itself then, but not the earlier
    name of the wait. Since then the wait is beside its job, so each alias of the job gives one of the wait.
    """
    aliases: list[AliasInput] = [pulumi.Alias(parent=job)]
    for alias in job_aliases or ():
        given: pulumi.Output[str | pulumi.Alias] = pulumi.Output.from_input(alias)
        aliases.append(given.apply(lambda earlier: _beside(earlier, until)))
        aliases.append(given.apply(lambda earlier: _below(earlier, job, until)))
    return aliases


def _beside(alias: str | pulumi.Alias, until: str) -> str | pulumi.Alias:
    """Give the alias of the wait that was beside the job when the job had this alias."""
    if isinstance(alias, pulumi.Alias):
        earlier = _named(alias, until)
        earlier.parent = alias.parent
        return earlier
    stack, project, types, name = alias.split("::", 3)
    parents = types.rpartition("$")[0]
    return "::".join([stack, project, f"{parents}${_WAIT_TYPE}" if parents else _WAIT_TYPE, f"{name}-{until}"])


def _below(alias: str | pulumi.Alias, job: pulumi.Resource, until: str) -> pulumi.Alias:
    """Give the alias of the wait that 0.1.0 made as a child of the job when the job had this alias."""
    if isinstance(alias, str):
        alias = pulumi.Alias(name=alias.split("::", 3)[3])
    earlier = _named(alias, until)
    earlier.parent = job
    return earlier


def _named(alias: pulumi.Alias, until: str) -> pulumi.Alias:
    """Give an alias of the wait with the name, the stack and the project that an alias of the job has."""
    job_name: Any = alias.name  # Pulumi has `...` for what an alias leaves out
    name: Any = ... if job_name in (..., None) else f"{job_name}-{until}"
    return pulumi.Alias(name=name, stack=alias.stack, project=alias.project)
