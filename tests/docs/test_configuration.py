"""The page about settings and signing in."""

import re

import pytest

from pulumi_dli.account import credential_sources
from pulumi_dli.account.credentials import declared
from pulumi_dli.local.testing import Service
from tests.docs.pages import block, section
from tests.project import Project


@pytest.mark.slow
def test_a_job_signs_in_by_what_pulumi_config_set_has_stored(project: Project, service: Service) -> None:
    account = service.server.credentials
    values = {
        "dli:region": account.region,
        "dli:projectId": account.project_id,
        "dli:accessKey": account.access_key,
        "dli:secretKey": account.secret_key,
    }
    for command in block("configuration", "The shortest way", "sh").splitlines():
        words = command.split()[1:]
        (key,) = (word for word in words if word.startswith("dli:"))
        project.pulumi(*words[: words.index(key) + 1], values[key])
    for name in ("OS_REGION_NAME", "OS_PROJECT_ID", "OS_ACCESS_KEY", "OS_SECRET_KEY"):
        del project.environment[name]
    project.write('pulumi.export("state", dli.BatchJob("load", file="load.py", queue="default").wait().state)')
    project.up()
    assert project.output("state") == "success"


def test_the_table_has_every_setting_with_its_variables() -> None:
    text = section("configuration", "All settings")
    documented = {name for row in text.splitlines() for name in re.findall(r"`([A-Za-z:_]+)`", row)}
    names = {str(name) for info in declared().values() for name in info.validation_alias.choices}  # type: ignore[union-attr]
    assert names <= documented


def test_the_page_names_every_source_of_credentials_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", raising=False)
    text = section("configuration", "Which value counts")
    places = [text.find(source({}).label.split()[-1]) for source in credential_sources.SOURCES]
    assert -1 not in places
    assert places == sorted(places)
