"""Fixtures that the tests of several packages share. A package's conftest imports them."""

from collections.abc import Iterator

import pytest

from tests.fakes import FakeClock, ScriptedService


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a service on loopback directly, whatever the environment of the tests says."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    with ScriptedService() as scripted:
        yield scripted


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
