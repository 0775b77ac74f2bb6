import pytest

from pulumi_dli.jobs.spelling import in_python, with_target


@pytest.mark.parametrize(
    ("message", "spelled"),
    [
        ("scType: must be one of A, B, C, but is 'small'", "sc_type: must be one of A, B, C, but is 'small'"),
        ("pyFiles[1]: must be text", "py_files[1]: must be text"),
        ("queue and clusterName: both are set", "queue and cluster_name: both are set"),
        ("args, numExecutors changed", "args, num_executors changed"),
        ("Run `pulumi up` or set onRecordExpired to rerun.", "Run `pulumi up` or set on_record_expired to rerun."),
        ("set dli:projectId (pulumi config set)", "set dli:projectId (pulumi config set)"),
        ("obs://demo/className.jar and 'className' stay", "obs://demo/className.jar and 'className' stay"),
        ("adoptId names it\n  | className is wrong", "adopt_id names it\n  | className is wrong"),
        ("name and queue stay", "name and queue stay"),
    ],
)
def test_an_argument_is_spelled_as_in_python_but_not_inside_other_texts(message: str, spelled: str) -> None:
    assert in_python(message) == spelled


def test_an_adapter_chooses_a_job_with_a_target_of_its_own() -> None:
    message = "run `pulumi up --replace '**dli:BatchJob::load'`.\n  | '**dli:BatchJob::load'"
    assert with_target(message, "**x::") == "run `pulumi up --replace '**x::load'`.\n  | '**dli:BatchJob::load'"
