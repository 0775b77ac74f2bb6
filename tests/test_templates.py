"""The examples in Python as templates: what `pulumi new` makes of them previews, under any name."""

from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.project import variables_of
from tests.template_project import EXAMPLES, TemplateProject


@pytest.mark.slow
@pytest.mark.parametrize(("example", "jobs"), [("wordcount", 1), ("nightly-from-config", 5)])
def test_a_new_project_previews(example: str, jobs: int, tmp_path: Path, service: Service) -> None:
    """Without an installation: the Python host of the demo's CLI would make the project's folder an environment."""
    project = TemplateProject(tmp_path / "new", variables_of(service), example, options=("--generate-only",))
    assert "\ntemplate:" not in (project.folder / "Pulumi.yaml").read_text()
    project.pulumi("stack", "init", "dev")
    assert f"{2 * jobs + 1} to create" in project.pulumi("preview")
    assert service.jobs() == []


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        ("yaml/jobs/wordcount.py", "wordcount/jobs/wordcount.py"),
        ("typescript/jobs/wordcount.py", "wordcount/jobs/wordcount.py"),
        ("typescript/in/text.txt", "yaml/in/text.txt"),
    ],
)
def test_a_template_has_its_own_copy(copy: str, original: str) -> None:
    """`pulumi new` copies one folder."""
    assert (EXAMPLES / copy).read_bytes() == (EXAMPLES / original).read_bytes()
