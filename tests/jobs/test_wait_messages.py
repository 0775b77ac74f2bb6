from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.failure_reason import failure_reason
from pulumi_dli.jobs.wait_messages import dead_message, timeout_message, unknown_message
from tests.jobs.examples import ID


def dead(*log: str, reruns: bool = True, **batch: Any) -> str:
    return dead_message("load", Batch(id=ID, **batch), failure_reason(log), reruns=reruns)


def test_the_error_of_a_dead_job_begins_with_the_reason() -> None:
    log = ["reading\n", "", "Traceback (most recent call last):", '  File "load.py", line 3', "ValueError: no column"]
    first, second, *others = dead(*log, state="dead", duration=185000).splitlines()
    assert first == "load failed: ValueError: no column"
    assert second == f"Batch job {ID} is dead, 3 min 5 s after its submission. From its log:"
    assert others[:-1] == [f"  | {line}" for line in ("reading", *log[2:])]
    assert "run `pulumi up`. It runs the job again" in others[-1]


def test_a_dead_job_whose_log_has_no_reason_is_told_with_its_last_lines() -> None:
    first, *others = dead("reading\n", "", "all read").splitlines()
    assert first == f"load: batch job {ID} is dead. It failed, was cancelled, or got no capacity."
    assert others[:3] == ["Last lines of its log:", "  | reading", "  | all read"]


def test_a_dead_job_that_stays_dead_is_told_with_the_way_to_run_it_again() -> None:
    message = dead(" ", reruns=False)
    assert f"batch job {ID} is dead. It failed" in message
    assert "The service has no lines of its log." in message
    assert "rerunOnFailure is false" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message


def test_a_record_that_has_only_headings_is_told_with_the_place_of_the_driver_log() -> None:
    log = ["stdout: ", "stderr: ", "YARN Diagnostics: "]
    message = dead(*log)
    assert "The service returned no lines of the driver log. To read it, open the job in the DLI console" in message
    assert "stderr" not in message
    assert "  | no column" in dead(*log, "no column")


def test_an_unknown_outcome_is_told_with_both_ways_on() -> None:
    message = unknown_message("load", ID)
    assert message.startswith(f"load: the service has deleted the record of batch job {ID}")
    assert "outcome is unknown" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message
    assert "onRecordExpired to rerun" in message
    assert message.removesuffix(" or set onRecordExpired to rerun.") + "." == unknown_message(
        "load", ID, may_rerun=False
    )


def test_a_wait_that_is_over_before_the_job_tells_that_the_job_goes_on() -> None:
    message = timeout_message("load", Batch(id=ID, state="starting"), 7200)
    assert message.startswith(f"load: batch job {ID} is still starting after a wait of 2 h 0 min. The job goes on,")
    assert "the next `pulumi up` goes on waiting" in message
