"""The plugin `dli` as a folder: Pulumi makes a virtual environment beside this file and runs it there."""

from pulumi_dli.plugin.__main__ import main

main()
