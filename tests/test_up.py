"""Real `pulumi up`s against the local DLI: when a job runs, and what the person at the terminal reads."""

import json
import re
import textwrap

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project, row, variables_of

ENDLESS = "conf={'spark.dli.local.timeline': 'starting:0s,running'}"
TIMELINE = "'spark.dli.local.timeline': 'starting:0s,running:0.1s,dead'"
FAILING = f"conf={{{TIMELINE}, 'spark.dli.local.log': 'reading the input\\nValueError: no such column: price'}}"

WAITED = """
    job = dli.BatchJob("wordcount", file="obs://demo/jobs/wordcount.py", args=["in", "out"], queue="default")
    done = job.wait(until="success", timeout="2m")
    pulumi.export("job", job.id)
    pulumi.export("state", done.state)
"""


def test_a_job_is_submitted_awaited_and_left_alone_from_then_on(project: Project, service: Service) -> None:
    project.write(WAITED)
    project.up()
    assert project.output("state") == "success"
    (job,) = service.jobs()
    assert project.output("job") == job.id
    assert job.state == "success"

    service.reset_calls()
    nothing_to_do = ("--expect-no-changes", "--diff")
    project.pulumi("preview", *nothing_to_do)
    project.up(*nothing_to_do)
    moved = variables_of(service)["DLI_ENDPOINT"].replace("127.0.0.1", "localhost")
    project.pulumi("preview", *nothing_to_do, DLI_ENDPOINT=moved)
    project.pulumi("refresh", "--yes")
    project.pulumi("preview", *nothing_to_do)
    assert service.states() == ["success"]
    assert "POST /batches" not in service.calls()


def test_a_refresh_moves_the_stored_state(project: Project, service: Service) -> None:
    project.write(WAITED)
    project.up()
    assert project.state_of("wordcount")["outputs"]["state"] in ("starting", "running")
    project.up("--refresh")
    stored = project.state_of("wordcount")["outputs"]
    (job,) = service.jobs()
    assert stored["state"] == "success"
    assert (stored["effectiveQueue"], stored["submittedName"]) == ("default", job.name)
    assert "req_body" not in json.dumps(stored)


def test_a_dead_job_fails_the_update_says_why_and_runs_again_once(project: Project, service: Service) -> None:
    program = """
        job = dli.BatchJob("load", file="load.py", queue="default", {conf})
        pulumi.export("state", job.wait().state)
    """
    project.write(program.format(conf=FAILING))
    screen = project.failing_up()
    (dead,) = service.jobs()
    for told in (
        f"Batch job {dead.id} is dead, ",
        "load failed: ValueError: no such column: price",
        "  | ValueError: no such column: price",
        "Fix the cause, then run `pulumi up`. It runs the job again.",
    ):
        assert told in screen
    assert "Traceback" not in screen
    assert project.state_of("load")["id"] == dead.id

    screen = project.failing_up()
    assert f"load: must run again, because the last run, {dead.id}, is dead." in row(screen, "load")
    assert service.states() == ["dead", "dead"]
    [earlier] = project.state_of("load")["outputs"]["previousRuns"]
    assert (earlier["id"], earlier["state"]) == (dead.id, "dead")
    assert earlier["replacedBecause"] == f"the last run, {dead.id}, is dead"

    project.write(program.format(conf=""))
    screen = project.up()
    assert service.states() == ["dead", "dead", "success"]
    assert re.search(r"1 job: 1 success\n +load  success  waited .+ http://127\.0\.0\.1:\d+/jobs/\S+", screen)
    assert [run["state"] for run in project.state_of("load")["outputs"]["previousRuns"]] == ["dead", "dead"]
    project.up("--expect-no-changes")


def test_a_change_cancels_the_run_that_is_at_work_and_runs_the_job_once(project: Project, service: Service) -> None:
    program = """
        dli.BatchJob("load", file="load.py", args=["{day}"], queue="default", triggers={{"jar": {jar}}}, {conf})
    """
    project.write(program.format(day="monday", jar=1, conf=ENDLESS))
    project.up()
    assert service.states() == ["running"]
    (first,) = service.jobs()

    project.write(program.format(day="tuesday", jar=1, conf=ENDLESS))
    screen = project.up()
    assert f"load: must run again, because args changed. This cancels run {first.id}, which is running." in row(
        screen, "load"
    )
    assert service.states() == ["dead", "running"]

    project.write(program.format(day="tuesday", jar=2, conf=ENDLESS))
    assert "load: must run again, because triggers changed. This cancels run" in row(project.up(), "load")
    assert service.states() == ["dead", "dead", "running"]

    project.pulumi("destroy", "--yes")
    assert service.states() == ["dead", "dead", "dead"]


@pytest.mark.slow
def test_a_value_that_is_written_otherwise_is_no_change(project: Project, service: Service) -> None:
    project.write("""
        dli.BatchJob("load", file="load.py", queue="default", driver_memory="2G", conf={"spark.example": "true"})
    """)
    project.up()
    project.write("""
        dli.BatchJob(
            "load", file="load.py", cluster_name="default", class_name="", args=[], driver_memory="2048 MB",
            conf={"spark.example": True}, sc_type="A", auto_recovery=False, max_retry_times=20,
        )
    """)
    project.up()
    project.up("--expect-no-changes")
    assert len(service.jobs()) == 1


def test_a_job_that_uses_an_unchanged_outcome_of_a_replaced_one_runs_once_in_all(
    project: Project, service: Service
) -> None:
    program = """
        first = dli.BatchJob("first", file="first.py", args=["{day}"], queue="default")
        done = first.wait()
        dli.BatchJob("second", file="second.py", args=[done.state], queue="default").wait()
    """
    project.write(program.format(day="monday"))
    project.up()
    project.write(program.format(day="tuesday"))
    project.up()
    files = [job.body["file"] for job in service.jobs()]
    assert files == ["first.py", "second.py", "first.py"]


def test_a_preview_with_unknown_inputs_asks_for_nothing(project: Project, service: Service) -> None:
    project.write("""
        first = dli.BatchJob("first", file="first.py", queue="default")
        second = dli.BatchJob("second", file=first.wait().state.apply("obs://demo/{}.py".format), queue="default")
        second.wait(until="running")
    """)
    screen = project.pulumi("preview")
    assert "+ 5 to create" in screen
    assert service.calls() == {}


def test_a_preview_shows_what_a_job_takes_and_what_is_doubtful(project: Project, service: Service) -> None:
    program = """
        dli.BatchJob("load", file="load.py", sc_type="{kind}", max_retry_times=3, spark_version="3.1.1")
    """
    project.write(program.format(kind="A"))
    screen = project.pulumi("preview", "--diff", DLI_REGION="eu-de")
    assert re.search(r'sizing +: "driver 2 vCPU 7G, 6 executors of 1 vCPU 4G: 8 vCPU, 31G, 8 CUs"', screen)
    for doubt in (
        "neither queue nor cluster_name is set",
        "max_retry_times has no effect",
        "spark_version: not documented",
    ):
        assert screen.count(f"load: {doubt}") == 1
    assert service.calls() == {}
    project.up()
    project.write(program.format(kind="B"))
    changed = r'~ sizing +: "driver 2 .*: 8 vCPU, 31G, 8 CUs" => "driver 2 .*: 16 vCPU, 63G, 16 CUs"'
    assert re.search(changed, project.pulumi("preview", "--diff"))


def test_what_a_plan_refuses_is_never_submitted_and_shows_no_value(project: Project, service: Service) -> None:
    project.write("""
        dli.BatchJob(
            "load", file="load.jar", queue="default", args=["s3cret"], driver_memory="2048", max_retry_times=101,
        )
    """)
    run = project.run("preview")
    assert run.code != 0
    problem = "resource 'load' has a problem:"
    assert (
        f"{problem} driver_memory: must be a size with a unit, for example '2G' or '2048M', but is '2048'" in run.screen
    )
    assert f"{problem} max_retry_times: must be from 0 to 100, but is 101" in run.screen
    assert "s3cret" not in run.screen
    assert service.calls() == {}


def test_a_destroyed_job_that_runs_is_cancelled_and_awaited(project: Project, service: Service) -> None:
    project.write(f'dli.BatchJob("stream", file="stream.py", queue="default", {ENDLESS})')
    project.up()
    assert service.states() == ["running"]
    project.pulumi("destroy", "--yes")
    assert service.states() == ["dead"]


def test_a_job_of_elsewhere_is_described_and_never_cancelled(project: Project, service: Service) -> None:
    project.write(f'dli.BatchJob("stream", file="stream.py", queue="default", {ENDLESS})')
    project.up()
    assert service.states() == ["running"]
    (job,) = service.jobs()
    other = Project(project.folder.with_name("other"), variables_of(service), name="other")
    other.write(f"""
        pulumi.export("state", dli.BatchJob.get("stream", "{job.id}").state)
    """)
    other.up()
    assert other.output("state") == "running"
    other.pulumi("destroy", "--yes")
    assert service.states() == ["running"]


def test_without_credentials_an_up_fails_with_every_place_that_was_looked_at(
    project: Project, service: Service
) -> None:
    project.write(WAITED)
    screen = project.failing_up(OS_ACCESS_KEY="", OS_SECRET_KEY="")
    assert "wordcount: the job was not submitted, and nothing runs. No credentials." in screen
    assert "dli:token, dli:accessKey with dli:secretKey, dli:username or dli:userId with dli:password" in screen
    assert "in the environment: OS_TOKEN" in screen
    assert "Traceback" not in screen
    assert service.jobs() == []


def test_a_message_stands_on_the_row_of_its_resource_with_its_level(project: Project, service: Service) -> None:
    (project.folder / "speaker.py").write_text(
        textwrap.dedent("""
            from pulumi.dynamic import CheckResult, ResourceProvider
            from pulumi_dli import provider
            from pulumi_dli.operations.notifier import Level

            class Speaker(ResourceProvider):
                serialize_as_secret_always = False

                @provider._without_traceback
                def check(self, _olds, news):
                    log = provider._notifier()
                    for level in Level:
                        log.notify(level, "speaker", f"of level {level.value}")
                    log.notify(Level.WARNING, "dli", "of all jobs")
                    return CheckResult(news, [])
        """)
    )
    project.write("""
        from pulumi.dynamic import Resource
        from speaker import Speaker
        class Speaking(Resource, module="test", name="Speaking"):
            pass
        Speaking(Speaker(), "speaker", {})
    """)
    screen = project.pulumi("preview")
    assert row(screen, "speaker").splitlines()[:2] == ["speaker: of level info", "warning: speaker: of level warning"]
    assert "warning: dli: of all jobs" in row(screen, "jobs-dev")
    assert "of level debug" not in screen
    assert "debug: speaker: of level debug" in row(project.pulumi("preview", "--debug"), "speaker")


def test_a_warning_of_the_plan_is_a_warning_on_the_row_of_its_job(project: Project) -> None:
    project.write("""
        dli.BatchJob("load", file="load.py", queue="default", max_retry_times=3)
        dli.BatchJob("plain", file="plain.py", queue="default")
    """)
    for screen in (project.pulumi("preview"), project.up()):
        assert "warning: load: max_retry_times has no effect without auto_recovery" in row(screen, "load")
        assert row(screen, "plain") == ""
