from pulumi_dli.api.states import BatchState
from pulumi_dli.cli import stack as module
from pulumi_dli.cli.stack import parse_export
from pulumi_dli.program import types
from tests.cli.states import ID, OTHER_ID, export, job, secret, wait


def test_the_types_are_those_of_the_program() -> None:
    assert (module.JOB_TYPE, module.WAIT_TYPE) == (types.JOB_TYPE, types.WAIT_TYPE)


def test_a_job_has_its_names_its_id_and_its_outputs_without_wrappers() -> None:
    resource = job("load", ID.upper(), parent="nightly", args=secret(["--password", "hunter2"]), state="running")
    stack = parse_export(export(resource))
    [parsed] = stack.jobs
    assert (stack.name, parsed.name, parsed.parent, parsed.batch_id) == ("dev", "load", "nightly", ID)
    assert parsed.stored.inputs.args == ["--password", "hunter2"]
    assert parsed.stored.state is BatchState.RUNNING
    assert not parsed.is_read_only


def test_a_logical_name_may_contain_colons() -> None:
    [parsed] = parse_export(export(job("a::b"))).jobs
    assert parsed.name == "a::b"


def test_the_stack_is_no_parent_and_a_job_of_get_is_read_only() -> None:
    [parsed] = parse_export(export(job("got", external=True))).jobs
    assert (parsed.parent, parsed.is_read_only) == ("", True)


def test_a_wait_gives_the_end_of_its_run() -> None:
    stack = parse_export(export(job("load"), wait("load", duration=1005), wait("other", OTHER_ID, state="running")))
    assert stack.verdict(ID) == {"state": "success", "duration": 1005}
    assert stack.verdict(OTHER_ID) == {}


def test_the_secrets_of_a_run_are_those_of_its_jobs_and_of_its_waits() -> None:
    stack = parse_export(
        export(
            job("load", redact=secret(["hunter2"])),
            job("got", external=True),
            wait("load", redact=["hunter2", "of-a-transform"]),
            job("plain", OTHER_ID),
        )
    )
    assert stack.secrets == {ID: ("hunter2", "of-a-transform"), OTHER_ID: ()}


def test_nothing_secret_is_in_the_text_of_a_stack() -> None:
    stack = parse_export(export(job("load", redact=["hunter2"], args=["hunter2"]), wait("load", redact=["hunter2"])))
    assert "hunter2" not in repr(stack)


def test_a_stack_without_a_deployment_is_empty() -> None:
    stack = parse_export({"version": 3, "deployment": None})
    assert (stack.jobs, stack.words) == ((), "the stack")
