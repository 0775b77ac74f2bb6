"""A native provider for a test, with the local DLI's account in the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.plugin.engine import Plugin
from tests.project import FOREIGN, clean_environment, variables_of
from tests.test_engine_log import Engine, running

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service


@pytest.fixture
def account(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign in to the local DLI, and to nothing else."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name, value in clean_environment(variables_of(service)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def rows() -> Iterator[Engine]:
    """The engine's log."""
    recorder = Engine()
    with running(recorder):
        yield recorder


@pytest.fixture
def plugin(account: None, rows: Engine) -> Iterator[Plugin]:
    with Plugin(rows.address) as started:
        yield started


@pytest.fixture
def later(account: None, rows: Engine) -> Iterator[Plugin]:
    """The process of a later command, which has seen nothing yet."""
    with Plugin(rows.address) as started:
        yield started
