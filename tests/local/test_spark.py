import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_dli.api.models import BatchRequest
from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.engines import Attempt
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.engines.properties import properties_file
from pulumi_dli.local.engines.spark import SparkEngine
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.obs import ObjectStore
from pulumi_dli.local.replies import conf_text
from pulumi_dli.local.server import LocalDli
from pulumi_dli.spark_logs.failure_reason import find_failure_reason
from tests.local.api import Api, eventually
from tests.local.serving import USABLE_BY_SPARK, serving

JOB_VARIABLE = "PULUMI_DLI_LOCAL_JOB"


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """A locale without Unicode, which must not matter; and Java's quick compiler alone, which starts Spark faster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C")
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        yield


@pytest.fixture(scope="module")
def dli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDli]:
    """A local DLI with real Spark, in a directory whose name has every character that Spark can use."""
    with LocalDli(tmp_path_factory.mktemp("spark") / USABLE_BY_SPARK, master="local[2]") as running:
        yield running


@pytest.fixture(scope="module")
def api(dli: LocalDli) -> Api:
    return Api(dli.credentials)


@pytest.fixture(scope="module")
def bucket(dli: LocalDli) -> Path:
    return dli.bucket("demo")


def run(api: Api, end: str, **body: Any) -> list[str]:
    """Run a job to its end, and give its driver log."""
    job_id = api.create(**body)["id"]
    state = api.wait(job_id, "success", "dead")
    log = api.lines(job_id, type="driver", size=1000)
    assert state == end, "\n".join(log)
    return log


def report_in(log: list[str]) -> dict[str, Any]:
    [line] = [line for line in log if line.startswith("report ")]
    report: dict[str, Any] = json.loads(line.removeprefix("report "))
    return report


WORDCOUNT = """
import json, sys
import pyspark
from pyspark.sql import SparkSession
from words import folded

spark = SparkSession.builder.getOrCreate()
source, target = sys.argv[1:3]
counts = spark.read.text(source).rdd.flatMap(lambda row: row.value.split()).map(folded).countByValue()
spark.createDataFrame(sorted(counts.items()), ["word", "count"]).coalesce(1).write.json(target)
print("report", json.dumps({
    "args": sys.argv[3:],
    "conf": dict(spark.sparkContext.getConf().getAll()),
    "heap": spark._jvm.java.lang.Runtime.getRuntime().maxMemory(),
    "shipped": open(pyspark.SparkFiles.get("table ü.csv"), encoding="utf-8").read(),
    "beside": open("table ü.csv", encoding="utf-8").read(),
}))
"""
ARGS = [
    "",
    " ",
    "two words",
    'a "quoted" one',
    "it's",
    "$HOME `id` \\ %d *",
    "Ünï ✓ 🎉",
    "--conf",
    "a=b",
    "new\nline",
    "carriage\rreturn\r\n",
    "",
]
CONF = {
    "spark.test.equals": "a = b : c",
    "spark.test.odd": 'back\\slash "quotes" #hash !bang $x',
    "spark.test.unicode": "Ünï ✓ 🎉",
    "spark.test.lines": "one\ntwo\tthree",
    "spark.test.key with = and : and ü": "x",
}
UNTOUCHABLE = {
    "spark.master": "local[7]",
    "spark.submit.deployMode": "cluster",
    "spark.hadoop.fs.obs.impl": "org.example.Elsewhere",
    "spark.ui.enabled": False,
    "spark.ssl.ui.needClientAuth": False,
    "spark.authenticate": False,
    "spark.driver.bindAddress": "192.0.2.1",
}
WITHOUT_EFFECT = {"modules": ["sys.datasource.hbase"], "catalog_name": "hive"}
PRIORITY = {"spark.dli.job.priority": "3"}


def test_a_pyspark_job_gets_all_that_it_asks_for(api: Api, bucket: Path) -> None:
    (bucket / "in").mkdir()
    (bucket / "in" / "one.txt").write_text("Spark spark Ünï\n", encoding="utf-8")
    (bucket / "in" / "two.txt").write_text("SPARK\n")
    (bucket / "count words.py").write_text(WORDCOUNT)
    (bucket / "words.py").write_text("def folded(word):\n    return word.casefold()\n")
    (bucket / "table ü.csv").write_text("ä,1\n", encoding="utf-8")
    job_id = api.create(
        file="obs://demo/count words.py",
        args=["obs://demo/in", "obs://demo/out", *ARGS],
        pyFiles=["obs://demo/words.py"],
        files=["obs://demo/table ü.csv"],
        conf=CONF
        | PRIORITY
        | UNTOUCHABLE
        | {"spark.test.boolean": True, "spark.test.number": 64, "spark.test.null": None},
        driverMemory="512M",
        name="wordcount ü",
        **WITHOUT_EFFECT,
    )["id"]
    assert api.wait(job_id, "running", "dead") == "running", api.lines(job_id)
    assert api.wait(job_id, "success", "dead") == "success", api.lines(job_id)

    report = report_in(api.lines(job_id, type="driver", size=1000))
    assert report["args"] == ARGS
    assert report["heap"] == 512 * 2**20
    assert (report["shipped"], report["beside"]) == ("ä,1\n", "ä,1\n")
    conf = report["conf"]
    assert conf.items() >= (CONF | {"spark.test.boolean": "true", "spark.test.number": "64"}).items()
    assert conf["spark.app.name"] == "wordcount ü"
    assert conf["spark.master"] == "local[2]"
    assert "spark.test.null" not in conf
    assert {key for key, value in UNTOUCHABLE.items() if conf.get(key) == conf_text(value)} == set()

    [part] = (bucket / "out").glob("part-*.json")
    rows = [json.loads(line) for line in part.read_text(encoding="utf-8").splitlines()]
    assert {row["word"]: row["count"] for row in rows} == {"spark": 3, "ünï": 1}
    assert api.lines(job_id, type="submit") == [
        "Accepted, but without effect here: catalog_name, conf spark.dli.job.priority, modules.",
        "Submitted to local[2]: driver and executors are one process with 512m of memory.",
        f"Not used, because the local DLI sets them itself: {', '.join(sorted(UNTOUCHABLE))}.",
    ]


JAVA_ARGS = ["one\rtwo\r\nthree\n\r", "Ünï ✓"]
SCALA = '''
package org.example
object Greeting { val text = "hello" }
object Main {
  def main(args: Array[String]): Unit = {
    val spark = org.apache.spark.sql.SparkSession.builder().getOrCreate()
    import spark.implicits._
    Seq(Greeting.text, args(0)).toDF("word").coalesce(1).write.text("obs://demo/scala")
    val heap = Runtime.getRuntime.maxMemory / 1048576
    val codes = args.map(_.map(_.toInt).mkString("[", ",", "]")).mkString("[", ",", "]")
    println(s"""report {"args": $codes, "heap": $heap}""")
  }
}
'''


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classes of the Scala program, by the compiler that comes with pyspark."""
    spark = Spark.find()
    java = "java" if spark.java_home is None else str(spark.java_home / "bin" / "java")
    directory = tmp_path_factory.mktemp("scala")
    (directory / "Main.scala").write_text(SCALA)
    compiler = ["-cp", f"{spark.home}/jars/*", "scala.tools.nsc.Main", "-usejavacp", "-d", str(directory)]
    subprocess.run([java, *compiler, str(directory / "Main.scala")], check=True, timeout=120)
    return directory


def make_jar(jar: Path, classes: Path, name: str) -> None:
    jar.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jar, "w") as archive:
        for path in classes.glob(f"org/example/{name}*.class"):
            archive.write(path, path.relative_to(classes))


@pytest.mark.slow
def test_a_main_class_in_a_jar_finds_its_other_jars(dli: LocalDli, api: Api, bucket: Path, classes: Path) -> None:
    make_jar(bucket / "main.jar", classes, "Main")
    make_jar(dli.data / "packages" / "group" / "greeting.jar", classes, "Greeting")
    job_id = api.create(
        file="obs://demo/main.jar",
        className="org.example.Main",
        args=["two words", "", *JAVA_ARGS],
        groups=[{"name": "group", "resources": [{"name": "greeting.jar", "type": "jar"}]}],
        driverMemory="999999G",
    )["id"]
    assert api.wait(job_id, "success", "dead") == "success", api.lines(job_id)
    [part] = (bucket / "scala").glob("part-*.txt")
    assert part.read_text().splitlines() == ["hello", "two words"]

    report = report_in(api.lines(job_id))
    assert ["".join(map(chr, codes)) for codes in report["args"]] == ["two words", "", *JAVA_ARGS]
    assert report["heap"] < psutil.virtual_memory().total / 2**20
    scaled, submitted = api.lines(job_id, type="submit")
    [most] = re.findall(r"^Driver memory 1023998976m is more than this machine can spare: (\d+)m\.$", scaled)
    assert abs(report["heap"] - int(most)) <= 2  # Java rounds
    assert submitted.endswith(f" one process with {most}m of memory.")


def test_a_job_that_raises_is_dead_and_its_log_has_the_traceback(api: Api, bucket: Path) -> None:
    (bucket / "broken.py").write_text("def fail():\n    raise KeyError('no such column')\n\nfail()\n")
    log = run(api, "dead", file="obs://demo/broken.py")
    assert "Traceback (most recent call last):" in log
    assert "KeyError: 'no such column'" in log
    assert log[-1] == "The job's process ended with exit code 1."


TEXT = """
import sys
from pyspark import SparkContext

context, folder = SparkContext(), sys.argv[1]
if len(sys.argv) > 2:
    context.parallelize(sys.argv[2:], 1).saveAsTextFile(folder)
print("lines:", context.textFile(folder).collect())
"""


@pytest.mark.slow
def test_an_rdd_reads_and_writes_text_and_a_file_may_be_edited_by_hand(api: Api, bucket: Path) -> None:
    (bucket / "text.py").write_text(TEXT)
    log = run(api, "success", file="obs://demo/text.py", args=["obs://demo/lines", "one", "two"])
    assert "lines: ['one', 'two']" in log
    assert sorted(path.name for path in (bucket / "lines").iterdir()) == ["_SUCCESS", "part-00000"]
    (bucket / "lines" / "part-00000").write_text("three\n")
    assert "lines: ['three']" in run(api, "success", file="obs://demo/text.py", args=["obs://demo/lines"])


@pytest.mark.slow
def test_a_program_that_sets_the_master_yarn_is_ended_with_the_reason(api: Api, bucket: Path) -> None:
    (bucket / "yarn.py").write_text(
        "from pyspark.sql import SparkSession\nSparkSession.builder.master('yarn').getOrCreate()"
    )
    log = run(api, "dead", file="obs://demo/yarn.py")
    assert log[-1].startswith("The program sets the master yarn, and there is no YARN here. The local DLI runs jobs on")
    assert find_failure_reason(log).text == "The program sets the master yarn, and there is no YARN here."


@pytest.mark.slow
def test_in_a_locale_without_unicode_arguments_and_file_names_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")  # with LC_ALL=C, file names are ASCII for Python now
    data = tmp_path / "ü"
    bucket = LocalDli(data).bucket("demo")
    (bucket / "größe.py").write_text("import sys; print('report', ascii(sys.argv[1:]))")
    with serve(data):
        api = Api(Credentials.load(data))
        log = run(api, "success", file="obs://demo/größe.py", args=ARGS)
    assert f"report {ARGS!a}" in log


@pytest.mark.slow
def test_a_bucket_that_does_not_exist_is_named_and_is_the_reason(api: Api, bucket: Path) -> None:
    (bucket / "no_bucket.py").write_text(
        "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().read.text('obs://nobucket/x').show()"
    )
    log = run(api, "dead", file="obs://demo/no_bucket.py")
    assert find_failure_reason(log).text == log[-1]
    assert log[-1].startswith("The bucket nobucket does not exist in the local DLI. Make the directory obs/nobucket in")


def test_arguments_that_no_process_can_get_are_refused_by_the_create_call(api: Api, bucket: Path) -> None:
    (bucket / "any.py").touch()
    body = {"file": "obs://demo/any.py", "args": ["x" * 200_000]}
    reply = api.call("POST", api.batches, json=body)
    assert (reply.status_code, reply.json()["error_code"]) == (400, "DLI.0001")
    assert reply.json()["error_msg"].startswith("Parameter args is invalid: ")


ESCAPE = """
import os, signal, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b'pid %d\\n' % os.getpid())
time.sleep(3600)
"""
"""A program that becomes a process of its own: it leaves its parent and its session, and ignores SIGTERM."""
SLEEPERS = f"""
import subprocess, sys, time
from pathlib import Path
from pyspark import SparkContext

directory = sys.argv[1]
subprocess.run([sys.executable, "-c", {ESCAPE!r}], env={{}}, check=True)

def sleep(number):
    Path(directory, f"worker-{{number}}").touch()
    time.sleep(3600)

SparkContext().parallelize([0, 1], 2).foreach(sleep)
"""


def processes_of(job_id: str) -> list[str]:
    """Give the names of the processes that carry a job's id."""
    names = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(JOB_VARIABLE) == job_id and process.status() != psutil.STATUS_ZOMBIE:
                names.append(process.name())
        except psutil.Error:
            continue
    return names


def start_sleepers(api: Api, bucket: Path, workers: Path) -> tuple[str, int]:
    """Start a job with two Python workers, and wait until both are at work.

    Give its id, and that of a process that has left the session and the environment of the job.
    """
    workers.mkdir()
    (bucket / "sleepers.py").write_text(SLEEPERS)
    job_id = str(api.create(file="obs://demo/sleepers.py", args=[str(workers)])["id"])
    eventually(lambda: len(list(workers.iterdir())), lambda count: count == 2)
    assert api.wait(job_id, "running")
    names = processes_of(job_id)
    assert "java" in names
    assert len(names) >= 4
    [escaped] = pids_in(api.lines(job_id, size=1000, type="driver"))
    assert is_alive(escaped)
    assert psutil.Process(escaped).environ() == {}
    return job_id, escaped


def pids_in(log: list[str]) -> list[int]:
    return [int(line.removeprefix("pid ")) for line in log if line.startswith("pid ")]


def test_a_cancelled_job_ends_with_all_its_processes(api: Api, dli: LocalDli, bucket: Path, tmp_path: Path) -> None:
    job_id, escaped = start_sleepers(api, bucket, tmp_path / "workers")
    api.cancel(job_id)
    assert api.wait(job_id, "dead")
    assert processes_of(job_id) == []
    assert not is_alive(escaped)
    assert api.lines(job_id)[-1] == "The job was cancelled."
    left = {path.name for path in (dli.data / "jobs" / job_id).iterdir()}
    assert left - {"events-0"} == {"driver-0.log", "submit.log"}


@dataclass(frozen=True)
class Cluster:
    """A standalone cluster: its address, and its one worker."""

    master: str
    worker: psutil.Process

    def executors(self) -> list[psutil.Process]:
        """The executors that run: spark-class, which the worker was, may have left it a dead child."""
        seen = psutil.process_iter(["ppid", "status"])
        children = [process for process in seen if process.info["ppid"] == self.worker.pid]
        return [child for child in children if child.info["status"] != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def cluster(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A standalone master and a worker, on loopback."""
    spark = Spark.find()
    directory = tmp_path_factory.mktemp("cluster")
    java = {} if spark.java_home is None else {"JAVA_HOME": str(spark.java_home)}
    own = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m", "SPARK_HOME": str(spark.home)}

    def start(name: str, *options: str) -> subprocess.Popen[bytes]:
        with (directory / name).open("w") as log:
            command = [str(spark.home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
            command += ["--webui-port", "0", *options]
            process = subprocess.Popen(command, env=os.environ | own | java, stdout=log, stderr=log)
        started.callback(process.wait)
        started.callback(process.terminate)
        return process

    def says(name: str, pattern: str) -> str:
        look = re.compile(pattern)
        return eventually(lambda: look.findall((directory / name).read_text()), bool)[0]

    with ExitStack() as started:
        start("master.Master", "--port", "0")
        master = says("master.Master", r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        worker = start("worker.Worker", *("--cores", "2", "--memory", "1g", "--work-dir", str(directory)), master)
        says("worker.Worker", "Successfully registered with master")
        yield Cluster(master, psutil.Process(worker.pid))


ON_CLUSTER = """
import os
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
words = spark.read.text("obs://demo/words")
words.write.text("obs://demo/copied")
ids = spark.sparkContext.parallelize([0]).map(lambda _: os.environ.get("PULUMI_DLI_LOCAL_JOB", "none"))
print("job of the executor:", ids.collect())
"""


@pytest.mark.slow
def test_a_standalone_cluster_runs_jobs_and_its_executors_read_and_write_obs(cluster: Cluster, tmp_path: Path) -> None:
    executors = {"driverMemory": "512M", "executorMemory": "512M", "executorCores": 2, "numExecutors": 1}
    with LocalDli(tmp_path / "dli ü", master=cluster.master) as dli:
        api, bucket = Api(dli.credentials), dli.bucket("demo")
        (bucket / "words").mkdir()
        (bucket / "words" / "one.txt").write_text("Ünï\n", encoding="utf-8")
        (bucket / "on cluster.py").write_text(ON_CLUSTER)
        assert "job of the executor: ['none']" in run(api, "success", file="obs://demo/on cluster.py", **executors)
        [part] = (bucket / "copied").glob("part-*.txt")
        assert part.read_text(encoding="utf-8") == "Ünï\n"
        [job] = api.sessions()
        [line] = api.lines(job["id"], type="submit")
        assert line == f"Submitted to {cluster.master}: executors: 1, cores of each: 2, memory of each: 512m."

        (bucket / "sleepers.py").write_text(SLEEPERS)
        (workers := tmp_path / "workers").mkdir()
        job_id = api.create(file="obs://demo/sleepers.py", args=[str(workers)], **executors)["id"]
        eventually(lambda: len(list(workers.iterdir())), lambda count: count == 2)
        # The first job's executor may take its time to go.
        [executor] = eventually(cluster.executors, lambda executors: len(executors) == 1)
        assert "Password" not in " ".join(executor.cmdline())
        api.cancel(job_id)
        api.wait(job_id, "dead")
        eventually(cluster.executors, lambda executors: executors == [])


def test_a_job_gets_no_variable_of_whoever_started_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOY_TOKEN", "swordfish")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    end, *lines = run_script(tmp_path, "env")
    assert end == "success"
    names = {line.partition("=")[0] for line in lines}
    assert names >= {"PATH", "https_proxy", "SPARK_HOME", "PULUMI_DLI_LOCAL_JOB"}
    assert "DEPLOY_TOKEN" not in names


def test_a_master_that_cannot_be_reached_ends_the_job_and_is_named(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{silent.getsockname()[1]}"
        end, line = run_script(tmp_path, "exit 0", master=master)
    assert end == "dead"
    assert line.startswith(f"The local DLI could not start the job: the master {master} does not answer: ")


def test_of_several_masters_one_is_enough(tmp_path: Path) -> None:
    with socket.socket() as silent, socket.create_server(("127.0.0.1", 0)) as answering:
        silent.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in (silent, answering)]
        assert run_script(tmp_path, "exit 0", master=f"spark://{','.join(addresses)}") == ["success"]


@pytest.mark.parametrize("master", ["spark://", "spark://nowhere", "spark://127.0.0.1:", "yarn", "nonsense"])
def test_what_is_no_address_of_a_master_is_left_to_spark_which_says_so(tmp_path: Path, master: str) -> None:
    assert run_script(tmp_path, 'echo "$2"; exit 1', master=master) == [
        "dead",
        master,
        "The job's process ended with exit code 1.",
    ]


@contextmanager
def serve(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the service as a process that is ready."""
    with serving(data, "--master", "local[2]", "--slots", "1", engine="spark") as (process, line):
        assert line.startswith("local DLI ready at ")
        yield process


@pytest.mark.slow
def test_the_jobs_of_a_server_that_was_killed_end_and_the_next_one_says_so(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as process:
        bucket = LocalDli(data).bucket("demo")
        first = Api(Credentials.load(data))
        job_id, escaped = start_sleepers(first, bucket, tmp_path / "workers")
        waiting = first.create(file="obs://demo/sleepers.py", args=[str(tmp_path)])["id"]
        process.kill()
        process.wait()
    with LocalDli(data, slots=1) as dli:
        assert processes_of(job_id) == []
        assert not is_alive(escaped)
        again = Api(dli.credentials)
        assert again.state(job_id) == "dead"
        assert again.lines(job_id)[-1] == "The local DLI was stopped while this job ran."
        assert again.state(waiting) in ("starting", "running")


@pytest.mark.slow
def test_a_server_that_is_stopped_ends_the_processes_of_its_jobs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serve(data) as process:
        bucket = LocalDli(data).bucket("demo")
        job_id, escaped = start_sleepers(Api(Credentials.load(data)), bucket, tmp_path / "workers")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert processes_of(job_id) == []
    assert not is_alive(escaped)


def run_script(
    tmp_path: Path, script: str, *, master: str = "local[*]", grace: float = 5.0, cancel_at: str = "", **body: Any
) -> list[str]:
    """Run a job with a shell script in the place of spark-submit. Give its end and its driver log.

    The job is cancelled, twice, when its log has the line `cancel_at`.
    """
    home = tmp_path / "spark" / "bin"
    home.mkdir(parents=True)
    submit = home / "spark-submit"
    submit.write_text(f"#!/bin/sh\n{dedent(script)}")
    submit.chmod(0o755)
    store = ObjectStore(tmp_path)
    put(tmp_path / "obs", "b/a.py")
    request = BatchRequest.model_validate({"file": "obs://b/a.py"} | body)
    logs = JobLogs(tmp_path / "jobs" / "id")
    attempt = Attempt(job_id=str(tmp_path), number=0, request=request, logs=logs, report=lambda state: None)
    engine = SparkEngine(Spark(home.parent, None, (str(submit),)), store, master, tmp_path, grace=grace)

    async def live() -> str:
        task = asyncio.create_task(engine.run(attempt))
        while cancel_at and cancel_at not in logs.tail(0):
            await asyncio.sleep(0.01)
        for _ in range(2 if cancel_at else 0):
            task.cancel()
            await asyncio.sleep(0)
        try:
            return await task
        except asyncio.CancelledError:
            return "cancelled"

    end = asyncio.run(live())
    assert [path.name for path in logs.directory.iterdir() if path.is_dir()] == []
    return [end, *logs.page(0, 0, 1000).lines]


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("exit 0", ["success"]),
        ("exit 3", ["dead", "The job's process ended with exit code 3."]),
        ("kill -KILL $$", ["dead", "The job's process ended by SIGKILL."]),
        ("echo out; echo err >&2", ["success", "out", "err"]),
        ("cat", ["success"]),
    ],
)
def test_the_end_of_the_process_is_the_end_of_the_job(tmp_path: Path, script: str, end: list[str]) -> None:
    assert run_script(tmp_path, script) == end


def test_a_job_knows_its_id(tmp_path: Path) -> None:
    assert run_script(tmp_path, "echo $PULUMI_DLI_LOCAL_JOB") == ["success", str(tmp_path)]


def test_a_job_that_cannot_be_started_is_dead_and_says_why(tmp_path: Path) -> None:
    end, line = run_script(tmp_path, "exit 0", args=["x" * 2**22])
    assert end == "dead"
    assert line.startswith("The local DLI could not start the job: [Errno 7] Argument list too long")


def test_a_job_whose_file_is_gone_by_the_time_it_starts_is_dead_and_says_why(tmp_path: Path) -> None:
    assert run_script(tmp_path, "exit 0", jars=["obs://b/gone.jar"]) == [
        "dead",
        "The local DLI could not start the job: Parameter jars is invalid: the object that it names does not exist.",
    ]


STRAYS = f"""
sleeper() {{
    {sys.executable} -c "import os, signal, time; $1; os.write(1, b'pid %d\\n' % os.getpid()); time.sleep(3600)"
}}
sleeper 'os.setsid()' &
(unset PULUMI_DLI_LOCAL_JOB; sleeper pass) &
sleeper 'signal.signal(15, signal.SIG_IGN)' &
env -i {sys.executable} -c "{ESCAPE}"
while [ $(grep -c '^pid ' ../../driver-0.log) -lt 4 ]; do sleep 0.01; done
"""


@pytest.mark.parametrize(
    ("rest", "cancel_at", "end"), [("exit 0", "", "success"), ("echo ready; wait", "ready", "cancelled")]
)
def test_nothing_of_a_job_is_left_whatever_its_processes_do(
    tmp_path: Path, rest: str, cancel_at: str, end: str
) -> None:
    said, *log = run_script(tmp_path, STRAYS + rest, grace=1.0, cancel_at=cancel_at)
    assert said == end
    pids = pids_in(log)
    assert len(pids) == 4
    assert [pid for pid in pids if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    """See whether there is this process, and it has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def put(root: Path, *names: str) -> list[str]:
    """Write files that hold their own names, and give their paths."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return [str(root / name) for name in names]


def test_of_two_files_with_one_name_the_last_is_beside_the_job(tmp_path: Path) -> None:
    put(tmp_path / "obs", "one/f.txt", "two/f.txt")
    files = ["obs://one/f.txt", "obs://two/f.txt"]
    assert run_script(tmp_path, "cat f.txt; echo", files=files) == ["success", "two/f.txt"]


def test_a_job_has_its_files_as_copies(tmp_path: Path) -> None:
    [file] = put(tmp_path / "obs", "one/f.txt")
    assert run_script(tmp_path, "echo more >> f.txt; wc -l < f.txt", files=["obs://one/f.txt"]) == ["success", "1"]
    assert Path(file).read_text() == "one/f.txt"


def test_packages_are_given_to_spark_by_their_type(tmp_path: Path) -> None:
    jar, module, table, readme = put(tmp_path / "packages", "lib.jar", "group/m.py", "group/t.csv", "README")
    [more] = put(tmp_path / "obs", "lib/more.jar")
    group = [{"name": "m.py", "type": "pyFile"}, {"name": "t.csv", "type": "file"}]
    end, *command = run_script(
        tmp_path,
        "printf '%s\\n' \"$@\"",
        jars=["obs://lib/more.jar"],
        resources=[{"name": "lib.jar", "type": "jar"}, {"name": "README"}],
        groups=[{"name": "group", "resources": group}],
        className=" org.example.Main ",
    )
    assert end == "success"
    assert command[6:] == [
        *("--jars", f"{more},{jar}", "--py-files", module, "--files", f"{readme},{table}"),
        *("--class", "org.example.Main", str(tmp_path / "obs" / "b" / "a.py")),
    ]


def test_sizes_in_conf_go_before_those_of_the_request(tmp_path: Path) -> None:
    conf = {"spark.driver.memory": "512m", "spark.executor.cores": 1}
    _, *lines = run_script(tmp_path, 'cat "$6"', driverMemory="768M", executorCores=2, numExecutors=3, conf=conf)
    given_sizes = read_properties("\n".join(lines))
    names = ("spark.driver.memory", "spark.executor.cores", "spark.executor.instances")
    assert [given_sizes[name] for name in names] == ["512m", "1", "3"]


def read_properties(text: str) -> dict[str, str]:
    """Read properties as java.util.Properties documents it for `load`."""
    escapes = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}

    def unescape(part: str) -> str:
        units = re.sub(
            r"\\(u[0-9a-fA-F]{4}|.)",
            lambda match: chr(int(match[1][1:], 16)) if len(match[1]) == 5 else escapes.get(match[1], match[1]),
            part,
            flags=re.DOTALL,
        )
        return units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    properties = {}
    logical = re.sub(r"(?<!\\)((?:\\\\)*)\\(?:\r\n|\r|\n)[ \t\f]*", r"\1", text)
    for line in re.split(r"\r\n|\r|\n", logical):
        entry = re.fullmatch(r"[ \t\f]*((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)", line, re.DOTALL)
        if entry is not None and line.lstrip(" \t\f")[:1] not in ("", "#", "!"):
            properties[unescape(entry[1])] = unescape(entry[2])
    return properties


def test_the_reader_of_properties_reads_the_documented_examples() -> None:
    text = "# comment\n! another\n\nTruth = Beauty\n Truth2:Beauty\nfruits  apple, \\\n    banana\ncheeses\n"
    text += "a\\:\\ b=\\u00fc\\t"
    assert read_properties(text) == {
        "Truth": "Beauty",
        "Truth2": "Beauty",
        "fruits": "apple, banana",
        "cheeses": "",
        "a: b": "ü\t",
    }


texts = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.dictionaries(texts | st.sampled_from(["a=b", " a", "#a", "!", "\\", "\n", "a:", "é🎉"]), texts))
def test_java_reads_back_the_properties_that_were_written(properties: dict[str, str]) -> None:
    written = properties_file(properties)
    assert written.isascii()
    assert read_properties(written) == properties
