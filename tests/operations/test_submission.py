import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import NotSentError, ServiceError, SettingsError, SignInError, SubmissionError
from tests.fakes import CUT, Answer, Call, ScriptedService
from tests.operations.submitting import OTHER, SCOPE, SPEC, WINDOW, Stage, a_request, kept_request, refusal, run_name

# 1. The name


def test_a_submission_has_a_name_of_its_own(stage: Stage) -> None:
    submitter = stage.submitter()
    ids = [submitter.submit(a_request()).id for _ in range(2)]
    assert ids == ["id-0", "id-1"]
    assert all(re.fullmatch(f"wordcount-{SCOPE}-{SPEC}-[0-9a-f]{{6}}", name) for name in stage.dli.names)
    assert len(set(stage.dli.names)) == 2
    assert stage.said == []


def test_a_name_that_the_user_fixes_is_sent_as_it_is(stage: Stage) -> None:
    stage.submit(a_request("daily"))
    assert stage.dli.names == ["daily"]


def test_a_refusal_says_with_what_credentials_the_call_was_made(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.ignore(refusal("APIG.0302", 403)))
    with pytest.raises(ServiceError, match=r"403, .* Signed in with a token") as raised:
        stage.submit()
    assert raised.value.note.startswith("Signed in with")


def test_a_submission_before_which_the_sign_in_failed_was_not_sent_and_is_not_looked_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(_client: Client, _body: dict[str, Any]) -> None:
        raise SignInError(status=503, call="POST …/auth/tokens")

    monkeypatch.setattr(Client, "create", create)
    with pytest.raises(SignInError):
        stage.submit()
    assert stage.clock.slept == []


@pytest.mark.parametrize("adopt", [True, False])
@pytest.mark.parametrize("name", [None, "of-the-user"])
def test_a_submission_without_an_answer_that_is_asked_for_again_is_found_though_it_has_ended(
    stage: Stage, name: str | None, adopt: bool
) -> None:
    submitter = stage.submitter(adopt=adopt)

    def accept_and_fall_silent(body: dict[str, Any]) -> Answer:
        stage.dli.lists += [Answer({}, 503)] * 40
        return stage.dli.lose(state="success")(body)

    stage.dli.posts.append(accept_and_fall_silent)
    for _ in range(2):
        with pytest.raises(SubmissionError, match="a job may run"):
            submitter.submit(a_request(name))
        stage.dli.lists = [Answer({}, 503)] * 40
    stage.dli.lists = []
    assert submitter.submit(a_request(name)).id == "id-0"
    assert len(stage.dli.names) == 1


def test_a_setting_that_is_wrong_from_now_on_does_not_hide_that_a_job_may_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose_certificates(*_: object) -> Iterator[Any]:
        raise SettingsError("dli:caCert names a file that is not there")

    monkeypatch.setattr(Client, "batches", lose_certificates)
    stage.dli.posts.append(stage.dli.lose())
    with pytest.raises(SubmissionError, match=r"a job may run.*dli:caCert"):
        stage.submit(adopt=False)


def test_a_time_that_is_none_of_this_era_keeps_nobody_from_a_run(stage: Stage) -> None:
    batch_id = stage.dli.add(run_name(), create_time=1_700_000_000_000_000_000)
    assert stage.submit() == batch_id


def test_after_a_submission_of_which_nothing_is_known_the_next_one_looks_for_it(stage: Stage) -> None:
    submitter = stage.submitter()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 10))
    stage.dli.posts += [stage.dli.ignore()] * 20
    with pytest.raises(SubmissionError, match="a job may run"):
        submitter.submit(a_request())
    stage.clock.sleep(WINDOW * 10)
    assert submitter.submit(a_request()).id == "id-0"
    assert len(stage.dli.jobs) == 1


def test_a_submission_of_which_nothing_is_known_is_not_made_anew_while_the_list_may_lag_behind(stage: Stage) -> None:
    submitter = stage.submitter()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 10))
    for _ in range(2):
        with pytest.raises(SubmissionError, match="a job may run"):
            submitter.submit(a_request())
    assert len(stage.dli.names) == 1


def test_what_is_listed_for_it_is_not_read_for_other_jobs(stage: Stage) -> None:
    stage.submit_others()
    submitter = stage.submitter(adopt=False)
    stage.dli.posts += [stage.dli.ignore()] * 20
    with pytest.raises(SubmissionError, match="a job may run"):
        submitter.submit(a_request())
    stage.dli.posts.clear()
    theirs = stage.dli.add("daily", req_body=json.dumps(a_request("daily").body("daily")))
    submitter.submit(a_request())
    assert submitter.submit(replace(a_request("daily"), resource_fingerprint="4d3c2b1a")).id != theirs


# 3. and 5. Sent once; refused


@pytest.mark.parametrize("answer", [refusal("DLI.0001"), refusal("DLI.0002"), refusal("APIG.0302", 403)])
def test_what_is_refused_is_the_services_own_error_and_nothing_is_looked_for(stage: Stage, answer: Answer) -> None:
    stage.dli.posts.append(stage.dli.ignore(answer))
    with pytest.raises(ServiceError, match=answer.body["error_code"]):
        stage.submit()
    assert len(stage.dli.names) == 1
    assert stage.dli.listings == 3


def test_what_was_never_sent_is_not_looked_for() -> None:
    with ScriptedService(is_listening=False) as service, pytest.raises(NotSentError):
        Stage(service).submit(adopt=False)


# 4. No usable answer

UNCLEAR = {
    "cut": CUT,
    "garbage": Answer(b"<html>"),
    "500": Answer(b"", 500),
    "504": refusal("APIG.0203", 504),
    "DLI.0999": refusal("DLI.0999"),
    "DLI.0019": refusal("DLI.0019"),
    "without an id": Answer({"state": "starting"}),
}


@pytest.mark.parametrize("unclear", UNCLEAR)
def test_a_job_whose_answer_is_lost_is_found_by_its_name(stage: Stage, unclear: str) -> None:
    stage.dli.posts.append(stage.dli.lose(UNCLEAR[unclear]))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1
    assert stage.dli.names[0] in stage.said[0]
    assert stage.said[1].startswith("wordcount: the service has accepted the job: batch job id-0 ")


@pytest.mark.parametrize("state", ["starting", "running", "recovering", "success", "dead", "resting"])
def test_it_is_taken_in_whatever_state_it_is(stage: Stage, state: str) -> None:
    stage.dli.posts.append(stage.dli.lose(state=state))
    assert stage.submit() == "id-0"


@pytest.mark.parametrize("late", [1.0, 30.0, WINDOW])
def test_it_is_looked_for_until_the_window_is_over(stage: Stage, late: float) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=late))
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_a_job_whose_name_only_contains_it_is_another(stage: Stage) -> None:
    def also_somebody_elses(body: dict[str, Any]) -> Answer:
        stage.dli.add("copy of " + body["name"])
        return stage.dli.lose()(body)

    stage.dli.posts.append(also_somebody_elses)
    assert stage.submit() == "id-1"


def test_one_that_is_not_listed_is_sent_again_under_the_same_name_after_the_window(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts += [stage.dli.ignore(), stage.dli.lose()]
    assert stage.submit() == "id-0"
    assert len(set(stage.dli.names)) == 1
    first, second = stage.dli.posted_at
    assert second - first >= WINDOW


def test_one_that_is_never_listed_is_sent_three_times_and_then_nobody_knows(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts += [stage.dli.ignore(answer) for answer in (CUT, Answer(b"", 503), refusal("DLI.0999"))]
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert len(stage.dli.names) == 3
    assert len(set(stage.dli.names)) == 1
    assert stage.dli.names[0] in str(raised.value)
    assert str(raised.value).endswith("The next `pulumi up` adopts the job if it still runs.")
    assert stage.clock.now() - stage.dli.posted_at[-1] >= WINDOW


def test_one_that_is_not_listed_is_not_sent_again_if_the_list_may_lag_behind(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 3))
    with pytest.raises(
        SubmissionError, match=r"a job may run, .* does not send the request again, because the list may"
    ):
        stage.submit()
    assert len(stage.dli.names) == 1


def test_a_later_run_that_the_list_does_not_show_does_not_prove_that_the_list_is_current(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.others_visible_at = math.inf
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 3))
    with pytest.raises(SubmissionError, match="a job may run"):
        stage.submit()
    assert len(stage.dli.names) == 1


def test_an_earlier_run_of_the_process_does_not_prove_that_the_list_is_current(stage: Stage) -> None:
    submitter = stage.submitter()
    submitter.submit(a_request(resource_name="earlier", resource="11111111"))
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW * 3))
    with pytest.raises(SubmissionError, match="a job may run"):
        submitter.submit(a_request())
    assert len(stage.dli.names) == 2


def test_a_job_that_is_listed_together_with_the_later_run_is_found(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 1))
    stage.dli.others_visible_at = stage.clock.now() + WINDOW + 1
    seen: list[Any] = []

    def list_later(call: Call) -> Answer:
        if call.query.get("job_name", "").startswith(OTHER) and not seen:
            seen.append(stage.clock.sleep(1))  # the list catches up just before it shows the later run
        return stage.dli(call)

    stage.service.answer = list_later
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_after_a_repetition_every_search_lasts_the_whole_window(stage: Stage) -> None:
    """The first request was accepted late, and the answer to the second is lost."""
    stage.submit_others()
    stage.dli.posts += [stage.dli.lose(visible_after=WINDOW * 1.5), stage.dli.lose()]
    assert stage.submit() == "id-0"
    assert [job["state"] for job in stage.dli.jobs] == ["running", "dead"]
    assert "It cancelled batch job id-1" in stage.said[-1]


def test_where_the_next_up_will_not_adopt_it_the_error_does_not_say_so(stage: Stage) -> None:
    stage.dli.posts += [stage.dli.ignore()] * 6
    for request, adopt in ((a_request(), False), (a_request("daily"), True)):
        with pytest.raises(SubmissionError, match=r"Search for it in the console .* set adoptId to its id\.$"):
            stage.submit(request, adopt=adopt)


def test_a_first_request_that_was_only_late_makes_two_jobs_of_which_the_first_stays(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    assert stage.submit() == "id-0"
    assert [job["state"] for job in stage.dli.jobs] == ["running", "dead"]
    assert (
        "accepted the job more than once. The provider keeps batch job id-0. It cancelled batch job id-1."
        in (stage.said[-1])
    )


def test_a_second_request_that_is_answered_and_listed_is_one_job(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts.append(stage.dli.ignore())
    assert stage.submit() == "id-0"
    assert [job["state"] for job in stage.dli.jobs] == ["running"]


def test_a_second_request_that_is_answered_and_not_yet_listed_is_one_job(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts += [stage.dli.ignore(), lambda body: stage.dli.accept(body, visible_after=1000.0)]
    assert stage.submit() == "id-0"


def test_a_second_run_that_has_ended_is_told_and_not_cancelled(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts += [
        stage.dli.lose(visible_after=WINDOW + 30),
        lambda body: stage.dli.accept(body, state="success"),
    ]
    assert stage.submit() == "id-0"
    assert stage.said[-1].endswith(
        "keeps batch job id-0. The job has run twice: batch job id-1 has already ended as success."
    )


def test_a_second_run_that_cannot_be_cancelled_is_told(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    stage.dli.cancels.append(refusal("DLI.0003"))
    assert stage.submit() == "id-0"
    assert (
        "keeps batch job id-0. It could not cancel batch job id-1: DELETE …/batches/id-1: DLI.0003 400"
        in (stage.said[-1])
    )


def test_a_look_that_fails_is_not_the_last_one(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose())
    stage.dli.lists += [Answer({"sessions": []})] * 3 + [CUT, Answer(b"", 503), refusal("APIG.0308", 429)]
    assert stage.submit() == "id-0"
    assert len(stage.dli.names) == 1


def test_where_the_jobs_cannot_be_listed_to_the_end_nobody_knows(stage: Stage) -> None:
    stage.dli.posts.append(stage.dli.lose())
    stage.dli.lists += [Answer({"sessions": []})] * 3 + [Answer(b"", 503)] * 100
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert len(stage.dli.names) == 1
    assert stage.dli.names[0] in str(raised.value)
    assert "503" in str(raised.value)
    assert stage.clock.now() - stage.dli.posted_at[0] >= WINDOW


@pytest.mark.parametrize("answer", [refusal("DLI.1028"), refusal("APIG.0308", 429), Answer(b"", 401)])
def test_a_second_request_that_is_refused_does_not_mean_that_nothing_runs(stage: Stage, answer: Answer) -> None:
    stage.submit_others()
    stage.dli.posts += [stage.dli.ignore(), stage.dli.ignore(answer)]
    with pytest.raises(SubmissionError, match=r"^wordcount: a job may run, submitted as ") as raised:
        stage.submit()
    assert str(answer.status) in str(raised.value)


def test_a_first_request_that_was_late_is_found_after_the_second_is_refused(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts += [stage.dli.lose(visible_after=WINDOW + 30), stage.dli.ignore(refusal("DLI.1028"))]
    assert stage.submit() == "id-0"


# 6. After acceptance


def test_nothing_raises_after_a_second_request_is_accepted(stage: Stage) -> None:
    stage.submit_others()

    def accept_and_go_down(body: dict[str, Any]) -> Answer:
        stage.dli.lists += [Answer(b"", 503)] * 100
        return stage.dli.accept(body)

    stage.dli.posts += [stage.dli.ignore(), accept_and_go_down]
    assert stage.submit() == "id-0"
    assert any("could not check whether the service has accepted an earlier request too" in said for said in stage.said)


# Names that the user fixes


def test_a_lost_job_of_a_fixed_name_is_the_one_that_was_not_there_before(stage: Stage) -> None:
    for _ in range(3):
        stage.dli.add("daily", state="success")
    stage.dli.posts.append(stage.dli.lose())
    assert stage.submit(a_request("daily")) == "id-3"


def test_a_new_job_of_a_fixed_name_with_another_request_does_not_count(stage: Stage) -> None:
    def somebody_elses(body: dict[str, Any]) -> Answer:
        stage.dli.add(body["name"], req_body=kept_request(args=["elsewhere"]))
        return stage.dli.lose(req_body=kept_request())(body)

    stage.dli.posts.append(somebody_elses)
    assert stage.submit(a_request("daily")) == "id-1"
    assert stage.dli.job("id-0")["state"] == "running"


@pytest.mark.parametrize("kept", [{}, {"req_body": kept_request()}])
def test_of_several_new_jobs_of_a_fixed_name_none_is_taken_and_none_is_cancelled(
    stage: Stage, kept: dict[str, Any]
) -> None:
    def twice(body: dict[str, Any]) -> Answer:
        stage.dli.add(body["name"], **kept)
        return stage.dli.lose(**kept)(body)

    stage.dli.posts.append(twice)
    with pytest.raises(SubmissionError, match="several new jobs have that name: id-0, id-1") as raised:
        stage.submit(a_request("daily"))
    assert "adoptId" in str(raised.value)
    assert [job["state"] for job in stage.dli.jobs] == ["running", "running"]
    assert len(stage.dli.names) == 1


def test_a_fixed_name_that_was_answered_keeps_its_id_and_cancels_nobody_elses_job(stage: Stage) -> None:
    stage.submit_others()
    stage.dli.posts.append(stage.dli.lose(visible_after=WINDOW + 30))
    assert stage.submit(a_request("daily")) == "id-1"
    assert [job["state"] for job in stage.dli.jobs] == ["running", "running"]
    assert "Earlier requests may have created other new jobs with the same name: id-0" in stage.said[-2]


def test_a_job_that_another_resource_of_this_process_has_submitted_is_not_a_lost_one(stage: Stage) -> None:
    submitter = stage.submitter()

    def meanwhile_the_other(body: dict[str, Any]) -> Answer:
        assert submitter.submit(a_request("daily", resource_name="other")).id == "id-0"
        return stage.dli.lose()(body)

    stage.dli.posts.append(meanwhile_the_other)
    assert submitter.submit(a_request("daily")).id == "id-1"


# An answer that is about another job


def answered_with_another_job(stage: Stage) -> Callable[[dict[str, Any]], Answer]:
    """Accept the job, and answer with the job of another submission."""
    other = stage.dli.add(run_name(scope="11111111", random="333333"))

    def answer(body: dict[str, Any]) -> Answer:
        stage.dli.accept(body)
        return Answer(stage.dli.job(other))

    return answer


def test_an_answer_that_names_another_submission_is_not_believed(stage: Stage) -> None:
    stage.dli.posts.append(answered_with_another_job(stage))
    assert stage.submit(adopt=False) == "id-1"
    assert len(stage.dli.names) == 1


def test_an_answer_with_another_name_counts_if_the_job_itself_has_the_right_one(stage: Stage) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        accepted = stage.dli.accept(body)
        return Answer({**accepted.body, "name": run_name(random="333333")})

    stage.dli.posts.append(answer)
    assert stage.submit() == "id-0"


def test_an_answer_with_the_name_of_somebody_elses_job_is_not_believed(stage: Stage) -> None:
    other = stage.dli.add("daily")
    stage.dli.posts.append(lambda body: (stage.dli.accept(body), Answer(stage.dli.job(other)))[1])
    assert stage.submit(adopt=False) == "id-1"


def test_an_answer_about_an_earlier_job_with_the_same_fixed_name_is_not_believed(stage: Stage) -> None:
    earlier = stage.dli.add("daily", state="dead")
    stage.dli.posts.append(lambda body: (stage.dli.accept(body), Answer(stage.dli.job(earlier)))[1])
    assert stage.submit(a_request("daily")) == "id-1"
    assert len(stage.dli.names) == 1


def test_an_answer_without_a_name_about_a_run_that_this_process_knows_is_not_believed(stage: Stage) -> None:
    known = stage.dli.add(run_name(scope="11111111"))
    stage.runs.in_state(known, stored_key=("extract", SCOPE), key=("extract", SCOPE))
    stage.dli.posts.append(lambda body: (stage.dli.accept(body), Answer({"id": known}))[1])
    assert stage.submit(adopt=False) == "id-1"


def test_after_an_answer_about_another_job_nothing_is_sent_again(stage: Stage) -> None:
    other = stage.dli.add(run_name(scope="11111111", random="333333"))
    stage.dli.posts.append(stage.dli.ignore(Answer(stage.dli.job(other))))
    with pytest.raises(SubmissionError, match=r"a job may run, submitted as .* answered with another job: .*id-0"):
        stage.submit(adopt=False)
    assert len(stage.dli.names) == 1


def test_after_a_second_answer_about_another_job_nothing_is_sent_again(stage: Stage) -> None:
    stage.submit_others()
    other = stage.dli.add(run_name(scope="11111111", random="333333"))
    stage.dli.posts += [stage.dli.ignore(), stage.dli.ignore(Answer(stage.dli.job(other)))]
    with pytest.raises(SubmissionError, match=r"a job may run, submitted as .* answered with another job: .*id-0"):
        stage.submit(adopt=False)
    assert len(stage.dli.names) == 2


@pytest.mark.parametrize("change", [str.upper, lambda name: f" {name} ", lambda name: name[:20]])
def test_a_name_that_the_service_has_changed_is_told_and_believed(stage: Stage, change: Callable[[str], str]) -> None:
    stage.dli.posts.append(lambda body: Answer({**stage.dli.accept(body).body, "name": change(body["name"])}))
    assert stage.submit() == "id-0"
    assert "the service names the job" in stage.said[-1]


def test_a_job_whose_id_is_listed_in_another_case_is_one_job(stage: Stage) -> None:
    stage.submit_others()
    batch_id = "b7840d2e-1f30-4c1a-9c57-0d2f6f1e8a11"

    def accept(body: dict[str, Any]) -> Answer:
        stage.dli.jobs.append(
            {"id": batch_id.upper(), "name": body["name"], "state": "running", "visible_at": stage.clock.now()}
        )
        return Answer({"id": batch_id})

    stage.dli.posts += [stage.dli.ignore(), accept]
    assert stage.submit() == batch_id
    assert [job["state"] for job in stage.dli.jobs] == ["running"]
