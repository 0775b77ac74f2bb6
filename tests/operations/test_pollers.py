import asyncio
import gc
import math
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, NoAnswerError, NotSentError, ServiceError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.operations.pollers import DeadJobListing, LiveJobPoller, live_jobs
from tests.fakes import CUT, Answer, Call, FakeClock, ScriptedService
from tests.operations.submitting import run_name


@pytest.fixture
def client(service: ScriptedService, clock: FakeClock) -> Client:
    return Client(service.location, TokenAuth("the-token"), RetryPolicy(clock=clock, max_retries=0))


def listing(*ids: str, state: str = "dead") -> Answer:
    return Answer({"total": len(ids), "sessions": [{"id": batch_id, "state": state} for batch_id in ids]})


def test_a_job_that_moves_on_between_two_lists_is_there_once_as_it_was_seen_last(
    service: ScriptedService, client: Client
) -> None:
    service.script(listing("a", "b", state="starting"), listing("b", state="running"), listing())
    live = live_jobs(client)
    assert {batch_id: batch.state for batch_id, batch in live.items()} == {"a": "starting", "b": "running"}


# Dead jobs


def test_one_listing_tells_of_all_jobs_which_are_dead(
    service: ScriptedService, client: Client, clock: FakeClock
) -> None:
    service.script(listing("a", "b"))
    dead_job_listing = DeadJobListing(client, clock)
    assert [dead_job_listing.state_of(batch_id) for batch_id in "abc"] == [BatchState.DEAD, BatchState.DEAD, None]
    assert service.calls[0].query["state"] == "dead"


def test_a_job_that_does_not_say_that_it_is_dead_is_not_dead_though_it_is_listed(
    service: ScriptedService, client: Client, clock: FakeClock
) -> None:
    dead = "1f0b7a52-4c1e-4d0a-8a7e-00000000000a"
    sessions = [{"id": dead.upper(), "state": "dead"}, {"id": "b", "state": "running"}, {"id": "c"}, {"id": "d"}]
    service.script(Answer({"total": 4, "sessions": sessions}))
    dead_job_listing = DeadJobListing(client, clock)
    states = [dead_job_listing.state_of(batch_id) for batch_id in (dead, "b", "c", "d")]
    assert states == [BatchState.DEAD, None, None, None]


def test_a_job_that_says_that_it_has_ended_is_not_live_though_it_is_listed(
    service: ScriptedService, client: Client
) -> None:
    sessions = [{"id": "a", "state": "dead"}, {"id": "b", "state": "running"}, {"id": "c"}, {"id": "d", "state": "?"}]
    service.answer = lambda _: Answer({"total": 4, "sessions": sessions})
    assert set(live_jobs(client)) == {"b", "c", "d"}


def test_the_listing_is_not_older_than_30_seconds(service: ScriptedService, client: Client, clock: FakeClock) -> None:
    service.script(listing("a"), listing("a", "b"))
    dead_job_listing = DeadJobListing(client, clock)
    assert dead_job_listing.state_of("b") is None
    clock.sleep(30)
    assert dead_job_listing.state_of("b") is None
    clock.sleep(0.1)
    assert dead_job_listing.state_of("b") is BatchState.DEAD


def test_beyond_ten_pages_each_job_is_asked_for(service: ScriptedService, client: Client, clock: FakeClock) -> None:
    ids = [f"job-{number}" for number in range(2000)]

    def answer(call: Call) -> Answer:
        if call.query:
            start = int(call.query["from"])
            return listing(*ids[start : start + 100])
        return Answer({"state": "dead" if call.path == "/job-1999/state" else "running"})

    service.answer = answer
    dead_job_listing = DeadJobListing(client, clock)
    assert dead_job_listing.state_of("job-500") is BatchState.DEAD
    assert len(service.calls) == 10
    assert dead_job_listing.state_of("job-1999") is BatchState.DEAD
    assert dead_job_listing.state_of("another") is BatchState.RUNNING
    assert service.asked()[10:] == ["GET /job-1999/state", "GET /another/state"]


def test_a_listing_that_fails_is_not_asked_for_again_by_each_job(
    service: ScriptedService, client: Client, clock: FakeClock
) -> None:
    service.script(CUT, listing("a"))
    dead_job_listing = DeadJobListing(client, clock)
    for _ in range(3):
        with pytest.raises(NoAnswerError):
            dead_job_listing.state_of("a")
    clock.sleep(31)
    assert dead_job_listing.state_of("a") is BatchState.DEAD


def test_threads_share_one_listing(service: ScriptedService, client: Client, clock: FakeClock) -> None:
    together = threading.Barrier(4)
    dead_job_listing = DeadJobListing(client, clock)
    service.script(listing("a"))

    def ask() -> BatchState | None:
        together.wait()
        return dead_job_listing.state_of("a")

    with ThreadPoolExecutor(4) as threads:
        assert [asked.result() for asked in [threads.submit(ask) for _ in range(4)]] == [BatchState.DEAD] * 4


# The gate


class Jobs:
    """Jobs that live for a time: what a poller lists, with the time that it sleeps through."""

    def __init__(self, **ends: float) -> None:
        self.clock = FakeClock()
        self.began = self.clock.now()
        self.ends = ends
        self.states: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.listed_at: list[float] = []
        self.warnings: list[str] = []
        self.failure: DliError | None = None
        self.during_listing: Callable[[], None] = lambda: None

    @property
    def elapsed(self) -> float:
        return self.clock.now() - self.began

    def poller(self, longest_pause: float = 10.0) -> LiveJobPoller:
        return LiveJobPoller(
            self._list,
            longest_pause=longest_pause,
            warn=self.warnings.append,
            now=self.clock.now,
            sleep=self._sleep,
        )

    def _list(self) -> dict[str, Batch]:
        self.listed_at.append(self.elapsed)
        live = {
            name: Batch(id=name, state=self.states.get(name, "running"), name=self.names.get(name))
            for name, end in self.ends.items()
            if self.elapsed < end
        }
        self.during_listing()
        if self.failure is not None:
            raise self.failure
        return live

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)  # who may pass does so before the time goes on
        self.clock.sleep(seconds)


def silent(_batch: Batch, _waited: float) -> None:
    pass


def run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main)


def wait_for(
    poller: LiveJobPoller, *names: str, until: Until = Until.SUCCESS, timeout: float | None = None
) -> Awaitable[list[float]]:
    return asyncio.gather(*(poller.wait(name, until, timeout, silent) for name in names))


def test_a_wait_passes_when_its_job_has_ended() -> None:
    jobs = Jobs(a=7.0)

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), "a")

    (waited,) = run(main())
    assert 7 <= waited <= 7 + 1.1
    assert waited == jobs.elapsed


def test_a_wait_for_a_job_that_has_ended_takes_one_look() -> None:
    jobs = Jobs()

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), "a", "b", "c")

    assert max(run(main())) < 1
    assert len(jobs.listed_at) == 1


def test_waits_that_come_one_after_the_other_are_served_by_one_look() -> None:
    jobs = Jobs()

    async def main() -> None:
        poller, waits = jobs.poller(), []
        while jobs.elapsed < 2:
            waits.append(asyncio.create_task(poller.wait("a", Until.SUCCESS, None, silent)))
            await asyncio.sleep(0)
        await asyncio.gather(*waits)

    run(main())
    assert len(jobs.listed_at) == 1


def test_a_program_that_never_ends_to_declare_waits_is_looked_after_all_the_same() -> None:
    jobs = Jobs()

    async def main() -> None:
        poller, waits = jobs.poller(), []
        while not jobs.listed_at:
            waits.append(asyncio.create_task(poller.wait("a", Until.SUCCESS, None, silent)))
            await asyncio.sleep(0)
        await asyncio.gather(*waits)

    run(main())
    assert jobs.listed_at[0] == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize(
    ("until", "state", "passes"),
    [
        (Until.RUNNING, "starting", False),
        (Until.RUNNING, "running", True),
        (Until.RUNNING, "recovering", True),
        (Until.RUNNING, "resting", False),
        (Until.SUCCESS, "running", False),
        (Until.FINISHED, "running", False),
    ],
)
def test_a_wait_passes_early_only_where_its_job_has_reached_what_is_waited_for(
    until: Until, state: str, passes: bool
) -> None:
    jobs = Jobs(a=5.0)
    jobs.states["a"] = state

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), "a", until=until)

    (waited,) = run(main())
    assert (waited < 1) == passes


def test_all_waits_share_one_listing_a_tick() -> None:
    jobs = Jobs(**{f"job{number}": float(number % 5) for number in range(200)})

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), *jobs.ends)

    waits = run(main())
    assert len(jobs.listed_at) <= 6
    for waited, end in zip(waits, jobs.ends.values(), strict=True):
        assert end <= waited <= end + 1.1


@pytest.mark.parametrize("timeout", [0.0, 2.5, 40.0])
def test_a_wait_passes_when_its_time_is_over_and_not_a_pause_later(timeout: float) -> None:
    jobs = Jobs(a=1000.0)

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), "a", timeout=timeout)

    assert run(main()) == [pytest.approx(timeout)]


def test_the_pauses_grow_from_one_second_to_the_longest() -> None:
    jobs = Jobs(a=300.0)

    async def main() -> None:
        await wait_for(jobs.poller(longest_pause=8.0), "a")

    run(main())
    pauses = [later - earlier for earlier, later in zip(jobs.listed_at, jobs.listed_at[1:], strict=False)]
    factors = [pause / min(max(began / 10, 1.0), 8.0) for began, pause in zip(jobs.listed_at, pauses, strict=False)]
    assert all(0.89 <= factor <= 1.11 for factor in factors)
    assert max(factors) - min(factors) > 0.01  # jitter: many programs do not ask at the same time


def test_who_comes_during_a_listing_is_looked_at_in_the_next_one() -> None:
    jobs = Jobs(a=5.0)

    async def main() -> float:
        poller, loop = jobs.poller(), asyncio.get_running_loop()
        late: list[asyncio.Task[float]] = []
        has_come = threading.Event()

        def come() -> None:
            jobs.ends["b"] = jobs.elapsed + 10
            late.append(loop.create_task(poller.wait("b", Until.SUCCESS, None, silent)))
            loop.call_soon(has_come.set)

        def during_listing() -> None:
            if not has_come.is_set():
                loop.call_soon_threadsafe(come)
                has_come.wait()

        jobs.during_listing = during_listing
        await poller.wait("a", Until.SUCCESS, None, silent)
        return await late[0]

    assert 10 <= run(main()) <= 11.1


def test_who_comes_during_a_long_pause_need_not_wait_for_its_end() -> None:
    jobs = Jobs(old=1000.0)

    async def main() -> list[float]:
        poller = jobs.poller()
        old = asyncio.create_task(poller.wait("old", Until.SUCCESS, None, silent))
        while jobs.elapsed < 200:
            await asyncio.sleep(0)
        new = [await poller.wait("ended", Until.SUCCESS, None, silent)]
        jobs.ends["new"] = 2000.0
        new.append(await poller.wait("new", Until.SUCCESS, 0.5, silent))
        old.cancel()
        return new

    ended, new = run(main())
    assert ended <= 2.2
    assert new <= 2.2


def test_each_tick_tells_how_each_wait_goes() -> None:
    jobs = Jobs(a=2.5, b=1.5)
    jobs.states["a"] = "starting"
    told: list[tuple[str, str | None, float]] = []

    async def main() -> None:
        poller = jobs.poller()

        def tell(batch: Batch, waited: float) -> None:
            told.append((batch.id, batch.state, waited))

        await asyncio.gather(*(poller.wait(name, Until.SUCCESS, None, tell) for name in "ab"))

    run(main())
    assert told == [
        (name, "starting" if name == "a" else "running", at)
        for at in jobs.listed_at
        for name in "ab"
        if at < jobs.ends[name]
    ]


def test_a_listing_that_fails_for_a_time_is_repeated_with_one_warning_and_lets_pass_whose_time_is_over() -> None:
    jobs = Jobs(a=30.0, b=1000.0)
    outages = iter([(3.0, 20.0), (40.0, 45.0), (math.inf, math.inf)])
    begins, ends = next(outages)

    def during_listing() -> None:
        nonlocal begins, ends
        if jobs.elapsed >= ends:
            begins, ends = next(outages)
        jobs.failure = NoAnswerError("GET …/batches: no answer") if jobs.elapsed >= begins else None

    jobs.during_listing = during_listing

    async def main() -> list[float]:
        poller = jobs.poller()
        return await asyncio.gather(
            poller.wait("a", Until.SUCCESS, None, silent),
            poller.wait("b", Until.SUCCESS, 10.0, silent),
            poller.wait("b", Until.SUCCESS, 60.0, silent),
        )

    ended, over, later = run(main())
    assert 30 <= ended <= 36
    assert over == pytest.approx(10.0)
    assert later == pytest.approx(60.0)
    said = "the jobs could not be listed, and it is tried again until it works: GET …/batches: no answer"
    assert jobs.warnings == [said, said]


def test_a_failure_after_a_long_time_without_waits_is_a_new_one() -> None:
    jobs = Jobs(a=1.0, b=1000.0)

    async def main() -> list[float]:
        poller = jobs.poller()
        await wait_for(poller, "a")
        jobs.clock.sleep(700)
        jobs.failure = NoAnswerError("GET …/batches: no answer")
        jobs.during_listing = lambda: setattr(jobs, "failure", None if jobs.elapsed > 800 else jobs.failure)
        return await wait_for(poller, "b")

    (waited,) = run(main())
    assert 295 <= waited <= 310
    assert len(jobs.warnings) == 1


def test_a_listing_that_fails_for_ten_minutes_opens_the_gate() -> None:
    jobs = Jobs(a=10_000.0)

    def during_listing() -> None:
        jobs.failure = NoAnswerError("GET …/batches: no answer") if jobs.elapsed >= 100 else None

    jobs.during_listing = during_listing

    async def main() -> list[float]:
        return await wait_for(jobs.poller(), "a")

    (waited,) = run(main())
    assert 700 <= waited <= 700 + 2 * 11  # a pause of 10 seconds with jitter before the failure, and one at the end
    assert [warning.split(",")[0] for warning in jobs.warnings] == [
        "the jobs could not be listed",
        "the program cannot list the jobs",
    ]


def test_a_job_that_runs_twice_is_warned_of_once() -> None:
    jobs = Jobs(a=30.0, b=30.0, c=30.0, d=30.0)
    jobs.names = {"a": run_name(), "b": run_name(), "c": run_name(random="111111"), "d": run_name(random="111111")}

    async def wait() -> None:
        await jobs.poller().wait("b", Until.SUCCESS, None, silent)

    asyncio.run(wait())
    (warning,) = jobs.warnings
    assert warning.startswith(f"{run_name()}: the service has accepted the job more than once. Beside batch job b ")
    assert "live: a (running). `pulumi up --refresh` cancels them." in warning


@pytest.mark.parametrize(
    "failure", [ServiceError(status=403, call="GET …/batches"), NotSentError("GET …/batches: no connection")]
)
def test_where_the_listing_never_works_every_wait_passes_now_and_later_with_one_warning(failure: DliError) -> None:
    jobs = Jobs(a=1000.0, b=1000.0)
    jobs.failure = failure

    async def main() -> list[float]:
        poller = jobs.poller()
        return [*await wait_for(poller, "a", "b"), *await wait_for(poller, "a")]

    assert max(run(main())) < 1
    assert jobs.warnings == [f"the program cannot list the jobs, so each wait reads its own job: {jobs.failure}"]
    assert len(jobs.listed_at) == 1


def test_a_fault_in_what_tells_of_the_progress_leaves_nobody_waiting(caplog: pytest.LogCaptureFixture) -> None:
    jobs = Jobs(a=1000.0, b=1000.0)

    def tell(_batch: Batch, _waited: float) -> None:
        raise RuntimeError("the engine is gone")

    async def main() -> None:
        poller = jobs.poller()
        await asyncio.gather(poller.wait("a", Until.SUCCESS, None, tell), wait_for(poller, "b"))
        assert await wait_for(poller, "b") == [0]

    run(main())
    assert caplog.text.count("RuntimeError: the engine is gone") == 1


def test_a_gate_keeps_no_loop_that_nobody_else_has() -> None:
    jobs = Jobs()
    poller, loop = jobs.poller(), asyncio.new_event_loop()
    loop.run_until_complete(asyncio.wait_for(poller.wait("a", Until.SUCCESS, None, silent), None))
    left = weakref.ref(loop)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    del loop
    gc.collect()
    assert poller is not None
    assert left() is None


def test_a_wait_that_is_cancelled_keeps_nothing_going() -> None:
    jobs = Jobs(a=1000.0)

    async def main() -> None:
        poller = jobs.poller()
        wait = asyncio.create_task(poller.wait("a", Until.SUCCESS, None, silent))
        while len(jobs.listed_at) < 2:
            await asyncio.sleep(0)
        wait.cancel()
        await asyncio.gather(wait, return_exceptions=True)
        looks = len(jobs.listed_at)
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)
        assert len(jobs.listed_at) <= looks + 1

    run(main())


def test_a_watcher_that_has_let_all_pass_begins_again_with_the_next() -> None:
    jobs = Jobs(a=3.0)

    async def main() -> list[float]:
        poller = jobs.poller()
        await wait_for(poller, "a")
        jobs.ends["b"] = jobs.elapsed + 3
        return await wait_for(poller, "b")

    (waited,) = run(main())
    assert 3 <= waited <= 4.1
