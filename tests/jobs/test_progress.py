"""The progress of an awaited job."""

import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.progress import ProgressTimer, progress_message


@pytest.mark.parametrize(
    ("fields", "waited", "message"),
    [
        ({"state": "running", "queue": "batch"}, 65, "running on queue batch, waited 1 min 5 s"),
        ({"state": "running", "cluster_name": "old"}, 1, "running on queue old, waited 1.0 s"),
        ({"state": "starting"}, 599, "starting, waited 9 min 59 s"),
        (
            {"state": "starting", "queue": "etl"},
            600,
            "starting on queue etl, waited 10 min 0 s. Possible causes: no free capacity (the service gives up after "
            "about 3 hours), a new queue (up to 15 minutes for its first job), a program that has no SparkContext yet",
        ),
        ({"state": "running"}, 600, "running, waited 10 min 0 s"),
    ],
)
def test_the_message(fields: dict[str, str], waited: float, message: str) -> None:
    assert progress_message(Batch(id="1", **fields), waited) == message  # type: ignore[arg-type]


def test_a_new_state_is_shown_at_once_and_an_old_one_from_time_to_time() -> None:
    timer = ProgressTimer()
    times = [("starting", 0), ("starting", 9), ("running", 9.5), ("running", 15), ("running", 20), ("running", 29)]
    assert [timer.is_due(state, waited) for state, waited in times] == [True, False, True, False, True, False]
    assert timer.is_due("running", 1000)
    assert not timer.is_due("running", 1059)
    assert timer.is_due("running", 1060)
