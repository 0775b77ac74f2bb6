"""The page about tests with the local DLI: its test passes, and its tables are those of the code."""

import json
import re

import pytest

from pulumi_dli.local.engines import timeline
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.faults import Faults
from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT, block, blocks, first_column

pytest_plugins = ["pytester"]


def test_the_test_of_a_job_is_that_of_the_example() -> None:
    """`tests/local` runs the example."""
    test, _options = blocks("job-tests", "A test of a job", "python")
    copy, command = block("job-tests", "A test of a job", "sh").splitlines()
    assert copy == "cp -r CLONE/examples/wordcount . && cd wordcount"
    example = ROOT / "examples" / "wordcount"
    code = (example / "tests" / "test_wordcount.py").read_text(encoding="utf-8")
    assert code.endswith(test)
    assert command == "python -m pytest tests"


@pytest.mark.slow
def test_the_test_of_a_pulumi_program_passes_as_it_stands_there(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(block("job-tests", "A test of a Pulumi program", "python"))
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1)


def test_the_rule_for_a_fault_is_one() -> None:
    faults = Faults()
    faults.set(json.loads(block("job-tests", "Faults", "json")))
    assert len(faults.match("POST", "/v2.0/p/batches", "/batches")) == 1


def test_every_action_has_a_row() -> None:
    with pytest.raises(ApiError, match="expected tags") as raised:
        Faults().set([{"action": ""}])
    assert first_column("job-tests", "action") == {*re.findall(r"'(\w+)'", str(raised.value).split("expected tags")[1])}


def test_every_key_of_a_timeline_has_a_row() -> None:
    assert first_column("job-tests", "key") == {timeline.TIMELINE, timeline.LOG, timeline.CANCELLING}


def test_everything_of_the_fixture_has_a_row() -> None:
    assert first_column("job-tests", "`local_dli.`") == {*(name for name in vars(Service) if name[0] != "_"), "server"}
