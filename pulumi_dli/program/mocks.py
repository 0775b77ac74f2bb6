"""Tells whether the program is under Pulumi's mocks, as in unit tests: then nothing may call DLI or the engine."""

from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor


def is_mocked() -> bool:
    """Return whether the program has called `pulumi.runtime.set_mocks` without a monitor of its own."""
    return type(get_monitor()) is MockMonitor
