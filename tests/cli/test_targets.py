import pytest

from pulumi_dli.cli.errors import CliError
from pulumi_dli.cli.stack import JOB_TYPE, Stack, parse_export
from pulumi_dli.cli.targets import Target, resolve, targets_in
from tests.cli.states import ID, OTHER_ID, URN, export, job, wait


def stack_of(*resources: dict[str, object]) -> Stack:
    return parse_export(export(*resources))


def failure(text: str, stack: Stack | None) -> str:
    with pytest.raises(CliError) as raised:
        resolve(text, stack)
    return str(raised.value)


def test_a_name_is_that_of_a_job_of_the_stack() -> None:
    target = resolve("load", stack_of(job("load", redact=["hunter2"]), job("other", OTHER_ID), wait("load")))
    assert (target.name, target.batch_id, target.secrets, target.is_managed) == ("load", ID, ("hunter2",), True)
    assert target.verdict == {"state": "success"}
    assert target.words == f"load: batch job {ID}"


def test_an_id_of_the_stack_is_that_job_in_any_case() -> None:
    assert resolve(ID.upper(), stack_of(job("load"))).name == "load"


def test_an_id_that_a_job_and_a_get_share_is_that_of_the_job() -> None:
    stack = stack_of(job("got", external=True), job("load"))
    assert (resolve(ID, stack).name, resolve(ID, stack).is_managed) == ("load", True)
    assert not resolve("got", stack).is_managed


@pytest.mark.parametrize("stack", [None, stack_of(job("load"))])
def test_another_id_needs_no_stack(stack: Stack | None) -> None:
    target = resolve(OTHER_ID.upper(), stack)
    assert (target.batch_id, target.name, target.is_managed) == (OTHER_ID, "", False)
    assert target.words == f"batch job {OTHER_ID}"


def test_a_name_that_two_jobs_share_needs_an_id() -> None:
    assert failure("load", stack_of(job("load"), job("load", OTHER_ID, parent="nightly"))) == (
        f"2 jobs of the stack have the name load. Give the id of one of them: {ID} ({URN}{JOB_TYPE}::load), {OTHER_ID} "
        f"(in nightly, {URN}x:y:C${JOB_TYPE}::load)."
    )


def test_a_name_means_the_new_job_if_the_old_one_is_not_deleted_yet() -> None:
    stack = stack_of(job("load", OTHER_ID, delete=True), job("load"))
    assert (resolve("load", stack).batch_id, resolve("load", stack).is_managed) == (ID, True)
    old = resolve(OTHER_ID, stack)
    assert (old.name, old.is_managed, old.is_pending_delete) == ("load", False, True)
    assert resolve("load", stack_of(job("load", OTHER_ID, delete=True))).batch_id == OTHER_ID


@pytest.mark.parametrize("text", ["", " "])
def test_a_job_without_an_id_is_no_job(text: str) -> None:
    stack = stack_of(job("load", ""))
    assert stack.jobs == ()
    assert failure(text, stack).startswith(f"there is no job {text!r} in stack dev")


def test_a_name_that_the_stack_does_not_have_is_refused_with_those_that_it_has() -> None:
    assert failure("laod", stack_of(job("load"), job("extract", OTHER_ID))) == (
        "there is no job 'laod' in stack dev. Did you mean load? Its jobs: extract, load."
    )


def test_of_many_names_ten_are_shown() -> None:
    stack = stack_of(*(job(f"job-{number:02}", str(number)) for number in range(12)))
    shown = ", ".join(f"job-{number:02}" for number in range(10))
    assert failure("x", stack) == f"there is no job 'x' in stack dev. Its jobs: {shown} and 2 more."


def test_a_stack_without_jobs_is_named() -> None:
    assert failure("load", stack_of()) == "there is no job 'load' in stack dev, which has no batch jobs."


def test_without_a_stack_only_an_id_will_do() -> None:
    assert failure("load", None) == "'load' is not the id of a batch job. `pulumi-dli jobs` lists the ids."


def test_all_jobs_come_in_the_order_of_their_names() -> None:
    assert [one.name for one in targets_in(stack_of(job("b"), job("a", OTHER_ID)))] == ["a", "b"]


def test_nothing_secret_is_in_the_text_of_a_target() -> None:
    assert "hunter2" not in repr(resolve("load", stack_of(job("load", redact=["hunter2"], args=["hunter2"]))))
    assert Target(ID).stored.properties == {}
