"""Tests of the job with real Spark on this machine. Run them with `pytest` in this folder's parent."""

from pathlib import Path

JOB = Path(__file__).parent.parent / "jobs" / "wordcount.py"


def test_words_are_counted(spark_jobs):
    spark_jobs.put("obs://demo/in/text.txt", "to be or not to be")
    run = spark_jobs.run(JOB, "obs://demo/in", "obs://demo/out")
    assert run.state == "success", run.failure_reason
    assert spark_jobs.read("obs://demo/out").splitlines() == ["be\t2", "to\t2", "not\t1", "or\t1"]


def test_a_missing_folder_is_the_reason(spark_jobs):
    spark_jobs.bucket("demo")
    run = spark_jobs.run(JOB, "obs://demo/nothing", "obs://demo/out")
    assert run.state == "dead"
    assert run.failure_reason.startswith("AnalysisException: [PATH_NOT_FOUND]")
