"""Messages on the rows of resources."""

from pulumi_dli.jobs.wait_messages import unknown_message
from pulumi_dli.operations.notifier import Level
from pulumi_dli.plugin.rows import Rows, call_about, spelled
from tests.plugin.engine import job_urn, wait_urn
from tests.test_engine_log import Engine, running


def test_a_message_stands_on_the_row_of_its_resource() -> None:
    engine = Engine()
    with running(engine):
        rows = Rows(engine.address)
        rows.add(job_urn())
        with call_about(wait_urn("done")):
            rows.notify(Level.INFO, "load", "a")
            rows.notify(Level.WARNING, "done", "b")
            rows.notify(Level.WARNING, "dli", "c")
    assert engine.logged == [
        ("INFO", job_urn(), "load: a"),
        ("WARNING", wait_urn("done"), "done: b"),
        ("WARNING", "", "dli: c"),
    ]


def test_the_resource_of_the_request_counts_if_two_have_one_name() -> None:
    engine = Engine()
    with running(engine):
        rows = Rows(engine.address)
        rows.add(wait_urn("load"))
        rows.add(job_urn("load"))
        with call_about(wait_urn("load")):
            rows.notify(Level.INFO, "load", "a")
    assert engine.logged == [("INFO", wait_urn("load"), "load: a")]


def test_progress_is_ephemeral() -> None:
    engine = Engine()
    with running(engine):
        Rows(engine.address).show_progress(job_urn(), "running")
    assert engine.logged == [("INFO", job_urn(), "running")]


def test_nothing_fails_without_an_engine() -> None:
    rows = Rows("")
    rows.notify(Level.WARNING, "load", "a")
    rows.show_progress(job_urn(), "running")


def test_a_target_chooses_a_native_resource() -> None:
    message = unknown_message("load", "1")
    assert "'**dli:BatchJob::load'" in message
    assert "`pulumi up --replace '**dli:index:BatchJob::load'`" in spelled(message)
    assert spelled(f"  | {message}") == f"  | {message}", "lines of a log stay as they are"
