"""A job's properties between the engine and the operations, for any declaration. No service is called."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.exact_numbers import leaves
from pulumi_dli.jobs.outputs import of_job
from pulumi_dli.jobs.validation import UNKNOWN, is_known
from pulumi_dli.plugin import wire
from pulumi_dli.plugin.interruption import InterruptibleClock
from pulumi_dli.plugin.job_properties import (
    declared_job,
    inputs_to_store,
    outputs_to_store,
    planned_outputs,
    stored_job,
    texts_of,
    undeclarable,
)
from pulumi_dli.plugin.job_resource import JobResource
from pulumi_dli.plugin.properties import Properties, is_covered
from pulumi_dli.plugin.rows import Rows
from pulumi_dli.plugin.session import Session
from pulumi_dli.plugin.urn import Urn
from tests.operations.test_batch_job import plausible
from tests.plugin.engine import job_urn
from tests.plugin.test_wire import paths_of

LOAD = Urn.parse(job_urn())
ID = "7d4b6c1e-92f0-4d6a-8f0e-2b5a7c913e44"
DYNAMIC = {"resourceName": "load", "scope": "0a1b2c3d"}
NOWHERE = {"dli:endpoint": "http://127.0.0.1:9", "dli:region": "eu-de", "dli:maxRetries": "0"}
declarations = plausible.map(lambda declared: {name: one for name, one in declared.items() if name not in DYNAMIC})


@pytest.fixture(scope="module")
def resource() -> JobResource:
    return JobResource(Session(NOWHERE, Rows(""), InterruptibleClock()))


def over_the_wire(values: Mapping[str, Any], secrets: frozenset[str]) -> Properties:
    return wire.read(wire.write(values, secrets))


def checked(resource: JobResource, declared: Mapping[str, Any], secrets: frozenset[str]) -> Properties | None:
    """Give the checked inputs, or None for a declaration that is refused."""
    answer = resource.check(provider_pb2.CheckRequest(urn=job_urn(), news=wire.write(declared, secrets)))
    return None if answer.failures else wire.read(answer.inputs)


@given(declarations, st.data())
def test_what_is_declared_again_as_it_was_stored_is_no_change(
    resource: JobResource, declared: dict[str, Any], data: st.DataObject
) -> None:
    secrets = frozenset(data.draw(st.sets(st.sampled_from(paths_of(declared)), max_size=2)))
    inputs = checked(resource, declared, secrets)
    assume(inputs is not None and is_known(dict(inputs.values)) and "file" in inputs.values)
    assert inputs is not None
    run = Batch(id=ID, state="success", name="a-name", queue="batch")
    made = of_job(declared_job(LOAD, inputs), run, {"submittedTo": {"region": "eu-de", "projectId": "1"}})
    stored = outputs_to_store(made, inputs.secrets)
    request = provider_pb2.DiffRequest(
        urn=job_urn(),
        id=ID,
        olds=wire.write(stored.values, stored.secrets),
        old_inputs=wire.write(inputs.values, inputs.secrets),
        news=wire.write(inputs.values, inputs.secrets),
    )
    answer = resource.diff(request)
    assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert not answer.detailedDiff

    texts = set(texts_of(LOAD, inputs))
    plain = {leaf for path, leaf in leaves(stored.values) if not is_covered(path, stored.secrets)}
    assert not texts & plain, "a secret text is in the state in plain"


@given(declarations, st.data())
def test_secrets_stay_at_their_paths(resource: JobResource, declared: dict[str, Any], data: st.DataObject) -> None:
    secrets = frozenset(data.draw(st.sets(st.sampled_from(paths_of(declared)), max_size=2)))
    inputs = checked(resource, declared, secrets)
    assume(inputs is not None)
    assert inputs is not None
    existing = over_the_wire(declared, secrets).secrets
    assert inputs.secrets == {path for path in existing if declared.get(path.partition("[")[0]) is not None}


def test_the_identity_is_that_of_the_urn_or_the_stored_one() -> None:
    job = declared_job(LOAD, Properties({"file": "a.py"}))
    assert (job.resource_name, job.scope) == ("load", LOAD.scope)
    job = declared_job(LOAD, Properties({"file": "a.py", **DYNAMIC}))
    assert (job.resource_name, job.scope) == ("load", "0a1b2c3d")
    renamed = {"resourceName": "old", "scope": "1"}
    stored = stored_job(LOAD, Properties({"file": "a.py", **renamed}), Properties()).inputs
    assert (stored.resource_name, stored.scope) == ("old", "1")


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ({}, {}),
        ({"file": "a.py"}, {}),
        (DYNAMIC, DYNAMIC),
        ({**DYNAMIC, "resourceName": "old"}, {}),  # the resource was renamed
    ],
)
def test_the_inputs_have_the_scope_of_a_dynamic_resource_only(stored: dict[str, Any], kept: dict[str, Any]) -> None:
    assert inputs_to_store(LOAD, {"file": "b.py", "redact": ["x"]}, Properties(stored)) == {"file": "b.py", **kept}


def test_lost_outputs_are_lost() -> None:
    assert stored_job(LOAD, Properties(), Properties({"file": "a.py"})).properties == {}


def test_the_secrets_of_the_inputs_count_not_those_that_an_option_marks() -> None:
    outputs = Properties({"file": "a.py", "args": ["hunter2"]}, frozenset({"args"}))
    assert stored_job(LOAD, outputs, Properties({"args": ["hunter2"]})).inputs.redact is None
    assert stored_job(LOAD, outputs, Properties()).inputs.redact == ["hunter2"]
    assert texts_of(LOAD, outputs, Properties({"args": ["hunter2"]})) == ["hunter2"]


def test_the_texts_that_a_dynamic_resource_has_stored_are_masked_too() -> None:
    assert texts_of(LOAD, Properties({"redact": ["one", None]}), Properties({"redact": UNKNOWN})) == ["one"]


def test_what_the_provider_adds_cannot_be_declared_but_may_come_back() -> None:
    news = Properties({"scope": "1", "redact": ["x"], "__provider": "x", "sizing": None, "file": "a.py"})
    assert undeclarable(news, Properties({"redact": ["x"]})) == ["scope: there is no such property of a batch job"]


def test_a_plan_knows_the_declaration_and_nothing_else() -> None:
    planned = planned_outputs(declared_job(LOAD, Properties({"file": "a.py"})))
    assert planned["file"] == "a.py"
    assert planned["recordExpired"] is False
    assert planned["state"] is planned["log"] is UNKNOWN
