"""The type tokens of the provider's resources."""

JOB, WAIT, COMPLETION = "dli:index:BatchJob", "dli:index:BatchJobWait", "dli:index:BatchJobCompletion"
PROVIDER = "pulumi:providers:dli"
"""The type token of the provider itself."""


def package_of(token: str) -> str:
    """Return the package of a type token, which is also the key of its provider in a map of providers."""
    return token.partition(":")[0]
