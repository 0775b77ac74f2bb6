from pulumi_dli.jobs.messages import must_run_again_message


def test_a_job_that_dies_again_and_again_is_told_so() -> None:
    assert must_run_again_message("the last run, a, is dead", 1) == "must run again, because the last run, a, is dead."
    assert must_run_again_message("x", 3) == "must run again, because x. The last 3 runs are dead."
