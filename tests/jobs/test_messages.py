from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.messages import dead_message, timeout_message, unknown_message
from tests.jobs.examples import ID


def test_a_dead_job_is_told_with_name_id_duration_last_words_and_what_to_do() -> None:
    batch = Batch(id=ID, state="dead", duration=185000)
    message = dead_message("load", batch, ["reading\n", "", "ValueError: no column"], reruns=True)
    first, *others = message.splitlines()
    assert first.startswith(f"load: batch job {ID} is dead after 3 min 5 s. It failed, was cancelled")
    assert others[:3] == ["Last lines of its log:", "  | reading", "  | ValueError: no column"]
    assert "run `pulumi up`. It runs the job again" in others[3]


def test_a_dead_job_that_stays_dead_is_told_with_the_way_to_run_it_again() -> None:
    message = dead_message("load", Batch(id=ID), [" "], reruns=False)
    assert f"batch job {ID} is dead. It failed" in message
    assert "The service has no lines of its log." in message
    assert "rerunOnFailure is false" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message


def test_a_record_that_has_only_headings_is_told_with_the_place_of_the_driver_log() -> None:
    log = ["stdout: ", "stderr: ", "YARN Diagnostics: "]
    message = dead_message("load", Batch(id=ID), log, reruns=True)
    assert "The service returned no lines of the driver log. To read it, open the job in the DLI console" in message
    assert "stderr" not in message
    assert "  | ValueError" in dead_message("load", Batch(id=ID), [*log, "ValueError: no column"], reruns=True)


def test_an_unknown_outcome_is_told_with_both_ways_on() -> None:
    message = unknown_message("load", ID)
    assert message.startswith(f"load: the service has deleted the record of batch job {ID}")
    assert "outcome is unknown" in message
    assert "pulumi up --replace '**dli:BatchJob::load'" in message
    assert "onRecordExpired to rerun" in message


def test_a_wait_that_is_over_before_the_job_tells_that_the_job_goes_on() -> None:
    message = timeout_message("load", Batch(id=ID, state="starting"), 7200)
    assert message.startswith(f"load: batch job {ID} is still starting after a wait of 2 h 0 min. The job goes on,")
    assert "the next `pulumi up` goes on waiting" in message
