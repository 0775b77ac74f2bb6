"""The two versions of the package that these tests run: 0.1.0 and the checkout.

The wheel in `tests/data/compat` is commit 18d6d88. Nobody builds it anew. A later release adds a wheel of its own.
"""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

WHEEL = Path(__file__).parents[1] / "data" / "compat" / "pulumi_dli-0.1.0-py3-none-any.whl"

Version = Mapping[str, str]
"""The variables with which a `pulumi` command runs a version."""

TODAY: Version = {}
"""The checkout. The virtual environment has it installed."""


def unpack_0_1_0(folder: Path) -> Version:
    """Unpack 0.1.0 into a folder. Give the variables with which a `pulumi` command runs it.

    The program and the provider process both import the package from the first folder on PYTHONPATH.
    """
    with zipfile.ZipFile(WHEEL) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith("pulumi_dli/")])
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))}
