"""Imports the messages and services of Pulumi's protocol without the rest of Pulumi's Python SDK.

They are in the package `pulumi.runtime.proto`. Python imports `pulumi` and `pulumi.runtime` before it, and these import
everything that a program needs. The provider needs none of it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec

_PARENTS = ("pulumi", "pulumi.runtime")


def import_messages() -> None:
    """Import `pulumi.runtime.proto`. Do not run the code of its parents, a third of this process's start (2026-11-30).

    The parents stay importable. If the SDK is imported already, do nothing.
    """
    if "pulumi" in sys.modules:
        return
    for name in _PARENTS:
        spec = find_spec(name)
        if spec is not None:  # else the import below fails with the right words
            sys.modules[name] = module_from_spec(spec)
    try:
        import_module("pulumi.runtime.proto")
    finally:
        for name in _PARENTS:
            sys.modules.pop(name, None)
