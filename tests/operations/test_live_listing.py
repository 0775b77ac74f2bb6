import math
import threading
from collections.abc import Mapping, Sequence

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import NoAnswerError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.live_listing import LiveListing
from tests.fakes import CUT, Answer, Call, FakeClock, ScriptedService
from tests.operations.submitting import run_name


def ids(by_submission: Mapping[str, Sequence[Batch]]) -> list[str]:
    (runs,) = by_submission.values()
    return [run.id for run in runs]


@pytest.fixture
def listing(service: ScriptedService, clock: FakeClock) -> LiveListing:
    def answer(call: Call) -> Answer:
        runs = (
            [{"id": run, "state": "running", "name": run_name()} for run in ("b7", "b8")]
            if call.query["state"] == "running"
            else []
        )
        return Answer({"sessions": runs, "total": len(runs)})

    service.answer = answer
    auth = TokenAuth("the-token", source="a token in the environment")
    return LiveListing(Client(service.location, auth, RetryPolicy(clock=clock, max_retries=0)), clock)


def test_the_last_listing_makes_no_call(listing: LiveListing, service: ScriptedService) -> None:
    assert listing.last_by_submission == {}
    assert service.calls == []
    listing.jobs(60)
    assert ids(listing.last_by_submission) == ["b7", "b8"]
    assert len(service.calls) == 3


@pytest.mark.parametrize(("max_age", "calls"), [(math.inf, 3), (60, 3), (59, 6)])
def test_the_live_jobs_are_listed_again_if_the_listing_is_too_old(
    listing: LiveListing, service: ScriptedService, clock: FakeClock, max_age: float, calls: int
) -> None:
    listing.jobs(max_age)
    clock.sleep(60)
    assert list(listing.jobs(max_age)) == ["b7", "b8"]
    assert len(service.calls) == calls


def test_a_listing_of_any_age_will_do_once(listing: LiveListing, service: ScriptedService, clock: FakeClock) -> None:
    for _ in range(2):
        assert ids(listing.by_submission()) == ["b7", "b8"]
        clock.sleep(3600)
    assert len(service.calls) == 3


def test_a_listing_that_failed_is_not_repeated_by_those_for_whom_one_of_any_age_will_do(
    listing: LiveListing, service: ScriptedService
) -> None:
    works, service.answer = service.answer, lambda _: CUT
    for _ in range(2):
        with pytest.raises(NoAnswerError):
            listing.by_submission()
    assert len(service.calls) == 1
    service.answer = works
    listing.jobs(60)
    assert ids(listing.by_submission()) == ["b7", "b8"]


def test_a_listing_that_fails_is_made_again(listing: LiveListing, service: ScriptedService) -> None:
    works, service.answer = service.answer, lambda _: CUT
    with pytest.raises(NoAnswerError):
        listing.jobs(math.inf)
    service.answer = works
    assert list(listing.jobs(math.inf)) == ["b7", "b8"]


def test_a_listing_that_fails_fails_for_all_who_wait_for_it(service: ScriptedService) -> None:
    asked, errors = threading.Event(), []

    class Clock(FakeClock):
        def now(self) -> float:
            now = super().now()
            if threading.current_thread() is waiting:
                asked.set()
            return now

    def wait() -> None:
        with pytest.raises(NoAnswerError) as error:
            listing.jobs(60)
        errors.append(error.value)

    def answer(_: Call) -> Answer:
        if not asked.is_set():
            waiting.start()
            assert asked.wait(60)
        clock.sleep(16)
        return CUT

    clock, waiting, service.answer = Clock(), threading.Thread(target=wait), answer
    auth = TokenAuth("the-token", source="a token in the environment")
    listing = LiveListing(Client(service.location, auth, RetryPolicy(clock=clock, max_retries=0)), clock)
    with pytest.raises(NoAnswerError):
        listing.jobs(60)
    waiting.join(60)
    assert len(errors) == 1
    assert len(service.calls) == 1
