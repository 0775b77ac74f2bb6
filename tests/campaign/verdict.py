"""The verdict of the campaign, for both engines: was a run lost, did one run twice, does one run outside the state?"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from pathlib import PurePosixPath

from pulumi_dli.local.table import Job, JobTable, Selection
from pulumi_dli.local.testing import Service


class BrokenPromiseError(AssertionError):
    """The provider broke a promise in a seed."""


def runs_of(service: Service, seed: int) -> list[Job]:
    """Give every run of a seed's jobs, the oldest first. Their names have `s<seed>j` in them. No fault strikes here."""
    with closing(JobTable(service.server.data / "jobs.sqlite")) as table:
        return table.select(Selection(name_part=f"s{seed}j", order="CREATE_TIME_ASC", size=-1), now=0)[1]


def compare_runs(intended: Mapping[str, int], accepted: Collection[Job], *, twice_is_wrong: bool = True) -> int:
    """Compare how often each job was to run with the runs that the service accepted.

    Args:
        intended: The number of runs of each job, by its logical name. Each job runs a file `<logical name>.py`.
        accepted: Every run of these jobs, from the service's own record.
        twice_is_wrong: False where a run may have ended before the next `up`, which then runs the job again.

    Returns:
        The number of runs beyond the intended ones: 0 if `twice_is_wrong`.

    Raises:
        BrokenPromiseError: A run was lost, a job ran twice, or a job ran that was not to run.
    """
    runs: dict[str, list[str]] = {name: [] for name in intended}
    for job in accepted:
        runs.setdefault(PurePosixPath(json.loads(job.req_body)["file"]).stem, []).append(job.id)
    for name, ids in runs.items():
        wanted = intended.get(name, 0)
        if len(ids) < wanted:
            raise BrokenPromiseError(f"{name}: lost: {wanted} runs were intended, {len(ids)} accepted: {ids}")
        if len(ids) > wanted and (twice_is_wrong or not wanted):
            raise BrokenPromiseError(f"{name}: twice: {wanted} runs were intended, {len(ids)} accepted: {ids}")
    return len(accepted) - Counter(intended).total()


def compare_with_state(accepted: Iterable[Job], in_state: Collection[str]) -> None:
    """Raise BrokenPromiseError if a live run is not in the state. `in_state` has the ids of the resources there."""
    if outside := live_ids(accepted) - set(in_state):
        raise BrokenPromiseError(f"run outside the state: {outside}")


def check_nothing_runs(accepted: Iterable[Job]) -> None:
    """Raise BrokenPromiseError if a run is live after `destroy`."""
    if left := live_ids(accepted):
        raise BrokenPromiseError(f"left running after destroy: {left}")


def live_ids(accepted: Iterable[Job]) -> set[str]:
    """Give the ids of the runs that have not ended."""
    return {job.id for job in accepted if not job.state.is_final}
