"""A local DLI on a real socket, and its account's view of it."""

from collections.abc import Iterator

import pytest

from pulumi_dli.local.server import LocalDli
from tests.local.api import Api


@pytest.fixture(scope="session")
def dli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDli]:
    """A local DLI that plays timelines, shared by tests that look only at jobs of their own."""
    with LocalDli(tmp_path_factory.mktemp("dli"), engine="timeline", queues=["batch"]) as running:
        yield running


@pytest.fixture(scope="session")
def api(dli: LocalDli) -> Api:
    return Api(dli.credentials)
