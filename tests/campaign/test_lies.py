from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.api.states import BatchState
from pulumi_dli.local.testing import Service
from tests.campaign.lies import Lie, LyingService, tell_lies
from tests.campaign.schedules import ENDLESS
from tests.local.api import settled

BODY = {"file": "obs://demo/a.py", "queue": "default", "conf": {"spark.dli.local.timeline": ENDLESS}}


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[LyingService]:
    with LyingService(tmp_path) as service:
        yield service


@pytest.fixture
def client(liar: LyingService) -> Client:
    account = liar.server.credentials
    location = Location(liar.endpoint, account.region, account.project_id)
    return Client(location, TokenAuth(account.token, source="the account"))


def submit(liar: LyingService, name: str) -> str:
    return liar.submit({**BODY, "name": name})


def test_a_service_without_lies_tells_the_truth(liar: LyingService, client: Client) -> None:
    ids = [submit(liar, name) for name in ("a", "b")]
    settled(liar.states)
    assert {batch.id: batch.name for batch in client.batches({})} == dict(zip(ids, ("a", "b"), strict=True))
    assert client.details(ids[0]).batch_state is BatchState.RUNNING


def test_lists_lie(liar: LyingService, client: Client) -> None:
    ids = [submit(liar, name) for name in ("a", "b", "c")]
    liar.cancel(ids[0])
    settled(liar.states)
    listed = {}
    for lie in Lie:
        tell_lies(liar, [lie])
        listed[lie] = client.page({"state": "running"}, start=1)
    assert len(listed[Lie.STATE_IGNORED].sessions) == 2
    assert len(listed[Lie.FROM_IGNORED].sessions) == 2
    assert listed[Lie.NO_TOTAL].total is None
    assert listed[Lie.SMALL_TOTAL].total == 1
    assert listed[Lie.TEXT_TOTAL].total == "2"
    assert [batch.state for batch in listed[Lie.UNKNOWN_STATE].sessions] == ["resting"]
    tell_lies(liar, [Lie.SHORT_PAGES])
    assert len(client.page({}).sessions) == 2


def test_answers_about_jobs_lie(liar: LyingService, client: Client) -> None:
    other = submit(liar, "other")

    def answers(lie: Lie) -> Batch:
        tell_lies(liar, [lie])
        return client.create({**BODY, "name": "mine"})

    assert answers(Lie.FOREIGN_POST).id == other
    assert answers(Lie.RENAMED_POST).name == "MINE"
    mine = answers(Lie.NAMELESS_POST)
    assert mine.name is None
    tell_lies(liar, [Lie.FOREIGN_DETAILS])
    with pytest.raises(Exception, match="another job"):
        client.details(mine.id)


def test_a_young_job_is_unknown(liar: LyingService, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    tell_lies(liar, [Lie.YOUNG_UNKNOWN])
    job = submit(liar, "young")
    monkeypatch.setattr("tests.campaign.lies.LAG", 3600)
    assert client.find(job) is None
    monkeypatch.setattr("tests.campaign.lies.LAG", 0)
    assert client.find(job) is not None


def test_a_service_that_cannot_lie_is_not_told_to(service: Service) -> None:
    tell_lies(service, ())
    with pytest.raises(TypeError, match="cannot lie"):
        tell_lies(service, [Lie.FOREIGN_POST])
