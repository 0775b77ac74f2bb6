"""A live run that a dynamic resource has submitted is neither adopted nor doubled."""

import pytest

from pulumi_dli.jobs.naming import SubmissionName, resource_fingerprint_of
from pulumi_dli.local.testing import Service
from tests.local.api import settled
from tests.plugin.engine import Plugin, PluginError, job_urn

JOB = {"file": "obs://demo/load.py", "queue": "default"}
LIVE = "starting:0s,running"


def submit_as_dynamic(service: Service, organization: str = "organization", timeline: str = LIVE) -> str:
    """Submit a run of the job `load` as the dynamic provider names it. Give its id."""
    scope = resource_fingerprint_of(organization, "jobs", "dev", [], "load")
    name = SubmissionName.new("load", resource_fingerprint_of(scope, ""), "0" * 8)
    conf = {"spark.dli.local.timeline": timeline}
    return service.submit({**JOB, "conf": conf, "name": "-".join((name.resource_name, name.resource_fingerprint,
                                                                  name.request_fingerprint, name.random))})  # fmt: skip


def test_a_live_run_of_the_dynamic_resource_is_refused_and_named(plugin: Plugin, service: Service) -> None:
    run = submit_as_dynamic(service)
    with pytest.raises(PluginError, match=f"load: nothing was submitted, because batch job {run}") as told:
        plugin.declare(job_urn(), JOB)
    assert not told.value.is_defect
    assert "deleteBeforeReplace" in str(told.value)
    assert settled(service.states) == ["running"]


def test_it_is_adopted_by_its_id(plugin: Plugin, service: Service) -> None:
    run = submit_as_dynamic(service)
    assert plugin.declare(job_urn(), {**JOB, "adoptId": run}).id == run


def test_an_ended_run_of_the_dynamic_resource_is_left_alone(plugin: Plugin, service: Service) -> None:
    run = submit_as_dynamic(service)
    service.cancel(run)
    assert plugin.declare(job_urn(), JOB).id != run


def test_a_run_of_another_organization_is_another_jobs(plugin: Plugin, service: Service) -> None:
    run = submit_as_dynamic(service, "elsewhere")
    assert plugin.declare(job_urn(), JOB).id != run


def test_a_child_of_a_component_is_not_recognised(plugin: Plugin, service: Service) -> None:
    submit_as_dynamic(service)
    plugin.declare(job_urn("load", "my:index:Pipeline$dli:index:BatchJob"), JOB)
    assert len(service.jobs()) == 2


def test_an_account_that_may_not_list_jobs_is_told_the_setting(plugin: Plugin, service: Service) -> None:
    service.fail("GET", "/batches", status=403)
    with pytest.raises(PluginError, match="dli:adopt"):
        plugin.declare(job_urn(), JOB)
    assert service.jobs() == []
