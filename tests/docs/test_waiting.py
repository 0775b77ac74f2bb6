"""The pages about waiting and about when jobs run."""

import re

from pulumi_dli.local.testing import Service
from tests.docs.pages import block
from tests.project import Project


def test_the_wait_of_the_page_passes_and_shows_the_log(project: Project, service: Service) -> None:
    conf = '{"spark.dli.local.timeline": "running:0.1s,success", "spark.dli.local.log": "42 rows"}'
    project.write(
        f'job = dli.BatchJob("load", file="load.py", queue="default", conf={conf})\n'
        + block("waiting", "Waiting for a job", "python")
    )
    screen = project.up()
    assert project.output("state") == "success"
    assert "42 rows" in screen
    assert len(service.jobs()) == 1


def test_a_failed_wait_keeps_the_outputs_of_the_earlier_run(project: Project, service: Service) -> None:
    program = """
        conf = {{"spark.dli.local.timeline": "starting:0s,{end}"}}
        done = dli.BatchJob("load", file="load.py", queue="default", conf=conf).wait()
        pulumi.export("outcome", [done.job_id, done.state])
    """
    project.write(program.format(end="success"))
    project.up()
    project.write(program.format(end="dead"))
    assert "is dead" in project.failing_up()
    first, last = (job.id for job in service.jobs())
    assert project.output("outcome") == [first, "success"]
    outputs = project.state_of("load-success")["outputs"]
    assert (outputs["jobId"], outputs["state"]) == (first, "success")
    shown = project.execute("pulumi-dli", "show", "load")
    assert (last in shown.screen, "dead" in shown.screen) == (True, True)


def test_the_summary_looks_as_on_the_page(project: Project) -> None:
    heading, *rows = block("waiting", "The summary", "text").splitlines()
    project.write("""
        for name in ("clean", "extract"):
            dli.BatchJob(name, file="load.py", queue="default").wait()
    """)
    screen = project.up()
    assert heading in screen
    for row in rows:
        assert shape(row) in shape(screen)


def shape(text: str) -> str:
    """Return a text without what differs between two runs, and without the facts that a list has only sometimes."""
    text = re.sub(r"(?:\d+ min )?[\d.]+ s\b", "TIME", " ".join(text.split()))
    return re.sub(r"https?://\S+", "PAGE", re.sub(r", ran TIME|, about [\d.]+ CU-hours", "", text))


def test_b_runs_again_when_a_has_run(project: Project, service: Service) -> None:
    program = block("when-jobs-run", "Order", "python")
    project.write(program)
    project.up()
    project.write(program.replace('file="obs://demo/jobs/a.py"', 'file="obs://demo/jobs/a2.py"'))
    project.up()
    assert [job.body["file"].rsplit("/", 1)[1] for job in service.jobs()] == ["a.py", "b.py", "a2.py", "b.py"]
