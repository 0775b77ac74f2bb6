"""What the README says is so: its program runs, its commands work, its settings are those of the code."""

import re
from pathlib import Path

from pulumi_dli.credentials import declared
from tests.project import Project
from tests.service import Service

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_program_runs_as_it_stands_there(project: Project, service: Service) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (project.folder / "__main__.py").write_text(program)
    project.up()
    assert project.output("state") == "success"
    assert project.output("job") == service.jobs()[0]["id"]


def test_a_job_signs_in_by_what_pulumi_config_set_has_stored(project: Project, service: Service) -> None:
    account = service.dli.credentials
    values = {
        "dli:region": account.region,
        "dli:projectId": account.project_id,
        "dli:accessKey": account.access_key,
        "dli:secretKey": account.secret_key,
    }
    (commands,) = re.findall(r"```sh\n(pulumi config set.*?)```", README, re.DOTALL)
    for command in commands.splitlines():
        words = command.split()[1:]
        (key,) = (word for word in words if word.startswith("dli:"))
        project.pulumi(*words[: words.index(key) + 1], values[key])
    for name in ("DLI_REGION", "DLI_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY"):
        del project.environment[name]
    project.write('pulumi.export("state", dli.BatchJob("load", file="load.py", queue="default").wait().state)')
    project.up()
    assert project.output("state") == "success"


def test_the_table_has_every_setting_with_its_variables() -> None:
    section = README.split("### Settings")[1].split("## ")[0]
    documented = {name for row in section.splitlines() for name in re.findall(r"`([A-Za-z:_]+)`", row)}
    names = {str(name) for info in declared().values() for name in info.validation_alias.choices}  # type: ignore[union-attr]
    assert {name for name in names if not name.startswith("[basic]")} <= documented


def test_the_command_for_another_run_of_one_job_works(project: Project, service: Service) -> None:
    assert "pulumi up --replace '**::NAME'" in README
    project.write("""
        dli.BatchJob("load", file="load.py", queue="default").wait()
        dli.BatchJob("other", file="other.py", queue="default")
    """)
    project.up()
    project.up("--replace", "**::load")
    assert [job["name"].split("-")[0] for job in service.jobs()].count("load") == 2
    assert len(service.jobs()) == 3
