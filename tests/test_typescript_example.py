"""`examples/typescript`: `pulumi new` makes a project of it, its SDK compiles, and its job runs as often as it must."""

import shutil
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.docs.pages import block
from tests.project import Project, variables_of
from tests.template_project import TemplateProject, built, generated, runs_as_often_as_it_must


def checked(project: Project, *command: str) -> None:
    run = project.execute(*command)
    assert run.code == 0, run.screen


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on PATH")
@pytest.mark.timeout(900)  # a new machine builds the language host and fetches the packages of npm first
def test_a_new_project_in_typescript_runs_its_job_once_and_again_after_a_change(
    tmp_path: Path, service: Service
) -> None:
    project = TemplateProject(tmp_path / "new", variables_of(service), "typescript", built("nodejs"))
    assert "Your new project is ready to go!" in project.screen
    generated("nodejs", project.folder / "sdks" / "dli")
    checked(project, "npm", "install", "--no-audit", "--no-fund", "./sdks/dli")
    compiler = "node_modules/typescript/bin/tsc"
    checked(project, "node", compiler, "--project", "sdks/dli", "--outDir", "sdks/dli/bin")
    checked(project, "node", compiler, "--noEmit")
    of_page = block("languages", "TypeScript, from an empty folder", "ts")
    two_accounts = block("languages", "Settings", "ts")
    imported = block("languages", "Importing", "ts")
    program = ['import * as pulumi from "@pulumi/pulumi";', of_page, two_accounts, imported]
    (project.folder / "page.ts").write_text("\n".join(program))
    checked(project, "node", compiler, "--noEmit", "--strict", "--target", "es2022", "--module", "commonjs", "page.ts")
    project.environment["TS_NODE_TRANSPILE_ONLY"] = "true"  # the types are checked: not in each command again
    runs_as_often_as_it_must(project, service, "index.ts")
