import asyncio
import signal
import subprocess
import sys

from pulumi_dli.local.engines.job_processes import end_job, end_marked
from pulumi_dli.local.engines.supervisor import JOB_VARIABLE, marked_processes

SLEEPER = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(3600)"
COMMAND = (sys.executable, "-u", "-c", SLEEPER)
JOB = "a job that ignores SIGTERM"
GRACE = 0.1


def test_a_supervisor_that_does_nothing_is_killed_with_its_job() -> None:
    async def end() -> int | None:
        stuck = await asyncio.create_subprocess_exec(
            *COMMAND, stdout=subprocess.PIPE, env={JOB_VARIABLE: JOB}, start_new_session=True
        )
        assert stuck.stdout is not None
        await stuck.stdout.readline()
        await end_job(stuck, JOB, GRACE)
        return stuck.returncode

    assert asyncio.run(end()) == -signal.SIGKILL


def test_what_a_killed_supervisor_left_is_found_by_the_id_of_the_job() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, env={JOB_VARIABLE: JOB}) as left:
        assert left.stdout is not None
        left.stdout.readline()
        asyncio.run(end_marked(JOB, GRACE))
        assert left.wait(60) == -signal.SIGKILL
    assert marked_processes(JOB, None) == []
