"""Jobs that are in the state: whether one still runs, and what to tell if that cannot be found out."""

from __future__ import annotations

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, ServiceError, SettingsError, TransportError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.recovery import settled


class StoredJobs:
    """Reads the jobs in the state where they were submitted. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def client_of(self, stored: StoredJob) -> Client:
        """Return the client of the place where a job was submitted."""
        return self._context.client_of(stored.location)

    def end_of(self, batch_id: str, stored: StoredJob) -> BatchState | None:
        """Return how a run has ended, as far as it is known without a call: from its job, or from a wait."""
        return stored.end(self._context.ends.of(batch_id))

    def may_go_on(self, batch_id: str, stored: StoredJob) -> bool:
        """True if only the service can tell whether a run has ended, and may be asked: dli:forget forbids it."""
        return self.end_of(batch_id, stored) is None and not self._context.lets_go_of(stored.location)

    def read(self, batch_id: str, stored: StoredJob) -> Batch | None:
        """Read a job where it was submitted. None if the service has no such job.

        Raises DliError. If the settings name another place now, the message names both.
        """
        client = self.client_of(stored)
        try:
            batch = client.find(batch_id)
        except (ServiceError, TransportError) as error:
            here = self._context.location_now()
            if not stored.is_elsewhere(here):
                raise
            raise DliError(f"{error} {messages.elsewhere_message(stored.location, here)}") from error
        if batch is not None:
            batch = settled(client, batch)
            self._context.remember(batch)
        return batch

    def way_out(self, stored: StoredJob, error: DliError) -> str:
        """Return a sentence to end an error with: how to go on if the project of a job is gone."""
        there, here = stored.location.get("projectId"), self._context.location_now()["projectId"]
        is_without_account = here is None and isinstance(error, SettingsError)
        if there in (None, here) or is_without_account:
            return ""  # the project in use cannot be let go of, and an account is missing for all projects
        return f" {messages.way_out_message(there)}"


def name_of(*sources: JobInputs) -> str:
    """Return the logical name of a job, by which the user knows it."""
    return next((str(source.resource_name) for source in sources if source.resource_name), "batch job")
