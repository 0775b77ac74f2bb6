"""Runs the command line: `python -m pulumi_dli.cli` does what `pulumi-dli` does."""

from __future__ import annotations

import sys

from pulumi_dli.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
