"""A local DLI whose states a test may read right after a command that submits jobs."""

from __future__ import annotations

from pulumi_dli.api.states import BatchState
from pulumi_dli.local.testing import Service
from tests.local.api import settled


class SettledService(Service):
    """Returns the states of jobs when none is starting any more.

    A call that submits a job returns while it starts, so how far it has come depends on the machine. No test has a job
    that stays `starting` and asks this for its state.
    """

    def states(self, job: str | None = None) -> list[BatchState]:
        return settled(lambda: [one.state for one in self.jobs(job)])
