"""The program of the picture of the terminal: scripts/terminal_picture.py runs it."""

import pulumi

import pulumi_dli as dli

extract = dli.BatchJob("extract", file="obs://demo/jobs/extract.py", queue="default")
extracted = extract.wait(timeout="20m")

load = dli.BatchJob(
    "load",
    file="obs://demo/jobs/load.py",
    args=["2026-11-30"],
    queue="default",
    opts=pulumi.ResourceOptions(depends_on=extracted),
)
load.wait(timeout="20m")
