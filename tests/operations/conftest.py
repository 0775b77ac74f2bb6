import pytest

from tests.fakes import ScriptedService
from tests.fixtures import clock, no_proxy, service
from tests.operations.submitting import Stage

__all__ = ["clock", "no_proxy", "service", "stage"]


@pytest.fixture
def stage(service: ScriptedService) -> Stage:
    return Stage(service)
