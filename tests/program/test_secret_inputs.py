import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.output import UNKNOWN

from pulumi_dli.program.secret_inputs import SecretInputs, secret_texts

Inputs = Callable[[], Any]
Texts = list[str] | None


def found(inputs: Inputs) -> tuple[Texts, bool, Texts]:
    """Give the texts of the secrets in `args`, whether they are a secret, and the paths of the secrets."""

    async def collect() -> tuple[Texts, bool, Texts]:
        secrets = SecretInputs("etl", {"args": inputs()})
        texts = pulumi.Output.from_input(secrets.texts)
        return await texts.future(), await texts.is_secret(), await pulumi.Output.from_input(secrets.paths).future()

    return asyncio.run(collect())


def secret(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.secret(value)


def resolved(value: Any) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)


@pytest.mark.parametrize(
    ("inputs", "texts", "paths"),
    [
        (lambda: secret("hunter2"), ["hunter2"], ["args"]),
        (
            lambda: {"in": ["in", secret("hunter2")], "a.b": {"a": secret("swordfish")}},
            ["hunter2", "swordfish"],
            ['args["a.b"]["a"]', 'args["in"][1]'],
        ),
        (
            lambda: secret({"args": ["a b", ["ccc"]], "port": 8080, "fast": True, "none": None}),
            ["8080", "a b", "ccc"],
            ["args"],
        ),
        (lambda: secret({"port": 8080.0, "share": 0.5}), ["0.5", "8080"], ["args"]),  # as in another stack's outputs
        (lambda: pulumi.Output.concat("jdbc:", secret("hunter2")), ["jdbc:hunter2"], ["args"]),
        (lambda: pulumi.Output.all(a="plain", b=secret("hunter2")), ["hunter2", "plain"], ["args"]),
        (lambda: [{"name": secret("lib/a.jar")}, resolved("plain")], ["lib/a.jar"], ['args[0]["name"]']),
        (
            lambda: resolved("a").apply(lambda a: {"url": a, "password": secret("hunter2")}),
            ["hunter2"],
            ['args["password"]'],
        ),
        (lambda: secret("a").apply(lambda _: [resolved("bcd")]), ["bcd"], ["args"]),
        (lambda: [secret("42"), secret("true"), secret("etl")], None, ["args[0]", "args[1]", "args[2]"]),
        (lambda: [secret("shared"), "shared"], None, ["args[0]"]),
        (lambda: [secret("shared"), resolved("shared")], None, ["args[0]"]),
    ],
)
def test_secret_inputs_are_found_wherever_they_are_and_their_texts_are_kept_secret(
    inputs: Inputs, texts: Texts, paths: Texts
) -> None:
    assert found(inputs) == (texts, texts is not None, paths)


@pytest.mark.parametrize(
    "inputs",
    [dict, lambda: {"file": "a.py", "cores": 2, "recover": True, "none": None}, lambda: resolved({"args": ["in"]})],
    ids=["none", "plain", "plain output"],
)
def test_there_is_nothing_to_keep_secret_otherwise(inputs: Inputs) -> None:
    assert found(inputs) == (None, False, None)


def marked(declared: Callable[[], Mapping[str, Any]], outputs: Callable[[], Mapping[str, Any]]) -> Texts:
    """Give the secret texts of a job whose outputs have these marks after its registration."""

    async def collect() -> Texts:
        texts = SecretInputs("etl", declared()).texts_with_marks(outputs())
        assert await texts.is_secret() is (await texts.future() is not None)
        return await texts.future()

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("declared", "outputs", "texts"),
    [
        # a transform has added a secret, and Pulumi marks the whole property
        (lambda: {"conf": {"a": "plain"}}, lambda: {"conf": secret({"a": "plain", "b": "hunter2"})}, ["hunter2"]),
        (lambda: {"conf": None}, lambda: {"conf": secret({"b": "hunter2"})}, ["hunter2"]),
        # additional_secret_outputs marks a plain property
        (lambda: {"args": ["--key", "hunter2"]}, lambda: {"args": secret(["--key", "hunter2"])}, ["--key", "hunter2"]),
        (lambda: {"args": ["hunter2"], "file": "hunter2"}, lambda: {"args": secret(["hunter2"])}, None),
        # one declared secret marks its neighbours too
        (
            lambda: {"conf": {"a": "plain", "b": secret("hunter2")}},
            lambda: {"conf": secret({"a": "plain", "b": "hunter2"})},
            ["hunter2"],
        ),
        # the marks of an old state are missing
        (lambda: {"args": [secret("hunter2")]}, lambda: {"args": resolved(["hunter2"])}, ["hunter2"]),
        (lambda: {"args": ["plain"]}, lambda: {"args": resolved(["plain"])}, None),
        # there is no text in it
        (lambda: {"args": secret([])}, lambda: {"args": secret([])}, None),
        (lambda: {"triggers": {"x": secret(True)}}, lambda: {"triggers": secret({"x": True})}, None),
    ],
)
def test_what_pulumi_marks_after_the_declaration_is_secret_too(
    declared: Callable[[], Mapping[str, Any]], outputs: Callable[[], Mapping[str, Any]], texts: Texts
) -> None:
    assert marked(declared, outputs) == texts


@pytest.mark.parametrize("inputs", [lambda: secret(["hunter2", UNKNOWN]), lambda: [resolved(UNKNOWN)]])
def test_in_a_preview_nobody_knows_what_is_secret_if_a_value_is_unknown(inputs: Inputs) -> None:
    """So a plan accepts whatever it is."""

    async def known() -> list[bool]:
        secrets = SecretInputs("etl", {"args": inputs()})
        outputs = secrets.texts, secrets.paths, secrets.texts_with_marks({"args": secret(UNKNOWN)})
        return [await pulumi.Output.from_input(one).is_known() for one in outputs]

    assert asyncio.run(known()) == [False, False, False]


def test_what_additional_secret_outputs_names_is_secret() -> None:
    assert SecretInputs("etl", {"args": ["a"], "file": "b"}, ["args", "log"]).paths == ["args"]


def test_the_texts_of_public_arguments_are_never_masked() -> None:
    """A stack reference marks everything in an object of which a part is secret."""

    def declared() -> dict[str, Any]:
        spark = secret({"queue": "default", "executors": 200, "token": "hunter2"})
        queue, token = spark.apply(lambda value: value["queue"]), spark.apply(lambda value: value["token"])
        executors = spark.apply(lambda value: value["executors"])
        return {"queue": queue, "numExecutors": executors, "args": [queue, token]}

    assert marked(declared, lambda: {"queue": secret("default"), "args": secret(["default", "hunter2"])}) == ["hunter2"]


def test_the_texts_of_a_wait_are_all_masked() -> None:
    async def collect() -> Texts:
        return await secret_texts(["hunter2", pulumi.Output.from_input("swordfish"), "x"]).future()

    assert asyncio.run(collect()) == ["hunter2", "swordfish"]
