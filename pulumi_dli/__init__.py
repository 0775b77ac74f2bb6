"""Spark batch jobs on Data Lake Insight (Open Telekom Cloud, Huawei Cloud) as Pulumi resources.

import pulumi_dli as dli

job = dli.BatchJob("wordcount", file="obs://demo/jobs/wordcount.py", queue="batch")
done = job.wait(until="success", timeout="2h")
"""

from pulumi_dli.digest import file_digest
from pulumi_dli.resources import BatchJob, BatchJobWait
from pulumi_dli.stack_config import jobs_from_config
from pulumi_dli.types import Group, GroupArgsDict, Package, PackageArgsDict, SubmittedTo

__all__ = [
    "BatchJob",
    "BatchJobWait",
    "Group",
    "GroupArgsDict",
    "Package",
    "PackageArgsDict",
    "SubmittedTo",
    "file_digest",
    "jobs_from_config",
]
