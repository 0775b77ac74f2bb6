"""Which lines of a driver log the job wrote."""

import pytest

from pulumi_dli.spark_logs.framework_lines import Header, JobLines, header_of

SPARK = "26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9"


def of_job(text: str) -> list[str]:
    lines = JobLines()
    return [line for line in text.splitlines() if lines.is_of_job(line)]


@pytest.mark.parametrize(
    ("line", "header"),
    [
        (SPARK, Header("SparkContext", "Running Spark version 3.5.9")),
        ("26/01/31 10:00:00 WARN etl.load: 3 rows: late", Header("etl.load", "3 rows: late", is_of_framework=False)),
        ("26/01/31 10:00:00 INFO MapOutputTrackerMasterEndpoint:", Header("MapOutputTrackerMasterEndpoint", "")),
        (
            "2026-01-31 10:00:00,123 | INFO  | [main] | Run | now | org.apache.spark.SparkContext (Logging.scala:61)",
            Header("org.apache.spark.SparkContext", "Run | now"),
        ),
        (
            "2024-07-02 14:27:51,511 | INFO  | [shutdown-hook-0] | Shutdown hook called | "
            "org.apache.spark.internal.Logging.logInfo(Logging.scala:57)",
            Header("org.apache.spark.internal.Logging.logInfo", "Shutdown hook called"),
        ),
        (
            "2026-01-31 10:00:00,123 | ERROR | shutdown-hook-0 | Shutdown hook called | org.apache.spark.util.Hooks",
            Header("org.apache.spark.util.Hooks", "shutdown-hook-0 | Shutdown hook called"),
        ),
        (
            "2026-01-31 10:00:00,123 INFO [main] org.apache.spark.SparkContext: Running",
            Header("org.apache.spark.SparkContext", "Running"),
        ),
        ("2026-01-31 10:00:00 INFO  org.apache.spark.X:54 - Running", Header("org.apache.spark.X", "Running")),
        ("RESULT=42", None),
        ("2026-01-31 10:00:00,123 - etl - INFO - 3 rows", None),
        ("", None),
    ],
)
def test_a_header_has_the_logger_and_the_message(line: str, header: Header | None) -> None:
    assert header_of(line) == header


@pytest.mark.parametrize(
    ("logger", "is_of_framework"),
    [
        ("org.apache.spark.SparkContext", True),
        ("org.sparkproject.jetty.util.log", True),
        ("SparkContext", True),
        ("DAGScheduler", True),
        ("ShutdownHookManager", True),
        ("OutputCommitCoordinator$OutputCommitCoordinatorEndpoint", True),
        ("com.example.Main", False),
        ("Main", False),
        ("WordCount", False),
        ("root", False),
    ],
)
def test_the_logger_decides_and_not_the_level(logger: str, is_of_framework: bool) -> None:
    for level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
        assert of_job(f"26/01/31 10:00:00 {level} {logger}: text") == (
            [] if is_of_framework else [f"26/01/31 10:00:00 {level} {logger}: text"]
        )


def test_what_the_job_prints_between_the_lines_of_spark_is_its_own() -> None:
    assert of_job(f"{SPARK}\nrow 1\n{SPARK}\n\nrow 2\n  indented") == ["row 1", "", "row 2", "  indented"]


@pytest.mark.parametrize(
    "message",
    [
        "ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0)\njava.lang.IllegalStateException: no\n"
        "\tat com.example.Main.run(Main.java:3)\nCaused by: java.io.IOException: first\n\tat a.B.c(B.java)\n"
        "\t... 3 more",
        "WARN TaskSetManager: Lost task 0.0: org.apache.spark.api.python.PythonException: Traceback (most recent call "
        'last):\n  File "a.py", line 3, in f\n    return int(x)\nValueError: no\n\n\tat org.apache.spark.A.b(A)\n\n'
        "Driver stacktrace:",
        "WARN TaskSetManager: Lost task 0.0 (TID 0): java.lang.NullPointerException\n\tat com.example.Main.run(A.java)",
        "INFO ParquetWriteSupport: Initialized Parquet WriteSupport with Catalyst schema:\n{\n  }\n"
        "message spark_schema {\n}",
        "INFO AsyncEventQueue: Process of event SparkListenerSQLExecutionStart(0,\nat a\nInput [1]: [obj#5]\n)"
        " by listener EventLoggingListener took 1.5s.",
    ],
)
def test_a_message_of_spark_ends_with_its_stack_or_its_last_line(message: str) -> None:
    end = "       \n" if "Parquet" in message else ""
    assert of_job(f"26/01/31 10:00:00 {message}\n{end}RESULT=42\nrow") == ["RESULT=42", "row"]


def test_an_uncaught_exception_is_the_jobs_own() -> None:
    java = 'Exception in thread "main" java.lang.IllegalStateException: no\n\tat com.example.Main.main(Main.java:3)'
    python = 'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\nValueError: no'
    assert of_job(f"{SPARK}\n{java}\n{SPARK}\n{python}") == [*java.splitlines(), *python.splitlines()]


def test_what_spark_prints_without_a_logger_is_not_the_jobs() -> None:
    lines = [
        'Setting default log level to "WARN".',
        "To adjust logging level use sc.setLogLevel(newLevel). For SparkR, use setLogLevel(newLevel).",
        "Using Spark's default log4j profile: org/apache/spark/log4j2-defaults.properties",
        "[Stage 0:=====>            (3 + 1) / 10]",
        "WARNING: Using incubator modules: jdk.incubator.vector",
    ]
    assert of_job("\n".join([*lines, "done"])) == ["done"]


def test_an_exception_without_a_stack_swallows_nothing_of_the_job() -> None:
    """The JVM leaves the stack of an exception out that is thrown often."""
    error = "26/01/31 10:00:00 ERROR Executor: Exception in task 0.0\njava.lang.NullPointerException"
    assert of_job(f"{error}\nRESULT=42\ndone") == ["RESULT=42", "done"]


def test_a_line_of_the_job_may_look_like_the_name_of_a_class() -> None:
    assert of_job(f"{SPARK}\nsales.Orders: 120 rows\nsales.Customers: 5 rows\nTOTAL") == [
        "sales.Orders: 120 rows",
        "sales.Customers: 5 rows",
        "TOTAL",
    ]


def test_after_a_gap_a_new_message_begins() -> None:
    begun = "26/01/31 10:00:00 INFO ParquetWriteSupport: Initialized Parquet WriteSupport with Catalyst schema:"
    assert of_job(f"{begun}\n{{\n… 2000 lines left out\nRESULT=42") == ["… 2000 lines left out", "RESULT=42"]


def test_what_a_terminal_shows_of_a_line_decides() -> None:
    lines = JobLines()
    assert lines.is_of_job("[Stage 0:>   (0 + 2) / 2]\r          \rRESULT=42")
    assert not lines.is_of_job("RESULT=42\r[Stage 0:>   (0 + 2) / 2]\r")
    assert not lines.is_of_job("\r[Stage 0:>  ]\r26/01/31 10:00:00 WARN TaskSetManager: Lost task")


@pytest.mark.parametrize("name", ["audit", "Utils", "Configuration", "SparkContext"])
def test_python_writes_the_time_in_another_form_so_its_loggers_may_have_names_of_spark(name: str) -> None:
    line = f"2026-01-31 10:00:00,123 INFO {name}: 3 rows"
    assert of_job(line) == [line]


def test_in_the_pattern_of_the_service_the_logger_of_a_long_message_is_at_its_end() -> None:
    begun = "2026-01-31 10:00:00,123 | INFO  | [main] | Code:"
    end = "}  | org.apache.spark.internal.Logging.logInfo(Logging.scala:60)"
    assert of_job(f"{begun}\n/* 001 */ a | b\n{end}\nRESULT=42") == ["RESULT=42"]


def test_the_real_log_of_the_service_begins_with_the_command() -> None:
    assert of_job(f"Spark Command: java -cp a.jar\n{'=' * 40}\n=====\nRESULT=42") == ["=====", "RESULT=42"]


@pytest.mark.parametrize("part", [" | a(", "\r", "| ", "[", "INFO ", ": "])
def test_a_line_of_a_megabyte_takes_no_time(part: str) -> None:
    lines = JobLines()
    for begin in ("", "2026-01-31 10:00:00,123 | INFO | [main] ", "26/01/31 10:00:00 INFO "):
        lines.is_of_job(begin + part * (1_000_000 // len(part)))
