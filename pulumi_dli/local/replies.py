"""The JSON of the replies to batch calls, as sparse as the real ones.

Sources: DLI API reference, 2026-04: create dli_02_0124, list dli_02_0125, details dli_02_0126, state dli_02_0127,
log dli_02_0128; the samples in huaweicloudsdkdli 3.1.219.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.logs import LogPage
from pulumi_dli.local.submissions import Submission
from pulumi_dli.local.table import Job

_LATER_PARAMETERS = ("image", "feature", "spark_version")
_LISTS = ("jars", "pyFiles", "files", "modelFiles", "resources", "modules", "groups", "archives", "args")
_REQ_BODY_DEFAULTS: dict[str, Any] = {name: [] for name in _LISTS} | {"name": "", "className": "", "feature": "basic"}


def req_body(submission: Submission) -> str:
    """Write the request as the service stores it: JSON with internal names and with defaults filled in.

    The keys and their order are those of the sample in huaweicloudsdkdli 3.1.219 (show_spark_job_response.py). The
    sample has no sc_type, sizes, cluster_name or catalog_name.
    """
    request = submission.request
    extra = request.model_extra or {}
    wire = request.to_wire()
    document = {
        "jars": request.jars,
        "pyFiles": request.py_files,
        "files": request.files,
        "modelFiles": extra.get("modelFiles"),
        "resources": wire.get("resources"),
        "modules": request.modules,
        "groups": wire.get("groups"),
        "archives": extra.get("archives"),
        "queue": submission.queue,
        "name": request.name,
        "conf": conf_texts(request),
        "execution_agency_urn": request.execution_agency_urn,
        "file": request.file,
        "args": request.args,
        "className": request.class_name,
        "autoRecovery": bool(request.auto_recovery),
        "minRecoveryDelayTime": submission.recovery_delay_ms,
        "maxRetryTimes": submission.max_retry_times,
        "obs_bucket": request.obs_bucket,
        "image": request.image,
        "feature": request.feature,
        "spark_version": request.spark_version,
    }
    filled = {key: value or _REQ_BODY_DEFAULTS.get(key, value) for key, value in document.items()}
    kept = {key: value for key, value in filled.items() if value is not None}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def conf_texts(request: BatchRequest) -> dict[str, str]:
    """Return the `conf` of a request with values as Spark reads them. Null values are left out."""
    return {key: conf_text(value) for key, value in (request.conf or {}).items() if value is not None}


def conf_text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def created(job: Job) -> dict[str, Any]:
    """Answer a create call, with the keys of the page's example."""
    return _common(job) | {"appId": "", "log": []}


def details(job: Job) -> dict[str, Any]:
    """Answer a details call, which has no `duration`."""
    request = job.batch_request
    later = {name: value for name in _LATER_PARAMETERS if (value := getattr(request, name)) is not None}
    return _common(job) | later | {"req_body": job.req_body}


def listed(job: Job, *, now: int) -> dict[str, Any]:
    """Write a job as an item of a list. `appId` is null before the job runs."""
    image = {} if job.batch_request.image is None else {"image": job.batch_request.image}
    changed = {"appId": job.app_id or None, "duration": job.duration(now), "req_body": job.req_body}
    return _common(job) | image | changed


def job_list(jobs: Sequence[Job], *, start: int, total: int, now: int) -> dict[str, Any]:
    """Answer a list call."""
    return {
        "from": start,
        "total": total,
        "sessions": [listed(job, now=now) for job in jobs],
        "create_time": now,
    }


def state(job: Job) -> dict[str, Any]:
    """Answer a state call.

    The page's table and the public clients have the state in lower case. Only the page's sample has a capital letter.
    """
    return {"id": job.id, "state": str(job.state)}


def log(job_id: str, page: LogPage) -> dict[str, Any]:
    """Answer a log call."""
    return {"id": job_id, "from": page.start, "total": page.total, "log": page.lines}


def error_body(code: str, message: str) -> dict[str, Any]:
    """Write an error of the service (error codes page, dli_02_0056). The gateway adds a request id to its errors."""
    return {"error_code": code, "error_msg": message}


def _common(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "appId": job.app_id,
        "name": job.name,
        "owner": job.owner,
        "proxyUser": "",
        "state": str(job.state),
        "kind": "",
        "log": list(job.log),
        "sc_type": job.sc_type,
        "cluster_name": job.queue,
        "queue": job.queue,
        "create_time": job.create_time,
        "update_time": job.update_time,
    }
