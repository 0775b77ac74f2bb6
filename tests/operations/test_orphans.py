import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import NoAnswerError, ServiceError, SignInError, SubmissionError
from pulumi_dli.jobs.naming import logical_names
from pulumi_dli.operations.submission_request import SubmissionRequest
from tests.fakes import CUT, Answer
from tests.operations.submitting import SCOPE, SPEC, Stage, a_request, kept_request, refusal, run_name


def test_the_jobs_that_have_not_ended_are_listed_once_for_all_submissions(stage: Stage) -> None:
    submitter = stage.submitter()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: submitter.submit(a_request(resource_name=f"job{number}")), range(8)))
    assert len(stage.dli.names) == 8
    assert stage.dli.listings == 3


def test_a_live_run_of_this_very_job_is_adopted_and_named(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    assert stage.submit() == left
    assert stage.dli.names == []
    assert stage.said == [
        f"wordcount: adopted batch job {left} ({run_name()}, running, owner somebody, submitted "
        "2023-11-14 22:13:20 UTC). An interrupted `up`, a rename or the option retainOnDelete left this run."
    ]


@pytest.mark.parametrize("state", ["success", "dead"])
def test_a_run_that_has_ended_since_the_listing_is_not_adopted_and_the_job_runs(stage: Stage, state: str) -> None:
    left = stage.dli.add(run_name(), state=state)
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(left), "state": "running"}]}))
    assert stage.submit() == "id-1"
    (said,) = stage.said
    assert said.startswith(f"wordcount: batch job {left} ({run_name()}, {state}, ")
    assert " has ended. " in said
    assert said.endswith(" The job runs again.")


def test_a_run_that_ends_while_another_job_is_awaited_is_not_adopted(stage: Stage) -> None:
    left, submitter = stage.dli.add(run_name()), stage.submitter()
    submitter.submit(a_request(resource_name="extract", resource="ffffffff"))
    stage.dli.job(left)["state"] = "dead"
    stage.clock.sleep(59)
    assert submitter.submit(a_request()).id != left
    assert len(stage.dli.names) == 2


def test_the_live_jobs_are_listed_again_after_a_minute(stage: Stage) -> None:
    submitter = stage.submitter()
    submitter.submit(a_request(resource_name="extract", resource="ffffffff"))
    left = stage.dli.add(run_name())
    stage.clock.sleep(61)
    assert submitter.submit(a_request()).id == left


def test_where_the_live_jobs_cannot_be_listed_again_nothing_is_submitted(stage: Stage) -> None:
    submitter = stage.submitter()
    submitter.submit(a_request(resource_name="extract", resource="ffffffff"))
    stage.clock.sleep(61)
    stage.dli.lists.append(CUT)
    with pytest.raises(NoAnswerError):
        submitter.submit(a_request())
    assert len(stage.dli.names) == 1


def test_a_dead_run_that_recovers_is_adopted(stage: Stage) -> None:
    left = stage.dli.add(run_name(), state="recovering", req_body=json.dumps({"autoRecovery": True}))
    stage.dli.reads.append(Answer({**stage.dli.job(left), "state": "dead"}))
    assert stage.submit() == left


def test_a_run_that_is_gone_since_the_listing_is_none(stage: Stage) -> None:
    stage.dli.lists.append(Answer({"sessions": [{"id": "gone", "name": run_name(), "state": "running"}]}))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_a_run_that_moves_on_between_two_lists_is_one_run(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(left), "state": "starting"}]}))
    assert stage.submit() == left


def test_of_two_live_runs_none_is_adopted_and_nothing_is_submitted(stage: Stage) -> None:
    first, second = stage.dli.add(run_name(random="aaaaaa")), stage.dli.add(run_name(random="bbbbbb"))
    with pytest.raises(SubmissionError, match=r"^wordcount: nothing was submitted\. 2 runs of this job") as raised:
        stage.submit()
    assert f"batch job {first} " in str(raised.value)
    assert f"batch job {second} " in str(raised.value)
    assert stage.dli.names == []


def test_of_two_live_runs_of_one_submission_the_first_is_adopted_and_the_other_is_cancelled(stage: Stage) -> None:
    first, second = stage.dli.add(run_name()), stage.dli.add(run_name())
    stage.dli.jobs.reverse()
    assert stage.submit() == first
    assert stage.dli.names == []
    assert [stage.dli.job(run)["state"] for run in (first, second)] == ["running", "dead"]
    assert f"keeps batch job {first}. It cancelled batch job {second}" in stage.said[-1]


def test_a_young_run_that_the_details_call_does_not_know_yet_is_adopted(stage: Stage) -> None:
    left = stage.dli.add(run_name(), create_time=1_700_000_000_000)
    stage.service.date = 1_700_000_030
    stage.dli.reads += [refusal("DLI.0002")] * 3
    assert stage.submit() == left
    assert stage.dli.names == []


@pytest.mark.parametrize(
    "job",
    [
        {"name": run_name(scope="ffffffff")},
        {"name": "wordcount"},
        {"name": ""},
        {"name": run_name(), "state": "success"},
        {"name": run_name(), "state": "dead"},
    ],
)
def test_no_other_job_is_adopted(stage: Stage, job: dict[str, Any]) -> None:
    other = stage.dli.add(**job)
    assert stage.submit() != other
    assert stage.said == []


def test_a_run_that_is_another_resources_or_was_deleted_is_not_adopted(stage: Stage) -> None:
    held, deleted = stage.dli.add(run_name()), stage.dli.add(run_name(random="abcdee"))
    stage.runs.declared(("extract", SCOPE))
    stage.runs.in_state(held, stored_key=("extract", SCOPE), key=("extract", SCOPE))
    stage.runs.begin_delete(deleted, None)
    assert stage.submit() == "id-2"
    assert stage.said == []


def test_a_live_run_with_another_declaration_is_named_with_what_to_do(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"))
    assert stage.submit() != other
    (said,) = stage.said
    assert said.startswith(f"wordcount: an earlier run with another declaration still runs: batch job {other} ")
    assert "Cancel it" in said
    assert stage.dli.job(other)["state"] == "running"


def test_a_run_of_another_declaration_is_refused_if_it_may_be_the_run_that_is_replaced(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"))
    submitter = stage.submitter(may_create_first=True)
    with pytest.raises(SubmissionError, match="nothing was submitted") as refused:
        submitter.submit(a_request())
    assert other in str(refused.value)
    assert "deleteBeforeReplace" in str(refused.value)
    assert stage.dli.names == []


def test_a_run_of_another_declaration_that_a_plan_has_replaced_is_not_refused(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"))
    key = a_request().key
    stage.runs.in_state(other, stored_key=key, key=key)
    assert stage.submitter(may_create_first=True).submit(a_request()).id != other
    assert "another declaration still runs" in stage.said[0]


NUMBERS, OTHER_NUMBERS = ({'conf["a"]': digits} for digits in ("20261124093000123", "20261124093000124"))


@pytest.mark.parametrize(
    ("submitted", "declared", "is_adopted"),
    [
        ({}, NUMBERS, True),  # 0.1.0 has no numbers in its names
        (NUMBERS, NUMBERS, True),
        (OTHER_NUMBERS, NUMBERS, False),
        (NUMBERS, {}, True),
    ],
)
@pytest.mark.parametrize("spec", [SPEC, "0000000f"])
def test_a_run_of_numbers_that_round_alike_is_adopted_only_if_it_may_be_this_one(
    stage: Stage, submitted: dict[str, str], declared: dict[str, str], is_adopted: bool, spec: str
) -> None:
    name, *_ = (*logical_names("wordcount", submitted), "wordcount")
    left = stage.dli.add(f"{name}-{SCOPE}-{spec}-abcdef")
    names = logical_names("wordcount", declared)
    request = replace(a_request(), logical_names=names, equal_fingerprints=lambda: {"0000000f"})
    assert (stage.submit(request) == left) is is_adopted
    if not is_adopted:
        assert "an earlier run with another declaration still runs" in stage.said[0]
        assert (stage.dli.names[-1]).startswith(f"{names[0]}-{SCOPE}-{SPEC}-")


def test_a_live_job_of_a_fixed_name_is_adopted_if_0_1_0_rounded_its_number(stage: Stage) -> None:
    rounded = {"file": "obs://demo/wordcount.py", "conf": {"spark.a": "5781947118336215040", "spark.dli.x": "added"}}
    left = stage.dli.add("nightly", req_body=json.dumps(rounded))
    other = a_request("nightly", conf={"spark.a": "5781947118336299999"})
    assert stage.submit(other) != left
    assert stage.submit(a_request("nightly", conf={"spark.a": "5781947118336215154"})) == left


SIMILAR = "0000001f"


def secret_request(*left_out: str, **changes: Any) -> SubmissionRequest:
    """Make a request whose fingerprint does not have these properties, because they may be secret."""
    similar = {SIMILAR: left_out or ("args", "conf")}
    return replace(a_request(), request_fingerprint=SIMILAR, similar_fingerprints=lambda: similar, **changes)


@pytest.mark.parametrize("argument", ["out", "another secret"])
def test_a_run_whose_name_does_not_tell_the_secrets_is_adopted_if_its_request_has_them(
    stage: Stage, argument: str
) -> None:
    left = stage.dli.add(run_name(spec=SIMILAR), req_body=kept_request(args=["in", argument]))
    is_same = argument == "out"
    assert (stage.submit(secret_request()) == left) is is_same
    assert ("adopted" if is_same else "an earlier run with another declaration still runs") in stage.said[0]


def test_a_run_of_an_earlier_version_whose_name_proves_the_secrets_is_adopted(stage: Stage) -> None:
    left = stage.dli.add(run_name(spec="0000000f"))
    assert stage.submit(secret_request(equal_fingerprints=lambda: {"0000000f"})) == left


@pytest.mark.parametrize(
    ("left_out", "req_body", "named"),
    [
        (["args"], None, "args"),
        (["args"], "{}", "args"),
        (["conf"], '{"args": ["in", "out"]}', "conf"),
        (["args", "conf"], '{"args": ["in", "out"], "conf": {"spark.a": "x", "spark.b": "added"}}', "conf"),
        (["args", "triggers"], '{"args": ["in", "out"]}', "triggers"),
        (["args", "replacementTrigger"], '{"args": ["in", "out"]}', "replacementTrigger"),
    ],
)
def test_nothing_is_adopted_or_submitted_if_a_secret_cannot_be_compared(
    stage: Stage, left_out: list[str], req_body: str | None, named: str
) -> None:
    left = stage.dli.add(run_name(spec=SIMILAR), req_body=req_body)
    body = {"file": "obs://demo/wordcount.py", "args": ["in", "out"], "conf": {"spark.a": "x"}}
    request = secret_request(*left_out, body=lambda name: {**body, "name": name})
    with pytest.raises(SubmissionError) as raised:
        stage.submit(request)
    assert f"batch job {left} " in str(raised.value)
    assert f"cannot compare the secret values of {named}: " in str(raised.value)
    assert f"set adoptId to {left}" in str(raised.value)
    assert f"`pulumi-dli cancel {left}`" in str(raised.value)
    assert stage.dli.names == []


def test_a_run_that_has_ended_needs_no_comparison_of_secrets(stage: Stage) -> None:
    stage.dli.add(run_name(spec=SIMILAR), state="dead")
    assert stage.submit(secret_request("triggers")) == "id-1"


def test_secret_values_are_compared_letter_by_letter(stage: Stage) -> None:
    body = {"file": "obs://demo/wordcount.py", "args": ["in", "out"], "conf": {"spark.pin": "010"}}
    left = stage.dli.add(run_name(spec=SIMILAR), req_body=json.dumps({**body, "conf": {"spark.pin": "8"}}))
    assert stage.submit(secret_request(body=lambda name: {**body, "name": name})) != left


def test_an_ended_run_with_another_declaration_is_not_worth_a_word(stage: Stage) -> None:
    other = stage.dli.add(run_name(spec="ffffffff"), state="success")
    stage.dli.lists.append(Answer({"sessions": [{**stage.dli.job(other), "state": "running"}]}))
    stage.submit()
    assert stage.said == []


def test_with_adoption_off_nothing_is_listed_and_nothing_adopted(stage: Stage) -> None:
    left = stage.dli.add(run_name())
    assert stage.submit(adopt=False) != left
    assert stage.dli.listings == 0


def test_a_listing_that_is_refused_names_the_permission_and_the_way_without_it(stage: Stage) -> None:
    stage.dli.lists.append(refusal("APIG.0302", 403))
    with pytest.raises(SubmissionError, match=r"^wordcount: nothing was submitted\.") as raised:
        stage.submit()
    assert "dli:jobs:list" in str(raised.value)
    assert "dli:adopt" in str(raised.value)
    assert stage.dli.names == []


def test_a_sign_in_that_iam_refuses_is_not_taken_for_a_missing_permission_to_list_jobs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def live(_client: Client) -> None:
        raise SignInError(status=403, call="POST …/auth/tokens")

    monkeypatch.setattr(Client, "live", live)
    with pytest.raises(SignInError) as raised:
        stage.submit()
    assert "dli:jobs:list" not in str(raised.value)


@pytest.mark.parametrize(("failure", "error"), [(CUT, NoAnswerError), (refusal("DLI.0999"), ServiceError)])
@pytest.mark.parametrize("lists_before", [0, 2])
def test_a_listing_that_fails_lets_nothing_be_submitted(
    stage: Stage, failure: Answer, error: type[Exception], lists_before: int
) -> None:
    stage.dli.lists += [Answer({"sessions": []})] * lists_before + [failure]
    submitter = stage.submitter()
    with pytest.raises(error):
        submitter.submit(a_request())
    assert stage.dli.names == []
    submitter.submit(a_request())
    assert len(stage.dli.names) == 1


EQUAL: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # what the request adds to its body, how the request of the live job differs from the one above
    ({}, {}),
    ({}, {"autoRecovery": None, "args": None}),
    ({"queue": "Batch"}, {}),
    ({"cluster_name": "Batch"}, {}),
    ({"sc_type": "B"}, {}),
    ({"sc_type": "B"}, {"sc_type": "CUSTOMIZED"}),
    ({"driverMemory": "2G"}, {"driverMemory": "2048M"}),
    ({"auto_recovery": True, "max_retry_times": 3}, {"autoRecovery": True, "maxRetryTimes": 3}),
    ({"max_retry_times": 20}, {}),
    ({"conf": {"spark.a": "1"}}, {"conf": {"spark.a": "1", "spark.added": "2"}}),
]
DIFFERENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"file": "obs://demo/other.py"}),
    ({}, {"className": "org.example.Main"}),
    ({"args": ["in"]}, {}),
    ({"args": ["out", "in"]}, {}),
    ({"args": []}, {}),
    ({}, {"pyFiles": ["obs://demo/more.py"]}),
    ({"queue": "nightly"}, {}),
    ({"cluster_name": "nightly"}, {}),
    ({"driverMemory": "2G"}, {"driverMemory": "4G"}),
    ({"auto_recovery": True}, {}),
    ({"max_retry_times": 3}, {}),
    ({"conf": {"spark.a": "1"}}, {"conf": {"spark.a": "2"}}),
    ({"conf": {"spark.a": "1"}}, {}),
    ({"spark_version": "3.1.1"}, {}),
]


@pytest.mark.parametrize(("properties", "changes"), EQUAL)
def test_a_live_job_of_a_fixed_name_is_adopted_where_its_request_is_equal(
    stage: Stage, properties: dict[str, Any], changes: dict[str, Any]
) -> None:
    left = stage.dli.add("daily", req_body=kept_request(**changes))
    assert stage.submit(a_request("daily", **properties)) == left


@pytest.mark.parametrize(("properties", "changes"), DIFFERENT)
def test_a_live_job_of_a_fixed_name_is_not_adopted_where_its_request_differs(
    stage: Stage, properties: dict[str, Any], changes: dict[str, Any]
) -> None:
    other = stage.dli.add("daily", req_body=kept_request(**changes))
    assert stage.submit(a_request("daily", **properties)) != other
    assert stage.said == []


@pytest.mark.parametrize("req_body", [None, "", "not json", "[]"])
def test_a_live_job_of_a_fixed_name_is_not_adopted_where_its_request_is_not_there(
    stage: Stage, req_body: str | None
) -> None:
    other = stage.dli.add("daily", req_body=req_body)
    assert stage.submit(a_request("daily")) != other


def test_one_run_is_not_adopted_by_two_resources(stage: Stage) -> None:
    left = stage.dli.add("daily", req_body=kept_request())
    submitter = stage.submitter()
    ids = [submitter.submit(a_request("daily", resource_name=name)).id for name in ("one", "other")]
    assert ids == [left, "id-1"]


def test_a_run_that_an_adopt_id_is_just_adopting_is_not_adopted_and_nothing_is_submitted(stage: Stage) -> None:
    run = stage.dli.add(run_name())
    with (
        stage.runs.claim(run, ("extract", SCOPE)),
        pytest.raises(
            SubmissionError, match=f"nothing was submitted. Batch job {run} .* the adoptId of extract names it"
        ),
    ):
        stage.submit()
    assert stage.submit() == run
