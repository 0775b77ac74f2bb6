"""The arguments of a wait. What is refused, and in which words, is in `tests/operations/test_batch_job_wait.py`."""

from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.jobs.wait_inputs import WAIT_ARGUMENTS, WaitInputs


def test_what_is_given_is_typed_and_goes_into_the_state_as_it_was_given() -> None:
    given = {"jobId": "1", "until": "running", "timeout": "2h", "jobName": "load", "waited": 3.0}
    parsed = WaitInputs.parse({**given, "redact": None})
    assert (parsed.until, parsed.timeout, parsed.waited, parsed.redact) == (Until.RUNNING, 7200.0, 3.0, None)
    assert parsed.properties == given


def test_nothing_given_is_a_wait_for_success_without_an_end() -> None:
    parsed = WaitInputs.parse({})
    assert (parsed.until, parsed.timeout, parsed.job_name) == (Until.SUCCESS, None, "batch job")
    assert (parsed.rerun_on_failure, parsed.waited, parsed.failures) == (True, 0.0, ())
    assert parsed.properties == {"until": "success"}


def test_an_unknown_value_stays_unknown() -> None:
    parsed = WaitInputs.parse(dict.fromkeys(WAIT_ARGUMENTS, UNKNOWN))
    assert parsed.failures == ()
    assert {parsed.job_id, parsed.until, parsed.timeout, parsed.submitted_to, parsed.rerun_on_failure} == {UNKNOWN}


def test_a_property_that_nobody_knows_is_kept() -> None:
    assert WaitInputs.parse({"jobId": "1", "later": 1}).properties == {"jobId": "1", "until": "success", "later": 1}


def test_all_that_is_wrong_is_told_in_one_order() -> None:
    parsed = WaitInputs.parse({"submittedTo": 1, "timeout": "soon", "until": "over", "jobId": " "})
    assert [failure.split(":")[0] for failure in parsed.failures] == ["jobId", "until", "timeout", "submittedTo"]
