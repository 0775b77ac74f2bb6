import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from pulumi_dli.local.engines import supervisor
from tests.local.api import eventually

PROGRAM = [sys.executable, "-I", supervisor.__file__]
WITHOUT_SUBREAPER = """
from pulumi_dli.local.engines import supervisor
supervisor.become_subreaper = lambda: False
sys.exit(supervisor.main(sys.argv[1:]))
"""
"""The program on a system that has no subreapers."""
WITHOUT_RIGHTS = """
import psutil
from pulumi_dli.local.engines import supervisor

def refuse(process, number):
    raise psutil.AccessDenied(process.pid)

psutil.Process.send_signal = refuse
sys.exit(supervisor.main(sys.argv[1:]))
"""
"""The program when the processes of the job belong to another user."""
ESCAPE = """
import os, signal, time
reader, writer = os.pipe()
if os.fork(): os._exit(not os.read(reader, 1))
os.setsid()
if os.fork(): os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"%d\\n" % os.getpid())
os.write(writer, b".")
time.sleep(3600)
"""
"""A process that leaves its parent and its session and ignores SIGTERM. It writes its id, then its parent ends."""


def patched(code: str) -> list[str]:
    root = str(Path(supervisor.__file__).parents[3])
    return [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {root!r})\n{code}"]


@contextmanager
def supervised(*command: str, program: list[str] = PROGRAM, grace: float = 5.0) -> Iterator[subprocess.Popen[str]]:
    """Run a command as the local DLI does, with an id of its own: tests that run at once must not end each other."""
    with subprocess.Popen(
        [*program, str(grace), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={supervisor.JOB_VARIABLE: str(uuid4())},
        start_new_session=True,
    ) as process:
        yield process


def read_id(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", -15), ("kill -KILL $$", -9)]
)
def test_it_ends_as_its_command_ends(script: str, code: int) -> None:
    with supervised("sh", "-c", script) as process:
        assert process.wait(60) == code


def test_the_command_gets_its_arguments_as_they_are_and_no_input() -> None:
    odd = ["", "a b", "ü\udcff", "line\r\n"]
    show = "import sys; print(ascii(sys.argv[1:]), sys.stdin.read() == '')"
    with supervised(sys.executable, "-X", "utf8", "-c", show, *odd) as process:
        assert process.stdout is not None
        assert process.stdout.read() == f"{odd!a} True\n"


def test_a_command_that_cannot_be_started_is_named() -> None:
    with supervised("/no/such/program") as process:
        _, errors = process.communicate(timeout=60)
    assert errors == "The local DLI could not start the job: [Errno 2] No such file or directory: '/no/such/program'\n"
    assert process.returncode == 1


@pytest.mark.parametrize("stop", ["signal", "end of input"])
def test_a_process_that_leaves_parent_session_and_environment_ends_too(stop: str) -> None:
    script = f"env -i '{sys.executable}' -c '{ESCAPE}'; sleep 3600"
    with supervised("sh", "-c", script, grace=0.5) as process:
        escaped = read_id(process)
        if stop == "signal":
            process.terminate()
        else:
            assert process.stdin is not None
            process.stdin.close()
        # The shell ends by the signal, or because its `sleep` has ended by it before.
        assert process.wait(60) in (-signal.SIGTERM, 128 + signal.SIGTERM)
        assert not psutil.pid_exists(escaped)


def test_a_process_that_outlives_its_command_ends() -> None:
    with supervised(sys.executable, "-c", ESCAPE, grace=0.5) as process:
        escaped = read_id(process)
        assert process.wait(60) == 0
        assert not psutil.pid_exists(escaped)


def test_processes_get_the_time_to_end_by_themselves() -> None:
    script = 'trap "echo cleaned up; exit 4" TERM; echo $$; while :; do sleep 0.01; done'
    with supervised("sh", "-c", script, grace=60.0) as process:
        read_id(process)
        process.terminate()
        assert process.communicate(timeout=60)[0] == "cleaned up\n"  # the shell may also say that `sleep` was ended
        assert process.returncode == 4


MARKED = "import os, time; os.setsid(); os.write(1, b'%d\\n' % os.getpid()); time.sleep(3600)"
IN_SESSION = "import os, time; os.setpgid(0, 0); os.write(1, b'%d\\n' % os.getpid()); time.sleep(3600)"


@pytest.mark.parametrize(
    "stray", [f"'{sys.executable}' -c \"{MARKED}\"", f"env -i '{sys.executable}' -c \"{IN_SESSION}\""]
)
def test_without_a_subreaper_a_process_is_found_by_the_id_of_the_job_or_its_session(stray: str) -> None:
    with supervised("sh", "-c", f"({stray} &); sleep 3600", program=patched(WITHOUT_SUBREAPER)) as process:
        pid = read_id(process)
        process.terminate()
        process.wait(60)
        eventually(lambda: psutil.pid_exists(pid), lambda exists: not exists)


def test_a_process_that_cannot_be_ended_is_named() -> None:
    script = "echo $$; sleep 3600"
    with supervised("sh", "-c", script, program=patched(WITHOUT_RIGHTS), grace=0.1) as process:
        pid = read_id(process)
        process.terminate()
        process.wait(60)
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
        finally:
            children = psutil.Process(pid).children()
            for started in (*children, psutil.Process(pid)):
                started.kill()
    assert line.startswith(f"The local DLI could not end these processes of the job: {pid}")
