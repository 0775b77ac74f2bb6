"""What Pulumi's own options, and whoever else works in the same DLI project, do to jobs. Real `pulumi up`s."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.testing import Service
from tests.project import Project, row, variables_of

DEAD, RUNNING = BatchState.DEAD, BatchState.RUNNING
ENDLESS = "queue='default', conf={'spark.dli.local.timeline': 'starting:0s,running'}"
DIES = "queue='default', conf={'spark.dli.local.timeline': 'dead'}"


def test_replace_runs_one_job_again_and_target_replace_leaves_the_changes_of_others_out(
    project: Project, service: Service
) -> None:
    program = """
        dli.BatchJob("load", file="load.py", {endless})
        dli.BatchJob("other", file="other.py", args=["{day}"], {endless})
    """
    project.write(program.format(day="monday", endless=ENDLESS))
    project.up()
    project.up("--replace", "**::load")
    assert (service.states("load"), service.states("other")) == ([DEAD, RUNNING], [RUNNING])
    project.write(program.format(day="tuesday", endless=ENDLESS))
    project.up("--target-replace", "**::load")
    assert (service.states("load"), service.states("other")) == ([DEAD, DEAD, RUNNING], [RUNNING])


@pytest.mark.slow
def test_a_run_that_must_not_be_cancelled_is_safe_from_changes_but_not_from_a_replacement_trigger(
    project: Project, service: Service
) -> None:
    program = """
        opts = pulumi.ResourceOptions(replacement_trigger={trigger})
        dli.BatchJob("load", file="load.py", args=["{day}"], when_running="refuse", opts=opts, {endless})
    """
    project.write(program.format(trigger=None, day="monday", endless=ENDLESS))
    project.up()
    project.write(program.format(trigger=1, day="monday", endless=ENDLESS))
    project.up()  # a trigger that is set for the first time is no change
    project.write(program.format(trigger=1, day="tuesday", endless=ENDLESS))
    screen = project.failing_up()
    assert "load: the job must run again, because args changed. But when_running is refuse, and batch job" in screen
    assert "Traceback" not in screen
    assert service.states("load") == [RUNNING]
    for trigger in (2, None):  # nor is one that is removed
        project.write(program.format(trigger=trigger, day="monday", endless=ENDLESS))
        project.up()
    assert service.states("load") == [DEAD, RUNNING]


@pytest.mark.slow
def test_retain_on_delete_leaves_the_old_run_and_a_forced_replacement_takes_it_over(
    project: Project, service: Service
) -> None:
    program = """
        opts = pulumi.ResourceOptions(retain_on_delete=True)
        dli.BatchJob("load", file="load.py", args=["{day}"], opts=opts, {endless})
    """
    project.write(program.format(day="monday", endless=ENDLESS))
    project.up()
    project.write(program.format(day="tuesday", endless=ENDLESS))
    screen = project.up()
    first, second = service.jobs("load")
    assert f"load: an earlier run with another declaration still runs: batch job {first.id}" in row(screen, "load")
    assert f"load: adopted batch job {second.id}" in row(project.up("--replace", "**::load"), "load")
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert service.states("load") == [RUNNING, RUNNING]


@pytest.mark.parametrize(("day", "trigger"), [("tuesday", 1), pytest.param("monday", 2, marks=pytest.mark.slow)])
def test_a_retained_run_that_was_adopted_is_not_taken_back_by_what_replaces_it(
    project: Project, service: Service, day: str, trigger: int
) -> None:
    program = """
        opts = pulumi.ResourceOptions(retain_on_delete=True, replacement_trigger={trigger})
        dli.BatchJob("{name}", file="load.py", args=["{day}"], adopt_id={adopt_id!r}, opts=opts, {endless})
    """
    project.write(program.format(name="load", day="monday", trigger=1, adopt_id=None, endless=ENDLESS))
    project.up()
    (first,) = service.jobs("load")
    project.write(program.format(name="import", day="monday", trigger=1, adopt_id=first.id, endless=ENDLESS))
    project.up()
    assert service.jobs("import") == []
    project.write(program.format(name="import", day=day, trigger=trigger, adopt_id=first.id, endless=ENDLESS))
    assert "import: the job has already used its adopt_id" in row(project.up(), "import")
    assert (service.states("load"), service.states("import")) == ([RUNNING], [RUNNING])


@pytest.mark.slow
def test_a_protected_job_never_runs_again_even_a_dead_one_and_a_protected_wait_needs_no_replacement(
    project: Project, service: Service
) -> None:
    program = """
        job = dli.BatchJob(
            "load", file="load.py", args=["{day}"], opts=pulumi.ResourceOptions(protect={protect}), {endless}
        )
        job.wait(until="running", opts=pulumi.ResourceOptions(protect=True))
    """
    project.write(program.format(day="monday", protect=True, endless=ENDLESS))
    project.up()
    project.write(program.format(day="tuesday", protect=True, endless=ENDLESS))
    assert "currently marked for protection" in project.failing_up()
    assert service.states("load") == [RUNNING]
    service.cancel(service.jobs("load")[0].id)
    project.write(program.format(day="monday", protect=True, endless=ENDLESS))
    assert "currently marked for protection" in project.failing_up()
    assert service.states("load") == [DEAD]
    project.write(program.format(day="monday", protect=False, endless=ENDLESS))
    project.up()
    _, second = service.jobs("load")
    assert project.state_of("load-running")["outputs"]["jobId"] == second.id


@pytest.mark.slow
def test_ignored_changes_run_nothing_and_are_submitted_with_the_next_replacement(
    project: Project, service: Service
) -> None:
    program = """
        opts = pulumi.ResourceOptions(ignore_changes=["args", "driver_memory"])
        args = {{"file": "load.py", "args": ["{day}"], "driver_memory": "{memory}", "triggers": {{"at": {at}}}}}
        dli.BatchJob("load", **args, opts=opts, {endless})
    """
    project.write(program.format(day="monday", memory="1G", at=1, endless=ENDLESS))
    project.up()
    project.write(program.format(day="tuesday", memory="2G", at=1, endless=ENDLESS))
    project.up()
    assert service.states("load") == [RUNNING]
    project.write(program.format(day="tuesday", memory="2G", at=2, endless=ENDLESS))
    project.up()
    assert [job.body["args"] for job in service.jobs("load")] == [["monday"], ["tuesday"]]


@pytest.mark.slow
def test_jobs_of_one_name_in_components_of_one_name_are_two_jobs(project: Project, service: Service) -> None:
    program = """
        class Pipeline(pulumi.ComponentResource):
            def __init__(self, name, parent):
                super().__init__("jobs:Pipeline", name, None, pulumi.ResourceOptions(parent=parent))
                opts = pulumi.ResourceOptions(parent=self)
                self.job = dli.BatchJob("load", file="load.py", opts=opts, {endless})

        for kind in {kinds}:
            component = pulumi.ComponentResource(f"jobs:{{kind}}", "all")
            Pipeline("etl", component).job.wait(until="running")
    """
    project.write(program.format(kinds=["Daily"], endless=ENDLESS))
    project.up()
    project.write(program.format(kinds=["Daily", "Weekly"], endless=ENDLESS))
    project.up()
    assert service.states("load") == [RUNNING, RUNNING]


def test_with_all_changes_ignored_nothing_runs_again(project: Project, service: Service) -> None:
    program = """
        opts = pulumi.ResourceOptions(ignore_changes=["*"])
        dli.BatchJob("load", file="load.py", args=["{day}"], opts=opts, {endless})
    """
    project.write(program.format(day="monday", endless=ENDLESS))
    project.up()
    project.write(program.format(day="tuesday", endless=ENDLESS))
    project.up("--expect-no-changes")
    assert service.states("load") == [RUNNING]


def test_a_rename_of_a_job_with_a_fixed_name_leaves_its_run_alone(project: Project, service: Service) -> None:
    program = """
        dli.BatchJob("{name}", name="nightly", file="load.py", {endless})
    """
    project.write(program.format(name="load", endless=ENDLESS))
    project.up()
    project.write(program.format(name="import", endless=ENDLESS))
    assert "because it now belongs to another resource, import." in project.up("--refresh")  # plans the old too
    assert service.states() == ["running"]
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert service.states() == ["dead"]


def test_a_rename_with_an_alias_or_of_the_stack_runs_nothing_and_one_without_submits_and_cancels(
    project: Project, service: Service
) -> None:
    program = """
        opts = pulumi.ResourceOptions(aliases={aliases})
        dli.BatchJob("{name}", file="load.py", opts=opts, {endless}).wait(until="running")
    """
    project.write(program.format(name="load", aliases=[], endless=ENDLESS))
    project.up()
    project.pulumi("stack", "rename", "prod")
    project.write(program.format(name="import", aliases="[pulumi.Alias(name='load')]", endless=ENDLESS))
    project.up("--expect-no-changes")
    assert [job.name.split("-")[0] for job in service.jobs()] == ["load"]
    project.write(program.format(name="third", aliases=[], endless=ENDLESS))
    project.up()
    assert (service.states("load"), service.states("third")) == ([DEAD], [RUNNING])


def test_a_rename_with_an_alias_that_is_taken_back_without_one_goes_on_with_the_run(
    project: Project, service: Service
) -> None:
    program = """
        opts = pulumi.ResourceOptions(aliases={aliases})
        dli.BatchJob("{name}", file="load.py", opts=opts, {endless})
    """
    for name, aliases in (("load", []), ("import", "[pulumi.Alias(name='load')]"), ("load", [])):
        project.write(program.format(name=name, aliases=aliases, endless=ENDLESS))
        screen = project.up()
    assert "because it now belongs to another resource, load." in screen
    assert service.states() == ["running"]


def test_jobs_that_are_replaced_at_once_run_once_each(project: Project, service: Service) -> None:
    program = """
        first = dli.BatchJob("first", file="job.py", args=["{day}"], {endless})
        dli.BatchJob("second", file="job.py", args=["{day}"], {endless})
        dli.BatchJob("third", file="job.py", args=["{day}"], triggers={{"upstream": first.id}}, {endless})
    """
    for day in ("monday", "tuesday"):
        project.write(program.format(day=day, endless=ENDLESS))
        project.up()
    for name in ("first", "second", "third"):
        assert service.states(name) == [DEAD, RUNNING]


def test_a_run_that_the_state_lost_is_adopted_unless_adoption_is_off_or_there_are_two(
    project: Project, service: Service
) -> None:
    project.write(f'dli.BatchJob("load", file="load.py", {ENDLESS})')
    project.up()
    project.pulumi("state", "delete", "--all", "--yes")
    project.up("--config", "dli:adopt=false")
    first, second = service.jobs("load")
    project.pulumi("state", "delete", "--all", "--yes")
    screen = project.failing_up("--config", "dli:adopt=true")
    assert "load: nothing was submitted. 2 runs of this job go on, but no state knows them" in screen
    assert first.id in screen
    assert second.id in screen
    service.cancel(first.id)
    assert f"load: adopted batch job {second.id}" in row(project.up(), "load")
    assert service.states("load") == [DEAD, RUNNING]


def test_destroy_cancels_the_job_and_asks_nothing_for_its_wait(project: Project, service: Service) -> None:
    project.write(f'dli.BatchJob("load", file="load.py", {ENDLESS}).wait(until="running")')
    project.up()
    service.reset_calls()
    project.pulumi("destroy", "--yes", "--skip-preview")
    assert service.states("load") == [DEAD]
    assert service.calls().pop("GET /batches") == 3  # whether the service has accepted the job twice
    assert set(service.calls()) == {"GET /batches", "GET /batches/{id}", "DELETE /batches/{id}"}
    assert service.calls()["DELETE /batches/{id}"] == 1


def test_continue_on_error_goes_on_with_everything_but_what_depends_on_the_failed_job(
    project: Project, service: Service
) -> None:
    project.write(f"""
        bad = dli.BatchJob("bad", file="bad.py", {DIES}).wait()
        opts = pulumi.ResourceOptions(depends_on=[bad])
        dli.BatchJob("afterbad", file="afterbad.py", {DIES}, opts=opts).wait()
        dli.BatchJob("ofbad", file=bad.job_id.apply("{{}}.py".format), {DIES}).wait(until="finished")
        dli.BatchJob("refused", file="refused.py", queue="nowhere").wait()
        good = dli.BatchJob("good", file="good.py", conf={{"spark.dli.local.timeline": "running:3s,success"}}).wait()
        dli.BatchJob("aftergood", file="aftergood.py", {ENDLESS}, opts=pulumi.ResourceOptions(depends_on=[good]))
    """)
    screen = project.failing_up("--continue-on-error")
    assert "bad: batch job" in screen
    assert "refused: the job was not submitted, and nothing runs" in screen
    assert "is missing" not in screen
    files = sorted(job.body["file"] for job in service.jobs())
    assert files == ["aftergood.py", "bad.py", "good.py"]


def test_two_stacks_with_the_same_names_leave_each_others_jobs_alone_even_at_once(
    project: Project, service: Service
) -> None:
    program = 'dli.BatchJob("load", file="load.py", args=["{day}"], {endless})'
    project.pulumi("stack", "init", "prod")
    project.write(program.format(day="monday", endless=ENDLESS))
    project.up("--stack", "dev")
    project.up("--stack", "prod")
    assert service.states("load") == [RUNNING, RUNNING]
    project.write(program.format(day="tuesday", endless=ENDLESS))
    with ThreadPoolExecutor() as both:
        screens = list(both.map(lambda stack: project.up("--stack", stack), ("dev", "prod")))
    assert service.states("load") == [DEAD, DEAD, RUNNING, RUNNING]
    assert not any("adopted" in screen or "still runs" in screen for screen in screens)


@pytest.mark.slow
def test_two_backends_with_the_same_names_need_a_scope_each_to_leave_each_others_jobs_alone(
    project: Project, service: Service
) -> None:
    east, west = project, Project(project.folder / "west", variables_of(service))
    for backend in (east, west):
        backend.write(f'dli.BatchJob("load", file="load.py", {ENDLESS})')
    east.up("--config", "dli:scope=east")
    west.up("--config", "dli:scope=west")
    assert service.states("load") == [RUNNING, RUNNING]
    east.pulumi("destroy", "--yes", "--skip-preview")
    assert service.states("load") == [DEAD, RUNNING]
    of_west = service.jobs("load")[1]
    assert f"load: adopted batch job {of_west.id}" in row(east.up("--config", "dli:scope=west"), "load")
