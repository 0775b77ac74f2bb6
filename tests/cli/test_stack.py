from pulumi_dli.api.states import BatchState
from pulumi_dli.cli import stack as module
from pulumi_dli.cli.stack import parse_export
from pulumi_dli.cli.state import properties_of
from pulumi_dli.plugin import types as native
from pulumi_dli.plugin.job_properties import texts_of
from pulumi_dli.plugin.urn import Urn
from pulumi_dli.program import types
from tests.cli.states import ID, OTHER_ID, export, job, native_provider, native_resource, secret, wait


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


def test_a_native_job_has_its_names_its_id_and_where_it_runs() -> None:
    place = {"region": "eu-de", "projectId": "1"}
    stack = parse_export(export(native_resource("load", ID.upper(), state="running", submittedTo=place)))
    [parsed] = stack.jobs
    assert (parsed.name, parsed.batch_id, parsed.is_native, parsed.provider_settings) == ("load", ID, True, None)
    assert (parsed.stored.location, parsed.stored.state) == (place, BatchState.RUNNING)
    assert not parse_export(export(job("load"))).jobs[0].is_native


def test_the_secrets_of_a_native_job_are_the_texts_that_its_provider_masks() -> None:
    declared = {
        "file": "load.py",
        "args": ["in", secret("hunter2"), secret("load")],
        "conf": {"spark.a": secret("in-conf"), "spark.b": "plain"},
        "triggers": secret({"day": "in-a-trigger", "number": 12345}),
        "queue": secret("batch"),
    }
    resource = native_resource("load", ID, **declared)
    stack = parse_export(export(resource))
    assert stack.secrets == {ID: ("12345", "hunter2", "in-a-trigger", "in-conf")}
    [parsed] = stack.jobs
    assert parsed.stored.properties["secretInputs"] == ["args[1]", "args[2]", 'conf["spark.a"]', "queue", "triggers"]
    urn, inputs = Urn.parse(resource["urn"]), properties_of(resource["inputs"])
    assert list(stack.secrets[ID]) == texts_of(urn, inputs, inputs)


def test_a_native_wait_gives_the_end_of_its_run_and_texts_to_mask() -> None:
    stack = parse_export(
        export(
            native_resource("load", ID, args=secret(["hunter2"])),
            native_resource("done", type_token=native.WAIT, jobId=ID, state="success", redact=secret(["of-the-wait"])),
        )
    )
    assert stack.verdict(ID) == {"state": "success"}
    assert stack.secrets == {ID: ("hunter2", "of-the-wait")}


def test_a_wait_that_waits_has_its_texts_in_its_component_or_in_a_begun_operation() -> None:
    component = native_resource("done", type_token=native.COMPLETION, batchJob=ID, redact=secret(["of-a-component"]))
    wait_at_work = native_resource("other", type_token=native.WAIT, jobId=OTHER_ID, redact=secret(["of-a-wait"]))
    stack = parse_export(export(native_resource("load", ID), component, pending=[wait_at_work]))
    assert stack.secrets == {ID: ("of-a-component",), OTHER_ID: ("of-a-wait",)}
    assert stack.seen_ends == {}


def test_old_outputs_of_a_component_are_no_end_of_its_new_run() -> None:
    component = native_resource("done", type_token=native.COMPLETION, batchJob=ID, state="success")
    assert parse_export(export(component)).seen_ends == {}


def test_a_native_job_that_a_dynamic_resource_has_submitted_keeps_its_texts() -> None:
    migrated = native_resource("load", ID, file="load.py", redact=secret(["hunter2"]))
    assert parse_export(export(migrated)).secrets == {ID: ("hunter2",)}


def test_an_explicit_provider_has_settings_and_a_default_one_has_those_of_the_stack() -> None:
    stack = parse_export(
        export(
            native_provider("second", region="eu-nl", secretKey=secret("hunter2"), version="0.2.0"),
            native_provider("default", region="old"),
            native_resource("load", ID, provider="second"),
            native_resource("other", OTHER_ID, provider="default"),
        )
    )
    assert [job.provider_settings for job in stack.jobs] == [{"dli:region": "eu-nl", "dli:secretKey": "hunter2"}, None]
    assert "hunter2" not in repr(stack)
