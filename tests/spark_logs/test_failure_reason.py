"""The reason of a failure, from logs of real programs and from whatever a program may write."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pulumi_dli.spark_logs.failure_reason import LINES_NEEDED, find_failure_reason

LOGS = Path(__file__).parent.parent / "data" / "logs"
CORPUS: dict[str, Any] = json.loads((LOGS / "reasons.json").read_text(encoding="utf-8"))

PYTHON = ["Traceback (most recent call last):", '  File "load.py", line 3, in <module>', "ValueError: no column"]
SPARK = "26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9"


def log_of(name: str) -> list[str]:
    """Return what the log call returns of a log of the corpus."""
    with (LOGS / f"{name}.log").open(encoding="utf-8", newline="\n") as log:
        return log.read().split("\n")[-LINES_NEEDED:]


def test_the_corpus_is_complete() -> None:
    assert {path.stem for path in LOGS.glob("*.log")} == set(CORPUS)
    assert len(CORPUS) >= 30


@pytest.mark.parametrize("name", [name for name in CORPUS if not name.endswith("-success")])
def test_the_reason_of_each_failure_is_found(name: str) -> None:
    found = find_failure_reason(log_of(name))
    expected = CORPUS[name]["reason"]
    assert found.text == expected
    assert len(found.lines) <= 20
    if expected is not None:
        assert not any("Shutdown hook called" in line for line in found.lines)


def test_a_line_of_three_megabytes_costs_no_screen_and_no_time() -> None:
    found = find_failure_reason([*PYTHON[:2], f"ValueError: {'x' * 3_000_000}", "y" * 3_000_000])
    assert found.text is not None
    assert found.text.startswith("ValueError: xxx")
    assert len(found.text) <= 1000
    assert sum(map(len, found.lines)) <= 3000


def test_without_a_reason_the_last_lines_of_the_job_are_shown_without_sparks() -> None:
    found = find_failure_reason([f"row {number}" for number in range(30)] + [SPARK] * 40)
    assert found.text is None
    assert found.lines == tuple(f"row {number}" for number in range(10, 30))


def test_a_record_of_ten_lines_may_have_the_exception_without_its_traceback() -> None:
    assert find_failure_reason(["    return int(x)", "ValueError: no column", SPARK]).text == "ValueError: no column"


@pytest.mark.parametrize("code", [1, 3])
def test_an_exception_that_the_job_caught_is_not_the_reason_of_its_exit_code(code: int) -> None:
    log = [*PYTHON, "using the defaults", SPARK, f"The job's process ended with exit code {code}."]
    reason = "ValueError: no column" if code == 1 else f"the program ended with exit code {code}"
    assert find_failure_reason(log).text == reason


def test_a_stack_is_shown_with_the_calls_of_the_job_only() -> None:
    frames = [f"\tat org.apache.spark.rdd.RDD{number}.run(RDD.scala)" for number in range(50)]
    own = "\tat com.example.Main.main(Main.java:3)"
    found = find_failure_reason(
        ["reading", 'Exception in thread "main" java.io.IOException: no', *frames, own, *frames]
    )
    assert found.lines == ("reading", 'Exception in thread "main" java.io.IOException: no', own)


@pytest.mark.parametrize(("first", "second"), [*product(["a.b.C", "ValueError", "a.b.c"], ["", ": x: y"])])
def test_the_reason_has_the_name_of_the_class_without_its_packages(first: str, second: str) -> None:
    found = find_failure_reason([f'Exception in thread "main" {first}{second}'])
    assert found.text == f"{first.rpartition('.')[2]}{second}".rstrip()


def reason(*log: str) -> str | None:
    return find_failure_reason(log).text


TRACEBACK = [*PYTHON[:2], "    main()", "ValueError: no column"]
PIPED = "2026-01-31 10:00:00,123 | INFO  | [main] | Invoking stop | org.apache.spark.Logging.logInfo(Logging.scala:6)"


@pytest.mark.parametrize("line", [SPARK, PIPED])
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_a_line_of_spark_may_stand_inside_a_traceback(line: str, position: int) -> None:
    assert reason(*TRACEBACK[:position], line, *TRACEBACK[position:]) == "ValueError: no column"


@pytest.mark.parametrize("header", ["26/01/31 10:00:00 INFO A: b", "2026-01-31 10:00:00,123 | INFO | b"])
def test_a_line_of_spark_may_begin_in_the_middle_of_a_line(header: str) -> None:
    assert reason(*TRACEBACK[:3], f"ValueError: no column{header}") == "ValueError: no column"
    assert reason(TRACEBACK[0], f'  File "load.py", line 3, in <modu{header}', "le>", *TRACEBACK[2:]) == TRACEBACK[3]


@pytest.mark.parametrize("name", [name for name in CORPUS if not name.endswith("-success")])
def test_a_line_of_spark_anywhere_changes_no_reason_but_that_of_two_lines(name: str) -> None:
    """Between the name of what was thrown and its message, or its cause, no line can be told from the message."""
    log, expected = log_of(name), CORPUS[name]["reason"]
    found = [find_failure_reason([*log[:position], SPARK, *log[position:]]).text for position in range(0, len(log), 37)]
    assert sum(text != expected for text in found) <= 2
    assert "" not in found


def test_the_exceptions_of_a_group_are_named_by_the_group() -> None:
    log = [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "load.py", line 3, in <module>',
        "  | ExceptionGroup: 2 files failed (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: a",
    ]
    assert reason(*log) == "ExceptionGroup: 2 files failed (2 sub-exceptions)"


def test_the_cause_of_what_a_user_class_threw_is_the_reason() -> None:
    log = [
        "26/01/31 10:00:00 ERROR ApplicationMaster: User class threw exception: java.lang.RuntimeException: no file",
        "java.lang.RuntimeException: no file",
        "\tat com.example.Main.main(Main.java:3)",
        "Caused by: java.io.FileNotFoundException: obs://b/x",
        "\t... 3 more",
    ]
    assert reason(*log) == "FileNotFoundException: obs://b/x"


def test_a_cause_without_a_message_is_named() -> None:
    log = [
        'Exception in thread "main" java.lang.ExceptionInInitializerError',
        "Caused by: java.lang.ClassCastException",
    ]
    assert reason(*log) == "ClassCastException"
    assert reason("Caused by: ", 'Exception in thread "main" ') is None


@pytest.mark.parametrize("place", ["(TID 3, node-1, executor 2)", "(TID 3) (node-1 executor 2)", "(TID 3)"])
def test_a_lost_task_is_named_as_each_version_of_spark_writes_it(place: str) -> None:
    lost = (
        f"Job aborted, most recent failure: Lost task 0.3 in stage 0.0 {place}: ExecutorLostFailure (executor 2 exited)"
    )
    assert reason(f'Exception in thread "main" org.apache.spark.SparkException: {lost}') == (
        "ExecutorLostFailure (executor 2 exited)"
    )


@pytest.mark.parametrize(
    "above",
    [
        "Exception ignored in: <function JavaWrapper.__del__ at 0x7f>",
        "Error in atexit._run_exitfuncs:",
        "--- Logging error ---",
        "Exception in thread Thread-3 (work):",
    ],
)
def test_what_is_thrown_during_the_shutdown_is_not_the_reason(above: str) -> None:
    late = [above, PYTHON[0], '  File "wrapper.py", line 3, in __del__', "AttributeError: no _detach"]
    assert reason(*TRACEBACK, *late) == "ValueError: no column"
    other_thread = 'Exception in thread "Thread-3" java.lang.IllegalStateException: Shutdown in progress'
    assert reason('Exception in thread "main" java.io.IOException: no', other_thread) == "IOException: no"


LOGGED = "2026-01-31 10:00:00,123 INFO etl: the next file"


@pytest.mark.parametrize("end", [[], ["The job was cancelled."], ["The job's process ended with exit code 1."]])
def test_an_exception_after_which_the_job_logs_something_was_caught(end: list[str]) -> None:
    told = {"The job was cancelled.": "the job was cancelled"}.get("".join(end), "the program ended with exit code 1")
    assert reason(*TRACEBACK, LOGGED, *end) == (told if end else None)


def test_a_line_of_the_job_about_an_exit_code_is_not_its_end() -> None:
    assert reason("validator ended with exit code 0", "step exit code: 3") is None
    lost = "26/01/31 10:00:00 ERROR TaskSchedulerImpl: Lost executor 1: Command exited with code 137"
    assert reason(lost, "row 1") is None
    assert reason("The job's process ended with exit code 3.", "row 1") is None


def test_an_error_of_a_task_that_was_tried_again_is_not_the_reason() -> None:
    memory = "26/01/31 10:00:00 WARN TaskSetManager: Lost task 0.0 (TID 1): java.lang.OutOfMemoryError: Java heap space"
    assert reason(memory, LOGGED, "The job's process ended with exit code 3.") == "the program ended with exit code 3"
    assert reason(memory, "The job's process ended with exit code 52.") == "OutOfMemoryError: Java heap space"


def test_an_exception_that_was_only_printed_long_before_the_end_is_not_the_reason() -> None:
    end = "The job's process ended with exit code 1."
    assert reason("FileNotFoundError: skipping a.csv", *["row"] * 200, end) == "the program ended with exit code 1"
