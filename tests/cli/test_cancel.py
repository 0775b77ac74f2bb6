import io
import json

import pytest

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.cli.cancel import cancelled_messages
from pulumi_dli.cli.stack import parse_export
from pulumi_dli.cli.targets import Target, resolve
from pulumi_dli.jobs import messages
from pulumi_dli.local.testing import Service
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, export, job, native_resource, wait
from tests.fakes import FakeClock

pytestmark = pytest.mark.usefixtures("signed_in")

AGAIN = (
    "The next `pulumi up` runs the job again. To avoid that, set rerun_on_failure to false in its declaration first, "
    "or remove the job from the program."
)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What stands on standard input: nothing, until a test writes there."""
    stdin = io.StringIO()
    monkeypatch.setattr("sys.stdin", stdin)
    return stdin


def test_a_job_of_the_stack_is_cancelled_and_the_next_up_runs_it_again(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    job_id = submit(service)
    pulumi.has(job("load", job_id))
    ended = run("cancel", "load", "--yes")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"load: batch job {job_id} is cancelled.", AGAIN]
    assert service.states() == ["dead"]


def test_the_advice_for_a_native_job_is_spelled_as_its_provider_spells_it(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    pulumi.has(native_resource("load", submit(service)))
    assert run("cancel", "load", "--yes").out.splitlines()[1] == AGAIN.replace("rerun_on_failure", "rerunOnFailure")
    assert service.states() == ["dead"]


@pytest.mark.parametrize(("answered", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_it_asks_before(run: Run, service: Service, answer: io.StringIO, answered: str, code: int) -> None:
    job_id = submit(service)
    answer.write(answered)
    answer.seek(0)
    ended = run("cancel", job_id)
    assert ended.code == code
    assert ended.err.startswith(f"Cancel batch job {job_id}, which is running? [y/N]:")
    assert service.states() == ["dead" if code == 0 else "running"]
    assert code == 0 or ended.err.endswith("pulumi-dli: nothing was cancelled.\n")


def test_without_an_answer_nothing_is_cancelled(run: Run, service: Service, answer: io.StringIO) -> None:
    ended = run("cancel", submit(service))
    assert (ended.code, ended.out.strip()) == (1, "")  # click 8.1 writes the blank after the question to stdout
    assert ended.err.endswith("\npulumi-dli: nothing was cancelled, because nobody answered. Use --yes.\n")
    assert service.states() == ["running"]


def test_ctrl_c_at_the_question_ends_it(
    run: Run, service: Service, answer: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "isatty", lambda: True)
    assert run("cancel", submit(service)).code == 130


def test_a_job_that_has_ended_is_not_cancelled_and_that_is_no_error(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    job_id = submit(service, timeline="running:0s,success")
    pulumi.has(job("load", job_id))
    service.reset_calls()
    ended = run("cancel", "load")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"load: batch job {job_id} has ended (success), ")
    assert ended.out.endswith(". Nothing was cancelled.\n")
    assert service.calls() == {"GET /batches/{id}": 1}


def test_a_job_without_a_record_is_not_cancelled(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load"), wait("load"))
    assert run("cancel", "load").out == f"load: batch job {ID} has ended (success). Nothing was cancelled.\n"
    pulumi.has(job("load", state="running"))
    assert "so there is nothing to cancel. Its outcome is unknown" in run("cancel", "load").failure
    assert "there is no batch job" in run("cancel", ID.replace("7", "8")).failure


@pytest.mark.parametrize(("reads_before_the_end", "refused_cancels"), [(1, 0), (2, 1)])
def test_a_job_that_ends_by_itself_meanwhile_is_not_cancelled(
    run: Run, service: Service, answer: io.StringIO, reads_before_the_end: int, refused_cancels: int
) -> None:
    job_id = submit(service, timeline="running:0s,success")
    service.reset_calls()
    # The first reads get the answer from before the end: so the job ends right after them, however slow the machine is.
    before = {"id": job_id, "state": "running"}
    service.fail("GET", "/batches/{id}", status=200, body=before, count=reads_before_the_end)
    answer.write("y\n")
    answer.seek(0)
    ended = run("cancel", job_id)
    assert ended.code == 0
    assert ended.err.startswith(f"Cancel batch job {job_id}, which is running? [y/N]:")
    # click 8.3 and older write the blank after the question to stdout.
    assert ended.out.lstrip().startswith(f"batch job {job_id} has ended (success), ")
    assert ended.out.endswith(". Nothing was cancelled.\n")
    assert service.calls().get("DELETE /batches/{id}", 0) == refused_cancels


def test_a_cancel_that_the_service_refuses_is_one_line(run: Run, service: Service) -> None:
    job_id = submit(service)
    service.fail("DELETE", "/batches/{id}", status=403, code="DLI.0003")
    assert run("cancel", job_id, "--yes").failure.startswith(
        f"batch job: the provider could not cancel batch job {job_id}, and the job goes on. DELETE"
    )


@pytest.mark.parametrize("stored", [{}, {"cancelTimeout": 0}])
def test_the_wait_for_the_end_is_bounded(
    run: Run, pulumi: FakePulumi, service: Service, patched_clock: FakeClock, stored: dict[str, int]
) -> None:
    job_id = submit(service, conf={"spark.dli.local.cancelling": "1d"})
    pulumi.has(job("load", job_id, **stored))
    assert run("cancel", "load", "--yes").failure == (
        f"load: the provider has cancelled batch job {job_id}, but it is still running after 5 min 0 s. Run the "
        "command again."
    )
    assert sum(patched_clock.slept) == pytest.approx(300)


def test_json_says_what_has_happened(run: Run, pulumi: FakePulumi, service: Service) -> None:
    job_id = submit(service)
    pulumi.has(job("load", job_id))
    facts = {"name": "load", "id": job_id, "state": "dead"}
    assert json.loads(run("cancel", "load", "-y", "--json").out) == facts | {"cancelled": True, "runsAgain": True}
    assert json.loads(run("cancel", "load", "-y", "--json").out) == facts | {"cancelled": False, "runsAgain": False}


def messages_of(**outputs: object) -> list[str]:
    return cancelled_messages(resolve("load", parse_export(export(job("load", **outputs)))))[1:]


def test_the_advice_fits_the_declaration() -> None:
    assert messages_of() == [AGAIN]
    assert messages_of(fromConfiguration=True) == [AGAIN.replace("rerun_on_failure", "rerunOnFailure")]
    assert messages_of(rerunOnFailure=False) == [
        "`pulumi up` does not run the job again, because its rerun_on_failure is false."
    ]
    assert messages_of(external=True) == []
    assert messages_of(delete=True) == []
    assert cancelled_messages(Target(ID)) == [f"batch job {ID} is cancelled."]


def test_a_refused_cancel_of_a_job_in_an_unknown_state_has_no_advice_about_the_state(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = submit(service)
    find = Client.find
    monkeypatch.setattr(Client, "find", lambda *args: _with_state(find(*args), "odd"))
    service.fail("DELETE", "/batches/{id}", status=403, code="DLI.0003")
    failure = run("cancel", job_id, "--yes").failure
    assert failure.startswith(f"batch job: the provider could not cancel batch job {job_id}. The job has the state 'od")
    assert "pulumi state" not in failure


def _with_state(batch: Batch | None, state: str) -> Batch | None:
    return batch and batch.model_copy(update={"state": state})


@pytest.mark.parametrize("is_in_state", [True, False])
def test_only_the_error_of_a_resource_tells_that_the_job_stays_in_the_state(is_in_state: bool) -> None:
    error = DliError("no.")
    for message in (
        messages.claimed_run_message("load", error, is_in_state=is_in_state),
        messages.unread_delete_message("load", ID, error, is_in_state=is_in_state),
        messages.unknown_state_cancel_message("load", ID, None, error, is_in_state=is_in_state),
        messages.slow_cancel_message("load", ID, "running", 300, is_in_state=is_in_state),
    ):
        assert ("The job stays in the state." in message) is is_in_state
        assert "  " not in message


RUN_NAME = "load-0123abcd-4567cdef-abcdef"
KEY = {"scope": "0123abcd", "submittedName": RUN_NAME}


def test_a_duplicate_is_cancelled_too_and_the_question_names_it(
    run: Run, pulumi: FakePulumi, service: Service, answer: io.StringIO
) -> None:
    kept, duplicate = submit(service, RUN_NAME), submit(service, RUN_NAME)
    pulumi.has(job("load", kept, **KEY))
    answer.write("y\n")
    answer.seek(0)
    ended = run("cancel", "load")
    assert ended.code == 0
    assert ended.err.startswith(
        f"The service has accepted the job more than once. The command also cancels the duplicate {duplicate}. Cancel "
        f"load: batch job {kept}, which is running?"
    )
    assert (service.states(kept), service.states(duplicate)) == (["dead"], ["dead"])


def test_a_duplicate_that_another_job_of_the_stack_has_adopted_is_not_cancelled(
    run: Run, pulumi: FakePulumi, service: Service, answer: io.StringIO
) -> None:
    kept, adopted = submit(service, RUN_NAME), submit(service, RUN_NAME)
    pulumi.has(job("load", kept, **KEY), job("keep", adopted, adoptId=adopted, scope="89abcdef"))
    answer.write("y\n")
    answer.seek(0)
    ended = run("cancel", "load")
    assert ended.code == 0
    assert ended.err.startswith(f"Cancel load: batch job {kept}, which is running?")
    assert (service.states(kept), service.states(adopted)) == (["dead"], ["running"])


def test_the_duplicate_of_a_native_job_is_cancelled_too_but_not_the_run_of_another(
    run: Run, pulumi: FakePulumi, service: Service
) -> None:
    kept, adopted, duplicate = (submit(service, RUN_NAME) for _ in range(3))
    other = native_resource("keep", adopted, adoptId=adopted, scope="89abcdef", submittedTo={})
    pulumi.has(native_resource("load", kept, submittedTo={}, **KEY), other)
    assert run("cancel", "load", "--yes").code == 0
    assert [service.states(one) for one in (kept, adopted, duplicate)] == [["dead"], ["running"], ["dead"]]


def test_the_question_about_a_job_that_the_stack_only_reads_tells_so(
    run: Run, pulumi: FakePulumi, service: Service, answer: io.StringIO
) -> None:
    read, duplicate = submit(service, RUN_NAME), submit(service, RUN_NAME)
    pulumi.has(job("got", read, external=True, **KEY))
    answer.write("y\n")
    answer.seek(0)
    ended = run("cancel", "got")
    assert ended.err.startswith(
        f"The stack only reads this job. It does not manage it. Cancel got: batch job {read}, which is running?"
    )
    # click 8.3 and older write the blank after the question to stdout.
    assert ended.out.lstrip() == f"got: batch job {read} is cancelled.\n"
    assert (service.states(read), service.states(duplicate)) == (["dead"], ["running"])


def test_a_run_that_two_jobs_of_the_stack_have_is_cancelled(run: Run, pulumi: FakePulumi, service: Service) -> None:
    job_id = submit(service, RUN_NAME)
    pulumi.has(job("load", job_id, **KEY), job("renamed", job_id, scope="89abcdef"))
    assert run("cancel", "load", "--yes").code == 0
    assert service.states(job_id) == ["dead"]


def test_duplicates_that_cannot_be_listed_are_not_named(
    run: Run, pulumi: FakePulumi, service: Service, answer: io.StringIO
) -> None:
    job_id = submit(service, RUN_NAME)
    pulumi.has(job("load", job_id, **KEY))
    service.fail("GET", "/batches", status=403, code="DLI.0003", count=None)
    answer.write("y\n")
    answer.seek(0)
    ended = run("cancel", "load")
    assert (ended.code, service.states(job_id)) == (0, ["dead"])
    assert "because it could not list the live jobs" in ended.err
