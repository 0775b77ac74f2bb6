"""The runs of a seed as the services themselves know them, at each place where the seed may run.

It reads the services' own tables, and keeps what it has read when a record is deleted. No fault strikes here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.engines.timeline import TIMELINE
from pulumi_dli.local.errors import ApiError
from pulumi_dli.local.logs import JobLogs
from pulumi_dli.local.table import Job, JobTable
from pulumi_dli.local.testing import Service
from tests.campaign.schedules import QUICK
from tests.campaign.verdict import runs_of


@dataclass(frozen=True)
class Run:
    """A run that a service has accepted. `place` is the number of the service."""

    row: Job
    place: int = 0
    has_record: bool = True
    """The service has not deleted its record."""

    @property
    def id(self) -> str:
        """The batch id."""
        return self.row.id

    @property
    def job(self) -> str:
        """The logical name of its job. Each job runs a file `<logical name>.py`."""
        return PurePosixPath(json.loads(self.row.req_body)["file"]).stem

    @property
    def state(self) -> BatchState:
        """The state in which it is, or has ended."""
        return self.row.state

    @property
    def ends_by_itself(self) -> bool:
        """True where it needs no cancel to end."""
        return (self.row.batch_request.conf or {}).get(TIMELINE) == QUICK


class Ledger:
    """All runs of a seed, in the order in which they were met. Threads must not share it."""

    def __init__(self, services: Sequence[Service], seed: int) -> None:
        self._services = services
        self._seed = seed
        self._runs: dict[str, Run] = {}

    def read(self) -> dict[str, Run]:
        """Read all runs, by id."""
        rows = {row.id: Run(row, place) for place, one in enumerate(self._services) for row in runs_of(one, self._seed)}
        gone = {id_: replace(run, has_record=False) for id_, run in self._runs.items() if id_ not in rows}
        self._runs |= gone | rows
        return dict(self._runs)

    def live(self) -> dict[str, Run]:
        """Read the runs that have not ended."""
        return {id_: run for id_, run in self.read().items() if not run.state.is_final}

    def cancel(self, run: Run) -> None:
        """Cancel a run like a user of the console, unless it has ended meanwhile."""
        try:
            self._services[run.place].cancel(run.id)
        except ApiError:
            if run.id in self.live():
                raise

    def delete_records(self, ids: Collection[str]) -> int:
        """Delete the records of these runs, as far as they have ended, like a service that keeps them no longer."""
        ended = [run for run in self.read().values() if run.id in ids and run.has_record and run.state.is_final]
        for place, service in enumerate(self._services):
            here = [run.id for run in ended if run.place == place]
            for id_ in here:
                JobLogs(service.server.data / "jobs" / id_).remove()
            with closing(JobTable(service.server.data / "jobs.sqlite")) as table:
                table.remove(here)
        return len(ended)
