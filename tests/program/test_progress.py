"""What is said of a job that is waited for."""

import pytest

from pulumi_dli.api.models import Batch
from pulumi_dli.program.progress import progress_message, shown_line


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
            "starting on queue etl, waited 10 min 0 s: no free capacity on queue etl; the service gives up after about "
            "3 hours",
        ),
        (Batch(id="a", state="running", queue="etl"), 4000.0, "running on queue etl, waited 1 h 6 min"),
    ],
)
def test_progress_is_state_queue_and_time_and_why_a_job_does_not_start(batch: Batch, waited: float, said: str) -> None:
    assert progress_message(batch, waited) == said


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("reading obs://demo/in", "reading obs://demo/in"),
        ("password=swordfish, again swordfish", "password=[secret], again [secret]"),
        ("\x1b[31mred\x1b[0m\r", "[31mred[0m"),
        ("a\tb\u2028c", "a\tbc"),
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 2000 + "…"),
        ("x" * 1995 + "swordfish", "x" * 1995 + "[secr…"),
    ],
    ids=["plain", "secret", "terminal codes", "controls", "long", "too long", "secret at the cut"],
)
def test_a_line_of_a_log_is_shown_without_secrets_and_without_what_moves_a_terminal(line: str, shown: str) -> None:
    assert shown_line(line, ["swordfish"]) == shown
