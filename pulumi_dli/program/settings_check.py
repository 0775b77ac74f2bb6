"""Refuses keys of the stack's configuration that begin with `dli:` but are no setting, such as `dli:regoin`.

Without this check a mistyped setting has no effect, and the job runs with another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache

import pulumi
from pulumi.runtime import get_config_env

from pulumi_dli.jobs.suggestion import suggestion

NAMESPACE = "dli:"
MAPS = ("jobs", "jobDefaults")
"""The settings that `jobs_from_config` reads."""
SETTINGS = frozenset(
    (
        *MAPS,
        "accessKey",
        "adopt",
        "applicationCredentialId",
        "applicationCredentialSecret",
        "authUrl",
        "caCert",
        "cloud",
        "cloudDomain",
        "domainId",
        "domainName",
        "endpoint",
        "forget",
        "insecure",
        "lookupWindow",
        "maxRetries",
        "password",
        "pollInterval",
        "projectId",
        "projectName",
        "region",
        "requestTimeout",
        "retryPause",
        "scope",
        "secretKey",
        "securityToken",
        "token",
        "userId",
        "username",
        "wait",
    )
)
"""The names of all settings. A test compares them with their declarations, which take too long to import here."""


def check_settings() -> None:
    """Raise pulumi.RunError if a key of the stack's configuration begins with `dli:` but is no setting."""
    if failures := settings_failures():
        raise pulumi.RunError("\n".join(failures))


def settings_failures() -> list[str]:
    """Return a message for each key of the stack's configuration that begins with `dli:` but is no setting.

    In a project that is itself named `dli`, such keys may be its own. The function then warns about near misses only.
    """
    return _failures(os.environ.get("PULUMI_CONFIG"), is_own_namespace=f"{pulumi.get_project()}:" == NAMESPACE)


@lru_cache(maxsize=1)
def _failures(_configuration: str | None, *, is_own_namespace: bool) -> list[str]:
    """Return the failures, and warn once about what may be a mistake.

    Pulumi parses the whole configuration at each call, and every job checks it. So the unparsed text is the key of the
    cache.
    """
    messages = [*_messages(sorted(get_config_env()), likeness=0.8 if is_own_namespace else 0.6)]
    if not is_own_namespace:
        return [f"{message} Remove it: `pulumi config rm {key}`" for key, message, _ in messages]
    for _, message, has_suggestion in messages:
        if has_suggestion:
            pulumi.log.warn(message)
    return []


def _messages(keys: Iterable[str], likeness: float) -> Iterator[tuple[str, str, bool]]:
    """Yield each key that is no setting, a message about it, and whether the message suggests another key."""
    for key in keys:
        name = key.removeprefix(NAMESPACE)
        if name == key or name in SETTINGS:
            continue
        head = name.partition(".")[0].partition("[")[0]
        if head in MAPS and head != name:
            how = f"to set a part of {NAMESPACE}{head}, use `pulumi config set --path`"
            yield key, f"{key}: was set without --path; {how}.", True
        else:
            end = suggestion(name, SETTINGS, likeness, prefix=NAMESPACE)
            yield key, f"{key}: there is no such setting{end or '.'}", bool(end)
