"""Record from where each Python process imports `pulumi_dli`. Python imports this module first if it is on PYTHONPATH.

Each line in the file that IMPORT_PROBE names is the process's command line and the path of the package, as JSON.
"""

import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any


class Probe:
    """A finder that finds nothing: it records the search, and leaves it to the next finder."""

    @staticmethod
    def find_spec(name: str, path: Any = None, _target: Any = None) -> None:
        """Record where the package is."""
        if name == "pulumi_dli":
            spec: ModuleSpec | None = PathFinder.find_spec(name, path)
            with Path(os.environ["IMPORT_PROBE"]).open("a") as file:
                file.write(json.dumps([" ".join(sys.orig_argv), spec and spec.origin]) + "\n")


sys.meta_path.insert(0, Probe)
