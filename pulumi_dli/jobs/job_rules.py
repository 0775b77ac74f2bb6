"""The rules about combinations of a job's arguments: contradictions, which fail, and doubts, which warn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pulumi_dli.api.regions import cloud_of
from pulumi_dli.jobs.exact_numbers import LIMIT, rounded_places
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.validation import UNKNOWN

FILE_MISSING = "file: is missing; set it to the package to run, for example obs://bucket/jobs/wordcount.py"
"""The failure of a job without `file`, its only mandatory property."""


_PROJECT_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


@dataclass
class Checked:
    """The result of a check: the normalised properties, and the failures and warnings for the user."""

    properties: dict[str, Any]
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check(job: JobInputs, region: str | None = None, *, needs_file: bool = True) -> Checked:
    """Check the declaration of a job, without a call. Unknown values break no rule.

    Args:
        job: The declaration.
        region: The region of the job if it declares none. Some properties are documented for some clouds only.
        needs_file: Whether a job without `file` fails.
    """
    checked = Checked({**job.properties}, [*job.failures])
    if not checked.failures:
        checked.failures += [FILE_MISSING] if needs_file and job.file is None else []
        checked.failures += _contradictions(job)
    if not checked.failures:
        checked.warnings += _doubts(job, region if job.region is None else job.region)
    return checked


def _contradictions(job: JobInputs) -> Iterator[str]:
    """Yield the texts of the broken rules."""
    yield from (text for is_broken, text in _RULES if is_broken(job))
    if is_spark_3_3_or_later(job):
        yield from _spark_3_3_failures(job)


def _is_set(value: Any) -> bool:
    return value is not None and value is not UNKNOWN


def _is_jar_without_class(job: JobInputs) -> bool:
    return isinstance(job.file, str) and job.file.lower().endswith(".jar") and not job.class_name


_RULES: tuple[tuple[Callable[[JobInputs], bool], str], ...] = (
    (_is_jar_without_class, "className: is missing; a .jar needs the main class to run, for example org.example.Main"),
    (
        lambda job: _is_set(job.queue) and _is_set(job.cluster_name),
        "queue and clusterName: both are set, and both name the queue; keep queue",
    ),
    (
        lambda job: _is_set(job.image) and job.feature not in ("custom", UNKNOWN),
        "image: is used only with feature custom; set feature to custom, or leave image out",
    ),
    (
        lambda job: job.feature == "custom" and job.image is None,
        "feature: custom needs image, for example organization/name:tag",
    ),
)
"""Each rule: whether a job breaks it, and the text for the user."""


def is_spark_3_3_or_later(job: JobInputs) -> bool:
    """Return whether a job declares Spark 3.3 or a later version."""
    numbers = job.spark_version.split(".")[:2] if isinstance(job.spark_version, str) else [""]
    return all(number.isdecimal() for number in numbers) and [int(number) for number in numbers] >= [3, 3]


def _spark_3_3_failures(job: JobInputs) -> Iterator[str]:
    """Yield the texts of the broken rules of Spark 3.3 and later (DLI API reference, dli_02_0124, 2026-04)."""
    for name in ("resources", "groups"):
        if job.properties.get(name) not in (None, [], UNKNOWN):
            yield f"{name}: is not supported by Spark 3.3 and later; use jars, pyFiles or files with obs:// paths"
    for name in ("file", "jars", "pyFiles", "files"):
        value = job.properties.get(name)
        paths = value if isinstance(value, list) else [value]
        if any(isinstance(path, str) and not path.startswith("obs://") for path in paths):
            yield f"{name}: must be an obs:// path with Spark 3.3 and later"


def _doubts(job: JobInputs, region: Any) -> Iterator[str]:
    if job.queue is None and job.cluster_name is None:
        yield "neither queue nor clusterName is set: the service chooses a queue, or refuses the job"
    if _needs_agency(job):
        yield (
            "Spark 3.3 and later reads OBS with an agency: set executionAgencyUrn, or the service may refuse the job "
            "(DLI.0001)"
        )
    yield from _doubts_of_file(job)
    if isinstance(job.project_id, str) and not _PROJECT_ID.fullmatch(job.project_id):
        yield "projectId: the id of a project has 32 hexadecimal digits; the console shows it under My Credentials"
    if _is_set(job.max_retry_times) and not job.auto_recovery:
        yield "maxRetryTimes has no effect without autoRecovery; set autoRecovery to true, or leave maxRetryTimes out"
    yield from _undocumented(job, region)
    for place in rounded_places(job.properties, "triggers"):
        yield f"{place}: Pulumi rounds whole numbers from {LIMIT} on, and may not see a small change; write it as text"


def _doubts_of_file(job: JobInputs) -> Iterator[str]:
    if not isinstance(job.file, str):
        return
    _, dot, extension = job.file.rpartition(".")
    if dot and extension.lower() in ("py", "jar") and extension != extension.lower():
        small = extension.lower()
        yield f"file: the extension is {extension}; the service may not take it for a .{small}, so rename the file"
    if extension.lower() == "py" and job.class_name:
        yield "className: a .py has no main class; leave className out, and the provider sends it empty"
    if job.file.lower().startswith("https://"):
        yield "file: is an https:// address, which the service may refuse; upload the file, and write obs://bucket/key"


def _undocumented(job: JobInputs, region: str | None) -> Iterator[str]:
    cloud = cloud_of(region)
    undocumented = [name for name in cloud.undocumented if _is_set(job.properties.get(name))] if cloud else []
    if cloud and undocumented:
        listed = ", ".join(undocumented)
        yield f"{listed}: not documented for {cloud.name} ({region}); the service may refuse or ignore this"


def _needs_agency(job: JobInputs) -> bool:
    """Return whether a job has no agency with which Spark 3.3 and later reads OBS. `conf` may name the agency too."""
    if not is_spark_3_3_or_later(job) or job.execution_agency_urn is not None or job.conf is UNKNOWN:
        return False
    return "spark.dli.job.agency.name" not in (job.conf or {})
