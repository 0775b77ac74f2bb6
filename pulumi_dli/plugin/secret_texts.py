"""The texts inside the secret inputs of a job, which the provider masks in logs and in messages."""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_dli.jobs.exact_numbers import is_number, leaves, written
from pulumi_dli.jobs.secret_paths import PUBLIC_ARGUMENTS, texts_to_mask
from pulumi_dli.plugin.properties import Properties, is_covered


def secret_texts(inputs: Properties, resource_name: str) -> list[str]:
    """Return the texts inside the secret inputs of a job that are masked, in alphabetical order.

    Texts of public arguments are never secret.

    Args:
        inputs: The inputs.
        resource_name: The logical name of the job.
    """
    if not inputs.secrets:
        return []
    secret, plain = set[str](), set[str]()
    for path, text in _texts(inputs):
        name = path.partition("[")[0]
        is_secret = name not in PUBLIC_ARGUMENTS and is_covered(path, inputs.secrets)
        (secret if is_secret else plain).add(text)
    return texts_to_mask(secret, plain, resource_name)


def _texts(inputs: Properties) -> Iterator[tuple[str, str]]:
    """Yield each text and each number, with its path."""
    for path, leaf in leaves(inputs.values):
        if isinstance(leaf, str):
            yield path, leaf
        elif is_number(leaf):
            yield path, written(leaf)
