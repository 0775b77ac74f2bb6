import json

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.auto_recovery import settled
from tests.fakes import Answer, FakeClock, ScriptedService

ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"


def batch(state: str, *, auto_recovery: bool = True) -> Batch:
    return Batch.model_validate({"id": ID, "state": state, "req_body": json.dumps({"autoRecovery": auto_recovery})})


@pytest.fixture
def client(service: ScriptedService, clock: FakeClock) -> Client:
    return Client(service.location, TokenAuth("the-token"), RetryPolicy(clock=clock, max_retries=0))


@pytest.mark.parametrize("state", ["recovering", "dead"])
def test_a_dead_run_that_may_recover_is_read_again(service: ScriptedService, client: Client, state: str) -> None:
    service.script(Answer({"id": ID, "state": state}))
    assert settled(client, batch("dead")).state == state
    assert service.asked() == [f"GET /{ID}"]


def test_a_dead_run_whose_record_has_gone_meanwhile_is_dead(service: ScriptedService, client: Client) -> None:
    service.script(Answer({"error_code": "DLI.0023", "error_msg": "no"}, 404))
    assert settled(client, batch("dead")).state == "dead"


@pytest.mark.parametrize("run", [batch("running"), batch("success"), batch("dead", auto_recovery=False)])
def test_any_other_run_is_not_read_again(service: ScriptedService, client: Client, run: Batch) -> None:
    assert settled(client, run) is run
    assert service.asked() == []
