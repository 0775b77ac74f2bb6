"""The extra `local-ml`: jobs with pyspark.ml, numpy, pandas and Arrow."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.local.credentials import Credentials
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.server import LocalDli
from tests.local.api import Api
from tests.local.ml_python import ROOT, ml_python

pytestmark = pytest.mark.slow

JOB = """
import numpy, pandas
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()
rows = spark.createDataFrame([(float(i % 2), float(i % 2), float(i)) for i in range(20)], ["label", "a", "b"])
data = VectorAssembler(inputCols=["a", "b"], outputCol="features").transform(rows)
predicted = LogisticRegression().fit(data).transform(data)
print("right:", predicted.filter("label = prediction").count())


@pandas_udf("double")
def doubled(values: pandas.Series) -> pandas.Series:
    return numpy.multiply(values, 2)


spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", "true")
print("sum:", rows.select(doubled("b").alias("c")).toPandas()["c"].sum())
"""


@contextmanager
def serving_with(python: str, data: Path) -> Iterator[Api]:
    """Run a local DLI with this Python."""
    command = [python, "-m", "pulumi_dli.local", "serve", "--data", str(data), "--master", "local[2]"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("local DLI ready")
            yield Api(Credentials.load(data))
        finally:
            server.terminate()


def log_of(api: Api, end: str, **body: Any) -> list[str]:
    """Run a job to its end, and give its driver log."""
    job_id = api.create(**body)["id"]
    state = api.wait(job_id, "success", "dead")
    log = api.lines(job_id, type="driver", size=1000)
    assert state == end, "\n".join(log)
    return log


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bucket `demo` with the job, and with two of Spark's own examples that need numpy."""
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    bucket = LocalDli(tmp_path / "dli").bucket("demo")
    (bucket / "job.py").write_text(JOB)
    (bucket / "points.txt").write_text("0.0 0.0\n0.1 0.1\n9.0 9.0\n9.1 9.1\n")
    examples = Spark.find().home / "examples" / "src" / "main" / "python"
    for name in ("kmeans.py", "ml/pipeline_example.py"):
        shutil.copy(examples / name, bucket)
    return bucket


@pytest.mark.samples
@pytest.mark.timeout(900)  # the first run fetches 72 MB
def test_jobs_with_pyspark_ml_numpy_pandas_and_arrow_run_with_the_extra(tmp_path: Path, bucket: Path) -> None:
    with serving_with(str(ml_python()), tmp_path / "dli") as api:
        log = log_of(api, "success", file="obs://demo/job.py")
        assert "right: 20" in log
        assert "sum: 380.0" in log
        log = log_of(api, "success", file="obs://demo/kmeans.py", args=["obs://demo/points.txt", "2", "0.1"])
        assert [line for line in log if line.startswith("Final centers: ")]
        log = log_of(api, "success", file="obs://demo/pipeline_example.py")
        assert [line for line in log if line.startswith("(4, spark i j k) --> ")]


def test_without_the_extra_the_last_line_names_it(tmp_path: Path, bucket: Path) -> None:
    if importlib.util.find_spec("numpy"):
        pytest.skip("numpy is installed here")
    with serving_with(sys.executable, tmp_path / "dli") as api:
        log = log_of(api, "dead", file="obs://demo/job.py")
    assert log[-1] == (
        "The module numpy does not exist in the local DLI. It is in the extra local-ml. "
        "Run: pip install 'pulumi-dli[local,local-ml]'"
    )
