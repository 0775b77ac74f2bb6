"""The native provider beside the floor: `python -m bench --native`. Ratios of CPU seconds of whole process trees."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import grpc
import psutil
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from bench.measure import Measured, pulumi
from pulumi_dli.local.testing import Service
from tests.plugin.native_project import NativeProject
from tests.plugin.yaml_project import YamlProject
from tests.project import Project

ENDLESS = "starting:0s,running"
WAITS = 10
WAITED_SECONDS = 45
FIRST_SECONDS = 2
STARTS = 15

FLOOR = """
from bench.floor import Floor
for number in range({number}):
    Floor(f"job{{number}}")
"""
PYTHON_JOBS = f"""
for number in range({{number}}):
    BatchJob(
        f"job{{{{number}}}}", file=f"obs://bench/job{{{{number}}}}.py", args=[f"job{{{{number}}}}"], queue="default",
        conf={{{{"spark.dli.local.timeline": "{ENDLESS}"}}}},
    )
"""

MakeProject = Callable[[Path, Mapping[str, str], str], Project]
"""Makes a project in a folder that does not exist yet, with these variables and this name."""


class NativeBench(Protocol):
    """What this module needs of a run of the bench."""

    repeats: int

    def service(self) -> AbstractContextManager[Service]:
        """Run a new local DLI."""
        ...

    def project(self, service: Service, program: str, *, make: MakeProject) -> Project:
        """Make a project with a program."""
        ...

    def row(self, figure: str, value: float, limit: float | None, how: str) -> None:
        """Add a line to the table."""
        ...


def in_own_folder(kind: type[NativeProject]) -> MakeProject:
    """Return what makes a project of this kind. Its plugin stands beside it, so it gets a folder of its own."""

    def make(folder: Path, environment: Mapping[str, str], name: str) -> Project:
        folder.mkdir()
        return kind(folder / "project", environment, name)

    return make


def yaml_job(name: str, timeline: str, **options: Any) -> dict[str, Any]:
    """Give a job of a YAML program."""
    conf = {"spark.dli.local.timeline": timeline}
    sent = {"file": f"obs://bench/{name}.py", "args": [name], "queue": "default", "conf": conf}
    return {"type": "dli:BatchJob", "properties": sent, **({"options": options} if options else {})}


def yaml_completion(name: str) -> dict[str, Any]:
    """Give the completion of a job of a YAML program."""
    return {"type": "dli:BatchJobCompletion", "properties": {"batchJob": f"${{{name}.id}}"}}


def run(bench: NativeBench, number: int) -> None:
    """Measure `up` and no-op of jobs beside the floor's, long waits beside a dependent job, and the start."""
    python, yaml = in_own_folder(NativeProject), in_own_folder(YamlProject)
    yaml_program = {f"job{one}": yaml_job(f"job{one}", ENDLESS) for one in range(number)}
    programs: dict[str, tuple[MakeProject, str]] = {
        "floor": (Project, FLOOR.format(number=number)),
        "Python": (python, PYTHON_JOBS.format(number=number)),
        "YAML": (yaml, json.dumps(yaml_program)),
    }
    rounds = [{name: _up_and_no_op(bench, *one) for name, one in programs.items()} for _ in range(bench.repeats)]
    for index, command in enumerate(("up", "no-op `up`")):
        for name, limits in (("Python", (1.1, 1.3)), ("YAML", (1.0, 1.0))):
            pairs = [(one[name][index], one["floor"][index]) for one in rounds]
            _compare(bench, f"native, {command} of {number} jobs by {name}: CPU ÷ floor's", pairs, limits[index])
    wait_beside_dependent_job(bench, yaml)
    start(bench)


def _up_and_no_op(bench: NativeBench, make: MakeProject, program: str) -> tuple[Measured, Measured]:
    with bench.service() as service:
        project = bench.project(service, program, make=make)
        return pulumi(project, "up"), pulumi(project, "up")


def _compare(bench: NativeBench, figure: str, pairs: list[tuple[Measured, Measured]], limit: float) -> None:
    """Add a line: the median of the ratios of CPU seconds of each round."""
    ours, floors = zip(*((one.cpu_seconds, other.cpu_seconds) for one, other in pairs), strict=True)
    ratio = statistics.median(one / other for one, other in zip(ours, floors, strict=True))
    walls = [statistics.median(one.seconds for one in column) for column in zip(*pairs, strict=True)]
    how = f"CPU {statistics.median(ours):.2f} s ÷ {statistics.median(floors):.2f} s; "
    how += f"wall {walls[0]:.1f} s ÷ {walls[1]:.1f} s; load average {os.getloadavg()[0]:.1f}"
    bench.row(figure, ratio, limit, how)


def wait_beside_dependent_job(bench: NativeBench, make: MakeProject) -> None:
    """See how long a job is submitted after the job on which it depends, beside long waits and with default flags."""
    resources: dict[str, Any] = {}
    for number in range(WAITS):
        resources[f"long{number}"] = yaml_job(f"long{number}", f"starting:0s,running:{WAITED_SECONDS}s,success")
        resources[f"long{number}-completion"] = yaml_completion(f"long{number}")
    resources["a"] = yaml_job("a", f"starting:0s,running:{FIRST_SECONDS}s,success")
    resources["a-completion"] = yaml_completion("a")
    resources["b"] = yaml_job("b", ENDLESS, dependsOn=["${a-completion}"])
    with bench.service() as service:
        measured = pulumi(bench.project(service, json.dumps(resources), make=make), "up")
        jobs = {str(job.body["args"][0]): job for job in service.jobs()}
    end = jobs["a"].end_time
    if end is None:
        raise SystemExit("a has not ended, but b was submitted")
    seconds = (jobs["b"].create_time - end) / 1000
    figure = f"native, a → b beside {WAITS} completions of {WAITED_SECONDS} s: end of a → b is submitted, s"
    bench.row(figure, seconds, 5, f"YAML, default flags; the whole `up` takes {measured.seconds:.0f} s")


def start(bench: NativeBench) -> None:
    """Compare the start of the provider, until it has given its schema, with the import of gRPC."""
    pairs = [(_start_for_schema(), _import_of_grpc()) for _ in range(STARTS)]
    (wall, cpu), (other_wall, other_cpu) = (_medians(column) for column in zip(*pairs, strict=True))
    how = f"wall {wall:.2f} s ÷ {other_wall:.2f} s; CPU {cpu:.2f} s ÷ {other_cpu:.2f} s = {cpu / other_cpu:.2f}; "
    how += f"medians of {STARTS}"
    bench.row('native, start until GetSchema is answered ÷ `python -c "import grpc"`', wall / other_wall, None, how)


def _medians(runs: Iterable[tuple[float, float]]) -> list[float]:
    return [statistics.median(column) for column in zip(*runs, strict=True)]


def _start_for_schema() -> tuple[float, float]:
    """Give the wall seconds and the CPU seconds from the start of the provider until it has given its schema."""
    command = (sys.executable, "-m", "pulumi_dli.plugin")
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as plugin:
        port = plugin.stdout.readline().strip() if plugin.stdout is not None else ""
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            provider_pb2_grpc.ResourceProviderStub(channel).GetSchema(provider_pb2.GetSchemaRequest())
        seconds, times = time.monotonic() - began, psutil.Process(plugin.pid).cpu_times()
        plugin.kill()
    return seconds, times.user + times.system


def _import_of_grpc() -> tuple[float, float]:
    """Give the wall seconds and the CPU seconds of a process that imports gRPC."""
    statement = "import grpc, time; print(time.process_time())"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.PIPE, text=True)
    return time.monotonic() - began, float(done.stdout)
