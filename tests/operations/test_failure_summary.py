from pulumi_dli.jobs.summary import JobOutcome
from pulumi_dli.operations.failure_summary import FailureSummary
from tests.fakes import FakeNotifier


def test_the_first_failure_writes_all_that_is_known_and_the_second_nothing() -> None:
    said: list[str] = []
    outcomes = FailureSummary(FakeNotifier(lambda _, message: said.append(message)))
    outcomes.ended("1", JobOutcome("extract", "success"))
    outcomes.ended("2", JobOutcome("load", "dead"))
    outcomes.write([JobOutcome("stream", "running")])
    outcomes.ended("3", JobOutcome("report", "dead"))
    outcomes.write()
    assert [message.splitlines()[0] for message in said] == ["3 jobs: 1 dead, 1 running, 1 success"]


def test_the_failure_of_the_only_job_needs_no_summary() -> None:
    said: list[str] = []
    outcomes = FailureSummary(FakeNotifier(lambda _, message: said.append(message)))
    outcomes.ended("1", JobOutcome("load", "dead"))
    outcomes.write()
    assert said == []
