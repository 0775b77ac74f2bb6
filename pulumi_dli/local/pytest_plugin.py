"""The pytest plugin: a local DLI for each test that asks for one.

pytest loads it wherever this package is installed, so nothing but pytest is imported before a test uses the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

_OTHER_ACCOUNTS = ("DLI_", "OS_", "HW_", "HUAWEICLOUD_")


@pytest.fixture
def local_dli_options() -> Mapping[str, Any]:
    """Options of `pulumi_dli.local.server.LocalDli`. Override it: `{"queues": ["batch"]}`."""
    return {}


@pytest.fixture
def local_dli(
    local_dli_options: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A local DLI of the test's own, running; it plays timelines, so no Spark is needed.

    While the test runs, the environment signs in to it, and no variable of another account is left.
    """
    try:
        from pulumi_dli.local.testing import Service  # noqa: PLC0415  see above
    except ModuleNotFoundError as error:
        pytest.fail(f"{error.name} is not installed: pip install 'pulumi-dli[local]'", pytrace=False)
    with Service(tmp_path_factory.mktemp("local-dli"), **local_dli_options) as service:
        for name in os.environ:
            if name.startswith(_OTHER_ACCOUNTS):
                monkeypatch.delenv(name)
        for name, value in {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": os.devnull, **service.environment}.items():
            monkeypatch.setenv(name, value)
        yield service
