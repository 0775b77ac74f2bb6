import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.models import Batch
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from tests.fakes import CERTIFICATE, Answer, FakeClock, FakeNotifier, ScriptedService
from tests.project import FOREIGN

CONFIGURATION = {"dli:region": "eu-de", "dli:projectId": "p1", "dli:token": "the-token"}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def context(said: list[str], clock: FakeClock) -> ProviderContext:
    return context_of(CONFIGURATION, said, clock)


def context_of(configuration: dict[str, str], said: list[str], clock: FakeClock) -> ProviderContext:
    return ProviderContext(configuration, FakeNotifier(lambda name, message: said.append(f"{name}: {message}")), clock)


def test_settings_are_read_when_they_are_needed(said: list[str], clock: FakeClock) -> None:
    context = context_of({**CONFIGURATION, "dli:maxRetries": "many"}, said, clock)
    with pytest.raises(SettingsError, match="dli:maxRetries"):
        context.client()


def test_credentials_are_looked_for_when_a_client_is_needed(said: list[str], clock: FakeClock) -> None:
    context = context_of({key: value for key, value in CONFIGURATION.items() if key != "dli:token"}, said, clock)
    assert context.settings.region == "eu-de"
    with pytest.raises(SettingsError, match="no credentials"):
        context.client()


def test_there_is_one_client_a_place(context: ProviderContext) -> None:
    here = context.client()
    assert context.client("eu-de", "p1") is here
    assert context.client_of({"region": "eu-de", "projectId": "p1"}) is here
    assert context.client_of(None) is context.client_of({}) is here

    there = context.client_of({"region": "eu-de", "projectId": "p2"})
    assert there is not here
    assert (there.location.endpoint, there.location.project_id) == ("https://dli.eu-de.otc.t-systems.com", "p2")
    with pytest.raises(SettingsError, match="Huawei Cloud"):
        context.client_of({"region": "cn-north-4", "projectId": "p2"})


def test_there_is_one_submitter_and_one_listing_of_dead_jobs_a_place(context: ProviderContext) -> None:
    here, there = context.client(), context.client(project_id="p2")
    assert context.submitter(here) is context.submitter(context.client())
    assert context.submitter(here) is not context.submitter(there)
    assert context.dead_job_listing(here) is context.dead_job_listing(context.client())
    assert context.dead_job_listing(here) is not context.dead_job_listing(there)


def test_threads_get_the_same_client(context: ProviderContext) -> None:
    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(lambda _: context.client(), range(50)))
    assert len(set(map(id, clients))) == 1


def test_a_client_works_as_the_settings_say(service: ScriptedService, said: list[str], clock: FakeClock) -> None:
    configuration = {
        **CONFIGURATION,
        "dli:endpoint": service.location.endpoint,
        "dli:retryPause": "8s",
        "dli:maxRetries": "1",
    }
    service.script(Answer(b"", 503), Answer({"id": "a"}))
    context = context_of(configuration, said, clock)
    assert context.client(project_id=service.location.project_id).details("a").id == "a"
    assert service.calls[0].headers["X-Auth-Token"] == "the-token"
    (pause,) = clock.slept
    assert 6 <= pause <= 10


def test_where_a_job_would_go_is_known_without_a_call_if_the_settings_name_it(context: ProviderContext) -> None:
    assert context.location_now()["projectId"] == "p1"
    assert context.location_now("eu-nl", "p2") == {"region": "eu-nl", "projectId": "p2"}


@pytest.mark.parametrize(
    ("answer", "project_id"), [(Answer({"projects": [{"id": "p7", "name": "eu-de"}]}), "p7"), (Answer(b"", 403), None)]
)
def test_iam_is_asked_once_at_most_for_where_a_job_would_go(
    service: ScriptedService, said: list[str], clock: FakeClock, answer: Answer, project_id: str | None
) -> None:
    service.script(answer)
    settings = {"dli:region": "eu-de", "dli:accessKey": "ak", "dli:secretKey": "sk"}
    context = context_of({**settings, "dli:authUrl": service.location.endpoint}, said, clock)
    for _ in range(2):
        assert context.location_now() == {"region": "eu-de", "projectId": project_id}
    context.location_now("eu-nl")
    assert len(service.calls) == 1


def test_the_project_in_use_cannot_be_let_go_of(said: list[str], clock: FakeClock) -> None:
    context = context_of({**CONFIGURATION, "dli:forget": "p1"}, said, clock)
    with pytest.raises(SettingsError, match="dli:forget names project p1, but this stack now submits its jobs there"):
        context.is_forgotten({"projectId": "p1"})
    assert not context.is_forgotten({"projectId": "p2"})


def test_where_a_job_would_go_is_unknown_without_credentials(said: list[str], clock: FakeClock) -> None:
    assert context_of({}, said, clock).location_now() == {"region": None, "projectId": None}


def test_a_certificate_of_the_settings_is_trusted(said: list[str], clock: FakeClock) -> None:
    with ScriptedService(Answer({"id": "a"}), tls=True) as service:
        configuration = {**CONFIGURATION, "dli:endpoint": service.location.endpoint, "dli:caCert": str(CERTIFICATE)}
        context = context_of(configuration, said, clock)
        assert context.client(project_id=service.location.project_id).details("a").id == "a"


def test_what_is_said_of_a_job_is_said_once(context: ProviderContext, said: list[str]) -> None:
    for name, message in [("a", "one"), ("a", "two"), ("b", "one"), ("a", "one"), ("b", "one")]:
        context.notify(Level.INFO, name, message)
    assert said == ["a: one", "a: two", "b: one"]


def test_it_is_said_once_by_many_threads_too(context: ProviderContext, said: list[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: context.notify(Level.INFO, "a", str(number % 10)), range(200)))
    assert sorted(said) == [f"a: {number}" for number in range(10)]


def test_a_job_as_it_was_read_is_recent_for_30_seconds(context: ProviderContext, clock: FakeClock) -> None:
    batch = Batch(id="a", state="running")
    assert context.recent("a") is None
    context.remember(batch)
    clock.sleep(30)
    assert context.recent("a") is batch
    assert context.recent("b") is None
    clock.sleep(0.1)
    assert context.recent("a") is None


def test_a_job_that_is_read_again_is_recent_as_it_is_now(context: ProviderContext, clock: FakeClock) -> None:
    context.remember(Batch(id="a", state="running"))
    clock.sleep(29)
    now = Batch(id="a", state="dead")
    context.remember(now)
    clock.sleep(29)
    assert context.recent("a") is now


def test_each_call_is_reported_to_the_engine_as_a_debug_message(service: ScriptedService, clock: FakeClock) -> None:
    told: list[tuple[Level, str, str]] = []

    class Recorder:
        def notify(self, level: Level, resource: str, message: str) -> None:
            told.append((level, resource, message))

    configuration = {**CONFIGURATION, "dli:endpoint": service.location.endpoint}
    service.script(Answer({"id": "a"}), Answer({"id": "a"}))
    client = ProviderContext(configuration, Recorder(), clock).client()
    for _ in range(2):
        client.details("a")
    line = "GET /v2.0/{project_id}/batches/{batch_id}: 200 in 0 ms, attempt 1"
    assert told == [(Level.DEBUG, "dli", line)] * 2
