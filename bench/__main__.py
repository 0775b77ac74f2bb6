"""The command: everything side by side in one run, a table of ratios on stdout."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Row, print_heading, pulumi
from pulumi_dli.local.server import LocalDli
from tests.project import Project
from tests.service import Service

ROOT = Path(__file__).parent.parent
JOB_SECONDS = 20
ENDLESS = "starting:0s,running"
TIMED = f"starting:0s,running:{JOB_SECONDS}s,success"
AT_ONCE = "success"

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
class Life:
    """Medians of what one program takes: up, up again, destroy; seconds and MiB."""

    up: float
    again: float
    destroy: float
    memory: float


class Bench:
    """One run: a local DLI, and one project after the other against it."""

    def __init__(self, folder: Path, repeats: int) -> None:
        self._folder = folder
        self._repeats = repeats
        self._count = 0
        self.rows: list[Row] = []

    def project(self, service: Service, program: str) -> Project:
        """Make a project with a program."""
        self._count += 1
        quiet = {"DLI_POLL_INTERVAL": "10s", "DLI_MAX_RETRIES": "5", "PYTHONPATH": str(ROOT)}
        project = Project(self._folder / f"p{self._count}", service.environment | quiet, name=f"bench{self._count}")
        project.write(program)
        return project

    def median(self, measure: Callable[[], float]) -> float:
        """Measure some times, and give the median."""
        return statistics.median(measure() for _ in range(self._repeats))

    def life(self, service: Service, program: str) -> Life:
        """Measure the life of a stack, some times."""
        lives = []
        for _ in range(self._repeats):
            project = self.project(service, program)
            up, again, gone = (pulumi(project, *words) for words in (["up"], ["up"], ["destroy"]))
            lives.append((up.seconds, again.seconds, gone.seconds, up.program_mib))
        return Life(*(statistics.median(column) for column in zip(*lives, strict=True)))

    def row(self, figure: str, value: float, most: float | None, how: str) -> None:
        """Add a line to the table, and show it at once."""
        self.rows.append(Row(figure, value, most, how))
        print(self.rows[-1], flush=True)


def jobs(number: int, timeline: str, *, wait: bool) -> str:
    """Write a program of jobs."""
    return JOBS.format(number=number, timeline=timeline, wait="job.wait()" if wait else "")


def import_cost(bench: Bench) -> float:
    """Give the milliseconds that `import pulumi_dli` takes beyond `import pulumi`, whole process."""

    def process(statement: str) -> float:
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)
        return time.monotonic() - began

    differences = [process("import pulumi_dli") - process("import pulumi") for _ in range(max(bench._repeats * 5, 15))]
    return statistics.median(differences) * 1000


def calls_of(service: Service, do: Callable[[], object]) -> dict[str, int]:
    """Count the calls that something makes."""
    service.forget_calls()
    do()
    return {route: count for route, count in service.calls().items() if not route.startswith("POST /v3/")}


def run(bench: Bench, service: Service, sizes: list[int], number: int) -> None:
    """Measure everything."""
    floor = {size: bench.life(service, FLOOR.format(number=size)) for size in sizes}
    for size in sizes:
        submit = bench.life(service, jobs(size, ENDLESS, wait=False))
        tag = f"{size} jobs"
        most = lambda value: value if size == number else None  # noqa: B023, E731  used at once
        bench.row(
            f"submit {tag}: wall ÷ floor",
            submit.up / floor[size].up,
            most(1.25),
            f"{submit.up:.1f} s ÷ {floor[size].up:.1f} s",
        )
        bench.row(
            f"destroy of {tag} that run: wall ÷ floor's destroy",
            submit.destroy / floor[size].destroy,
            most(2.0),
            f"{submit.destroy:.1f} s ÷ {floor[size].destroy:.1f} s",
        )
        if size == number:
            at_number = submit
        if size == max(sizes):
            own, engines = (
                (submit.up / size) / (at_number.up / number),
                (floor[size].up / size) / (floor[number].up / number),
            )
            bench.row(
                f"time per job at {size} ÷ at {number}, over the floor's own",
                own / engines,
                1.1,
                f"{own:.2f} ÷ {engines:.2f}",
            )

    with_children = bench.life(service, FLOOR_WITH_CHILDREN.format(number=number))
    ended = bench.life(service, jobs(number, AT_ONCE, wait=True))
    bench.row(
        f"no-op `up` of {number} jobs with waits: wall ÷ floor's no-op",
        ended.again / with_children.again,
        1.15,
        f"{ended.again:.1f} s ÷ {with_children.again:.1f} s",
    )
    timed = bench.life(service, jobs(number, TIMED, wait=True))
    bench.row(
        f"{number} jobs of {JOB_SECONDS} s with `wait`: wall ÷ ({JOB_SECONDS} s + floor)",
        timed.up / (JOB_SECONDS + with_children.up),
        1.10,
        f"{timed.up:.1f} s ÷ ({JOB_SECONDS} s + {with_children.up:.1f} s)",
    )
    bench.row(
        f"memory of the program with {number} waits ÷ floor's",
        timed.memory / with_children.memory,
        1.3,
        f"{timed.memory:.0f} MiB ÷ {with_children.memory:.0f} MiB",
    )
    count_calls(bench, service, number)
    bench.row("import pulumi_dli over import pulumi, ms", import_cost(bench), 50, "whole processes, by turns")
    peers(bench, service, number, timed)


def count_calls(bench: Bench, service: Service, number: int) -> None:
    """Count calls by route, from the local DLI's own counter."""
    project = bench.project(service, jobs(number, TIMED, wait=True))
    calls = calls_of(service, lambda: pulumi(project, "up"))
    lists = calls.get("GET /batches", 0)
    reads = calls.get("GET /batches/{id}", 0)
    bench.row(
        f"calls of an `up` of {number} jobs with waits, without the lists, per job",
        (calls.get("POST /batches", 0) + reads) / number,
        3,
        json.dumps(calls).replace("|", "/"),
    )
    bench.row(
        f"list calls in these {JOB_SECONDS} s", lists, None, "three before the first submission, the rest are ticks"
    )
    again = calls_of(service, lambda: pulumi(project, "up"))
    bench.row("calls of a no-op after success", sum(again.values()), 5, json.dumps(again))
    pulumi(project, "destroy")


def peers(bench: Bench, service: Service, number: int, timed: Life) -> None:
    """Compare with what users do today."""
    environment = os.environ | service.environment

    def poll() -> float:
        began = time.monotonic()
        subprocess.run(
            [sys.executable, ROOT / "bench" / "vendor_poll.py", str(number), TIMED], check=True, env=environment
        )
        return time.monotonic() - began

    seconds = bench.median(poll)
    bench.row(
        f"{number} jobs of {JOB_SECONDS} s: wall ÷ the vendor's SDK, polling one by one",
        timed.up / seconds,
        None,
        f"{timed.up:.1f} s ÷ {seconds:.1f} s",
    )


def main() -> int:
    """Run, print the table, give 1 where a bound is not held."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", default="50,200,1000", help="numbers of jobs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=200, help="number of jobs of the promised figures")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many (default: %(default)s)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="delay every call of the service")
    options = parser.parse_args()
    print_heading(f"latency {options.latency * 1000:.0f} ms, medians of {options.repeats}")
    with tempfile.TemporaryDirectory() as name, LocalDli(Path(name) / "dli", engine="timeline") as dli:
        if options.latency:
            dli.faults.set([{"action": "delay", "seconds": options.latency, "count": None}])
        bench = Bench(Path(name), options.repeats)
        run(bench, Service(dli), [int(size) for size in options.sizes.split(",")], options.jobs)
    return int(not all(row.is_held for row in bench.rows))


if __name__ == "__main__":
    sys.exit(main())
