"""The extra `local-ml`: jobs with pyspark.ml, numpy, pandas and Arrow."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_dli.local.credentials import Credentials
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


def log_of(data: Path, python: str, end: str) -> list[str]:
    """Run the job on a local DLI that this Python runs."""
    (LocalDli(data).bucket("demo") / "job.py").write_text(JOB)
    command = [python, "-m", "pulumi_dli.local", "serve", "--data", str(data), "--master", "local[2]"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("local DLI ready")
            api = Api(Credentials.load(data))
            job_id = api.create(file="obs://demo/job.py")["id"]
            state = api.wait(job_id, "success", "dead")
            log = api.lines(job_id, type="driver", size=1000)
            assert state == end, "\n".join(log)
            return log
        finally:
            server.terminate()


@pytest.mark.timeout(900)  # the first run fetches 72 MB
def test_a_job_with_pyspark_ml_numpy_pandas_and_arrow_runs_with_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    log = log_of(tmp_path / "dli", str(ml_python()), "success")
    assert "right: 20" in log
    assert "sum: 380.0" in log


def test_without_the_extra_the_last_line_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("numpy"):
        pytest.skip("numpy is installed here")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    log = log_of(tmp_path / "dli", sys.executable, "dead")
    assert log[-1] == (
        "The module numpy does not exist in the local DLI. It is in the extra local-ml. "
        "Run: pip install 'pulumi-dli[local,local-ml]'"
    )
