import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.submission_messages import described, outcome_unknown_message, several_orphans_message
from tests.jobs.examples import ID


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ({"owner": "ann", "create_time": 1_700_000_000_000}, ", owner ann, submitted 2023-11-14 22:13:20 UTC"),
        ({"owner": "", "create_time": 0}, ""),
        ({"create_time": 1_700_000_000_000_000_000}, ""),  # nanoseconds: there is no such year
    ],
)
def test_a_job_is_described_by_what_the_service_tells_of_it(reply: dict[str, object], text: str) -> None:
    batch = Batch.model_validate({"id": ID, "name": "load-1", "state": "running", **reply})
    assert described(batch) == f"batch job {ID} (load-1, running{text})"


@pytest.mark.parametrize(("next_up_adopts", "what_next"), [(True, "The next `pulumi up` adopts"), (False, "adoptId")])
def test_an_unknown_outcome_has_the_name_of_the_submission_and_what_to_do(next_up_adopts: bool, what_next: str) -> None:
    message = outcome_unknown_message("load", "load-1", "It was cut.", next_up_adopts=next_up_adopts)
    start, end = message.split(" It was cut. ")
    assert start == "load: a job may run, submitted as load-1."
    assert what_next in end


def test_each_of_several_orphans_is_named() -> None:
    runs = [Batch(id=f"{number}", name="load-1", state="running") for number in range(3)]
    message = several_orphans_message("load", runs)
    assert message.startswith("load: nothing was submitted. 3 runs of this job ")
    assert all(described(run) in message for run in runs)
