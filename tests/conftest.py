"""What tests of the whole share: a local DLI on a real socket, and a Pulumi project that signs in to it.

And how many inputs hypothesis makes: a few, the same every time, or 100,000 with

    make test PYTEST_ARGS="--hypothesis-profile=many -k whatever"
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pulumi_dli.local.testing import Service
from tests.engine import ProviderProcess
from tests.project import Project, heeded_signals, variables_of

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
    """A local DLI that plays timelines."""
    with Service(tmp_path / "dli") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, service: Service) -> Project:
    """An empty Pulumi project whose environment signs in to the local DLI."""
    return Project(tmp_path / "project", variables_of(service))


@pytest.fixture
def provider(service: Service) -> Iterator[ProviderProcess]:
    """A provider process, driven as the engine drives it, with the local DLI's account in its environment."""
    with ProviderProcess(variables_of(service)) as process:
        yield process
