"""The place of the settings that count before the environment, in words for messages.

It is the stack's configuration. For an explicit native provider it is the provider's arguments: they have the same
names without `dli:`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMESPACE = "dli"
"""The namespace of the settings in the stack's configuration."""
_PREFIX = f"{NAMESPACE}:"


class ProviderArguments(dict[str, str]):
    """The arguments of an explicit native provider, by the keys of the stack's configuration, such as `dli:region`.

    Args:
        values: The arguments.
        provider: The logical name of the provider.
    """

    def __init__(self, values: Mapping[str, str], provider: str) -> None:
        super().__init__(values)
        self.provider = provider


@dataclass(frozen=True)
class ConfigurationPlace:
    """The place of settings. `provider` is the logical name of the explicit provider whose arguments they are."""

    provider: str | None = None

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> ConfigurationPlace:
        """Return the place from which these settings come."""
        return cls(configuration.provider if isinstance(configuration, ProviderArguments) else None)

    @property
    def label(self) -> str:
        """The place, as `in …`."""
        return "in the stack's configuration" if self.provider is None else f"in the arguments of {self._provider}"

    @property
    def secret_command(self) -> str:
        """The command that sets a secret in this place, as a remark; empty if there is none."""
        return " (pulumi config set --secret)" if self.provider is None else ""

    def name(self, name: str) -> str:
        """Return the name of a setting as this place has it. A variable of the environment stays as it is."""
        return name if self.provider is None else name.removeprefix(_PREFIX)

    def name_with_owner(self, name: str) -> str:
        """Return the name of a setting, with the provider if it is an argument of one."""
        is_argument = self.provider is not None and name.startswith(_PREFIX)
        return f"the argument {self.name(name)} of {self._provider}" if is_argument else name

    def name_with_command(self, name: str) -> str:
        """Return the name of a setting with how to set it."""
        return f"{name} (pulumi config set)" if self.provider is None else self.name_with_owner(name)

    @property
    def _provider(self) -> str:
        return f"the provider {self.provider}"
