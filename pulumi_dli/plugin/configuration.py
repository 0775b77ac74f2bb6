"""The settings of a provider resource: what its state may contain, and which of them count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pulumi_dli.account.configuration_place import NAMESPACE, ProviderArguments
from pulumi_dli.account.credentials import declared
from pulumi_dli.account.settings import names_of
from pulumi_dli.jobs.exact_numbers import is_number, written
from pulumi_dli.jobs.suggestion import suggestion
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.urn import Urn

_OF_ENGINE = frozenset(("version", "pluginDownloadURL", "pluginChecksums"))
"""The keys that the engine itself puts into the inputs of a provider resource."""
_OF_PYTHON = frozenset(("jobs", "jobDefaults"))
"""The settings that only a Python program reads, with `jobs_from_config`. They may contain secrets in plain."""
_ADDRESSES = ("endpoint", "authUrl")


def _keys() -> dict[str, FieldInfo]:
    """Return the declaration of each setting by its key without the namespace."""
    return {names_of(info)[0].removeprefix(f"{NAMESPACE}:"): info for info in declared().values()}


def _is_secret(annotation: Any) -> bool:
    """Return whether a type is `SecretStr` or contains it, as `SecretStr | None` does."""
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def is_default(urn: Urn) -> bool:
    """Return whether a provider resource is a default provider, which the engine makes of the stack's configuration."""
    return urn.name.startswith("default")  # as the engine itself does (IsDefaultProvider, 3.259)


def checked(inputs: Properties) -> Properties:
    """Return the inputs that the state of a provider resource may contain: settings, and the engine's own keys.

    Passwords, tokens and secret keys are marked as secret, even if the program or the configuration does not mark them.
    """
    keys = _keys()
    values = {name: value for name, value in inputs.values.items() if name in keys or name in _OF_ENGINE}
    return Properties(values, inputs.secrets | {name for name, info in keys.items() if _is_secret(info.annotation)})


def failures(inputs: Properties, urn: Urn) -> Iterator[str]:
    """Yield a message for each input of a provider resource that must not get into its state.

    These are inputs that are no setting, and addresses with a password.
    """
    yield from _addresses_with_passwords(inputs, urn)
    # The configuration of a project that is named `dli` has keys of its own, which arrive here too.
    if urn.project != NAMESPACE or not is_default(urn):
        yield from _unknown_settings(inputs, urn)


def _addresses_with_passwords(inputs: Properties, urn: Urn) -> Iterator[str]:
    prefix = f"{NAMESPACE}:" if is_default(urn) else ""
    for name in _ADDRESSES:
        if "@" in str(inputs.values.get(name)):
            yield (
                f"{prefix}{name}: must be an address without a user name and a password. The state would have them in "
                "plain."
            )


def _unknown_settings(inputs: Properties, urn: Urn) -> Iterator[str]:
    keys = _keys()
    for name in inputs.values:
        if name in keys or name in _OF_ENGINE or name in _OF_PYTHON or name.startswith("__"):
            continue
        prefix, advice = "", ""
        if is_default(urn):
            prefix, advice = f"{NAMESPACE}:", f" Remove it: `pulumi config rm {NAMESPACE}:{name}`"
        hint = suggestion(name, keys, prefix=prefix) or "."
        yield f"{prefix}{name}: there is no such setting{hint}{advice}"


def configuration_of(inputs: Mapping[str, Any], urn: Urn | None, today: str | None) -> dict[str, str]:
    """Return the configuration that counts, by keys such as `dli:region`. Of an explicit provider it has the name.

    Args:
        inputs: The inputs of the provider resource. In a refresh and in a destroy they come from the state.
        urn: The URN of the provider resource, or None if the engine does not tell it.
        today: The stack's configuration as the engine passes it in the environment: JSON, or None. It counts for a
            default provider, because the state may have an old key.
    """
    chosen: Mapping[str, Any] = inputs
    if today is not None and (urn is None or is_default(urn)):
        chosen = _parsed(today)
    keys = _keys()
    configuration = {
        f"{NAMESPACE}:{name}": _as_text(value)
        for name, value in chosen.items()
        if name in keys and value is not None and isinstance(value, str | bool | int | float)
    }
    return configuration if urn is None or is_default(urn) else ProviderArguments(configuration, urn.name)


def _parsed(text: str) -> Mapping[str, Any]:
    document = json.loads(text)
    return {re.sub(f"^{NAMESPACE}:(config:)?", "", key): value for key, value in document.items()}


def _as_text(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return written(value) if is_number(value) else json.dumps(value)
