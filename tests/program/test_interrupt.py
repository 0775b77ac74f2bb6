"""^C while a program waits, in a process of its own that interrupts itself."""

import signal
import subprocess
import sys

import pytest

from pulumi_dli.program.interrupt import interrupted_message

WAITS = """
import asyncio, signal
from pulumi_dli.program.interrupt import AwaitedJobs

async def interrupt():
    signal.raise_signal(signal.SIGINT)

class Goes:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

async def main():
    work = AwaitedJobs()
    with work.waiting("0b", "load"), work.waiting("0a", "extract"), work.waiting("0c", "clean"):
        work.record_state("0a", "extract", "running")
        work.record_state("0c", "clean", "running")
        with work.waiting("0d", "report"), work.waiting("0a", "extract"):
            pass
        work.record_state("0d", "report", "running")  # a poll that began earlier
        {then}
        await asyncio.sleep(60)

{before}
asyncio.get_event_loop_policy().new_event_loop().run_until_complete(main())
"""
INTERRUPT = "signal.raise_signal(signal.SIGINT)"


def run(code: str) -> tuple[int, str]:
    """Run a program; give its exit code, and what it wrote."""
    command = [sys.executable, "-c", code]
    out, both = subprocess.PIPE, subprocess.STDOUT
    done = subprocess.run(command, stdout=out, stderr=both, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("then", [INTERRUPT, "other = asyncio.create_task(interrupt())", "Goes()"])
def test_an_interrupt_says_which_jobs_go_on_and_ends_the_program_without_a_traceback(then: str) -> None:
    assert run(WAITS.format(then=then, before="")) == (
        1,
        "Interrupted. These jobs go on, and the next `pulumi up` goes on waiting for them:\n"
        "  clean: running, batch job 0c\n"
        "  extract: running, batch job 0a\n"
        "  load: submitted, batch job 0b\n",
    )


def test_what_a_program_has_written_before_an_interrupt_is_not_lost() -> None:
    code, written = run(WAITS.format(then=INTERRUPT, before="print('before')"))
    assert code == 1
    assert "before\n" in written


def test_a_program_that_handles_interrupts_itself_goes_on_doing_so() -> None:
    own = "signal.signal(signal.SIGINT, lambda number, frame: exit(7))"
    assert run(WAITS.format(then=INTERRUPT, before=own)) == (7, "")


@pytest.mark.parametrize(
    ("before", "expected"),
    [("", (1, "before\n")), ("signal.signal(signal.SIGINT, lambda number, frame: exit(7))", (7, "before\n"))],
)
def test_an_interrupt_before_a_job_is_waited_for_shows_no_traceback(before: str, expected: tuple[int, str]) -> None:
    code = f"""
import signal
from pulumi_dli.program.interrupt import ends_quietly
{before}
print("before")
with ends_quietly():
    signal.raise_signal(signal.SIGINT)
"""
    assert run(code) == expected
    assert run(code.replace("    signal.raise", "    pass\nsignal.raise"))[0] in (7, -signal.SIGINT)


def test_when_nothing_is_waited_for_interrupts_are_pythons_own_again() -> None:
    code, written = run(f"""
import signal
from pulumi_dli.program.interrupt import AwaitedJobs
work = AwaitedJobs()
with work.waiting("0a", "extract"):
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
with work.waiting("0a", "extract"):
    with work.waiting("0a", "extract"):
        pass
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
{INTERRUPT}
""")
    assert code in (-signal.SIGINT, 130)
    assert "KeyboardInterrupt" in written


@pytest.mark.parametrize(("count", "last"), [(10, "job9"), (11, "and 1 more"), (200, "and 190 more")])
def test_of_many_jobs_ten_are_named(count: int, last: str) -> None:
    jobs = [f"job{number}" for number in range(count)]
    assert interrupted_message(sorted(jobs)).splitlines()[-1] == f"  {last}"
