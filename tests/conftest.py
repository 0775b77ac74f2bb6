"""What tests of the whole share: a local DLI on a real socket, and a Pulumi project that signs in to it.

And how many inputs hypothesis makes: a few, the same every time, or 100,000 with

    make test PYTEST_ARGS="--hypothesis-profile=many -k whatever"
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pulumi_dli.local.server import LocalDli
from tests.engine import ProviderProcess
from tests.project import Project, heeded_signals
from tests.service import Service

settings.register_profile("few", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("many", settings.get_profile("few"), derandomize=False, max_examples=100_000)
settings.load_profile("few")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if settings.get_current_profile_name() == "many":
        for item in items:
            item.add_marker(pytest.mark.timeout(0))


@pytest.fixture(autouse=True, scope="session")
def _heeded_signals() -> Iterator[None]:
    with heeded_signals():
        yield


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A local DLI that plays timelines, and what its account can see."""
    with LocalDli(tmp_path / "dli", engine="timeline") as dli:
        yield Service(dli)


@pytest.fixture
def project(tmp_path: Path, service: Service) -> Project:
    """An empty Pulumi project whose environment signs in to the local DLI."""
    return Project(tmp_path / "project", service.environment)


@pytest.fixture
def provider(service: Service) -> Iterator[ProviderProcess]:
    """A provider process, driven as the engine drives it, with the local DLI's account in its environment."""
    with ProviderProcess(service.environment) as process:
        yield process
