from collections.abc import Iterator

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.young_runs import YoungRuns
from tests.fakes import Answer, FakeClock, FakeNotifier, ScriptedService

RUN, OTHER = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44", "0d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
CREATED = 1_700_000_000
WINDOW = 60.0
UNKNOWN = Answer({"error_code": "DLI.0002", "error_msg": "no"}, 400)


class Stage:
    """A service that does not know any run until `known_at` on the clock."""

    def __init__(self, service: ScriptedService) -> None:
        self.clock = FakeClock()
        self.service = service
        self.known_at = float("inf")
        self.said: list[str] = []
        self.young = YoungRuns(self.clock, lambda: WINDOW, FakeNotifier(lambda _, message: self.said.append(message)))
        auth = TokenAuth("the-token", source="a token in the environment")
        self.client = Client(service.location, auth, RetryPolicy(clock=self.clock, max_retries=0))
        service.answer = lambda call: (
            Answer({"id": call.path[1:], "state": "running"}) if self.clock.now() >= self.known_at else UNKNOWN
        )

    def seconds_to_find(self, run: str) -> float | None:
        """Search for a run, and return how long that took, or None if it was not found."""
        started = self.clock.now()
        found = self.young.find(self.client, run, "load")
        return None if found is None else self.clock.now() - started


@pytest.fixture
def stage(service: ScriptedService) -> Iterator[Stage]:
    return Stage(service)


@pytest.mark.parametrize(("age", "is_young"), [(-5, True), (0, True), (599, True), (600, False), (86400, False)])
def test_the_age_of_a_run_is_the_date_of_the_answer_minus_its_create_time(
    stage: Stage, age: int, is_young: bool
) -> None:
    stage.service.date = CREATED + age
    stage.young.created(RUN, CREATED * 1000)
    stage.client.find(RUN)
    assert stage.young.is_young(stage.client, RUN) is is_young
    assert stage.young.is_young(stage.client, RUN.upper()) is is_young


@pytest.mark.parametrize(("seconds", "is_young"), [(0, True), (599, True), (600, False)])
def test_without_a_date_the_seconds_since_this_process_has_submitted_a_run_count(
    stage: Stage, seconds: float, is_young: bool
) -> None:
    stage.young.submitted(RUN)
    stage.clock.sleep(seconds)
    assert stage.young.is_young(stage.client, RUN) is is_young


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 21 Oct 99999 07:28:00 GMT"])
def test_a_date_that_cannot_be_read_is_no_date(stage: Stage, date: str) -> None:
    stage.service.answer = lambda _: Answer(UNKNOWN.body, 400, {"Date": date})
    stage.young.created(RUN, CREATED * 1000)
    assert stage.young.find(stage.client, RUN, "load") is None
    assert stage.clock.slept == []


def test_a_run_of_unknown_age_is_not_searched_for(stage: Stage) -> None:
    stage.service.date = CREATED
    assert stage.seconds_to_find(RUN) is None
    assert stage.clock.slept == []
    assert stage.said == []


def test_a_young_run_is_searched_for_until_the_window_is_over(stage: Stage) -> None:
    stage.young.submitted(RUN)
    assert stage.seconds_to_find(RUN) is None
    assert WINDOW <= sum(stage.clock.slept) < WINDOW + 10
    assert stage.said[0].startswith(f"the service does not know batch job {RUN}, which is less than ten minutes old.")


def test_a_young_run_that_appears_is_found(stage: Stage) -> None:
    stage.young.submitted(RUN)
    stage.known_at = stage.clock.now() + 7
    assert stage.seconds_to_find(RUN) == 8


def test_all_young_runs_share_one_window(stage: Stage) -> None:
    for run in (RUN, OTHER):
        stage.young.submitted(run)
    stage.seconds_to_find(RUN)
    slept = sum(stage.clock.slept)
    assert stage.seconds_to_find(OTHER) is None
    assert sum(stage.clock.slept) == slept


def test_a_run_that_is_submitted_later_has_a_window_of_its_own(stage: Stage) -> None:
    stage.young.submitted(RUN)
    stage.seconds_to_find(RUN)
    stage.young.submitted(OTHER)
    stage.known_at = stage.clock.now() + 30
    assert stage.seconds_to_find(OTHER) is not None
