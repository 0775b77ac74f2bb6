"""What is said of a job that is waited for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.signing import TokenAuth
from pulumi_dli.operations.log_stream import LogStream
from pulumi_dli.program.progress import LogDisplay, progress_message
from tests.fakes import Answer, FakeClock, ScriptedService


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


def test_the_last_lines_of_a_log_are_shown_although_a_call_for_them_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, _row: shown.append(text))
    busy = Answer(b"", 503)
    with (
        ScriptedService(busy, busy, Answer({"from": 0, "total": 1, "log": ["all read"]})) as service,
        ThreadPoolExecutor() as executor,
    ):
        policy = RetryPolicy(max_retries=3, clock=FakeClock())
        stream = LogStream(Client(service.location, TokenAuth("the-token"), policy), "a")
        display = LogDisplay(stream, executor, None, None, shows_framework=True)
        asyncio.run(display.finish(is_new=True))
    assert shown == ["all read"]
