import json
from base64 import b64encode

import pytest

from pulumi_dli.cli.followed_log import FollowedLog, LogPart
from pulumi_dli.cli.logs import print_log
from pulumi_dli.cli.options import Options
from pulumi_dli.cli.session import Session
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.testing import Service
from pulumi_dli.plugin import types as native
from tests.cli.conftest import FakePulumi, Run, submit
from tests.cli.states import ID, job, native_resource, secret, wait
from tests.fakes import FakeClock

pytestmark = pytest.mark.usefixtures("signed_in")

LONG = "\n".join(f"line {number}" for number in range(1, 151))


def test_the_last_100_lines_are_printed_and_the_rest_with_all(run: Run, service: Service) -> None:
    job_id = submit(service, log=LONG)
    ended = run("logs", job_id)
    assert (ended.code, ended.out.splitlines()) == (0, LONG.splitlines()[50:])
    assert ended.err == "pulumi-dli: 50 earlier lines are not shown. --all shows them.\n"
    ended = run("logs", job_id, "--all")
    assert (ended.out.splitlines(), ended.err) == (LONG.splitlines(), "")


def test_secrets_are_masked_and_nothing_controls_the_terminal(run: Run, pulumi: FakePulumi, service: Service) -> None:
    job_id = submit(service, log="\x1b[2Jpassword hunter2-hunter2\n::set-output name=a::b\n\x9b31mred")
    pulumi.has(job("load", job_id, redact=["hunter2-hunter2"]))
    shown = ["password [secret]", "| ::set-output name=a::b", "red"]
    assert run("logs", "load").out.splitlines() == shown
    lines = run("logs", "load", "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [{"attempt": 1, "line": line} for line in shown]


def test_the_secrets_of_a_native_job_are_masked_in_every_form(run: Run, pulumi: FakePulumi, service: Service) -> None:
    encoded = b64encode(b"password=hunter2-hunter2").decode()
    job_id = submit(service, log=f"password hunter2-hunter2\n{encoded}\nof-the-wait")
    done = native_resource("done", type_token=native.COMPLETION, batchJob=job_id, redact=secret(["of-the-wait"]))
    pulumi.has(native_resource("load", job_id, args=["in", secret("hunter2-hunter2")]), done)
    for name in ("load", job_id):
        password, in_base64, of_the_wait = run("logs", name).out.splitlines()
        assert (password, of_the_wait) == ("password [secret]", "[secret]")
        assert "[secret]" in in_base64


def test_each_attempt_has_a_heading(run: Run, service: Service) -> None:
    job_id = submit(service, timeline="running:0s,dead;running:0s,success", log="tried", auto_recovery=True)
    assert run("logs", job_id, "--all").out.splitlines() == ["tried", "… Log of attempt 2:", "tried"]
    assert run("logs", job_id).out.splitlines() == ["… Log of attempt 2:", "tried"]


def test_without_a_log_call_the_record_is_printed_and_the_user_told(run: Run, service: Service) -> None:
    job_id = submit(service, log=LONG)
    service.fail("GET", "/batches/{id}/log", status=404, code="APIG.0101", count=None)
    ended = run("logs", job_id)
    assert ended.out.splitlines() == LONG.splitlines()[-10:]
    assert ended.err.startswith("pulumi-dli: these are the last lines in the job's record, because its log cannot")


def test_of_a_job_without_a_record_the_lines_in_the_state_are_printed(run: Run, pulumi: FakePulumi) -> None:
    pulumi.has(job("load", state="dead"), wait("load", log=["the end", "hunter2-hunter2"], redact=["hunter2-hunter2"]))
    ended = run("logs", "load")
    assert ended.out.splitlines() == ["the end", "[secret]"]
    assert ended.err == (
        f"pulumi-dli: the service has deleted the record of load: batch job {ID}, and its log. These are the lines in "
        "the stack's state.\n"
    )
    pulumi.has(job("load", state="dead"))
    assert "Search the DLI job bucket" in run("logs", "load").failure


def test_a_log_is_followed_until_the_job_has_ended(run: Run, service: Service, patched_clock: FakeClock) -> None:
    job_id = submit(service, log="hello")

    def write_and_end() -> None:
        JobLogs(service.server.data / "jobs" / job_id).write(0, f"line {len(patched_clock.slept)}")
        if len(patched_clock.slept) == 3:
            service.cancel(job_id)

    patched_clock.during_sleep = write_and_end
    ended = run("logs", job_id, "-f")
    assert (ended.code, ended.out.splitlines()[:4]) == (0, ["hello", "line 1", "line 2", "line 3"])
    assert ended.err.startswith(f"pulumi-dli: batch job {job_id} is dead, ")
    assert patched_clock.slept == [0.2] * 3  # DLI_POLL_INTERVAL


def test_a_job_that_has_ended_is_not_followed(run: Run, service: Service, patched_clock: FakeClock) -> None:
    job_id = submit(service, timeline="running:0s,success", log="hello")
    ended = run("logs", job_id, "--follow", "--all")
    assert ended.out == "hello\n"
    assert ended.err.startswith(f"pulumi-dli: batch job {job_id} is success, ")
    assert patched_clock.slept == []


def test_a_dead_job_that_may_recover_is_read_twice(run: Run, service: Service, patched_clock: FakeClock) -> None:
    job_id = submit(service, timeline="running:0s,dead", log="tried", auto_recovery=True, max_retry_times=0)
    ended = run("logs", job_id, "--follow")
    assert (ended.code, len(patched_clock.slept)) == (0, 2)
    assert f"batch job {job_id} is dead" in ended.err


def test_a_call_that_fails_for_now_is_told_once_and_does_not_end_it(
    run: Run, service: Service, patched_clock: FakeClock
) -> None:
    job_id = submit(service, log="hello")

    def break_or_end() -> None:
        if len(patched_clock.slept) == 1:
            service.fail("GET", "/batches/{id}", count=2)
        if len(patched_clock.slept) == 3:
            service.cancel(job_id)

    patched_clock.during_sleep = break_or_end
    ended = run("logs", job_id, "--follow")
    told, end = ended.err.splitlines()
    assert (ended.code, ended.out.splitlines()[0]) == (0, "hello")
    assert told.startswith("pulumi-dli: the job cannot be read, and the command tries again: GET …/batches/")
    assert end.startswith(f"pulumi-dli: batch job {job_id} is dead")


def test_a_service_that_is_gone_for_ten_minutes_ends_it(
    run: Run, service: Service, patched_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_POLL_INTERVAL", "1d")
    job_id = submit(service, log="hello")
    patched_clock.during_sleep = service.server.stop
    ended = run("logs", job_id, "--follow")
    assert (ended.code, ended.out) == (1, "hello\n")
    assert len(ended.err.splitlines()) == 2
    assert set(patched_clock.slept) == {3.0}
    assert len(patched_clock.slept) in range(200, 203)


def test_a_refusal_ends_it(run: Run, service: Service, patched_clock: FakeClock) -> None:
    job_id = submit(service, log="hello")
    patched_clock.during_sleep = lambda: service.fail("GET", "/batches/{id}", status=403, code="DLI.0003")
    ended = run("logs", job_id, "--follow")
    assert (ended.code, len(patched_clock.slept), len(ended.err.splitlines())) == (1, 1, 1)


def test_a_job_whose_record_is_deleted_meanwhile_ends_it(run: Run, service: Service, patched_clock: FakeClock) -> None:
    job_id = submit(service, log="hello")
    patched_clock.during_sleep = lambda: service.fail("GET", "/batches/{id}", status=404, code="DLI.0001", count=None)
    ended = run("logs", job_id, "--follow")
    assert ended.code == 0
    assert f"batch job {job_id}: the service has deleted its record" in ended.err


def test_ctrl_c_ends_it_without_a_word(run: Run, service: Service, patched_clock: FakeClock) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    patched_clock.during_sleep = interrupt
    ended = run("logs", submit(service, log="hello"), "--follow")
    assert (ended.code, ended.out, ended.err.strip()) == (130, "hello\n", "")


def test_the_user_is_told_of_lines_that_the_service_has_not_returned(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = LogPart(0, ["the end"], left_out=150)
    monkeypatch.setattr(FollowedLog, "new_lines", lambda _self, _batch: iter([part]))
    ended = run("logs", submit(service), "--all")
    assert ended.out == "the end\n"
    assert ended.err == "pulumi-dli: 150 lines are not shown, because the service has not returned them.\n"


def test_a_mistake_of_ours_keeps_its_traceback(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi_dli.cli.logs.FollowedLog", None)
    with pytest.raises(TypeError):
        print_log(Session(Options()), submit(service), follow=False, from_start=False)
