"""The pytest plugin: a local DLI for each test that uses the fixture `local_dli` or `spark_jobs`.

`local_dli` is for tests of Pulumi programs, `spark_jobs` for tests of the jobs themselves. pytest loads this module
wherever the package is installed. It imports nothing but pytest until a test uses a fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pulumi_dli.local.job_tests import SparkJobs
    from pulumi_dli.local.testing import Service

_OTHER_ACCOUNTS = ("DLI_", "OS_", "HW_", "HUAWEICLOUD_")


@pytest.fixture
def local_dli_options() -> Mapping[str, Any]:
    """Options of `pulumi_dli.local.server.LocalDli`. Override it to set some: `return {"queues": ["batch"]}`."""
    return {}


@pytest.fixture
def local_dli(
    local_dli_options: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """A running local DLI for this test alone. It plays timelines, so it needs no Spark.

    While the test runs, the environment variables sign in to it. Variables of other accounts are removed.
    """
    try:
        from pulumi_dli.local.testing import Service  # noqa: PLC0415  tests without the fixture must not load it
    except ModuleNotFoundError as error:
        pytest.fail(f"{error.name} is not installed. Run: pip install 'pulumi-dli[local]'", pytrace=False)
    with Service(tmp_path_factory.mktemp("local-dli"), **local_dli_options) as service:
        for name in os.environ:
            if name.startswith(_OTHER_ACCOUNTS):
                monkeypatch.delenv(name)
        for name, value in {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": os.devnull, **service.environment}.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def spark_jobs_options() -> Mapping[str, Any]:
    """Options of `pulumi_dli.local.server.LocalDli`. Override it to set some: `return {"master": "local[4]"}`."""
    return {}


@pytest.fixture
def spark_jobs(spark_jobs_options: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkJobs]:
    """Run PySpark files as jobs with real Spark, and read and write `obs://` (`pulumi_dli.local.job_tests`).

    The objects and the jobs are those of this test alone. A job takes as long as Spark takes to start, some seconds.
    """
    try:
        from pulumi_dli.local.job_tests import SparkJobs  # noqa: PLC0415  tests without the fixture must not load it
    except ModuleNotFoundError as error:
        pytest.fail(f"{error.name} is not installed. Run: pip install 'pulumi-dli[local]'", pytrace=False)
    with SparkJobs(tmp_path_factory.mktemp("spark-jobs"), **spark_jobs_options) as jobs:
        yield jobs
