"""DLI's metadata: one Hive metastore for all jobs, also for those that run at once.

    DIR/metastore/db           the database (Derby), which only one process can use
    DIR/metastore/service.log  what the process logs
    DIR/warehouse              the files of tables that have no location of their own

It is a Java process with the classes of pyspark. The first job that needs it starts it, and it ends with the server.

Hive's own server would listen at every address of the machine and let everybody in. This one listens at 127.0.0.1 only,
and every client must prove that it knows a password (SASL with DIGEST-MD5). Jobs get it as a Hadoop token in a file
that only their user can read. So the parts of the server are put together here, through Py4J.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.engines.hadoop_token import Token
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.engines.properties import hadoop_path
from pulumi_dli.local.engines.spark_paths import check_path_for_tables
from pulumi_dli.local.private_files import make_private_dir, open_private, write_private
from pulumi_dli.local.submissions import uses_metadata

_SERVICE = "metastore"
_IDENTIFIER = b"pulumi-dli-jobs"  # Java's format of users allows letters and digits only; base64 makes these of it
_MECHANISM = "DIGEST-MD5"
_REALM = "default"
"""The realm that Hive's client names (`SaslRpcServer.SASL_DEFAULT_REALM` of Hadoop 3.3)."""
_LOCK_TIMEOUT = 30.0
_LOCK_INTERVAL = 0.1
_STOP_TIMEOUT = 10.0
_MEMORY = "-Xmx256m"
_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = stderr
appender.console.type = Console
appender.console.name = stderr
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
"""


class MetastoreError(OSError):
    """The metastore does not run. `str(error)` says why."""


@dataclass(frozen=True)
class MetastoreAccess:
    """What a job needs to use the metastore.

    `defaults` are Spark properties that the job may override, `properties` are those that it may not. `variables` are
    environment variables.
    """

    defaults: dict[str, str]
    properties: dict[str, str]
    variables: dict[str, str]


NO_ACCESS = MetastoreAccess({}, {}, {})


class Metastore:
    """The metastore of one data directory. All methods may be called from any thread.

    Args:
        spark: The Spark whose classes it uses.
        data: The data directory of the local DLI.
        hadoop_conf: Returns the Hadoop properties with which `obs://` works, for the buckets that exist now.
    """

    def __init__(self, spark: Spark, data: Path, hadoop_conf: Callable[[], Mapping[str, str]]) -> None:
        self._spark = spark
        self._data = data
        self._directory = data / "metastore"
        self._warehouse = data / "warehouse"
        self._hadoop_conf = hadoop_conf
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._service: _Service | None = None
        self._is_closed = False

    def access(self, request: BatchRequest, directory: Path) -> MetastoreAccess:
        """Return what a job needs, and start the metastore if it does not run. Raises MetastoreError.

        Args:
            request: The job's request. If it does not use metadata, the job needs nothing.
            directory: The job's private directory.
        """
        if not uses_metadata(request):
            return NO_ACCESS
        try:
            check_path_for_tables(self._data)
        except ValueError as error:
            raise MetastoreError(str(error)) from error
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                _end(self._process)  # it has ended by itself; close its pipes
                self._process = None
            if self._service is None or self._process is None:
                self._service = self._start()
            service = self._service
        service.configure(self._hadoop_conf())
        token_file = directory / "metastore.token"
        write_private(token_file, service.token.file_content())
        hive = {
            "metastore.uris": f"thrift://127.0.0.1:{service.port}",
            "metastore.sasl.enabled": "true",
            "metastore.token.signature": _SERVICE,
        }
        return MetastoreAccess(
            {"spark.sql.warehouse.dir": hadoop_path(self._warehouse)},
            {"spark.sql.catalogImplementation": "hive"} | {f"spark.hadoop.hive.{key}": hive[key] for key in hive},
            {"HADOOP_TOKEN_FILE_LOCATION": str(token_file)},
        )

    def close(self) -> None:
        """End the process for good, also one that starts just now."""
        self._is_closed = True
        if (process := self._process) is not None:
            _end(process)

    def _start(self) -> _Service:
        try:
            make_private_dir(self._warehouse)
            temporary = make_private_dir(self._directory) / "tmp"
            lock = _wait_for_lock(self._directory / "lock")
            try:
                shutil.rmtree(temporary, ignore_errors=True)
                make_private_dir(temporary)
                process = self._process = self._start_process(temporary, lock)
            finally:
                os.close(lock)  # the process holds it as long as it lives
        except OSError as error:
            raise MetastoreError(f"the metastore cannot be started: {error}") from error
        try:
            service = _Service(process, temporary, self._hive_conf())
        except MetastoreError as error:
            _end(process)
            raise MetastoreError(f"{error}. Its log is {self._directory / 'service.log'}") from error
        if self._is_closed:
            _end(process)
            raise MetastoreError("the local DLI stops")
        return service

    def _start_process(self, temporary: Path, lock: int) -> subprocess.Popen[str]:
        log_conf = temporary / "log4j2.properties"
        write_private(log_conf, _LOGGING)
        options = {
            "java.io.tmpdir": str(temporary),
            "derby.stream.error.file": str(temporary / "derby.log"),
            "log4j2.configurationFile": log_conf.as_uri(),
        }
        command = [
            self._spark.java,
            *(_MEMORY, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *(f"-D{name}={value}" for name, value in options.items()),
            *("-cp", str(self._spark.home / "jars" / "*"), "py4j.GatewayServer"),
            *("--die-on-broken-pipe", "--enable-auth", "0"),  # it ends when this process ends
        ]
        log = open_private(self._directory / "service.log", os.O_WRONLY | os.O_APPEND)
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=temporary,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"} | self._spark.variables,
                pass_fds=[lock],
                start_new_session=True,  # ^C must not end it before the jobs
            )
        finally:
            os.close(log)

    def _hive_conf(self) -> dict[str, str]:
        return {
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:{self._directory / 'db'};create=true",
            "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
            "datanucleus.schema.autoCreateAll": "true",
            "hive.metastore.schema.verification": "false",
            "hive.metastore.warehouse.dir": hadoop_path(self._warehouse),
            "hive.hmshandler.retry.attempts": "1",  # 0 would mean that it does not even try
        }


class _Service:
    """A metastore that lets in everybody who knows the password of `token`. It runs inside a Java process.

    The process is `py4j.GatewayServer`, which lets this process make and call its objects.
    """

    def __init__(self, process: subprocess.Popen[str], directory: Path, conf: Mapping[str, str]) -> None:
        """Start the service. Raises MetastoreError."""
        from py4j.protocol import Py4JError, Py4JNetworkError  # noqa: PLC0415  it comes with pyspark

        self.token = Token(_IDENTIFIER, secrets.token_hex(32).encode(), _SERVICE)
        try:
            self._java = _connect(process)
            self._conf = self._java.org.apache.hadoop.hive.conf.HiveConf()
            self.configure(conf)
            self.port: int = self._serve(directory)
        except (Py4JError, Py4JNetworkError, OSError, ValueError) as error:
            problem = str(getattr(error, "java_exception", None) or error).partition("\n")[0]
            raise MetastoreError(f"the metastore does not start: {problem}") from error

    def configure(self, conf: Mapping[str, str]) -> None:
        """Set Hadoop properties, also while the service runs."""
        for key, value in conf.items():
            self._conf.set(key, value)

    def _serve(self, directory: Path) -> int:
        """Let the service answer at 127.0.0.1, and return its port."""
        java = self._java
        metastore = java.org.apache.hadoop.hive.metastore
        handler = metastore.HiveMetaStore.HMSHandler("local DLI", self._conf, False)
        processor = metastore.TSetIpAddressProcessor(
            metastore.HiveMetaStore.newRetryingHMSHandler(handler, self._conf, False)
        )
        socket = java.java.net.ServerSocket()
        socket.bind(java.java.net.InetSocketAddress("127.0.0.1", 0))
        thrift = java.org.apache.thrift
        arguments = (
            thrift.server.TThreadPoolServer.Args(thrift.transport.TServerSocket(socket))
            .processor(processor)
            .transportFactory(self._authentication(directory))
            .protocolFactory(thrift.protocol.TBinaryProtocol.Factory())
        )
        server = thrift.server.TThreadPoolServer(arguments)
        runnable = java.java.lang.Class.forName("java.lang.Runnable")
        thread = java.java.lang.Thread(java.java.beans.EventHandler.create(runnable, server, "serve"))
        thread.start()
        return int(socket.getLocalPort())

    def _authentication(self, directory: Path) -> Any:
        """Return the transport that lets in only clients with the token."""
        java = self._java
        users = directory / "users.conf"
        login = "org.apache.zookeeper.server.auth.DigestLoginModule"
        users_conf = f'Server {{ {login} required user_{self.token.user_name}="{self.token.user_password}"; }};\n'
        write_private(users, users_conf)
        java.System.setProperty("java.security.auth.login.config", str(users))
        known = java.javax.security.auth.login.Configuration.getConfiguration()
        handler = java.org.apache.zookeeper.server.auth.SaslServerCallbackHandler(known)
        users.unlink()
        transport = java.org.apache.thrift.transport.TSaslServerTransport.Factory()
        transport.addServerDefinition(_MECHANISM, None, _REALM, java.java.util.HashMap(), handler)
        return transport


def _connect(process: subprocess.Popen[str]) -> Any:
    """Return the Java process as Py4J shows it. Raises OSError or ValueError if it has ended."""
    from py4j.java_gateway import GatewayParameters, JavaGateway  # noqa: PLC0415

    assert process.stdout is not None  # noqa: S101
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it reports the end of the process with tracebacks
    port, secret = int(process.stdout.readline()), process.stdout.readline().strip()
    return JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=secret)).jvm


def _wait_for_lock(path: Path) -> int:
    """Lock a file, and return the descriptor. The process of a killed server may need a moment to end.

    Raises OSError.
    """
    lock = open_private(path, os.O_RDWR)
    deadline = time.monotonic() + _LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise
            time.sleep(_LOCK_INTERVAL)
        else:
            return lock


def _end(process: subprocess.Popen[str]) -> None:
    """End a process: it stops at the end of its input."""
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    process.stdin.close()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
