"""What the README says is so: its program runs, its commands work, its settings are those of the code."""

import inspect
import re
import zipfile
from pathlib import Path

import pytest

import pulumi_dli as dli
from pulumi_dli.account.credentials import declared
from pulumi_dli.local.testing import Service
from tests.project import Project, variables_of

README = (Path(__file__).parent.parent / "README.md").read_text()


def section(heading: str) -> str:
    """Give what stands under a heading, to the next one."""
    (text,) = re.findall(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", README, re.DOTALL | re.MULTILINE)
    return str(text)


def block(heading: str, language: str) -> str:
    """Give the block of code under a heading."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", section(heading), re.DOTALL)
    return str(code)


def configure(project: Project, lines: str) -> None:
    with (project.folder / "Pulumi.dev.yaml").open("a") as file:
        file.write(lines)


def shell(project: Project, commands: str) -> str:
    """Run commands as they are typed; give what stands on the screen."""
    run = project.execute("bash", "-e", "-c", commands)
    assert run.code == 0, run.screen
    return run.screen


def ran(service: Service) -> list[str]:
    """Name the jobs that were submitted, in their order."""
    return [Path(job.body["file"]).stem for job in service.jobs()]


def test_the_program_runs_as_it_stands_there(project: Project, service: Service) -> None:
    (project.folder / "__main__.py").write_text(block("pulumi-dli", "python"))
    project.up()
    assert project.output("state") == "success"
    assert project.output("job") == service.jobs()[0].id


@pytest.mark.slow
def test_a_job_signs_in_by_what_pulumi_config_set_has_stored(project: Project, service: Service) -> None:
    account = service.server.credentials
    values = {
        "dli:region": account.region,
        "dli:projectId": account.project_id,
        "dli:accessKey": account.access_key,
        "dli:secretKey": account.secret_key,
    }
    for command in block("Where and who", "sh").splitlines():
        words = command.split()[1:]
        (key,) = (word for word in words if word.startswith("dli:"))
        project.pulumi(*words[: words.index(key) + 1], values[key])
    for name in ("OS_REGION_NAME", "OS_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY"):
        del project.environment[name]
    project.write('pulumi.export("state", dli.BatchJob("load", file="load.py", queue="default").wait().state)')
    project.up()
    assert project.output("state") == "success"


def test_the_table_has_every_setting_with_its_variables() -> None:
    section = README.split("### Settings")[1].split("## ")[0]
    documented = {name for row in section.splitlines() for name in re.findall(r"`([A-Za-z:_]+)`", row)}
    names = {str(name) for info in declared().values() for name in info.validation_alias.choices}  # type: ignore[union-attr]
    assert names <= documented


def test_the_messages_of_a_failed_update_are_those_of_the_code() -> None:
    sources = "".join(path.read_text() for path in Path(dli.__file__).parent.rglob("*.py"))
    in_one_piece = re.sub(r"\"\n\s*f?\"", "", sources)
    rows = re.findall(r"^\| (`.+?) \|", section("When `up` fails"), re.MULTILINE)
    assert len(rows) > 5
    for message in re.findall(r"`([^`]+)`", " ".join(rows)):
        for part in re.split(r"…|\d+|running", message):
            assert part.strip() in in_one_piece


def test_the_command_for_another_run_of_one_job_works(project: Project, service: Service) -> None:
    assert "pulumi up --replace '**dli:BatchJob::NAME'" in README
    project.write("""
        dli.BatchJob("load", file="load.py", queue="default").wait()
        dli.BatchJob("other", file="other.py", queue="default")
    """)
    project.up()
    project.up("--replace", "**dli:BatchJob::load")
    assert (len(service.jobs("load")), len(service.jobs("other"))) == (2, 1)


@pytest.mark.slow
def test_the_configured_jobs_run_in_their_order_and_every_night(project: Project, service: Service) -> None:
    heading = "Jobs in the stack's configuration"
    (project.folder / "__main__.py").write_text(block(heading, "python"))
    configure(project, block(heading, "yaml"))
    project.up()
    assert ran(service) == ["extract", "load"]
    shell(project, block(heading, "sh"))
    project.up()
    assert ran(service) == ["extract", "load", "load"]
    changed = service.jobs()[-1].body
    assert changed["args"][1] == "20261125"
    assert changed["conf"]["spark.example.password"] == "hunter2"
    screen = shell(project, block("Every night", "sh"))
    assert "hunter2" not in screen
    assert ran(service)[3:] == ["extract", "load"]


def test_the_table_of_a_block_has_every_key_that_is_no_argument() -> None:
    documented = re.findall(r"^\| `(\w+)`", section("Jobs in the stack's configuration"), re.MULTILINE)
    assert documented == ["wait", "dependsOn", "rerunWith"]


def test_the_message_of_a_wrong_type_is_as_it_stands_there(project: Project) -> None:
    heading = "Jobs in the stack's configuration"
    (message,) = re.findall(r"`(dli:jobs\.load\.args\[1\]: [^`]+)`", section(heading))
    (project.folder / "__main__.py").write_text(block(heading, "python"))
    configure(project, block(heading, "yaml").replace('"2026-11-24"', "20261124"))
    assert message in project.failing_up()


@pytest.mark.slow
def test_a_job_runs_with_every_deploy(project: Project, service: Service) -> None:
    project.write(block("With every deploy", "python"))
    for commit, jobs in (("7d4b1c", 1), ("7d4b1c", 1), ("90ffe2", 2)):
        project.up(CI_COMMIT_SHA=commit)
        assert service.states() == ["success"] * jobs


def test_a_job_runs_when_its_jar_changes(project: Project, service: Service) -> None:
    project.write(block("When the jar changes", "python"))
    jar = project.folder / "target" / "load.jar"
    jar.parent.mkdir()
    for year, content, jobs in ((2026, "a", 1), (2027, "a", 1), (2027, "b", 2)):
        with zipfile.ZipFile(jar, "w") as archive:
            archive.writestr(zipfile.ZipInfo("Load.class", (year, 1, 1, 0, 0, 0)), content)
        project.up()
        assert len(service.jobs()) == jobs


@pytest.mark.slow
def test_an_update_passes_as_soon_as_the_stream_runs(project: Project, service: Service) -> None:
    endless = 'conf={"spark.dli.local.timeline": "starting:0.1s,running"}'
    project.write(
        block("A streaming job", "python").replace("max_retry_times=100,", f"max_retry_times=100, {endless},")
    )
    project.up()
    assert service.states() == ["running"]
    project.pulumi("destroy", "--yes")
    assert service.states() == ["dead"]


@pytest.mark.slow
def test_jobs_have_a_stack_of_their_own(project: Project, service: Service) -> None:
    infrastructure = Project(project.folder.with_name("infrastructure"), variables_of(service), name="infrastructure")
    infrastructure.write('pulumi.export("queue", "default")')
    infrastructure.up()
    project.environment["PULUMI_BACKEND_URL"] = infrastructure.environment["PULUMI_BACKEND_URL"]
    project.pulumi("stack", "init", "dev")
    project.pulumi("config", "set", "infrastructure", "organization/infrastructure/dev")
    project.write(block("Jobs apart from the infrastructure", "python"))
    project.up()
    assert [job.queue for job in service.jobs()] == ["default"]


def test_a_preview_needs_no_credentials(project: Project, service: Service) -> None:
    program = """
        for name in ("load", "extract"):
            dli.BatchJob(
                name, file="load.py", args=["{day}"] if name == "load" else None, queue="default",
                conf={{"spark.dli.local.timeline": "running"}},
            )
    """
    project.write(program.format(day="monday"))
    project.up()
    service.reset_calls()
    project.write(program.format(day="tuesday"))
    del project.environment["OS_SECRET_KEY"], project.environment["OS_ACCESS_KEY"]
    screen = shell(project, block("Previews without credentials", "sh"))
    assert "load: must run again, because args changed." in screen
    assert "1 to replace" in screen
    told = "could not read jobs whose end it does not know. They count as unchanged: no credentials found"
    assert screen.count(told) == 1
    assert service.calls() == {}


TERRAFORM = """
region queue_name name app_name app_parameters main_class jars files modules python_files dependent_packages group_name
packages package_name type configurations specification driver_memory driver_cores executor_memory executor_cores
executors max_retries
"""
"""The arguments of huaweicloud_dli_spark_job (docs/resources/dli_spark_job.md, 2026)."""


def test_every_argument_of_terraform_has_one_here() -> None:
    rows = re.findall(r"^\| (`.+) \| (.*`.+) \|$", section("From `huaweicloud_dli_spark_job`"), re.MULTILINE)
    theirs = {name for left, _ in rows for name in re.findall(r"`(\w+)`", left)}
    assert theirs == set(TERRAFORM.split())
    ours = [name for _, right in rows for name in re.findall(r"`(\w+)`", right)]
    nested = {"resources", "type"}
    assert set(ours) <= {*inspect.signature(dli.BatchJob).parameters} | nested


@pytest.mark.slow
def test_a_job_of_terraform_is_adopted_and_stays(project: Project, service: Service) -> None:
    heading = "From `huaweicloud_dli_spark_job`"
    request = {"file": "obs://demo/jobs/load.py", "className": "", "queue": "default", "name": "theirs"}
    job_id = service.submit(request | {"conf": {"spark.dli.local.timeline": "running"}})
    project.write(block(heading, "python"))
    shell(project, re.sub(r"adopt \S{36}", f"adopt {job_id}", block(heading, "sh")))
    assert project.state_of("load")["id"] == job_id
    project.up("--expect-no-changes")
    assert service.states() == ["running"]
