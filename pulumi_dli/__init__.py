"""Spark batch jobs on Data Lake Insight (Open Telekom Cloud, Huawei Cloud) as Pulumi resources.

import pulumi_dli as dli

job = dli.BatchJob("wordcount", file="obs://demo/jobs/wordcount.py", queue="batch")
done = job.wait(until="success", timeout="2h")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "BatchJob",
    "BatchJobWait",
    "Group",
    "GroupArgsDict",
    "Package",
    "PackageArgsDict",
    "PreviousRun",
    "SubmittedTo",
    "file_digest",
    "jobs_from_config",
    "jobs_from_file",
]

if TYPE_CHECKING:
    from pulumi_dli.program.batch_job import BatchJob
    from pulumi_dli.program.batch_job_wait import BatchJobWait
    from pulumi_dli.program.file_digest import file_digest
    from pulumi_dli.program.jobs_from_config import jobs_from_config
    from pulumi_dli.program.jobs_from_file import jobs_from_file
    from pulumi_dli.program.types import Group, GroupArgsDict, Package, PackageArgsDict, PreviousRun, SubmittedTo
else:
    # Import these names at their first use, because the local DLI and its pytest plugin run without Pulumi.
    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        modules = ("batch_job", "batch_job_wait", "types", "file_digest", "jobs_from_config", "jobs_from_file")
        homes = (import_module(f"{__name__}.program.{module}") for module in modules)
        globals()[name] = next(getattr(home, name) for home in homes if hasattr(home, name))
        return globals()[name]

    def __dir__() -> list[str]:
        return __all__
