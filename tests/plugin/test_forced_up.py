"""Forced replacements in real `pulumi up`s with the native provider against the local DLI."""

import itertools
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.plugin.native_project import NativeProject
from tests.project import row, variables_of

pytestmark = pytest.mark.slow

ENDLESS = '"spark.dli.local.timeline": "starting:0s,running"'
TARGET = "**dli:index:BatchJob::load"


@pytest.fixture
def native(tmp_path: Path, service: Service) -> NativeProject:
    return NativeProject(tmp_path / "project", variables_of(service))


def live(service: Service) -> list[str]:
    return [job.id for job in service.jobs() if not job.state.is_final]


def check_one_at_a_time(service: Service) -> None:
    jobs = service.jobs()
    for old, new in itertools.pairwise(jobs):
        assert old.end_time is not None
        assert old.end_time <= new.create_time, "two runs at once"


def test_a_replacement_that_another_resource_stops_leaves_the_live_run_alone(
    native: NativeProject, service: Service
) -> None:
    """The engine then keeps the old resource in the state, with the same run, and deletes it in the next `up`."""
    load = f'load = BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}}})\n'
    fails = 'BatchJob("fails", file="fails.py", queue="default", adoptId="11111111-2222-3333-4444-555555555555", '
    fails += "opts=pulumi.ResourceOptions(depends_on=[load]))\n"
    native.write(load)
    native.up()
    (run,) = live(service)
    native.write(load + fails)
    assert "the service has no such job" in native.failing_up("--replace", TARGET)
    stored = [one for one in native.resources() if one["type"] == "dli:index:BatchJob"]
    assert [(one["id"], bool(one.get("delete"))) for one in stored] == [(run, False), (run, True)]

    native.write(load)
    screen = native.up()
    assert live(service) == [run]
    assert f"the state had batch job {run} twice" in row(screen, "load")
    stored = [one for one in native.resources() if one["type"] == "dli:index:BatchJob"]
    assert [(one["id"], bool(one.get("delete"))) for one in stored] == [(run, False)]


def test_a_rename_with_a_new_trigger_is_one_live_run(native: NativeProject, service: Service) -> None:
    def write(name: str, trigger: str, options: str = "") -> None:
        native.write(f"""
            BatchJob("{name}", file="load.py", queue="default", conf={{{ENDLESS}}},
                     opts=pulumi.ResourceOptions(replacement_trigger="{trigger}"{options}))
        """)

    write("load", "a")
    native.up()
    (first,) = live(service)
    renamed = ', aliases=[pulumi.Alias(name="load")]'
    write("renamed", "b", renamed)
    assert f"batch job {first}" in row(native.failing_up(), "renamed")
    assert live(service) == [first]
    write("renamed", "b", f"{renamed}, delete_before_replace=True")
    native.up()
    (second,) = live(service)
    assert native.state_of("renamed")["id"] == second != first
    check_one_at_a_time(service)
    assert "__run" not in native.pulumi("preview", "--diff", "--replace", "**renamed")
    native.pulumi("destroy", "--yes")
    assert live(service) == []


def test_a_job_that_goes_to_another_provider_is_one_live_run(native: NativeProject, service: Service) -> None:
    """Each explicit provider is another process. The second one knows the run of the first one by its marks."""

    def write(provider: str, trigger: str) -> None:
        native.write(f"""
            first, second = Provider("first", scope="first"), Provider("second", scope="second")
            BatchJob("load", file="load.py", queue="default", conf={{{ENDLESS}}},
                     opts=pulumi.ResourceOptions(provider={provider}, replacement_trigger="{trigger}"))
        """)

    write("first", "a")
    native.up()
    (run,) = live(service)
    write("second", "a")
    native.up()
    assert live(service) == [run]
    write("second", "b")
    assert f"batch job {run}" in row(native.failing_up(), "load")
    assert live(service) == [run]
