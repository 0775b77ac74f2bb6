"""The declaration that has created a run."""

from typing import Any

import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.plugin.declaration_of_run import declaration_of_run


def run(request: Any, **fields: Any) -> Batch:
    return Batch(id="1", req_body=request, **fields)


def test_a_run_tells_what_it_was_asked_for() -> None:
    request = {"file": "a.py", "args": ["x"], "cluster_name": "", "queue": "batch", "conf": {"a.b": "1"}, "jars": []}
    assert declaration_of_run(run(request, state="running")) == {
        "file": "a.py", "args": ["x"], "queue": "batch", "conf": {"a.b": "1"},
    }  # fmt: skip


def test_defaults_of_the_service_are_absent() -> None:
    request = {"file": "a.py", "sc_type": "A", "autoRecovery": False, "maxRetryTimes": 20, "feature": "basic"}
    assert declaration_of_run(run(request)) == {"file": "a.py"}
    assert declaration_of_run(run({"file": "a.py", "sc_type": "CUSTOMIZED"})) == {"file": "a.py"}
    assert declaration_of_run(run({"file": "a.py", "sc_type": "B"})) == {"file": "a.py", "scType": "B"}


@pytest.mark.parametrize(
    ("name", "declared"), [("nightly", {"name": "nightly"}), ("load-0a1b2c3d-0a1b2c3d-0a1b2c", {}), ("", {})]
)
def test_a_name_that_the_provider_made_is_absent(name: str, declared: dict[str, str]) -> None:
    assert declaration_of_run(run({"file": "a.py", "name": name})) == {"file": "a.py", **declared}
    assert declaration_of_run(run({"file": "a.py"}, name=name)) == {"file": "a.py", **declared}


def test_a_dead_run_is_not_to_run_again() -> None:
    assert declaration_of_run(run({"file": "a.py"}, state="dead")) == {"file": "a.py", "rerunOnFailure": False}


def test_a_run_without_its_request_tells_nothing() -> None:
    assert declaration_of_run(run(None, state="success")) == {}
