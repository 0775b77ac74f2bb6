"""The command: everything side by side in one run, a table of ratios on stdout."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from bench import native
from bench.compare import Scenario, compare
from bench.measure import Measured, Row, measure, medians_of, print_heading, pulumi
from pulumi_dli.engine_log import StderrLog
from pulumi_dli.local.testing import Service
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.pollers import live_jobs
from tests.project import Project, heeded_signals

ROOT = Path(__file__).parent.parent
JOB_SECONDS = 20
FEW = 20
ENDLESS = "starting:0s,running"
TIMED = f"starting:0s,running:{JOB_SECONDS}s,success"
AT_ONCE = "success"
WAITED_SECONDS = 5
WAITED = f"starting:0s,running:{WAITED_SECONDS}s,success"

FLOOR = """
from bench.floor import Floor
for number in range({number}):
    Floor(f"job{{number}}")
"""
FLOOR_WITH_CHILDREN = """
from bench.floor import Floor
for number in range({number}):
    job = Floor(f"job{{number}}")
    Floor(f"job{{number}}-success", pulumi.ResourceOptions(parent=job))
"""
JOBS = """
for number in range({number}):
    job = dli.BatchJob(
        f"job{{number}}", file=f"obs://bench/job{{number}}.py", args=[f"job{{number}}"], queue="default",
        conf={{"spark.dli.local.timeline": "{timeline}"}},
    )
    {wait}
"""


@dataclass
class StackTimes:
    """Medians of what the commands on one program take."""

    up: Measured
    no_op: Measured
    refresh: Measured
    destroy: Measured


class Bench:
    """One run: one project after the other, each against a local DLI of its own that knows no other jobs."""

    def __init__(self, folder: Path, repeats: int, latency: float) -> None:
        self._folder = folder
        self.repeats = repeats
        self._latency = latency
        self._count = 0
        self.rows: list[Row] = []

    @contextmanager
    def service(self) -> Iterator[Service]:
        """Run a new local DLI."""
        self._count += 1
        with Service(self._folder / f"dli{self._count}") as running:
            if self._latency:
                running.server.faults.set([{"action": "delay", "seconds": self._latency, "count": None}])
            yield running

    def project(
        self, service: Service, program: str, code: Path = ROOT, *, make: native.MakeProject = Project
    ) -> Project:
        """Make a project with a program. It imports `pulumi_dli` from the folder `code`."""
        quiet = {"DLI_POLL_INTERVAL": "10s", "DLI_MAX_RETRIES": "5", "PYTHONPATH": str(code)}
        quiet["PYTHONDONTWRITEBYTECODE"] = ""  # users have compiled modules
        project = make(self._folder / f"p{self._count}", service.environment | quiet, f"bench{self._count}")
        project.write(program)
        return project

    @contextmanager
    def opened(self, program: str, code: Path) -> Iterator[Project]:
        """Give a project with a program and a local DLI of its own."""
        with self.service() as service:
            yield self.project(service, program, code)

    def measure_stack(self, program: str) -> StackTimes:
        """Measure the life of a stack, some times."""
        lives = []
        for _ in range(self.repeats):
            with self.opened(program, ROOT) as project:
                lives.append([pulumi(project, command) for command in ("up", "up", "refresh", "destroy")])
        return StackTimes(*(medians_of(runs) for runs in zip(*lives, strict=True)))

    def row(self, figure: str, value: float, limit: float | None, how: str) -> None:
        """Add a line to the table, and show it at once. What is promised is promised without latency."""
        limit = None if self._latency else limit
        self.rows.append(Row(figure, value, limit, how))
        print(self.rows[-1], flush=True)

    def ratio(self, figure: str, ours: Measured, others: Measured, limit: float | None, idle: float = 0.0) -> None:
        """Add a line that compares two walls, and shows CPU beside them. The others also idle for some seconds."""
        seconds, cpu = ours.seconds, ours.cpu_seconds
        others_seconds = others.seconds + idle
        how = f"{seconds:.1f} s ÷ {others_seconds:.1f} s"
        how += f"; CPU {cpu:.2f} s ÷ {others.cpu_seconds:.2f} s = {cpu / others.cpu_seconds:.2f}"
        self.row(figure, seconds / others_seconds, limit, how)


def jobs(number: int, timeline: str, *, wait: bool) -> str:
    """Write a program of jobs."""
    return JOBS.format(number=number, timeline=timeline, wait="job.wait()" if wait else "")


def import_cost(bench: Bench) -> float:
    """Give the milliseconds that `import pulumi_dli` takes beyond `import pulumi`, whole process."""

    def process(statement: str) -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)
        return time.monotonic() - began

    ours = "from pulumi_dli import BatchJob"  # the package imports its names when they are used
    differences = [process(ours) - process("import pulumi") for _ in range(max(bench.repeats * 5, 15))]
    return statistics.median(differences) * 1000


def calls_of(service: Service, do: Callable[[], object]) -> dict[str, int]:
    """Count the calls that something makes."""
    service.reset_calls()
    do()
    return {route: count for route, count in service.calls().items() if not route.startswith("POST /v3/")}


def run(bench: Bench, sizes: list[int], number: int) -> None:
    """Measure everything. `number` is the number of jobs of the promised figures."""
    per_job: dict[int, float] = {}
    for size in sizes:
        floor = bench.measure_stack(FLOOR.format(number=size))
        submit = bench.measure_stack(jobs(size, ENDLESS, wait=False))
        per_job[size] = submit.up.seconds / floor.up.seconds
        is_promised = size == number
        bench.ratio(f"submit {size} jobs: wall ÷ floor", submit.up, floor.up, 1.25 if is_promised else None)
        bench.ratio(f"refresh of {size} jobs: wall ÷ floor's refresh", submit.refresh, floor.refresh, None)
        bench.ratio(
            f"destroy of {size} jobs that run: wall ÷ floor's destroy",
            submit.destroy,
            floor.destroy,
            2 if is_promised else None,
        )
    largest = max(sizes)
    if largest != number:
        bench.row(
            f"time per job at {largest} ÷ at {number}, over the floor's own ratio",
            per_job[largest] / per_job[number],
            1.1,
            f"{per_job[largest]:.2f} ÷ {per_job[number]:.2f}, from the lines above",
        )
    with_children = bench.measure_stack(FLOOR_WITH_CHILDREN.format(number=number))
    ended = bench.measure_stack(jobs(number, AT_ONCE, wait=True))
    bench.ratio(f"no-op `up` of {number} jobs with waits: wall ÷ floor's no-op", ended.no_op, with_children.no_op, 1.15)
    timed = bench.measure_stack(jobs(number, TIMED, wait=True))
    bench.ratio(
        f"{number} jobs of {JOB_SECONDS} s with `wait`: wall ÷ ({JOB_SECONDS} s + floor's wall)",
        timed.up,
        with_children.up,
        1.10,
        JOB_SECONDS,
    )
    count_calls(bench, number)
    bench.row("`from pulumi_dli import BatchJob` over `import pulumi`, ms", import_cost(bench), 50, "whole processes")
    compare_with_sdk(bench, number, timed)
    memory(bench, largest)


def memory(bench: Bench, number: int) -> None:
    """Compare the memory of two programs: one of jobs and their waits, and the floor's with as many resources."""

    def peak(program: str) -> float:
        with bench.service() as service:
            return pulumi(bench.project(service, program), "up").program_mib

    ours = peak(jobs(number, AT_ONCE, wait=True))
    floors = peak(FLOOR_WITH_CHILDREN.format(number=number))
    bench.row(
        f"peak memory of the program with {number} waits ÷ floor's",
        ours / floors,
        1.3,
        f"{ours:.0f} MiB ÷ {floors:.0f} MiB, once",
    )


def count_calls(bench: Bench, number: int) -> None:
    """Count calls by route, from the local DLI's own counter, and see when a job's end was known."""

    def counted(service: Service, what: str, program: str, limit_per_job: int) -> Project:
        project = bench.project(service, program)
        calls = calls_of(service, lambda: pulumi(project, "up"))
        each = calls.get("POST /batches", 0) + calls.get("GET /batches/{id}", 0)
        bench.row(f"calls for each of {number} jobs {what}", each / number, limit_per_job, json.dumps(calls))
        return project

    with bench.service() as service:
        counted(service, "that are submitted, without lists", jobs(number, ENDLESS, wait=False), 2)
        settings = {f"dli:{name}": value for name, value in settings_of(service).items()}
        client = ProviderContext(settings, StderrLog()).client()
        tick = calls_of(service, lambda: live_jobs(client))
        bench.row(f"calls of a waiting tick with {number} jobs that run", sum(tick.values()), 6, json.dumps(tick))
    with bench.service() as service:
        project = counted(service, "that are awaited, without lists", jobs(number, AT_ONCE, wait=True), 3)
        again = calls_of(service, lambda: pulumi(project, "up"))
        bench.row("calls of a no-op after success", sum(again.values()), 5, json.dumps(again))
    measure_latency(bench)


def measure_latency(bench: Bench) -> None:
    """See when the end of a job was known: of few jobs, since the engine takes its own time for each resource."""
    with bench.service() as service:
        project = bench.project(service, jobs(FEW, TIMED, wait=True))
        pulumi(project, "up")
        resources = json.loads(project.pulumi("stack", "export"))["deployment"]["resources"]
    lags = [
        datetime.fromisoformat(wait["created"]).timestamp() - wait["outputs"]["updateTime"] / 1000
        for wait in resources
        if wait["type"].endswith("BatchJobWait")
    ]
    tick = JOB_SECONDS / 10  # the pause of a wait is a tenth of its age
    bench.row(
        f"end of a job → its wait is in the state, in ticks of {tick:.0f} s",
        statistics.median(lags) / tick,
        1,
        f"median of {FEW} jobs: {statistics.median(lags):.1f} s; at the longest {max(lags):.1f} s",
    )


def settings_of(service: Service) -> dict[str, str]:
    """Give the settings that sign in to the local DLI."""
    account = service.server.credentials
    return {
        "endpoint": account.endpoint,
        "region": account.region,
        "projectId": account.project_id,
        "token": account.token,
    }


def compare_with_sdk(bench: Bench, number: int, timed: StackTimes) -> None:
    """Compare with what users do today."""
    script = [sys.executable, str(ROOT / "bench" / "vendor_poll.py"), str(number), TIMED]

    def start(*command: str, service: Service) -> subprocess.Popen[str]:
        environment = os.environ | service.environment
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def poll() -> Measured:
        with bench.service() as service:
            return measure(partial(start, service=service), *script)

    polled = medians_of(poll() for _ in range(bench.repeats))
    bench.ratio(
        f"{number} jobs of {JOB_SECONDS} s: wall ÷ the vendor's SDK, polling one by one", timed.up, polled, None
    )


def scenarios(size: int) -> list[Scenario]:
    """Give what is compared between two commits."""
    jobs_that_run = [
        (f"submit {size} jobs (`up`)", "up"),
        (f"no-op `up` of {size} jobs", "up"),
        (f"preview of {size} jobs", "preview"),
        (f"refresh of {size} jobs", "refresh"),
        (f"destroy of {size} jobs that run", "destroy"),
    ]
    jobs_with_waits = [
        (f"submit {size} jobs of {WAITED_SECONDS} s and wait for each (`up`)", "up"),
        (f"no-op `up` of {size} jobs with waits", "up"),
    ]
    return [
        Scenario(jobs(size, ENDLESS, wait=False), jobs_that_run),
        Scenario(jobs(size, WAITED, wait=True), jobs_with_waits),
    ]


def main() -> int:
    """Run, print the table, give 1 where a bound is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", default="50,200,1000", help="numbers of jobs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=200, help="number of jobs of the promised figures")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="delay every call of the service")
    parser.add_argument(
        "--against", metavar="COMMIT", help="compare only the CPU seconds of this commit and of the working tree"
    )
    parser.add_argument(
        "--native", action="store_true", help="measure only the native provider: --jobs jobs, by Python and by YAML"
    )
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with heeded_signals(), tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.repeats, options.latency)
        if options.against:
            compared = [scenario for size in sizes for scenario in scenarios(size)]
            return compare(bench.opened, compared, options.against, options.repeats)
        print_heading(f"latency {options.latency * 1000:.0f} ms, medians of {options.repeats}")
        if options.native:
            native.run(bench, options.jobs)
        else:
            run(bench, sizes, options.jobs)
    return int(not all(row.is_within_limit for row in bench.rows))


if __name__ == "__main__":
    sys.exit(main())
