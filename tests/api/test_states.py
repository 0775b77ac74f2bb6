"""The table of states, and the places that draw a state or ask something about it."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import pulumi_dli
from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import LIVE_STATES, BatchState, StateFacts
from pulumi_dli.jobs.progress import progress_message
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.local.endings import Ending
from pulumi_dli.local.page_templates import _environment
from scripts.generate import package_schema

PACKAGE = Path(pulumi_dli.__file__).parent

NAMED = {
    "operations/pollers.py": {"DEAD"},
    "local/jobs.py": {"STARTING", "RUNNING", "RECOVERING", "SUCCESS", "DEAD"},
    "local/engines/spark.py": {"STARTING", "RUNNING", "SUCCESS", "DEAD"},
    "local/engines/timeline.py": {"RUNNING"},
    "local/endings.py": {"DEAD"},
    "local/job_tests.py": {"DEAD"},
}
"""The modules that name a state instead of asking its row: the listing of dead jobs and the wait that reads a dead job
twice; and the local DLI, which leads a job from state to state, and says how a dead job ended."""


def named_states(path: Path) -> set[str]:
    """Give the states that a module names."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "BatchState"
    } & set(BatchState.__members__)


def test_every_other_module_asks_the_row_of_a_state() -> None:
    found = {path.relative_to(PACKAGE).as_posix(): named_states(path) for path in PACKAGE.rglob("*.py")}
    assert {module: states for module, states in found.items() if states} == NAMED


def test_a_state_needs_its_row() -> None:
    with pytest.raises(TypeError, match="the state hibernating needs its facts"):
        BatchState._new_member_(BatchState, "hibernating")  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", BatchState)
def test_every_place_draws_a_state_by_its_row(state: BatchState) -> None:
    page = _environment()
    parts = page.get_template("parts.html").module
    style = (PACKAGE / "local" / "static" / "page.css").read_text(encoding="utf-8")
    colour = state.facts.colour
    word = Ending.FAILED if state is BatchState.DEAD else state
    badge = parts.badge(SimpleNamespace(state=state, log=[]))  # type: ignore[attr-defined]
    assert f'class="badge {colour} {word}">{word}<' in badge
    assert re.search(rf"^\.badge\.{colour} ", style, re.MULTILINE)
    assert f"--{colour}: " in style
    assert f"--{colour}-text: " in style
    if state in LIVE_STATES:
        assert f'<rect class="{colour}"' in parts.legend()  # type: ignore[attr-defined]
        assert f"</svg>{state}</li>" in parts.legend()  # type: ignore[attr-defined]
        assert re.search(rf"^\.{colour} ", style, re.MULTILINE)
    assert progress_message(Batch(id="1", state=state), 3.0).startswith(state)
    description = package_schema()["resources"]["dli:index:BatchJob"]["properties"]["state"]["description"]
    assert f"`{state}`" in description


@pytest.mark.parametrize("state", BatchState)
def test_a_state_reaches_goals_that_there_are_and_an_end_is_final(state: BatchState) -> None:
    assert set(state.facts.reaches) <= set(Until)
    assert (Until.FINISHED in state.facts.reaches) == state.is_final
    assert state.is_final or not state.is_failure
    assert all(until.is_reached(state) or until.is_missed(state) for until in Until) or not state.is_final


def test_the_live_states_are_in_the_order_of_a_jobs_life() -> None:
    life = (BatchState.STARTING, BatchState.RUNNING, BatchState.RECOVERING)
    assert tuple(state for state in LIVE_STATES if state in life) == life


def test_a_row_without_more_is_a_live_state() -> None:
    facts = StateFacts("blue")
    assert not (facts.is_final or facts.is_failure or facts.is_new_attempt or facts.needs_capacity or facts.reaches)
