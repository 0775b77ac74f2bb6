"""The metastore of DLI's metadata: shared by jobs, kept over restarts, closed to everybody who has no token."""

import base64
import hashlib
import os
import re
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.engines.hadoop_token import Token
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.engines.metastore import NO_ACCESS, Metastore, MetastoreAccess, MetastoreError
from pulumi_dli.local.engines.spark_paths import UNUSABLE_FOR_TABLES
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api, eventually
from tests.local.serving import USABLE_FOR_TABLES, serving

METADATA = BatchRequest(file="obs://b/a.py", catalog_name="dli")
NO_METADATA = BatchRequest(file="obs://b/a.py")


@contextmanager
def closing(metastore: Metastore) -> Iterator[Metastore]:
    try:
        yield metastore
    finally:
        metastore.close()


def processes_in(data: Path) -> list[psutil.Process]:
    """Give the metastores of a data directory that run."""
    found = []
    for process in psutil.process_iter():
        try:
            if f"-Djava.io.tmpdir={data}/metastore/tmp" in process.cmdline() and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_job_that_uses_no_metadata_starts_nothing(tmp_path: Path) -> None:
    with closing(Metastore(Spark(tmp_path, tmp_path, ()), tmp_path, dict)) as metastore:
        assert metastore.access(NO_METADATA, tmp_path) == NO_ACCESS
    assert list(tmp_path.iterdir()) == []


def fake_java(tmp_path: Path, script: str) -> Spark:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    return Spark(tmp_path / "spark", java.parents[1], ())


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense", "echo 1; echo secret; cat"])
def test_a_metastore_that_does_not_start_is_an_error_that_names_its_log(tmp_path: Path, script: str) -> None:
    with closing(Metastore(fake_java(tmp_path, script), tmp_path, dict)) as metastore:
        for _ in range(2):  # the lock is free again
            with pytest.raises(
                MetastoreError, match=rf"^the metastore does not start: .*{tmp_path}/metastore/service\.log"
            ):
                metastore.access(METADATA, tmp_path)


def test_one_that_cannot_be_started_at_all_is_an_error(tmp_path: Path) -> None:
    metastore = Metastore(Spark(tmp_path, tmp_path / "nothing", ()), tmp_path, dict)
    with pytest.raises(MetastoreError, match=r"^the metastore cannot be started: \[Errno 2\]"):
        metastore.access(METADATA, tmp_path)


@pytest.mark.parametrize("character", UNUSABLE_FOR_TABLES)
def test_a_directory_where_tables_cannot_be_is_an_error_that_says_what_to_do(tmp_path: Path, character: str) -> None:
    data = tmp_path / f"a{character}b"
    metastore = Metastore(Spark(tmp_path, tmp_path, ()), data, dict)
    assert metastore.access(NO_METADATA, tmp_path) == NO_ACCESS
    problem = f"DLI's metadata cannot use the path {data} of the data directory, because it has the character"
    with pytest.raises(MetastoreError, match=re.escape(f"{problem} `{character}`. Choose a data directory")):
        metastore.access(METADATA, tmp_path)
    assert not data.exists()


def test_the_process_gets_no_variable_of_whoever_started_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "swordfish")
    metastore = Metastore(fake_java(tmp_path, "env >&2"), tmp_path, dict)
    with pytest.raises(MetastoreError):
        metastore.access(METADATA, tmp_path)
    log = tmp_path / "metastore" / "service.log"
    assert "SPARK_HOME=" in log.read_text()
    assert "DEPLOY_TOKEN" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


START, OK, BAD, ERROR, COMPLETE = 1, 2, 3, 4, 5


def sign_in(port: int, user: str, password: str) -> int:
    """Sign in as Thrift's SASL client does with DIGEST-MD5 (RFC 2831), and give the status that the server answers."""

    def digest(*parts: bytes) -> bytes:
        return hashlib.md5(b":".join(parts)).digest()  # noqa: S324  the protocol's

    with socket.create_connection(("127.0.0.1", port), 60) as connection, connection.makefile("rb") as reader:

        def send(status: int, payload: bytes) -> None:
            connection.sendall(struct.pack(">BI", status, len(payload)) + payload)

        def receive() -> tuple[int, bytes]:
            status, size = struct.unpack(">BI", reader.read(5))
            return status, reader.read(size)

        send(START, b"DIGEST-MD5")
        send(OK, b"")
        status, challenge = receive()
        assert status == OK
        fields = dict(part.split("=", 1) for part in challenge.decode().split(",") if "=" in part)
        nonce, client_nonce, uri = fields["nonce"].strip('"').encode(), b"client", b"null/default"
        secret = digest(user.encode(), b"default", password.encode())
        first = digest(secret, nonce, client_nonce).hex().encode()
        second = digest(b"AUTHENTICATE", uri).hex().encode()
        response = digest(first, nonce, b"00000001", client_nonce, b"auth", second).hex()
        send(
            OK,
            f'charset=utf-8,username="{user}",realm="default",nonce="{nonce.decode()}",nc=00000001,cnonce="client",'
            f'digest-uri="null/default",maxbuf=65536,response={response},qop=auth'.encode(),
        )
        return receive()[0]


def call_without_signing_in(port: int) -> bytes:
    """Ask for all databases as a Thrift client without SASL does, and give what is answered."""
    call = b"\x80\x01\x00\x01" + struct.pack(">I", 17) + b"get_all_databases" + struct.pack(">IB", 1, 0)
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(call)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while more := connection.recv(4096):
            answer += more
        return answer


def port_of(access: MetastoreAccess) -> int:
    return int(access.properties["spark.hadoop.hive.metastore.uris"].rpartition(":")[2])


@pytest.mark.slow
def test_it_listens_on_this_machine_only_and_lets_in_nobody_without_the_token(tmp_path: Path) -> None:
    with closing(Metastore(Spark.find(), tmp_path, dict)) as metastore:
        access = metastore.access(METADATA, tmp_path)
        [process] = processes_in(tmp_path)
        listening = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
        port = port_of(access)
        assert port in {address.port for address in listening}

        file = Path(access.variables["HADOOP_TOKEN_FILE_LOCATION"])
        assert file.stat().st_mode & 0o777 == 0o600
        password = base64.b64encode(file.read_bytes().partition(b"pulumi-dli-jobs\x40")[2][:64]).decode()
        user = Token(b"pulumi-dli-jobs", b"", "").user_name
        assert sign_in(port, user, password) == COMPLETE
        assert sign_in(port, user, password[::-1]) in (BAD, ERROR)
        assert sign_in(port, "cm9vdA==", password[::-1]) in (BAD, ERROR)
        assert b"default" not in call_without_signing_in(port)

        assert password not in " ".join(process.cmdline())
        left = [path for path in tmp_path.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
        assert left == []
        open_to_others = [path for path in (tmp_path / "metastore").iterdir() if path.stat().st_mode & 0o077]
        assert [path.name for path in open_to_others] in ([], ["db"])  # within a directory that is closed
        assert (tmp_path / "metastore").stat().st_mode & 0o777 == 0o700

        process.kill()
        process.wait(60)
        assert port_of(metastore.access(METADATA, tmp_path)) in range(1, 65536)
    assert processes_in(tmp_path) == []


TABLES = """
import sys, time
from pathlib import Path
from pyspark.sql import SparkSession

mine, other, signals = sys.argv[1], sys.argv[2], Path(sys.argv[3])
spark = SparkSession.builder.appName("tables").getOrCreate()
spark.sql(f"CREATE DATABASE IF NOT EXISTS {mine}")
spark.sql(f"CREATE TABLE {mine}.t (id INT, name STRING) USING parquet")
spark.sql(f"INSERT INTO {mine}.t VALUES (1, '{mine}')")
(signals / mine).touch()
while not (signals / other).exists():
    time.sleep(0.1)
print("rows:", spark.table(f"{other}.t").collect())
"""
IN_BUCKET = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sql("CREATE DATABASE three")
spark.sql("CREATE TABLE three.t USING parquet AS SELECT 1 AS id, 'three' AS name")
"""
READ = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.enableHiveSupport().getOrCreate()
for name in ("one", "two", "three"):
    print("rows:", spark.table(f"{name}.t").collect())
"""


def submit(api: Api, file: str, *args: str, **body: Any) -> str:
    return str(api.create(file=f"obs://demo/{file}", args=[*args], **body)["id"])


def log_of(api: Api, job_id: str) -> list[str]:
    state = api.wait(job_id, "success", "dead")
    log = api.lines(job_id, type="driver", size=1000)
    assert state == "success", "\n".join(log)
    return log


@pytest.mark.slow
def test_jobs_that_run_at_once_share_tables_which_outlive_jobs_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    data, signals = tmp_path / USABLE_FOR_TABLES, tmp_path / "signals"
    signals.mkdir()
    with LocalDli(data, master="local[1]", slots=2) as dli:
        api, bucket = Api(dli.credentials), dli.bucket("demo")
        (bucket / "tables.py").write_text(TABLES)
        (bucket / "read.py").write_text(READ)
        one = submit(api, "tables.py", "one", "two", str(signals), catalog_name="dli")
        eventually((signals / "one").exists, bool)
        two = submit(api, "tables.py", "two", "one", str(signals), conf={"spark.dli.metaAccess.enable": True})
        assert "rows: [Row(id=1, name='two')]" in log_of(api, one)
        assert "rows: [Row(id=1, name='one')]" in log_of(api, two)
        assert list((data / "warehouse" / "one.db" / "t").glob("part-*.parquet"))

        dli.bucket("later")  # the metastore runs already
        (bucket / "in_bucket.py").write_text(IN_BUCKET)
        conf = {"spark.sql.warehouse.dir": "obs://later/tables"}
        log_of(api, submit(api, "in_bucket.py", catalog_name="dli", conf=conf))
        assert list((data / "obs" / "later" / "tables" / "three.db" / "t").glob("part-*.parquet"))
        assert not [line for line in api.lines(one, type="submit") if "without effect" in line]
    assert processes_in(data) == []

    with serving(data, "--master", "local[1]", engine="spark") as (process, _):
        api = Api(Credentials.load(data))
        rows = [line for line in log_of(api, submit(api, "read.py", catalog_name="dli")) if line.startswith("rows:")]
        assert rows == [f"rows: [Row(id=1, name='{name}')]" for name in ("one", "two", "three")]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
        eventually(lambda: processes_in(data), lambda found: found == [])
