"""What is said of a job that is waited for."""

import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.program.progress import progress_message


@pytest.mark.parametrize(
    ("batch", "waited", "said"),
    [
        (Batch(id="a", state="running", queue="etl"), 3.0, "running on queue etl, waited 3.0 s"),
        (Batch(id="a", state="running", cluster_name="etl"), 3.0, "running on queue etl, waited 3.0 s"),
        (Batch(id="a", state="recovering"), 61.0, "recovering, waited 1 min 1 s"),
        (Batch(id="a", state="starting", queue="etl"), 599.0, "starting on queue etl, waited 9 min 59 s"),
        (
            Batch(id="a", state="starting", queue="etl"),
            600.0,
            "starting on queue etl, waited 10 min 0 s. Possible causes: no free capacity (the service gives up after "
            "about 3 hours), a new queue (up to 15 minutes for its first job), a program that has no SparkContext yet",
        ),
        (Batch(id="a", state="running", queue="etl"), 4000.0, "running on queue etl, waited 1 h 6 min"),
    ],
)
def test_progress_is_state_queue_and_time_and_why_a_job_does_not_start(batch: Batch, waited: float, said: str) -> None:
    assert progress_message(batch, waited) == said
