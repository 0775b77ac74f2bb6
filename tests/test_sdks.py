"""The generated SDKs for Python and Go: they compile, and a program of each runs. TypeScript's is in its example."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_dli.local.testing import Service
from scripts import sdks
from scripts.go_programs import BUILD_OPTIONS, SCRIPTS, Program, cache_root, find_go
from tests.docs.pages import block
from tests.plugin.native_project import NativeProject
from tests.project import variables_of
from tests.template_project import built, generated

MODULE = "github.com/pulumi-dli/pulumi-dli/sdk/go"
PYTHON_PROGRAM = """\
import pulumi
import pulumi_dli
import pulumi_dli_native as dli

assert pulumi_dli.__file__ != dli.__file__
job = dli.BatchJob("load", file="load.py", queue="default", sc_type=dli.ScType.A, conf={"spark.cores.max": 2})
done = dli.BatchJobCompletion("done", batch_job=job.id, submitted_to=job.submitted_to)
pulumi.export("state", done.state)
"""
TWO_ACCOUNTS = """\
import pulumi_dli_native as dli
from pulumi import ResourceOptions

own = dli.Provider("own", {arguments})
dli.BatchJob("theirs", file="load.py", queue="default", opts=ResourceOptions(provider=own))
"""
GO_PROGRAM = f"""\
package main

import (
	"{MODULE}/dli"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {{
	pulumi.Run(func(ctx *pulumi.Context) error {{
{block("languages", "Go", "go")}
		return nil
	}})
}}
"""
GO_LAUNCHER = """\
package main

import (
	"os"
	"syscall"
)

func main() {
	panic(syscall.Exec("./wordcount", []string{"wordcount"}, os.Environ()))
}
"""


def runs(project: NativeProject, service: Service) -> None:
    project.up()
    assert project.output("state") == "success"
    (job,) = service.jobs()
    assert job.body["conf"] == {"spark.cores.max": "2"}
    project.up("--expect-no-changes")
    assert len(service.jobs()) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine builds the generator first
def test_a_program_with_the_sdk_for_python_runs_beside_this_package(tmp_path: Path, service: Service) -> None:
    project = NativeProject(tmp_path / "project", variables_of(service))
    generated("python", tmp_path / "sdk")
    site = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
    # Of what it needs, parver is the package that this package does not need too.
    subprocess.run([*pip, "--target", site, tmp_path / "sdk", "parver"], check=True)
    project.environment["PYTHONPATH"] = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    (project.folder / "__main__.py").write_text(PYTHON_PROGRAM)
    runs(project, service)
    migration = block("languages", "From dynamic to native resources", "python")
    (project.folder / "__main__.py").write_text(migration)
    assert "2 to create" in project.pulumi("preview")
    # An explicit provider signs in with its own arguments alone, though the environment has a key of somebody else.
    account = service.server.credentials
    arguments = {name: getattr(account, name) for name in ("region", "username", "password", "domain_name", "auth_url")}
    project.environment |= {"OS_ACCESS_KEY": "SOMEBODYELSE", "OS_SECRET_KEY": "x" * 40}
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    (project.folder / "__main__.py").write_text(TWO_ACCOUNTS.format(arguments=written))
    project.up()
    assert [job.name.startswith("theirs-") for job in service.jobs()].count(True) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)  # a new machine builds the generator and Pulumi's SDK for Go first
def test_a_program_with_the_sdk_for_go_runs(tmp_path: Path, service: Service) -> None:
    project = NativeProject(tmp_path / "project", variables_of(service))
    go = compile_go(tmp_path / "source", project.folder / "wordcount")
    path = project.folder / "Pulumi.yaml"
    path.write_text(path.read_text().replace("runtime: python", "runtime: go"))
    (project.folder / "main.go").write_text(GO_LAUNCHER)
    (project.folder / "go.mod").write_text("module launcher\n\ngo 1.25\n")
    project.environment["PATH"] = os.pathsep.join([built("go"), str(go.parent), project.environment["PATH"]])
    runs(project, service)


def compile_go(folder: Path, binary: Path) -> Path:
    """Compile the program with the modules and the options of the generator: most packages are compiled already.

    The source is not in the project's folder: the host would fetch the modules that the generator alone needs, and
    compile with other options. So the program that the host compiles only starts this one.

    Returns:
        The `go` that has compiled it.
    """
    generated("go", folder / "sdk")
    (folder / "main.go").write_text(GO_PROGRAM)
    generator = SCRIPTS / "generate-sdk"
    shutil.copy(generator / "go.sum", folder)
    (folder / "go.mod").write_text((generator / "go.mod").read_text().replace("pulumi-dli/generate-sdk", "wordcount"))
    go, environment = find_go(cache_root(os.environ), [Program("wordcount", generator, ".", "0.1.0")])
    edit = ("mod", "edit", f"-require={MODULE}@v0.1.0", f"-replace={MODULE}=./sdk")
    for command in (edit, ("build", "-mod=mod", *BUILD_OPTIONS, "-o", str(binary), ".")):
        subprocess.run([go, *command], cwd=folder, env=environment, check=True)
    return Path(go)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_make_sdks_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "old.go").touch()
    assert sdks.main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"nodejs", "python", "go"}
    assert not (tmp_path / "go" / "old.go").exists()
    assert (tmp_path / "python" / "pulumi_dli_native" / "batch_job.py").exists()
