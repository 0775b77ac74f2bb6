import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.operations.duplicates import in_order_of_acceptance, runs_by_submission
from tests.operations.submitting import run_name


@pytest.mark.parametrize(
    ("name", "other", "is_group"),
    [
        (run_name(), run_name(), True),
        (run_name(), f" {run_name().upper()}", True),
        (run_name(), run_name(random="abcdee"), False),
        (run_name(), None, False),
        (None, None, False),
        ("daily", "daily", False),
    ],
)
def test_only_the_name_of_a_submission_proves_that_two_runs_are_of_one_submission(
    name: str | None, other: str | None, is_group: bool
) -> None:
    runs = [Batch(id="a", name=name), Batch(id="b", name=other)]
    assert (runs in runs_by_submission(runs).values()) is is_group


def test_a_run_without_a_time_counts_as_the_last() -> None:
    times = {"c": 2, "b": 2, "a": None, "d": 1}
    runs = [Batch(id=name, create_time=time) for name, time in times.items()]
    assert [run.id for run in in_order_of_acceptance(runs)] == ["d", "b", "c", "a"]
