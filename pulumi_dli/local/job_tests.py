"""Tests of jobs: put objects under `obs://`, run a PySpark file as a job with real Spark, and read what it wrote.

With pytest, the fixture `spark_jobs` is a `SparkJobs`:

    def test_words_are_counted(spark_jobs):
        spark_jobs.put("obs://demo/in/text.txt", "to be or not to be")
        run = spark_jobs.run("jobs/wordcount.py", "obs://demo/in", "obs://demo/out")
        assert run.state == "success", run.failure_reason
        assert spark_jobs.read("obs://demo/out").splitlines()[0] == "be\\t2"

Without pytest:

    with SparkJobs(directory) as spark_jobs:
        ...
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.obs import SCHEME
from pulumi_dli.local.server import LocalDli
from pulumi_dli.local.table import Job, JobTable
from pulumi_dli.spark_logs.failure_reason import LINES_NEEDED, find_failure_reason

TIMEOUT = 300.0
"""The default for the seconds that a job may take."""

_BUCKET = "spark-jobs-under-test"
_POLL_INTERVAL = 0.05


@dataclass(frozen=True)
class JobRun:
    """A job that has ended."""

    id: str
    state: BatchState
    """`success` or `dead`. It equals its text: `run.state == "success"`."""
    log: tuple[str, ...] = field(repr=False)
    """All lines of the driver log: what the job printed and what Spark logged."""
    submission_log: tuple[str, ...] = field(repr=False)
    """The lines about the submission: how sizes were scaled, and which parameters have no effect."""
    failure_reason: str | None
    """Why the job is dead, in one line. None if it succeeded, or if its log does not tell."""


class SparkJobs:
    """A local DLI with real Spark for tests of jobs.

    Args:
        data: A directory for the service, which may be empty.
        options: Options of `LocalDli`. By default one job runs at once, with two threads (`master="local[2]"`).
    """

    def __init__(self, data: Path, **options: Any) -> None:
        chosen: dict[str, Any] = {"master": "local[2]", "slots": 1} | options
        self._server = LocalDli(data, **chosen)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()

    def put(self, path: str, content: str | bytes | Path) -> None:
        """Put an object under `obs://`, and make its bucket if it is missing.

        Args:
            path: The path of the object, such as `obs://bucket/folder/text.txt`.
            content: A text (written as UTF-8), bytes, or a local file or folder to copy.

        Raises ValueError for an invalid path, and OSError.
        """
        target = self.local_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            if content.is_dir():
                shutil.copytree(content, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(content, target)
        else:
            target.write_bytes(content.encode() if isinstance(content, str) else content)

    def run(
        self,
        file: str | Path,
        *args: object,
        conf: Mapping[str, object] | None = None,
        timeout: float = TIMEOUT,
        **body: Any,
    ) -> JobRun:
        """Run a file as a job, and return when the job has ended.

        Make the buckets first (`put` or `bucket`): a job cannot make one.

        Args:
            file: A local `.py` or `.jar` file, or a path under `obs://`.
            args: The arguments of the job. Each becomes a text.
            conf: Entries of Spark's configuration.
            timeout: The seconds after which the job is cancelled.
            body: Other parameters of the API in its spelling, such as `className` or `pyFiles`.

        Raises ApiError if the service refuses the job, and TimeoutError.
        """
        submitted = self._upload(file)
        request = {"file": submitted, "args": [str(arg) for arg in args], "conf": dict(conf or {}), **body}
        job_id = self._server.submit(json.dumps(request).encode())
        deadline = time.monotonic() + timeout
        while not (job := self._job(job_id)).state.is_final:
            if time.monotonic() > deadline and self._cancel(job_id):
                last = "\n".join(self._job(job_id).log)
                raise TimeoutError(f"The job did not end within {timeout:g} s. The last lines of its log:\n{last}")
            time.sleep(_POLL_INTERVAL)
        return self._run_of(job)

    def _cancel(self, job_id: str) -> bool:
        """Cancel a job. Return False if it has just ended by itself. Raises ApiError."""
        try:
            self._server.cancel(job_id)
        except ApiError:
            if self._job(job_id).state.is_final:
                return False
            raise
        return True

    def read(self, path: str) -> str:
        """Return an object as text. For a folder, return its part files as one text, in the order of their names.

        Spark writes a folder with a file for each part. Raises FileNotFoundError if there is nothing, and ValueError.
        """
        return self.read_bytes(path).decode()

    def read_bytes(self, path: str) -> bytes:
        """Return an object, or the part files of a folder, as bytes. See `read`."""
        source = self.local_path(path)
        if not source.is_dir():
            return source.read_bytes()
        parts = sorted(part for part in source.rglob("part-*") if part.is_file())
        if not parts:
            raise FileNotFoundError(f"{path} has no part files")
        return b"".join(part.read_bytes() for part in parts)

    def objects(self, path: str) -> list[str]:
        """Return the paths of all objects below a path, sorted. An object that does not exist has none."""
        top = self.local_path(path)
        files = [top] if top.is_file() else [found for found in top.rglob("*") if found.is_file()]
        return sorted(SCHEME + found.relative_to(self._server.data / "obs").as_posix() for found in files)

    def bucket(self, name: str) -> Path:
        """Return the directory of a bucket, and make it if it is missing."""
        return self._server.bucket(name)

    def local_path(self, path: str) -> Path:
        """Return the file or folder of this machine behind a path, for libraries that read files. It may be missing.

        The bucket is made. Raises ValueError if the path is not `obs://bucket/...`, or leads out of its bucket.
        """
        bucket, _, key = path.removeprefix(SCHEME).partition("/")
        if not path.startswith(SCHEME) or bucket in ("", ".", "..") or ".." in Path(key).parts:
            raise ValueError(f"not a path of an object: {path!r}; write it as in obs://bucket/folder/file")
        return self.bucket(bucket) / key.lstrip("/")

    def _upload(self, file: str | Path) -> str:
        """Copy a local file into a bucket, and return its path there."""
        if str(file).startswith(SCHEME):
            return str(file)
        target = f"{SCHEME}{_BUCKET}/{Path(file).name}"
        self.put(target, Path(file))
        return target

    def _job(self, job_id: str) -> Job:
        with closing(JobTable(self._server.data / "jobs.sqlite")) as table:
            job = table.get(job_id)
        assert job is not None  # noqa: S101  its record is kept longer than a test lasts
        return job

    def _run_of(self, job: Job) -> JobRun:
        logs = JobLogs(self._server.data / "jobs" / job.id)
        log = tuple(line.text for line in logs.lines(job.attempt)) if job.attempt is not None else ()
        failed = job.state is BatchState.DEAD
        reason = find_failure_reason((log or job.log)[-LINES_NEEDED:]).text if failed else None
        return JobRun(job.id, job.state, log, tuple(line.text for line in logs.lines(None)), reason)
