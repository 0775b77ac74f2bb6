"""The engine that runs each job as a `spark-submit` in client mode on this machine.

A job is `running` once it has a Spark context. The sign for it is the event log, which Spark opens then. The working
directory of a job contains its `files`, as in the cloud. It is removed after the end.

    DIR/jobs/<id>/driver-0.log      stdout and stderr of spark-submit and the job
    DIR/jobs/<id>/run-0/            the files of a running attempt; `work` is its working directory
    DIR/jobs/<id>/events-0/         the event log, which the History Server shows after the end
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.api.states import BatchState
from pulumi_dli.local.engines import Attempt, WebUi, supervisor
from pulumi_dli.local.engines.arguments import check_arguments
from pulumi_dli.local.engines.failure_hints import LINES_OF_END, LINES_OF_START, failure_hint
from pulumi_dli.local.engines.history_server import History, HistoryServer, keeps_event_log
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.engines.job_processes import end_job, end_marked
from pulumi_dli.local.engines.metastore import Metastore, MetastoreAccess
from pulumi_dli.local.engines.properties import hadoop_path, properties_file
from pulumi_dli.local.engines.spark_sizes import Share, fit_to_share, requested_sizes
from pulumi_dli.local.engines.spark_ui import SparkUi
from pulumi_dli.local.engines.supervisor import JOB_VARIABLE
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.private_files import make_private_dir, write_private
from pulumi_dli.local.replies import conf_texts
from pulumi_dli.local.threads import run_in_own_thread

DEFAULT_SLOTS = max((os.cpu_count() or 2) // 2, 1)
"""The default for the number of jobs that run at once."""

_POLL_INTERVAL = 0.1
_CLEAN_UP_TIMEOUT = 5.0
_LOCALE = "C.UTF-8"  # in another one, Java replaces characters of arguments and file names that it lacks by `?`
_MASTER_TIMEOUT = 10.0
_ONE_PROCESS = re.compile(r"local(\[.*\])?")

logger = logging.getLogger(__name__)


_NO_CLUSTER = {
    "spark.hadoop.yarn.resourcemanager.connect.max-wait.ms": "1",
    "spark.hadoop.yarn.resourcemanager.connect.retry-interval.ms": "1",
    "spark.hadoop.ipc.client.connect.max.retries": "0",
}
"""A program that sets the master `yarn` fails at once. Otherwise it would wait for ever for a cluster."""
_INHERITED = {
    *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "JAVA_TOOL_OPTIONS"),
}
"""The variables of the server that its jobs get. Others may be secrets of whoever started it."""


def unused_conf(requested: dict[str, str], used: dict[str, str]) -> list[str]:
    """Return the names in `conf` of a request whose values a job does not get, except sizes: another line tells those.

    Args:
        requested: The entries of the request's `conf`.
        used: The properties of the job.
    """
    sizes = requested_sizes(BatchRequest(file=""))
    changed = (name for name, value in requested.items() if used.get(name) != value and name not in sizes)
    return sorted({*changed, *(name for name in _OF_COMMAND if name in requested)})


_OF_COMMAND = ("spark.master", "spark.submit.deployMode")
"""What the command line of `spark-submit` sets. It goes before every property."""


class SparkEngine:
    """Runs each job as a `spark-submit` to `master`, as in `local[*]`."""

    default_slots: int | None = DEFAULT_SLOTS
    has_metadata = True

    def __init__(
        self, spark: Spark, store: ObjectStore, master: str, data: Path, *, slots: int | None = None, grace: float = 5.0
    ) -> None:
        """Run jobs that share the machine.

        Args:
            spark: The Spark that runs them.
            store: The buckets and packages.
            master: The Spark master.
            data: The data directory, for the metadata and the History Server.
            slots: The number of jobs that run at once.
            grace: The seconds that the processes of a job get to end before they are killed.
        """
        self.description = f"runs jobs with {spark.description}"
        self._spark = spark
        self._store = store
        self._metastore = Metastore(spark, data, store.hadoop_conf)
        self._master = master
        self._is_one_process = _ONE_PROCESS.fullmatch(master) is not None
        self._share = Share.of_machine(slots or DEFAULT_SLOTS)
        self._grace = grace
        self._uis: dict[str, SparkUi] = {}
        self._history_server = HistoryServer(spark.home, data / "history", self._environment("", data / "history"))

    def check(self, request: BatchRequest) -> None:
        """Refuse a request that names a missing file, or arguments that no process can get."""
        check_arguments(request)
        self._files(request)

    async def run(self, attempt: Attempt) -> BatchState:
        attempt.report(BatchState.STARTING)
        directory = attempt.logs.directory / f"run-{attempt.number}"
        try:
            failure = await self._run(attempt, directory)
        finally:
            await _finish_before_cancel(asyncio.ensure_future(self._clean_up(attempt, directory)))
        if failure is None:
            return BatchState.SUCCESS
        await run_in_own_thread(lambda: attempt.logs.write(attempt.number, failure))
        return BatchState.DEAD

    async def _clean_up(self, attempt: Attempt, directory: Path) -> None:
        """Remove the files of an attempt that has ended. If the disk hangs, this gives up after a while."""

        def remove() -> None:
            shutil.rmtree(directory, ignore_errors=True)
            if not keeps_event_log(conf_texts(attempt.request)) or not attempt.logs.event_log(attempt.number):
                shutil.rmtree(attempt.logs.events(attempt.number), ignore_errors=True)
            self._store.remove_checksums()

        try:
            async with asyncio.timeout(_CLEAN_UP_TIMEOUT):
                await run_in_own_thread(remove)
        except TimeoutError:
            logger.error("job %s: cannot remove its files: the disk does not answer", attempt.job_id)  # noqa: TRY400

    async def _run(self, attempt: Attempt, directory: Path) -> str | None:
        """Run a job. Return a line that says how it failed, or None if it succeeded."""
        events = attempt.logs.events(attempt.number)
        try:
            await _check_master(self._master)
            ui, process = await self._start(attempt, directory, events)
        except (OSError, ApiError) as error:
            return f"The local DLI could not start the job: {error}"

        async def has_context() -> None:
            if await asyncio.to_thread(_find_ui, ui, process.pid):
                self._uis[attempt.job_id] = ui
            attempt.report(BatchState.RUNNING)

        try:
            code = await _wait_for_exit(process, events, has_context)
        finally:  # a job that has ended may have left processes, too
            self._uis.pop(attempt.job_id, None)
            await _finish_before_cancel(asyncio.ensure_future(end_job(process, attempt.job_id, self._grace)))
        if not code:
            return None
        how = f"with exit code {code}" if code > 0 else f"by {signal.Signals(-code).name}"
        return await asyncio.to_thread(self._hint, attempt) or f"The job's process ended {how}."

    def _hint(self, attempt: Attempt) -> str | None:
        start = attempt.logs.page(attempt.number, 0, LINES_OF_START).lines
        end = attempt.logs.page(attempt.number, None, LINES_OF_END).lines
        return failure_hint(start, end, self._master)

    def web_ui(self, job_id: str) -> WebUi | None:
        """Return the Spark UI of a running job. Return None if there is none, or if the job switched it off."""
        return self._uis.get(job_id)

    def history(self, event_log: Path) -> WebUi:
        """Return the web pages about an event log."""
        return History(self._history_server, event_log)

    def close(self) -> None:
        self._history_server.close()
        self._metastore.close()

    async def kill_orphans(self, job_id: str) -> None:
        """End the processes of a job that a killed server left. Its supervisor ends them, so this mostly waits."""
        await end_marked(job_id, self._grace)

    async def _start(
        self, attempt: Attempt, directory: Path, events: Path
    ) -> tuple[SparkUi, asyncio.subprocess.Process]:
        """Start the process of an attempt. Raises OSError or ApiError."""
        ui = await run_in_own_thread(lambda: _make_directories(attempt, directory, events))
        metadata = await asyncio.to_thread(self._metastore.access, attempt.request, directory)
        command = await run_in_own_thread(lambda: self._prepare(attempt, directory, events, ui, metadata))
        log = await run_in_own_thread(lambda: os.fdopen(attempt.logs.open_driver(attempt.number), "ab"))
        with log:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=directory / "work",
                env=self._environment(attempt.job_id, directory) | metadata.variables,
                stdin=subprocess.PIPE,  # it ends with this process
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return ui, process

    def _prepare(
        self, attempt: Attempt, directory: Path, events: Path, ui: SparkUi, metadata: MetastoreAccess
    ) -> list[str | bytes]:
        """Write the files of an attempt, and return its command. Raises OSError or ApiError."""
        files = self._files(attempt.request)
        for file in files["files"]:  # if two have the same name, the last one wins, as in Spark
            shutil.copyfile(file, directory / "work" / file.name)
        used = self._properties(attempt, events, metadata.defaults) | ui.properties() | metadata.properties
        used.pop("spark.ui.proxyBase", None)  # it would override the path that comes with each request
        # By default Hive writes to /tmp/hive, which belongs to the first user of the machine who uses it.
        used["spark.hadoop.hive.exec.scratchdir"] = hadoop_path(directory / "hive")
        properties = directory / "spark.properties"
        write_private(properties, properties_file(used))
        if unused := unused_conf(conf_texts(attempt.request), used):
            attempt.logs.write(None, f"Not used, because the local DLI sets them itself: {', '.join(unused)}.")
        return self._command(attempt.request, files, properties)

    def _files(self, request: BatchRequest) -> dict[str, list[Path]]:
        """Find the files of a job, by parameter. Packages in `resources` and `groups` count by their type."""
        named = {
            "file": [request.file.strip()],
            "jars": request.jars,
            "pyFiles": request.py_files,
            "files": request.files,
        }
        find = self._store.find
        found = {parameter: [find(parameter, name) for name in names or []] for parameter, names in named.items()}
        for parameter, name, kind in _packages(request):
            place = {"jar": "jars", "pyfile": "pyFiles"}.get((kind or "").lower(), "files")
            found[place].append(find(parameter, name or ""))
        return found

    def _command(self, request: BatchRequest, files: dict[str, list[Path]], properties: Path) -> list[str | bytes]:
        lists = {"--jars": "jars", "--py-files": "pyFiles", "--files": "files"}
        main_class = (request.class_name or "").strip()
        options = {option: ",".join(map(str, files[name])) for option, name in lists.items() if files[name]}
        return [
            *(sys.executable, "-I", supervisor.__file__, str(self._grace)),
            *self._spark.submit,
            *("--master", self._master, "--deploy-mode", "client", "--properties-file", str(properties)),
            *(part for option in options.items() for part in option),
            *(("--class", main_class.encode()) if main_class else ()),
            str(files["file"][0]),
            *(argument.encode() for argument in request.args or []),  # in UTF-8, whatever the locale of the server
        ]

    def _properties(self, attempt: Attempt, events: Path, defaults: dict[str, str]) -> dict[str, str]:
        """Return the job's Spark configuration. What ties the job to this machine overrides what the job asks for."""
        request = attempt.request
        name = {"spark.app.name": request.name or attempt.job_id}
        # Spark ends a frame of zstd at each flush, so the fast level 1 finds little to save.
        compressed = {"spark.eventLog.compress": "true", "spark.io.compression.zstd.level": "6"}
        requested = compressed | name | requested_sizes(request) | defaults | conf_texts(request)
        changed, lines = fit_to_share(requested, self._share, on_cluster=not self._is_one_process)
        properties = requested | changed
        attempt.logs.write(None, *lines, self._submission_line(properties))
        return {
            **properties,
            **{f"spark.hadoop.{key}": value for key, value in self._store.hadoop_conf().items()},
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.rolling.enabled": "false",
            **_NO_CLUSTER,
            "spark.executorEnv.LC_ALL": _LOCALE,
            # Without a secret every user of this machine could send commands to the driver.
            **({"spark.authenticate": "true"} if self._is_one_process else {}),
        }

    def _submission_line(self, conf: dict[str, str]) -> str:
        if self._is_one_process:
            how = f"driver and executors are one process with {conf['spark.driver.memory']} of memory"
        else:
            number, cores, memory = (conf[f"spark.executor.{name}"] for name in ("instances", "cores", "memory"))
            how = f"executors: {number}, cores of each: {cores}, memory of each: {memory}"
        return f"Submitted to {self._master}: {how}."

    def _environment(self, job_id: str, directory: Path) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if key.upper() in _INHERITED}
        return {
            **inherited,
            **self._spark.variables,
            JOB_VARIABLE: job_id,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(directory / "local"),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "LC_ALL": _LOCALE,
            "PYTHONUNBUFFERED": "1",  # the log shows output while the job runs
        }


def _make_directories(attempt: Attempt, directory: Path, events: Path) -> SparkUi:
    """Make the directories of an attempt, and the certificate of its UI. Raises OSError."""
    make_private_dir(directory / "work")
    make_private_dir(events)
    return SparkUi(directory)


def _packages(request: BatchRequest) -> Iterator[tuple[str, str | None, str | None]]:
    """Return the packages in `resources` and `groups`: the parameter, the name and the type of each."""
    for resource in request.resources or []:
        yield "resources", resource.name, resource.type
    for group in request.groups or []:
        for resource in group.resources or []:
            yield "groups", f"{group.name}/{resource.name}", resource.type


async def _check_master(master: str) -> None:
    """Check that a standalone master answers, because Spark would try for a minute. Raises OSError."""
    addresses = re.findall(r"([^/,]+):(\d{1,5})(?=,|$)", master.removeprefix("spark://"))
    if not master.startswith("spark://") or not addresses:
        return
    for host, port in addresses:
        try:
            async with asyncio.timeout(_MASTER_TIMEOUT):
                _, writer = await asyncio.open_connection(host, port)
        except OSError as error:  # also a timeout
            problem = str(error) or "no answer"
        else:
            writer.close()
            return
    raise ConnectionError(f"the master {master} does not answer: {problem}")


async def _wait_for_exit(
    process: asyncio.subprocess.Process, events: Path, has_context: Callable[[], Awaitable[None]]
) -> int:
    """Wait for the end of a job and return its exit code. Call `has_context` when its event log appears."""
    end = asyncio.ensure_future(process.wait())
    while not end.done() and not any(events.iterdir()):
        await asyncio.wait([end], timeout=_POLL_INTERVAL)
    if any(events.iterdir()):
        await has_context()
    return await end


async def _finish_before_cancel(work: asyncio.Future[Any]) -> None:
    """Finish this work even if the task is cancelled meanwhile. Then raise the CancelledError."""
    cancelled = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    await work


def _find_ui(ui: SparkUi, supervisor_id: int) -> bool:
    """Find the UI of the driver, which the supervisor has started."""
    try:
        started = psutil.Process(supervisor_id).children()
    except psutil.Error:  # the job has ended
        return False
    return any(ui.find(process.pid) for process in started)
