import asyncio
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN

from pulumi_dli.program.secret_inputs import secret_texts

Inputs = Callable[[], Any]


def found(inputs: Inputs) -> tuple[list[str] | None, bool]:
    """Give the texts, and whether they are a secret."""

    async def collect() -> tuple[list[str] | None, bool]:
        texts = pulumi.Output.from_input(secret_texts(inputs()))
        return await texts.future(), await texts.is_secret()

    return asyncio.run(collect())


def secret(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.secret(value)


def resolved(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(
    ("inputs", "texts"),
    [
        (lambda: secret("hunter2"), ["hunter2"]),
        (lambda: {"args": ["in", secret("hunter2")], "conf": {"a": secret("swordfish")}}, ["hunter2", "swordfish"]),
        (lambda: secret({"args": ["a b", ["c"]], "port": 8080, "fast": True, "none": None}), ["8080", "a b", "c"]),
        (lambda: secret({"port": 8080.0, "share": 0.5}), ["0.5", "8080"]),  # as in the outputs of another stack
        (lambda: pulumi.Output.concat("jdbc:", secret("hunter2")), ["jdbc:hunter2"]),
        (lambda: pulumi.Output.all(a="plain", b=secret("hunter2")), ["hunter2", "plain"]),
        (lambda: [{"name": secret("lib/a.jar")}, pulumi.Output.from_input("plain")], ["lib/a.jar"]),
        (lambda: resolved("a").apply(lambda a: {"url": a, "password": secret("hunter2")}), ["hunter2"]),
        (lambda: secret("a").apply(lambda _: [resolved("b")]), ["b"]),
    ],
)
def test_the_texts_of_secret_inputs_are_found_wherever_they_are_and_kept_secret(
    inputs: Inputs, texts: list[str]
) -> None:
    assert found(inputs) == (texts, True)


@pytest.mark.parametrize(
    "inputs",
    [
        dict,
        lambda: {"file": "a.py", "args": ["in"], "cores": 2, "recover": True, "none": None},
        lambda: pulumi.Output.from_input({"args": ["in"]}),
        lambda: secret(None),
        lambda: secret(True),
        lambda: {"args": secret(["in"]), "files": ["in"]},
        lambda: {"args": secret(["in"]), "files": pulumi.Output.from_input(["in"])},
        lambda: secret(UNKNOWN),
        lambda: secret(["hunter2", UNKNOWN]),
    ],
    ids=["none", "plain", "plain output", "null", "flag", "plain too", "plain too, as output", "unknown", "half"],
)
def test_there_is_nothing_to_keep_secret_otherwise(inputs: Inputs) -> None:
    assert found(inputs) == (None, False)
