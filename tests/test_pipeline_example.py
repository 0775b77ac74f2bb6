"""`examples/pipeline`: only what must run again does."""

import shutil
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project

EXAMPLE = Path(__file__).parent.parent / "examples" / "pipeline"


@pytest.fixture
def pipeline(project: Project) -> Project:
    shutil.copytree(EXAMPLE, project.folder, dirs_exist_ok=True)
    project.pulumi("stack", "init", "dev")  # of the example's own project
    return project


def ran(service: Service) -> list[str]:
    """Name the steps that were submitted, in their order."""
    return [Path(job.body["file"]).stem for job in service.jobs()]


@pytest.mark.slow
def test_a_step_runs_after_those_before_it_and_again_with_them(pipeline: Project, service: Service) -> None:
    pipeline.up()
    first, *transforms, last = ran(service)
    assert (first, sorted(transforms), last) == ("extract", ["by_customer", "by_product"], "load")

    pipeline.up("--expect-no-changes")
    program = pipeline.folder / "__main__.py"
    program.write_text(program.read_text().replace("sales, by_product, after", 'sales, by_product, "--cents", after'))
    pipeline.up()
    assert ran(service)[4:] == ["by_product", "load"]

    pipeline.pulumi("config", "set", "day", "2026-11-25")
    pipeline.up()
    assert sorted(ran(service)[6:]) == ["by_customer", "by_product", "extract", "load"]
    assert service.states() == ["success"] * 10
    assert pipeline.output("report") == "obs://demo/report/2026-11-25"
