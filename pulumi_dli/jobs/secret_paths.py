"""Which inputs of a job are secret: the hidden input `secretInputs`, a list of their paths.

Pulumi gives the provider all values in plain. So the program also sends where secret values are: `file`, `args[1]`,
`conf["spark.key"]`. A path covers everything inside its value.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

SECRET_INPUTS = "secretInputs"  # noqa: S105  a name, no secret
"""The name of the hidden input."""

HAS_SECRET_SIZE = "hasSecretSize"  # noqa: S105  a name, no secret
"""The name of the hidden input that is true in a plan if a size is secret while `secretInputs` is unknown."""

SIZES = ("scType", "driverCores", "driverMemory", "executorCores", "executorMemory", "numExecutors")
"""The arguments that are sizes of a job."""

PUBLIC_ARGUMENTS = frozenset(
    (
        *SIZES,
        "queue",
        "clusterName",
        "name",
        "autoRecovery",
        "maxRetryTimes",
        "region",
        "projectId",
        "rerunOnFailure",
        "onRecordExpired",
        "whenRunning",
        "cancelTimeout",
        "adoptId",
    )
)
"""The arguments whose texts are never masked in a log, even if they are secret. A log would not be readable."""


MIN_SECRET_LENGTH = 3
"""The shortest text that is masked. Shorter ones are in every log by chance."""


def texts_to_mask(secret: Set[str], plain: Set[str], resource_name: str) -> list[str]:
    """Return the texts that are masked, in alphabetical order.

    A text that is also inside a plain input is not secret, because everybody can read it. The same holds for the
    logical name. The words of flags and texts of one or two characters are in every log.

    Args:
        secret: The texts inside secret inputs.
        plain: The texts inside plain inputs.
        resource_name: The logical name of the job.
    """
    texts = secret - plain - {resource_name, "true", "false"}
    return sorted(text for text in texts if len(text) >= MIN_SECRET_LENGTH)


def is_secret(path: str, secret_inputs: Any) -> bool:
    """Return whether a value at a path, or a part of it, is or may be secret. `secret_inputs` comes from Pulumi."""
    if not isinstance(secret_inputs, list):
        return secret_inputs is not None  # in a plan they may be unknown
    return any(one == path or str(one).startswith(f"{path}[") for one in secret_inputs)


def shown_path(path: str, secret_inputs: Any) -> str:
    """Return the path of a value as a message may show it: it ends before the first key of a secret map."""
    if not isinstance(secret_inputs, list):
        secret_inputs = [] if secret_inputs is None else [path.partition("[")[0]]  # in a plan they may be unknown
    secret = min((str(one) for one in secret_inputs if path.startswith(f"{one}[")), key=len, default=path)
    return secret if '["' in path.removeprefix(secret) else path
