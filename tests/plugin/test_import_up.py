"""`pulumi import` prints code. With this code in the program, the job is what is declared."""

import json
from pathlib import Path

import pytest
import yaml

from pulumi_dli.local.testing import Service
from tests.plugin.yaml_project import YamlProject
from tests.project import variables_of

pytestmark = pytest.mark.slow


def test_the_code_that_an_import_prints_changes_nothing(service: Service, tmp_path: Path) -> None:
    project = YamlProject(tmp_path / "project", variables_of(service), "jobs")
    conf = {"spark.dli.local.timeline": "starting:0s,running", "spark.sql.shuffle.partitions": "7"}
    sent = {"file": "obs://demo/a.py", "name": "nightly", "queue": "default", "args": ["x", "1"], "conf": conf}
    run = service.submit(sent)
    project.write("{}")
    printed = tmp_path / "printed.yaml"
    project.pulumi("import", "dli:index:BatchJob", "nightly", run, "--yes", "--out", str(printed))
    resources = yaml.safe_load(printed.read_text())["resources"]
    assert resources["nightly"]["properties"] == sent
    project.write(json.dumps(resources))
    project.up("--expect-no-changes")
    assert project.state_of("nightly")["id"] == run
    assert service.states() == ["running"]
