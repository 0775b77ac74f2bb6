"""A component in `depends_on` stands for the outcome of the jobs in it, in real `pulumi up`s."""

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project

PROGRAM = """
    class Stage(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("demo:index:Stage", name, opts=opts)
            self.inside = pulumi.ResourceOptions(parent=self)

    def job(name, opts=None, plays="running:0s,success"):
        conf = {"spark.dli.local.timeline": plays}
        return dli.BatchJob(name, file=f"{name}.py", queue="default", conf=conf, opts=opts)

    def after(*others):
        return pulumi.ResourceOptions(depends_on=[*others])

    dies = "running:1s,dead"
"""


@pytest.mark.slow
def test_what_depends_on_a_component_does_not_run_where_a_job_in_it_dies(project: Project, service: Service) -> None:
    settings = project.folder / "Pulumi.dev.yaml"
    settings.write_text(
        settings.read_text().rstrip()
        + """
config:
  dli:jobs:
    configured:
      file: configured.py
      queue: default
      conf: {spark.dli.local.timeline: "running:1s,dead"}
      wait: true
"""
    )
    project.write(
        PROGRAM
        + """
    plain = Stage("plain")
    job("in_plain", plain.inside, dies).wait()
    job("after_plain", after(plain))

    outer = Stage("outer")
    job("in_nested", Stage("inner", outer.inside).inside, dies).wait()
    job("after_nested", after(outer))

    configured = Stage("configured_stage")
    dli.jobs_from_config(configured.inside)
    job("after_configured", after(configured))

    explicit = Stage("explicit")
    job("in_explicit", None, dies).wait(opts=explicit.inside)
    job("after_explicit", after(explicit))

    good = Stage("good")
    ends = job("in_good", good.inside, "running:1s,success")
    ends.wait(timeout="5m")
    job("after_good", after(good))
    """
    )
    screen = project.failing_up("--continue-on-error")
    for name in ("in_plain", "in_nested", "configured", "in_explicit"):
        assert f"{name}: batch job" in screen
    files = {job.body["file"].removesuffix(".py") for job in service.jobs()}
    assert files == {"in_plain", "in_nested", "configured", "in_explicit", "in_good", "after_good"}
    (first,), (second,) = service.jobs("in_good"), service.jobs("after_good")
    assert first.end_time is not None
    assert first.end_time <= second.create_time


def test_without_continue_on_error_the_up_ends_before_what_depends_on_it(project: Project, service: Service) -> None:
    project.write(
        PROGRAM
        + """
    stage = Stage("stage")
    job("extract", stage.inside, dies).wait()
    job("load", after(stage))
    """
    )
    assert "extract: batch job" in project.failing_up()
    assert [job.body["file"] for job in service.jobs()] == ["extract.py"]


@pytest.mark.slow
def test_a_job_that_is_moved_or_renamed_keeps_its_wait(project: Project, service: Service) -> None:
    def declare(name: str, opts: str) -> None:
        opts = f"pulumi.ResourceOptions({opts})"
        project.write(PROGRAM + f'    dli.BatchJob("{name}", file="a.py", queue="default", opts={opts}).wait()\n')

    declare("load", "")
    project.up()
    service.reset_calls()
    declare("load", "parent=Stage('one'), aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]")
    assert "BatchJobWait" not in project.up()
    declare("import", "parent=Stage('one'), aliases=[pulumi.Alias(name='load')]")
    assert "BatchJobWait" not in project.up()
    declare("import", f"aliases=['{project.state_of('import')['urn']}']")
    assert "BatchJobWait" not in project.up()
    declare("import", "parent=Stage('two'), aliases=[pulumi.Alias(parent=None)]")
    assert "BatchJobWait" not in project.up()
    declare("import", "parent=Stage('three', pulumi.ResourceOptions(aliases=[pulumi.Alias(name='two')]))")
    assert "BatchJobWait" not in project.up()
    assert service.calls().get("POST /batches", 0) == 0
