from collections.abc import Iterator

import pytest

from tests.fakes import ScriptedService
from tests.operations.submitting import Stage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedService() as service:
        yield Stage(service)
