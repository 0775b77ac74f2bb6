"""`examples/yaml`: `pulumi new` makes a project of it, and its job runs as often as it must."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.project import variables_of
from tests.template_project import TemplateProject, built, runs_as_often_as_it_must


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine builds the language host first
def test_a_new_project_in_yaml_runs_its_job_once_and_again_after_a_change(tmp_path: Path, service: Service) -> None:
    project = TemplateProject(tmp_path / "new", variables_of(service), "yaml", built("yaml"))
    assert "Your new project is ready to go!" in project.screen
    runs_as_often_as_it_must(project, service, "Pulumi.yaml")
