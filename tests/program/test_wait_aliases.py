"""Where the state may have the wait of a job that was moved or renamed."""

import asyncio
from typing import Any

import pulumi
import pytest

from pulumi_dli.program.wait_aliases import wait_aliases

JOB = pulumi.Resource.__new__(pulumi.CustomResource)
OTHER = pulumi.Resource.__new__(pulumi.ComponentResource)
DEV = "urn:pulumi:dev::p::"
STAGE = "demo:index:Stage"
JOB_TYPE = "pulumi-python:dynamic/dli:BatchJob"
WAIT_TYPE = "pulumi-python:dynamic/dli:BatchJobWait"
BELOW = {"parent": JOB}
"""The alias of every wait: 0.1.0 made it a child of its job."""


def told(alias: Any) -> Any:
    """Give what an alias says, without what it leaves out."""
    return alias if isinstance(alias, str) else {name: value for name, value in vars(alias).items() if value is not ...}


def aliases_of(*job_aliases: Any) -> list[Any]:
    async def resolve() -> list[Any]:
        aliases = wait_aliases(JOB, job_aliases, "{}-success".format)
        return [told(await pulumi.Output.from_input(alias).future()) for alias in aliases]

    return asyncio.run(resolve())


@pytest.mark.parametrize(
    ("alias", "beside", "below"),
    [
        (pulumi.Alias(name="old"), {"name": "old-success"}, {"name": "old-success"}),
        (pulumi.Alias(parent=OTHER), {"parent": OTHER}, {}),
        (pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), {"parent": None}, {}),
        (pulumi.Alias(name="old", parent=OTHER), {"name": "old-success", "parent": OTHER}, {"name": "old-success"}),
        (pulumi.Alias(stack="old", project="p"), {"stack": "old", "project": "p"}, {"stack": "old", "project": "p"}),
        (pulumi.Alias(type_="demo:index:Job"), {}, {}),
        (
            f"{DEV}{JOB_TYPE}::old",
            f"{DEV}{WAIT_TYPE}::old-success",
            {"name": "old-success"},
        ),
        (
            f"{DEV}{STAGE}${STAGE}${JOB_TYPE}::a::b",
            f"{DEV}{STAGE}${STAGE}${WAIT_TYPE}::a::b-success",
            {"name": "a::b-success"},
        ),
    ],
)
def test_each_alias_of_the_job_gives_where_the_wait_was(alias: Any, beside: Any, below: dict[str, Any]) -> None:
    assert aliases_of(alias) == [BELOW, beside, below | BELOW]


def test_an_alias_may_be_an_output() -> None:
    async def urn() -> str:
        return f"{DEV}{JOB_TYPE}::old"

    assert aliases_of(urn())[1] == f"{DEV}{WAIT_TYPE}::old-success"


def test_a_job_without_aliases_has_one_for_its_wait() -> None:
    assert wait_aliases(JOB, None, "success")[0].parent is JOB  # type: ignore[union-attr]
    assert len(wait_aliases(JOB, None, "success")) == 1
