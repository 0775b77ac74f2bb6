"""The reason of a failure, from logs of real programs and from whatever a program may write."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_dli.jobs.failure_reason import LINES, failure_reason

LOGS = Path(__file__).parent.parent / "data" / "logs"
CORPUS: dict[str, Any] = json.loads((LOGS / "reasons.json").read_text(encoding="utf-8"))

PYTHON = ["Traceback (most recent call last):", '  File "load.py", line 3, in <module>', "ValueError: no column"]
SPARK = "26/01/31 10:00:00 INFO SparkContext: Running Spark version 3.5.9"


def log_of(name: str) -> list[str]:
    """Return what the log call returns of a log of the corpus."""
    with (LOGS / f"{name}.log").open(encoding="utf-8", newline="\n") as log:
        return log.read().split("\n")[-LINES:]


def test_the_corpus_is_complete() -> None:
    assert {path.stem for path in LOGS.glob("*.log")} == set(CORPUS)
    assert len(CORPUS) >= 30


@pytest.mark.parametrize("name", [name for name in CORPUS if not name.endswith("-success")])
def test_the_reason_of_each_failure_is_found(name: str) -> None:
    found = failure_reason(log_of(name))
    expected = CORPUS[name]["reason"]
    assert found.text == expected
    assert len(found.lines) <= 20
    if expected is not None:
        assert not any("Shutdown hook called" in line for line in found.lines)


def test_a_line_of_three_megabytes_costs_no_screen_and_no_time() -> None:
    found = failure_reason([*PYTHON[:2], f"ValueError: {'x' * 3_000_000}", "y" * 3_000_000])
    assert found.text is not None
    assert found.text.startswith("ValueError: xxx")
    assert len(found.text) <= 501
    assert sum(map(len, found.lines)) < 5000


def test_without_a_reason_the_last_lines_of_the_job_are_shown_without_sparks() -> None:
    found = failure_reason([f"row {number}" for number in range(30)] + [SPARK] * 40)
    assert found.text is None
    assert found.lines == tuple(f"row {number}" for number in range(10, 30))


def test_a_record_of_ten_lines_may_have_the_exception_without_its_traceback() -> None:
    assert failure_reason(["    return int(x)", "ValueError: no column", SPARK]).text == "ValueError: no column"


@pytest.mark.parametrize("code", [1, 3])
def test_an_exception_that_the_job_caught_is_not_the_reason_of_its_exit_code(code: int) -> None:
    log = [*PYTHON, "using the defaults", SPARK, f"The job's process ended with exit code {code}."]
    reason = "ValueError: no column" if code == 1 else f"the program ended with exit code {code}"
    assert failure_reason(log).text == reason


def test_a_stack_is_shown_with_the_calls_of_the_job_only() -> None:
    frames = [f"\tat org.apache.spark.rdd.RDD{number}.run(RDD.scala)" for number in range(50)]
    own = "\tat com.example.Main.main(Main.java:3)"
    found = failure_reason(["reading", 'Exception in thread "main" java.io.IOException: no', *frames, own, *frames])
    assert found.lines == ("reading", 'Exception in thread "main" java.io.IOException: no', own)


SECRET = "swordfish-ö"
parts = st.sampled_from([*"ab: \t\r\x1b[]31m\x07\x9b\n", SECRET, "sword", "fish-ö", "Error", "\x1b]0;t\x07"])
texts = st.lists(parts, max_size=60).map("".join)
lines = st.sampled_from([*PYTHON, SPARK, "Caused by: a.B: c", "\tat a.B", f"ValueError: {SECRET}"]) | texts


@given(st.lists(lines, max_size=40))
def test_nothing_shown_has_a_control_character_or_a_secret(log: list[str]) -> None:
    found = failure_reason(log, [SECRET])
    for line in (*found.lines, found.text or ""):
        assert SECRET not in line
        assert all(character.isprintable() or character == "\t" for character in line)
    assert len(found.lines) <= 20


@pytest.mark.parametrize(("first", "second"), [*product(["a.b.C", "ValueError", "a.b.c"], ["", ": x: y"])])
def test_the_reason_has_the_name_of_the_class_without_its_packages(first: str, second: str) -> None:
    found = failure_reason([f'Exception in thread "main" {first}{second}'])
    assert found.text == f"{first.rpartition('.')[2]}{second}".rstrip()
