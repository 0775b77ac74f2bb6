from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_dli.local.server import LocalDli
from tests.local.api import Api

UNKNOWN_ID = "7d4bfe7c-3d5e-4f0a-9c1b-2f8e6a5d4c3b"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """The account of a server that no other test calls."""
    with LocalDli(tmp_path, engine="timeline") as dli:
        yield Api(dli.credentials)


def test_calls_are_counted_by_method_and_route_answered_or_not(own: Api) -> None:
    job_id = own.submit()
    own.sessions()
    own.sessions(state="dead")
    for name in (job_id, UNKNOWN_ID, "42"):
        own.call("GET", f"{own.batches}/{name}/state")
    own.call("GET", own.batches, headers={})
    own.call("GET", "/nowhere")
    assert own.ask("GET", "/local/calls") == {
        "GET /batches": 3,
        "GET /batches/{id}/state": 3,
        "GET unknown": 1,
        "POST /batches": 1,
    }


def test_counting_starts_again_from_nothing(own: Api) -> None:
    own.sessions()
    assert own.call("DELETE", "/local/calls").status_code == 204
    assert own.ask("GET", "/local/calls") == {}
