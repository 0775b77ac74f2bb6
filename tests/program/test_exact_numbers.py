"""Sent text is written text, or it is refused: from a program, over Pulumi's wire, into the body of the request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import rpc

import pulumi_dli as dli
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.job_rules import Checked, check
from pulumi_dli.jobs.request import request_body
from tests.project import Project
from tests.registrations import run

if TYPE_CHECKING:
    from pulumi_dli.local.testing import Service

SNAPSHOT = 1234567890123456789
IN_DOUBLES = 2**1023


def arrived(**arguments: Any) -> dict[str, Any]:
    """Give what arrives at the provider of a job with these arguments."""

    def program() -> dict[str, Any]:
        given = {name: value() if callable(value) else value for name, value in arguments.items()}
        return {"id": dli.BatchJob("a", file="a.py", queue="batch", **given).id}

    sent, _ = run(program)
    inputs: dict[str, Any] = rpc.deserialize_properties(sent.requests["a"].object)
    return {name: rpc.unwrap_rpc_secret(value) for name, value in inputs.items() if name != "__provider"}


def checked(properties: dict[str, Any]) -> Checked:
    return check(JobInputs.parse(properties))


def as_spark_writes(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_it_is(value: Any) -> Any:
    return value


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.text("abc.", min_size=1),
        st.tuples(
            st.integers(-IN_DOUBLES, IN_DOUBLES) | st.text() | st.booleans(),
            st.sampled_from([as_it_is, pulumi.Output.from_input, pulumi.Output.secret]),
        )
        | st.tuples(st.integers(2**1024), st.just(as_it_is)),
    )
)
def test_what_a_program_writes_is_sent_as_written(values: dict[str, tuple[Any, Callable[[Any], Any]]]) -> None:
    written = {key: as_spark_writes(value) for key, (value, _) in values.items()}

    def conf() -> dict[str, Any]:
        return {key: wrap(value) for key, (value, wrap) in values.items()}

    judged = checked(arrived(conf=conf))
    has_nul = any("\0" in text for text in written.values())
    assert bool(judged.failures) is has_nul
    if not has_nul:
        assert request_body(JobInputs.parse(judged.properties), "n").get("conf", {}) == written


@pytest.mark.parametrize("number", [2.0**53, -1e300, float(SNAPSHOT)])
def test_a_large_fraction_of_a_program_is_refused(number: float) -> None:
    """Nobody can tell it from a whole number that was rounded before, as in another stack's outputs."""
    (failure,) = checked(arrived(conf={"spark.a": number})).failures
    assert failure == (
        'conf["spark.a"]: must be text, since Pulumi rounds whole numbers from 9007199254740992 on; put it in quotes'
    )


def test_a_large_number_in_triggers_without_digits_is_doubtful() -> None:
    (warning,) = checked(arrived(triggers={"at": 1e20})).warnings
    assert warning.startswith('triggers["at"]: Pulumi rounds whole numbers from 9007199254740992 on')
    assert checked(arrived(triggers={"at": SNAPSHOT})).warnings == []


def test_without_large_numbers_nothing_is_added() -> None:
    """0.1.0 knows no such property, and with ignore_changes=["*"] the engine hands it what was stored."""
    assert "exactNumbers" not in arrived(conf={"a": 64, "b": "text"}, triggers={"c": 0.5})
    later = arrived(conf=lambda: {"a": pulumi.Output.from_input(64)}, triggers=lambda: {"b": pulumi.Output.secret(1)})
    assert checked(later).properties.get("exactNumbers") is None


def test_the_numbers_stay_in_their_places_since_0_1_0_compares_them() -> None:
    inputs = arrived(
        conf={"a": SNAPSHOT}, triggers={"b": [SNAPSHOT]}, opts=pulumi.ResourceOptions(replacement_trigger=SNAPSHOT)
    )
    assert inputs["conf"] == {"a": float(SNAPSHOT)}
    assert inputs["triggers"] == {"b": [float(SNAPSHOT)]}
    assert inputs["replacementTrigger"] == float(SNAPSHOT)
    assert inputs["exactNumbers"] == dict.fromkeys(
        ['conf["a"]', 'triggers["b"][0]', "replacementTrigger"], str(SNAPSHOT)
    )


@pytest.mark.parametrize(
    "secret",
    [{"a": pulumi.Output.secret, "b": as_it_is}, {"a": as_it_is, "b": pulumi.Output.secret}],
    ids=["in", "all"],
)
def test_numbers_inside_secrets_have_their_digits_as_a_secret(secret: dict[str, Callable[[Any], Any]]) -> None:
    def values() -> Any:
        return secret["b"]({"k": secret["a"]([SNAPSHOT])})

    digits = {'triggers["k"][0]': str(SNAPSHOT)}
    assert arrived(triggers=values)["exactNumbers"] == digits
    sent, _ = run(lambda: {"id": dli.BatchJob("a", file="a.py", triggers=values()).id})
    inputs = rpc.deserialize_properties(sent.requests["a"].object)
    assert rpc.is_rpc_secret(inputs["exactNumbers"])
    assert rpc.unwrap_rpc_secret(inputs["exactNumbers"]) == digits


def test_secret_triggers_do_not_make_a_secret_of_the_conf_that_a_program_reads() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("a", file="a.py", conf={"a": SNAPSHOT}, triggers={"b": pulumi.Output.secret(SNAPSHOT)})
        return {"conf": job.conf, "is_secret": pulumi.Output.from_input(job.conf.is_secret())}

    _, values = run(program)
    assert values == {"conf": {"a": str(SNAPSHOT)}, "is_secret": False}


def test_a_job_that_the_program_gets_has_no_digits() -> None:
    sent, values = run(lambda: {"conf": dli.BatchJob.get("theirs", "an-id").conf})
    assert values == {"conf": None}
    assert "exactNumbers" not in rpc.deserialize_properties(sent.requests["theirs"].properties)


def test_the_outputs_have_what_is_sent() -> None:
    def program() -> dict[str, Any]:
        job = dli.BatchJob("a", file="a.py", conf={"a": SNAPSHOT, "b": "text"}, triggers={"c": SNAPSHOT})
        return {"conf": job.conf, "triggers": job.triggers}

    _, values = run(program)
    assert values == {"conf": {"a": str(SNAPSHOT), "b": "text"}, "triggers": {"c": str(SNAPSHOT)}}


@pytest.mark.slow
def test_a_secret_number_that_changes_by_1_runs_its_jobs_again(tmp_path: Path, local_dli: Service) -> None:
    project = Project(tmp_path / "project", local_dli.environment)

    def declare(build: int) -> None:
        project.write(f"""
            build, builds = pulumi.Output.secret({build}), pulumi.Output.secret({{"build": {build}}})
            dli.BatchJob("all", file="a.py", queue="default", triggers=builds)
            dli.BatchJob("in", file="a.py", queue="default", triggers={{"builds": [build, builds["build"]]}})
            job = dli.BatchJob("conf", file="a.py", queue="default", conf={{"build": build}})
            dli.BatchJob.get("got", job.id)
            pulumi.export("conf", pulumi.Output.unsecret(job.conf))
        """)

    declare(20261124093000123)
    project.up()
    project.up("--expect-no-changes")
    project.pulumi("refresh", "--yes", "--skip-preview")
    project.up("--expect-no-changes")
    assert len(local_dli.jobs()) == 3

    declare(20261124093000124)
    project.up()
    assert len(local_dli.jobs()) == 6
    (sent,) = (job.body["conf"] for job in local_dli.jobs()[3:] if "conf" in job.body)
    assert sent == project.output("conf") == {"build": "20261124093000124"}
