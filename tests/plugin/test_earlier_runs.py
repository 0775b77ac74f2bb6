"""A live run that is not adopted gets no second run beside it: one of a dynamic resource, and any without adoption."""

from collections.abc import Iterator

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


# With `dli:adopt` false

ENDLESS = {**JOB, "conf": {"spark.dli.local.timeline": LIVE}}


def live(service: Service) -> list[str]:
    return [job.id for job in service.jobs() if not job.state.is_final]


@pytest.fixture
def without_adoption(account: None) -> Iterator[Plugin]:
    with Plugin(configuration={"adopt": False}) as started:
        yield started


@pytest.mark.parametrize("args", [[], ["new"]])
def test_without_adoption_a_live_run_is_refused_and_named(
    plugin: Plugin, without_adoption: Plugin, service: Service, args: list[str]
) -> None:
    stored = plugin.declare(job_urn(), ENDLESS)
    # `pulumi up --replace`: a check without stored inputs, and no plan
    with pytest.raises(PluginError, match=f"load: nothing was submitted.*batch job {stored.id}") as told:
        without_adoption.declare(job_urn(), {**ENDLESS, "args": args})
    assert not told.value.is_defect
    assert "set its option deleteBeforeReplace to true" in str(told.value)
    assert live(service) == [stored.id]


def test_without_adoption_a_run_that_is_deleted_first_is_no_obstacle(
    plugin: Plugin, without_adoption: Plugin, service: Service
) -> None:
    stored = plugin.declare(job_urn(), ENDLESS)
    inputs = without_adoption.checked(job_urn(), ENDLESS)
    without_adoption.delete(stored)
    new = without_adoption.create(job_urn(), inputs)
    assert live(service) == [new.id]


def test_without_adoption_a_planned_replacement_is_no_obstacle(
    plugin: Plugin, without_adoption: Plugin, service: Service
) -> None:
    stored = plugin.declare(job_urn(), ENDLESS)
    news = {**ENDLESS, "args": ["new"]}
    without_adoption.diff(stored, without_adoption.checked(job_urn(), news, olds=stored.inputs))
    new = without_adoption.create(job_urn(), without_adoption.checked(job_urn(), news))  # retainOnDelete
    assert live(service) == [stored.id, new.id]


def test_without_adoption_runs_of_others_and_ended_runs_are_no_obstacle(
    plugin: Plugin, without_adoption: Plugin, service: Service
) -> None:
    other = plugin.declare(job_urn("other"), ENDLESS)
    fixed = plugin.declare(job_urn(), {**ENDLESS, "name": "fixed"})
    service.cancel(plugin.declare(job_urn(), ENDLESS).id)
    new = without_adoption.declare(job_urn(), {**ENDLESS, "name": "fixed"})
    assert live(service) == [other.id, fixed.id, new.id]


def test_without_adoption_an_account_that_may_not_list_jobs_submits(without_adoption: Plugin, service: Service) -> None:
    service.fail("GET", "/batches", status=403, count=None)
    without_adoption.declare(job_urn(), JOB)
    without_adoption.declare(job_urn("other"), JOB)
    assert len(service.jobs()) == 2
    assert service.calls()["GET /batches"] == 1


def test_without_adoption_a_listing_that_fails_otherwise_submits_nothing(
    without_adoption: Plugin, service: Service
) -> None:
    service.fail("GET", "/batches", status=503, count=None)
    with pytest.raises(PluginError, match=r"the job was not submitted, and nothing runs.*503") as told:
        without_adoption.declare(job_urn(), JOB)
    assert not told.value.is_defect
    assert service.jobs() == []
