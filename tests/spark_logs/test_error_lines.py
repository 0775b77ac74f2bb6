"""Which lines of a driver log report an error."""

import json
from pathlib import Path

import pytest

from pulumi_dli.spark_logs.error_lines import ErrorLines
from pulumi_dli.spark_logs.failure_reason import find_failure_reason

LOGS = Path(__file__).parent.parent / "data" / "logs"
REASONS = {name: entry["reason"] for name, entry in json.loads((LOGS / "reasons.json").read_text()).items()}


def errors(*log: str) -> list[str]:
    lines = ErrorLines()
    return [line for line in log if lines.is_error(line)]


@pytest.mark.parametrize(
    "line",
    [
        "26/01/31 10:00:00 ERROR Executor: Exception in task 0.0",
        "2026-01-31 10:00:00,123 | ERROR | [main] | no | org.apache.spark.SparkContext (Logging.scala:61)",
        "2026-01-31 10:00:00,123 CRITICAL etl: no input",
        "ERROR:root:no input",
        "CRITICAL: no input",
        "ValueError: no column",
        "py4j.protocol.Py4JJavaError: An error occurred",
        "java.io.IOException: no",
        ": java.io.IOException: no",
        "Caused by: java.io.IOException: no",
        'Exception in thread "main" java.io.IOException: no',
        "Error: Failed to load class org.Main.",
        "The job's process ended with exit code 1.",
        "progress 50 %\rValueError: no column",
    ],
)
def test_it_is_an_error(line: str) -> None:
    assert errors(line) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "row 1",
        "26/01/31 10:00:00 INFO SparkContext: Running",
        "26/01/31 10:00:00 WARN TaskSetManager: Lost task 0.0 (TID 1)",
        "2026-01-31 10:00:00,123 INFO etl: 0 ERROR rows",
        "ERRORS found: 0",
        "An Error: none",
        "  indented",
        "Traceback of nothing",
    ],
)
def test_it_is_none(line: str) -> None:
    assert errors(line) == []


def test_a_stack_belongs_to_its_error_and_ends_with_it() -> None:
    trace = ["Traceback (most recent call last):", '  File "load.py", line 3', "    main()", "Problem: no column"]
    logged = [
        "26/01/31 10:00:00 ERROR Executor: failed",
        "java.io.IOException: no",
        "\tat a.B(C.scala)",
        "\t... 3 more",
    ]
    warning = ["26/01/31 10:00:00 WARN A: b", "\tat a.B(C.scala)"]
    found = errors("before", *trace, "  after", *logged, "after", *warning, *trace, *trace)
    assert found == [*trace, "  after", *logged, *trace, *trace]


@pytest.mark.parametrize("name", [name for name, reason in REASONS.items() if reason])
def test_an_error_of_each_failed_job_is_found(name: str) -> None:
    log = (LOGS / f"{name}.log").read_text(encoding="utf-8", errors="replace").split("\n")
    assert find_failure_reason(log).text
    assert errors(*log) or "cancelled" in name, name
