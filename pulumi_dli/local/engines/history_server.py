"""Spark's History Server: it shows the event logs of attempts that have ended, as the Spark UI shows running ones.

It reads only the logs that somebody has asked for, through links in its own directory. It starts with the first
request, and ends with the local DLI or when nobody has asked for a while. It is as protected as a job's Spark UI.

    DIR/history/logs/       links to the event logs
    DIR/history/server.log  what it logs

Its settings are those of "Monitoring and Instrumentation" of the documentation of Spark 3.5.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from pulumi_dli.local.engines import WebReply
from pulumi_dli.local.engines.properties import hadoop_path, properties_file
from pulumi_dli.local.engines.spark_ui import SparkUi
from pulumi_dli.local.private_files import make_private_dir, open_private, write_private

IDLE_TIMEOUT = 600.0
"""The seconds without a request after which the server ends. Its next start takes some seconds."""

_CLASS = "org.apache.spark.deploy.history.HistoryServer"
_MODULE = "historyServer"
_START_TIMEOUT = 60.0
_READ_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0
_INTERVAL = 0.1
_VARIABLES = {
    "SPARK_NO_DAEMONIZE": "1",
    "SPARK_DAEMON_MEMORY": "1g",
    "SPARK_DAEMON_JAVA_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",  # a small process that starts quickly
}
_TIED_TO_INPUT = """
exec 3<&0
"$@" 3<&- &
server=$!
{ read -r _ <&3; kill "$server"; } &
wait "$server"
kill "$!"
"""
"""Runs a command until it ends or standard input ends. So it ends with the local DLI, even if that is killed."""


class HistoryServer:
    """The History Server of one data directory. Any thread may call any method.

    Args:
        home: The Spark installation.
        directory: The directory of the server, which it removes and makes anew.
        environment: The environment of the process.
        idle_timeout: The seconds without a request after which the process ends.
    """

    def __init__(
        self, home: Path, directory: Path, environment: Mapping[str, str], idle_timeout: float = IDLE_TIMEOUT
    ) -> None:
        self._command = [str(home / "bin" / "spark-class"), _CLASS, "--properties-file"]
        self._directory = directory
        self._environment = {**environment, **_VARIABLES}
        self._idle_timeout = idle_timeout
        self._lock = threading.Lock()
        self._ui: SparkUi | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._idle_timer: threading.Timer | None = None
        self._shown: set[str] = set()
        self._is_closed = False

    def get(self, event_log: Path, path: str, target: str) -> WebReply:
        """Get a page about an event log, and wait for the answer. Start the server if it does not run.

        Args:
            event_log: The event log.
            path: The path under which the page shows it.
            target: The path of the page below `path`, with its query.

        Raises OSError if there is no answer.
        """
        application = application_of(event_log)
        ui = self._ui_with(event_log, application, path)
        if target.partition("?")[0] == "/":
            return WebReply(302, None, f"{path}/history/{application}/jobs/", b"")
        return ui.get(target, path)

    def close(self) -> None:
        """End the server for good."""
        self._is_closed = True  # a start that goes on now gives up
        with self._lock:
            self._stop()

    def _ui_with(self, event_log: Path, application: str, path: str) -> SparkUi:
        """Return the server's UI when it shows this event log. Raises OSError."""
        with self._lock:
            if self._is_closed:
                raise OSError("the local DLI stops")
            link = self._directory / "logs" / event_log.name
            is_of_other_job = link.is_symlink() and link.readlink() != event_log
            if self._ui is None or is_of_other_job or not self._runs():
                self._stop()
                self._ui = self._start()
            if not link.is_symlink():
                link.symlink_to(event_log)
            self._restart_idle_timer()
            ui = self._ui
        self._wait_until_read(ui, application, path)
        return ui

    def _start(self) -> SparkUi:
        shutil.rmtree(self._directory, ignore_errors=True)
        logs = make_private_dir(self._directory / "logs")
        ui = SparkUi(self._directory, module=_MODULE)
        properties = self._directory / "spark.properties"
        write_private(properties, properties_file(ui.ssl_properties() | _history_properties(logs)))
        log = open_private(self._directory / "server.log", os.O_WRONLY | os.O_APPEND)
        try:
            self._process = subprocess.Popen(
                ["sh", "-c", _TIED_TO_INPUT, "sh", *self._command, str(properties)],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)
        deadline = time.monotonic() + _START_TIMEOUT
        while not any(ui.find(java.pid) for java in self._java()):
            if not self._runs() or self._is_closed or time.monotonic() > deadline:
                self._stop()
                raise OSError(f"the History Server did not start; see {self._directory / 'server.log'}")
            time.sleep(_INTERVAL)
        return ui

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _java(self) -> Iterator[psutil.Process]:
        """Yield the processes of the server, without the shell that ties them to this process."""
        if self._process is not None:
            with suppress(psutil.Error):
                children = psutil.Process(self._process.pid).children(recursive=True)
                yield from (child for child in children if child.status() != psutil.STATUS_ZOMBIE)

    def _stop(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._process is not None:
            assert self._process.stdin is not None  # noqa: S101  it is a pipe
            self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_TIMEOUT)
            with suppress(ProcessLookupError):  # it has ended, with all of its session
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = self._ui = self._idle_timer = None
        self._shown.clear()
        shutil.rmtree(self._directory / "logs", ignore_errors=True)

    def _restart_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = threading.Timer(self._idle_timeout, self._stop_if_idle)
        self._idle_timer.daemon = True
        self._idle_timer.start()

    def _stop_if_idle(self) -> None:
        with self._lock:
            if self._idle_timer is threading.current_thread():  # otherwise a request has come meanwhile
                self._stop()

    def _wait_until_read(self, ui: SparkUi, application: str, path: str) -> None:
        """Wait until the server has read an event log. It looks for new ones every second."""
        if application in self._shown:
            return
        deadline = time.monotonic() + _READ_TIMEOUT
        while ui.get(f"/api/v1/applications/{application}", path).status != 200:
            if time.monotonic() > deadline:
                raise OSError(f"the History Server does not show {application}")
            time.sleep(_INTERVAL)
        self._shown.add(application)


@dataclass(frozen=True)
class History:
    """The web pages about one event log."""

    server: HistoryServer
    event_log: Path

    def get(self, target: str, path: str) -> WebReply:
        return self.server.get(self.event_log, path, target)


def keeps_event_log(conf: Mapping[str, str]) -> bool:
    """Return whether the event log of a job stays after its end. A job that switches it off has one while it runs."""
    return conf.get("spark.eventLog.enabled", "").strip().lower() != "false"


def application_of(event_log: Path) -> str:
    """Return the id of the application whose event log this is. The file's name has it, without any dot."""
    return event_log.name.partition(".")[0]


def _history_properties(logs: Path) -> dict[str, str]:
    return {
        "spark.history.fs.logDirectory": hadoop_path(logs),
        "spark.history.fs.update.interval": "1s",
        "spark.history.ui.port": "0",  # this port only redirects to the TLS port
        "spark.history.retainedApplications": "5",
        "spark.ui.proxyRedirectUri": "/",
    }
