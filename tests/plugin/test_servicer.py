"""What the engine asks of the provider as a whole: its schema, its settings, and errors."""

import gc
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from pulumi_dli.local.testing import Service
from pulumi_dli.plugin import wire
from tests.local.api import settled
from tests.plugin.engine import Plugin, PluginError, job_urn
from tests.plugin.test_job_resource import ENDLESS, JOB
from tests.project import variables_of
from tests.test_engine_log import Engine

ROOT = Path(__file__).parents[2]
PROVIDER = "urn:pulumi:dev::jobs::pulumi:providers:dli::default_0_1_0"


def test_the_schema_is_the_generated_one(plugin: Plugin) -> None:
    schema = plugin.call("GetSchema", provider_pb2.GetSchemaRequest()).schema
    assert schema == (ROOT / "schema.json").read_text(encoding="utf-8")


def test_the_version_is_that_of_the_package(plugin: Plugin) -> None:
    assert plugin.call("GetPluginInfo", empty_pb2.Empty()).version == version("pulumi-dli")


def test_the_provider_understands_secrets_and_previews(plugin: Plugin) -> None:
    answer = plugin.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert (answer.accept_secrets, answer.accept_resources, answer.accept_outputs) == (True, False, False)
    configured = plugin.call("Configure", provider_pb2.ConfigureRequest(urn=PROVIDER))
    assert (configured.acceptSecrets, configured.supportsPreview) == (True, True)


def test_the_garbage_collector_works_again_after_the_start_and_leaves_the_modules_alone(plugin: Plugin) -> None:
    gc.disable()  # as the executable does
    try:
        plugin.configure()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()


def checked_config(plugin: Plugin, news: dict[str, Any]) -> tuple[wire.Properties, list[str]]:
    answer = plugin.call("CheckConfig", provider_pb2.CheckRequest(urn=PROVIDER, news=wire.write(news)))
    return wire.read(answer.inputs), [failure.reason for failure in answer.failures]


def test_the_state_of_the_provider_has_settings_only_and_no_secret_in_plain(plugin: Plugin) -> None:
    news = {"region": "eu-de", "secretKey": "hunter2", "jobs": '{"args": "hunter2"}', "jobDefaults": "{}"}
    inputs, failures = checked_config(plugin, news)
    assert inputs.values == {"region": "eu-de", "secretKey": "hunter2"}
    assert "secretKey" in inputs.secrets
    assert failures == []


def test_a_mistyped_setting_is_refused(plugin: Plugin) -> None:
    inputs, (failure,) = checked_config(plugin, {"regoin": "eu-de"})
    assert failure.startswith("dli:regoin: there is no such setting; did you mean dli:region?")
    assert inputs.values == {}


def test_a_change_of_the_settings_replaces_nothing(plugin: Plugin) -> None:
    for new, changes in (("eu-nl", "DIFF_SOME"), ("eu-de", "DIFF_NONE")):
        request = provider_pb2.DiffRequest(
            urn=PROVIDER, olds=wire.write({"region": "eu-de"}), news=wire.write({"region": new})
        )
        answer = plugin.call("DiffConfig", request)
        assert provider_pb2.DiffResponse.DiffChanges.Name(answer.changes) == changes
        assert not answer.replaces
        assert not answer.deleteBeforeReplace


def test_todays_key_counts_in_a_refresh(
    plugin: Plugin, account: None, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = plugin.declare(job_urn(), {**JOB, **ENDLESS})
    settled(service.states)
    variables = variables_of(service)
    today = {"accessKey": variables["OS_ACCESS_KEY"], "secretKey": variables["OS_SECRET_KEY"]}
    for name in ("OS_ACCESS_KEY", "OS_SECRET_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps(today))
    in_state = {"accessKey": today["accessKey"], "secretKey": "rotated"}
    with Plugin(configuration=in_state) as refresh:
        assert refresh.read(stored)["state"] == "running"
        refresh.delete(stored)
    assert service.states() == ["dead"]
    with (
        Plugin(configuration=in_state, provider_name="second") as explicit,
        pytest.raises(PluginError, match=r"401|403"),
    ):
        explicit.read(stored)


def test_two_explicit_providers_have_two_sets_of_settings(
    plugin: Plugin, account: None, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"queue": "ignored"}))
    with Plugin(configuration={"scope": "a"}, provider_name="one") as one:
        first = one.declare(job_urn(), {**JOB, **ENDLESS})
    with Plugin(configuration={"scope": "b"}, provider_name="two") as two:
        second = two.declare(job_urn(), {**JOB, **ENDLESS})
    assert first.id != second.id, "dli:scope distinguishes the two"


def test_a_setting_that_cannot_be_used_is_an_error_for_the_user(account: None, rows: Engine) -> None:
    with (
        Plugin(rows.address, {"requestTimeout": "soon"}, "explicit") as plugin,
        pytest.raises(
            PluginError, match="The argument requestTimeout of the provider explicit: not a duration"
        ) as told,
    ):
        plugin.declare(job_urn(), JOB)
    assert not told.value.is_defect


def test_a_plan_without_credentials_says_so_and_a_create_fails(
    account: None, rows: Engine, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OS_SECRET_KEY")
    monkeypatch.delenv("OS_ACCESS_KEY")
    with Plugin(rows.address) as plugin:
        inputs = plugin.checked(job_urn(), JOB)
        assert ("INFO", "", "dli: no credentials found; `up` will need them to submit jobs") in rows.logged
        with pytest.raises(PluginError, match="load: the job was not submitted, and nothing runs") as told:
            plugin.create(job_urn(), inputs)
    assert not told.value.is_defect
    assert service.calls() == {}


@pytest.mark.parametrize("urn", ["urn:pulumi:dev::jobs::dli:index:Queue::q", "no urn"])
def test_a_resource_that_does_not_exist_is_a_defect(plugin: Plugin, urn: str) -> None:
    with pytest.raises(PluginError, match="Traceback") as told:
        plugin.check(urn, {})
    assert told.value.is_defect


def test_the_end_of_a_command_may_be_told_twice(plugin: Plugin) -> None:
    plugin.call("Cancel", empty_pb2.Empty())
    plugin.call("Cancel", empty_pb2.Empty())
    assert plugin.checked(job_urn(), JOB)


def test_a_provider_that_runs_already_learns_the_engines_address(plugin: Plugin, rows: Engine) -> None:
    plugin.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    plugin.call("Attach", plugin_pb2.PluginAttach(address=rows.address))
    plugin.configure()
    plugin.checked(job_urn(), {"file": "load.py"})
    assert any("neither queue nor clusterName is set" in text for _, _, text in rows.logged)


@pytest.mark.parametrize("method", ["Invoke", "Call"])
def test_what_the_provider_does_not_have_is_unimplemented(plugin: Plugin, method: str) -> None:
    request = {"Invoke": provider_pb2.InvokeRequest}
    with pytest.raises(PluginError, match="not implemented"):
        plugin.call(method, request.get(method, provider_pb2.CallRequest)())
