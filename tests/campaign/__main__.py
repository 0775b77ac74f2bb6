"""The command: `python -m tests.campaign`."""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from pulumi_dli.local.testing import Service
from tests.campaign import __doc__ as usage
from tests.campaign.forced_replacements import HostedPlugin, judge_forced_replacements
from tests.campaign.hosts import DYNAMIC, NATIVE, ForkServer
from tests.campaign.kinds import native_schedule, schedule
from tests.campaign.lies import LyingService
from tests.campaign.native_process import NativeProcess
from tests.campaign.real import RealRun, killing_schedule, real_schedule
from tests.campaign.schedules import SHORT_TIMEOUTS
from tests.campaign.seeds import Log, Place, Result, run
from tests.campaign.verdict import BrokenPromiseError
from tests.campaign.yaml_ups import YamlRun
from tests.engine import ProviderProcess
from tests.project import heeded_signals

Judge = Callable[[int, Log], Result]


@contextmanager
def over_grpc(program: str = DYNAMIC) -> Iterator[Judge]:
    """Give what judges a seed over gRPC. `program` is the provider's, one of `hosts.PROGRAMS`."""
    kind: type[ProviderProcess | NativeProcess] = ProviderProcess if program == DYNAMIC else NativeProcess
    make = schedule if program == DYNAMIC else native_schedule
    with (
        tempfile.TemporaryDirectory() as name,
        ForkServer(Path(name), program) as fork_server,
        LyingService(Path(name) / "dli") as first,
        LyingService(Path(name) / "other-dli") as second,
    ):

        def places(environments: Sequence[dict[str, str]]) -> list[Place]:
            starts = [partial(kind, one | SHORT_TIMEOUTS, start=fork_server.start) for one in environments]
            return [Place(*pair) for pair in zip((first, second), starts, strict=True)]

        by_endpoint = places([first.environment, second.environment])
        by_region = places(regional_environments(first, second))

        def judge(seed: int, log: Log) -> Result:
            plan = make(seed)
            return run(plan, by_region if plan.is_in_regions else by_endpoint, log)

        yield judge


@contextmanager
def native_over_grpc() -> Iterator[Judge]:
    """Give what judges a seed with the native provider: its schedule, and then forced replacements of a job."""
    with (
        over_grpc(NATIVE) as judge_schedule,
        tempfile.TemporaryDirectory() as name,
        ForkServer(Path(name), NATIVE) as fork_server,
        Service(Path(name) / "dli") as service,
    ):
        environment = service.environment | SHORT_TIMEOUTS

        def judge(seed: int, log: Log) -> Result:
            result = judge_schedule(seed, log)
            adopts = seed % 4 > 0
            start = partial(fork_server.start, environment | {"DLI_ADOPT": str(adopts).lower()})
            runs = judge_forced_replacements(seed, lambda: HostedPlugin(start), service, kills=True, adopts=adopts)
            return replace(result, forced=runs)

        yield judge


def regional_environments(*services: Service) -> list[dict[str, str]]:
    """Give the variables that sign in to each service, one region each. A process can reach the other regions too."""
    addresses = {f"HUAWEICLOUD_SDK_REGION_DLI_LOCAL_{number}": one.endpoint for number, one in enumerate(services, 1)}
    kept = [{key: value for key, value in one.environment.items() if key != "DLI_ENDPOINT"} for one in services]
    return [one | addresses | {"OS_REGION_NAME": f"local-{number}"} for number, one in enumerate(kept, 1)]


@contextmanager
def real_ups(*, kill: bool = False, short: bool = False, kind: type[RealRun] = RealRun) -> Iterator[Judge]:
    """Give what judges a seed with the real CLI.

    Args:
        kill: Every `up` is killed.
        short: The jobs may have ended before the next `up`.
        kind: Writes the programs: in Python, or in YAML.
    """
    with tempfile.TemporaryDirectory() as name, LyingService(Path(name) / "dli") as service:

        def judge(seed: int, log: Log) -> Result:
            plan = killing_schedule(seed, short=short) if kill else real_schedule(seed)
            return kind(plan, service, Path(name) / str(seed), log).judge(twice_is_wrong=not short)

        yield judge


def judge_all(title: str, judge: Judge, seeds: Iterable[int], *, verbose: bool, most_kills: int = sys.maxsize) -> int:
    """Judge one seed after the other, until there were enough kills; give how many failed."""
    failed, total, began = [], Counter[str](), time.monotonic()
    for seed in seeds:
        log_lines: list[str] = []
        try:
            total += Counter(asdict(judge(seed, print if verbose else log_lines.append)))
        except BrokenPromiseError as wrong:
            failed.append(seed)
            print("\n".join([*log_lines, f"seed {seed}: {wrong}"]), flush=True)
        if total["seeds"] % 100 == 0:
            print(f"{title}: {time.monotonic() - began:.0f} s, {dict(total)}", flush=True)
        if total["kills"] >= most_kills:
            break
    print(f"{title}: {time.monotonic() - began:.0f} s, {len(failed)} failed {failed}, {dict(total)}", flush=True)
    return len(failed)


def main() -> int:
    """Run what the arguments ask for; give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaign", description=usage, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="seeds over gRPC")
    parser.add_argument(
        "--native-seeds", type=int, default=0, metavar="N", help="seeds over gRPC with the native provider"
    )
    parser.add_argument("--ups", type=int, default=0, metavar="N", help="seeds with the real `pulumi up`")
    parser.add_argument("--yaml-ups", type=int, default=0, metavar="N", help="the same with programs in YAML")
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="real `pulumi up`s that are killed")
    parser.add_argument("--short", action="store_true", help="with --kills: jobs that end at once")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    parser.add_argument("--verbose", action="store_true", help="log every command")
    options = parser.parse_args()
    with heeded_signals():
        return min(judge_series(options), 1)


def judge_series(options: argparse.Namespace) -> int:
    """Judge each series that was asked for; give how many seeds failed."""
    judge_with = partial(judge_all, verbose=options.verbose)
    first, failed = options.first, 0
    if options.seeds:
        with over_grpc() as judge:
            failed += judge_with("over gRPC", judge, range(first, first + options.seeds))
    if options.native_seeds:
        with native_over_grpc() as judge:
            failed += judge_with("native, over gRPC", judge, range(first, first + options.native_seeds))
    if options.ups:
        with real_ups() as judge:
            failed += judge_with("real ups", judge, range(first, first + options.ups))
    if options.yaml_ups:
        with real_ups(kind=YamlRun) as judge:
            failed += judge_with("real ups, YAML", judge, range(first, first + options.yaml_ups))
    if options.kills:
        with real_ups(kill=True, short=options.short) as judge:
            title = "kills, short jobs" if options.short else "kills"
            failed += judge_with(title, judge, range(first, sys.maxsize), most_kills=options.kills)
    return failed


if __name__ == "__main__":
    sys.exit(main())
