"""Ends the processes of a job."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import psutil

from pulumi_dli.local.engines.supervisor import marked_processes

_POLL_INTERVAL = 0.1


async def end_job(supervisor: asyncio.subprocess.Process, job_id: str, grace: float) -> None:
    """End all processes of a job. Its supervisor does it, unless something has killed or stopped the supervisor.

    Args:
        supervisor: The process that supervises the job. It leads a session.
        job_id: The job.
        grace: The seconds that the processes get to end before they are killed.
    """
    with suppress(ProcessLookupError):
        supervisor.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(supervisor.wait(), _patience(grace))
    await end_marked(job_id, grace, session=supervisor.pid)
    with suppress(TimeoutError):  # not even SIGKILL ends a process whose disk hangs
        await asyncio.wait_for(supervisor.wait(), grace)


async def end_marked(job_id: str, grace: float, session: int | None = None) -> None:
    """End the processes with a job's id in their environment, and those of a session.

    Supervisors are among the processes. They get the time to end the others before they are killed, too.
    """
    for number, timeout in ((signal.SIGTERM, _patience(grace)), (signal.SIGKILL, grace)):
        processes = await asyncio.to_thread(marked_processes, job_id, session)
        for process in processes:
            with suppress(psutil.Error):  # it has ended meanwhile, or belongs to another user
                process.send_signal(number)
        waited = 0.0
        while processes and waited < timeout:
            await asyncio.sleep(_POLL_INTERVAL)
            waited += _POLL_INTERVAL
            processes = await asyncio.to_thread(marked_processes, job_id, session)
        if not processes:
            return


def _patience(grace: float) -> float:
    """Return the seconds after which a supervisor has given up, with a margin for a busy machine."""
    return 2 * grace + 1
