"""0.1.0 and today's code take turns on a stack with numbers. Pulumi rounds them, and 0.1.0 cannot know.

Whole numbers that differ by 1 are the same for 0.1.0 if they are large enough.
"""

import re
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.compat.account import form_of
from tests.compat.old_stack import LIVE
from tests.compat.test_versions_take_turns import Turns, Version
from tests.compat.versions import TODAY, unpack_0_1_0
from tests.project import Project

PROGRAM = """
    build = DAYS["numbers"]
    dli.BatchJob(
        "numbers",
        file="obs://demo/numbers.py",
        queue="default",
        conf={"spark.app.snapshot": 1234567890123456789, "spark.app.build": build, "spark.app.parts": 64},
        triggers={"build": build, "number": 1},
    )
"""

BUILD = 20261124093000124
"""A double holds this number, but neither of its neighbours."""

CONFIGURATION = """
    config:
      dli:jobs:
        numbers:
          file: obs://demo/numbers.py
          queue: default
          conf: {spark.app.snapshot: 5781947118336215154, spark.app.version: 3.10}
          triggers: {build: 42, zero: 052812345678}
"""


def in_quotes(configuration: str) -> str:
    """Put quotes around every number."""
    return re.sub(r": ([\d.]+)", r': "\1"', configuration)


@pytest.fixture
def old(tmp_path: Path) -> Version:
    return unpack_0_1_0(tmp_path / "0.1.0")


@pytest.mark.slow
def test_no_turn_runs_a_job_again_because_of_a_number(tmp_path: Path, local_dli: Service, old: Version) -> None:
    local_dli.play("numbers", LIVE)
    turns = Turns(Project(tmp_path / "project", local_dli.environment), local_dli, PROGRAM, numbers=BUILD - 1)
    turns.declare()
    turns.up(old, numbers=(1, 0))
    turns.up(TODAY)
    turns.up(old)
    turns.refresh(TODAY)
    turns.preview(old)
    turns.refresh(old)
    turns.preview(TODAY)

    turns.declare(numbers=BUILD + 1)
    turns.preview(old)
    turns.up(TODAY, numbers=(1, 1))
    sent = [run.body["conf"] for run in local_dli.jobs() if form_of(run) == "numbers"][-1]
    expected = {"spark.app.snapshot": "1234567890123456789", "spark.app.build": str(BUILD + 1), "spark.app.parts": "64"}
    assert sent == expected
    turns.up(old)
    turns.up(TODAY)


@pytest.mark.slow
def test_a_run_that_the_other_version_left_is_adopted_whatever_its_numbers(
    tmp_path: Path, local_dli: Service, old: Version
) -> None:
    local_dli.play("numbers", LIVE)
    turns = Turns(Project(tmp_path / "project", local_dli.environment), local_dli, PROGRAM, numbers=BUILD + 1)
    turns.declare()
    turns.up(TODAY, numbers=(1, 0))

    turns.declare(numbers=BUILD - 1)
    turns.up_killed_before_it_saves(TODAY, numbers=(1, 1))
    turns.up(old)
    turns.up(TODAY)

    turns.declare(numbers=BUILD + 99)
    turns.up_killed_before_it_saves(old, numbers=(1, 1))
    turns.up(TODAY)
    turns.up(old)


@pytest.mark.slow
def test_quotes_around_a_number_of_the_configuration_run_no_job_again(
    tmp_path: Path, local_dli: Service, old: Version
) -> None:
    local_dli.play("numbers", LIVE)
    project = Project(tmp_path / "project", local_dli.environment)
    turns = Turns(project, local_dli, "dli.jobs_from_config()", numbers="")
    turns.declare()
    turns.configure(CONFIGURATION)
    turns.up(old, numbers=(1, 0))
    refused = turns.up_refused(TODAY)
    for place in ('conf["spark.app.snapshot"]', 'conf["spark.app.version"]', 'triggers["build"]', 'triggers["zero"]'):
        assert f"dli:jobs.numbers.{place}: must be text" in refused
    turns.configure(in_quotes(CONFIGURATION))
    turns.up(TODAY)
    turns.up(old)
    turns.preview(TODAY)

    other = CONFIGURATION.replace("42", "43")
    turns.configure(other)
    turns.up_killed_before_it_saves(old, numbers=(1, 1))
    turns.configure(in_quotes(other))
    turns.up(TODAY)
    turns.up(old)

    turns.configure(in_quotes(CONFIGURATION.replace("42", "44")))
    turns.up_killed_before_it_saves(TODAY, numbers=(1, 1))
    turns.up(old)
    turns.up(TODAY)
