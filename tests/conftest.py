"""What tests of the whole share: a local DLI on a real socket, and a Pulumi project that signs in to it.

And how many inputs hypothesis makes: a few, the same every time, or 100,000 with

    make test PYTEST_ARGS="--hypothesis-profile=many -k whatever"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.campaign.hosts import ForkServer
from tests.engine import ProviderProcess
from tests.project import Project, heeded_signals, variables_of

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

HAS_LOCAL_DLI = find_spec("fcntl") is not None  # the local DLI is for Linux and macOS

settings.register_profile("few", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("many", settings.get_profile("few"), derandomize=False, max_examples=100_000)
settings.load_profile("few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if settings.get_current_profile_name() == "many":
            item.add_marker(pytest.mark.timeout(0))
        if not HAS_LOCAL_DLI and "local_dli" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="the local DLI is for Linux and macOS"))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what imports the local DLI, where there is none. An import for the types alone is indented."""
    if HAS_LOCAL_DLI or not re.fullmatch(r"test_\w+\.py", collection_path.name):
        return None
    text = collection_path.read_text(encoding="utf-8")
    return True if re.search(r"^(from|import) pulumi_dli\.local\b", text, re.MULTILINE) else None


@pytest.fixture(autouse=True, scope="session")
def _heeded_signals() -> Iterator[None]:
    with heeded_signals():
        yield


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A local DLI that plays timelines. Its `states` are those after the start of each job."""
    pytest.importorskip("fcntl", reason="the local DLI is for Linux and macOS")
    from tests.local.settled import SettledService  # noqa: PLC0415  it needs fcntl

    with SettledService(tmp_path / "dli") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, service: Service) -> Project:
    """An empty Pulumi project whose environment signs in to the local DLI."""
    return Project(tmp_path / "project", variables_of(service))


@pytest.fixture(scope="session")
def fork_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """Starts provider processes without half a second of imports each. They share nothing that a test changes."""
    pytest.importorskip("fcntl", reason="the processes are forked")
    with ForkServer(tmp_path_factory.mktemp("hosts")) as server:
        yield server


@pytest.fixture
def provider(service: Service, fork_server: ForkServer) -> Iterator[ProviderProcess]:
    """A provider process, driven as the engine drives it, with the local DLI's account in its environment."""
    with ProviderProcess(variables_of(service), start=fork_server.start) as process:
        yield process
