"""The page about the local DLI: its commands work, and its table has every option."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from pulumi_dli.local.__main__ import main
from pulumi_dli.local.engines.installation import Spark
from pulumi_dli.local.testing import Service
from tests.docs.pages import ROOT, block, first_column
from tests.docs.projects import serving, typed
from tests.project import Project


def output_of(commands: str, folder: Path) -> str:
    return subprocess.check_output(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, text=True)


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    serve = typed(block("local-dli", "The local DLI", "sh"))
    assert serve == "pulumi-dli local serve --data ./dli"
    with serving(f"{serve} --engine timeline", tmp_path):
        signed_in = output_of(block("local-dli", "Sign in", "sh") + "echo $DLI_ENDPOINT $OS_SECRET_KEY", tmp_path)
        output_of(block("local-dli", "Files", "sh"), tmp_path)
        link = output_of(block("local-dli", "The page", "sh"), tmp_path)
    assert re.match(r"http://127\.0\.0\.1:\d+ \S+\n$", signed_in)
    assert (tmp_path / "dli" / "obs" / "demo" / "in" / "text.txt").read_text() == "to be or not to be\n"
    assert "http://127.0.0.1:" in link


def test_the_page_installs_extras_that_there_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    command = block("local-dli", "pyspark.ml, numpy, pandas and Arrow", "sh")
    assert set(re.findall(r"\[([\w,-]+)\]", command)[0].split(",")) <= set(extras)


def test_serve_names_spark_and_java_as_on_the_page() -> None:
    (line,) = block("local-dli", "Java", "text").splitlines()
    written = f"engine: runs jobs with {Spark.find().description}"
    assert re.sub(r"[\d.]+", "N", line).split(" (")[0] == re.sub(r"[\d.]+", "N", written).split(" (")[0]


def test_a_job_with_metadata_is_submitted(project: Project, service: Service) -> None:
    project.write(block("local-dli", "Metadata: databases and tables", "python"))
    project.up()
    assert service.jobs()[0].body["catalog_name"] == "dli"


def test_every_option_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    options = re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert first_column("local-dli", "option") == set(options)
