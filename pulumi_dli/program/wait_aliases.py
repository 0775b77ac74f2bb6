"""The aliases of a job's wait. With them the state keeps the wait after an upgrade, or after a rename of the job."""

from collections.abc import Callable, Sequence
from typing import Any

import pulumi

from pulumi_dli.program.types import WAIT_TYPE

AliasInput = pulumi.Input[str | pulumi.Alias]


def wait_aliases(
    job: pulumi.Resource, job_aliases: Sequence[AliasInput] | None, name_of: Callable[[str], str]
) -> list[AliasInput]:
    """Return the aliases of a wait whose parent is the parent of its job.

    In 0.1.0 the parent of a wait was the job. So the wait has one alias as a child of the job. For each alias of the
    job, the wait has two more: as a sibling of the job with its earlier name, and, for 0.1.0, as a child of it.

    `name_of` returns the logical name of the wait from that of the job.
    """
    aliases: list[AliasInput] = [pulumi.Alias(parent=job)]
    for alias in job_aliases or ():
        output: pulumi.Output[str | pulumi.Alias] = pulumi.Output.from_input(alias)
        aliases.append(output.apply(lambda job_alias: _alias_as_sibling(job_alias, name_of)))
        aliases.append(output.apply(lambda job_alias: _alias_as_child(job_alias, job, name_of)))
    return aliases


def _alias_as_sibling(alias: str | pulumi.Alias, name_of: Callable[[str], str]) -> str | pulumi.Alias:
    """Return the alias of a wait that was a sibling of the job when the job had this alias."""
    if isinstance(alias, pulumi.Alias):
        wait_alias = _alias_with_name(alias, name_of)
        wait_alias.parent = alias.parent
        return wait_alias
    stack, project, types, name = alias.split("::", 3)
    parents = types.rpartition("$")[0]
    return "::".join([stack, project, f"{parents}${WAIT_TYPE}" if parents else WAIT_TYPE, name_of(name)])


def _alias_as_child(alias: str | pulumi.Alias, job: pulumi.Resource, name_of: Callable[[str], str]) -> pulumi.Alias:
    """Return the alias of a wait that was a child of the job when the job had this alias, as 0.1.0 made it.

    The parent is the job itself: Pulumi adds the earlier URNs of a parent by itself.
    """
    if isinstance(alias, str):
        alias = pulumi.Alias(name=alias.split("::", 3)[3])
    wait_alias = _alias_with_name(alias, name_of)
    wait_alias.parent = job
    return wait_alias


def _alias_with_name(alias: pulumi.Alias, name_of: Callable[[str], str]) -> pulumi.Alias:
    """Return an alias of the wait that follows the name, the stack and the project in an alias of the job."""
    job_name: Any = alias.name  # Pulumi writes `...` for a field that the alias does not set
    name: Any = ... if job_name in (..., None) else name_of(job_name)
    return pulumi.Alias(name=name, stack=alias.stack, project=alias.project)
