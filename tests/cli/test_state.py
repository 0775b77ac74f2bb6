from typing import Any

import pytest

from pulumi_dli.cli.state import State, properties_of
from pulumi_dli.plugin.properties import Properties
from tests.cli.states import export, job, native_resource, secret


@pytest.mark.parametrize(
    ("values", "plain", "secrets"),
    [
        ({"file": secret("a.py")}, {"file": "a.py"}, {"file"}),
        ({"args": ["in", secret("hunter2")]}, {"args": ["in", "hunter2"]}, {"args[1]"}),
        ({"args": secret(["in", "hunter2"])}, {"args": ["in", "hunter2"]}, {"args"}),
        ({"conf": {"spark.x": secret("hunter2")}}, {"conf": {"spark.x": "hunter2"}}, {'conf["spark.x"]'}),
        ({"conf": secret({"x": secret("hunter2")})}, {"conf": {"x": "hunter2"}}, {"conf"}),
        ({"numExecutors": 2, "log": None}, {"numExecutors": 2, "log": None}, set()),
    ],
)
def test_a_secret_is_its_value_and_its_path(values: dict[str, Any], plain: dict[str, Any], secrets: set[str]) -> None:
    assert properties_of(values) == Properties(plain, frozenset(secrets))


def test_a_resource_has_its_inputs_its_outputs_and_its_provider() -> None:
    (_, resource) = State.parse(export(native_resource("a::b", "1", provider="second", file=secret("a.py")))).resources
    assert (resource.name, resource.id, resource.parent_name) == ("a::b", "1", "")
    assert resource.inputs == resource.outputs == Properties({"file": "a.py"}, frozenset({"file"}))
    assert resource.provider.startswith("urn:pulumi:dev::jobs::pulumi:providers:dli::second::")


def test_the_parent_is_that_of_a_component() -> None:
    (_, resource) = State.parse(export(job("load", parent="nightly", external=True))).resources
    assert (resource.parent_name, resource.is_read_only, resource.is_pending_delete) == ("nightly", True, False)


def test_a_begun_operation_has_its_resource() -> None:
    state = State.parse(export(pending=[native_resource("load", file="a.py")]))
    assert [one.name for one in state.pending] == ["load"]
    assert state.stack_name == "dev"
