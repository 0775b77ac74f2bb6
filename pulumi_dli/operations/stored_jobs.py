"""Reads jobs that are in the state, and explains errors about jobs that ran in another location."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, ServiceError, SettingsError, TransportError
from pulumi_dli.api.models import Batch, normal_id
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.naming import submission_of
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.operations.auto_recovery import settled
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.run_registry import stored_key


class StoredJobs:
    """Reads each job in the state from the location where it was submitted. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def client_of(self, stored: StoredJob) -> Client:
        """Return the client of the location where a job was submitted. Raises SettingsError as the context does."""
        return self._context.client_of(stored.location)

    def end_of(self, batch_id: str, stored: StoredJob) -> BatchState | None:
        """Return the final state of a run from the stored job or from a wait, without a call. None if it is unknown."""
        return stored.end(self._context.ends.of(batch_id))

    def may_go_on(self, batch_id: str, stored: StoredJob) -> bool:
        """Return whether to ask the service if a run has ended: its end is unknown, and dli:forget allows calls."""
        return self.end_of(batch_id, stored) is None and not self._context.is_forgotten(stored.location)

    def read(self, batch_id: str, stored: StoredJob) -> Batch | None:
        """Return a job from the location where it was submitted, or None if the service has no record of it.

        A young run whose end is unknown is searched for in the lookup window. Raises DliError. If the settings now name
        another location, the message names both.
        """
        client = self.client_of(stored)
        try:
            batch = self.find(client, batch_id, stored)
        except (ServiceError, TransportError) as error:
            here = self._context.location_now()
            if not stored.is_elsewhere(here):
                raise
            raise DliError(f"{messages.elsewhere_message(stored.location, here)} {error}") from error
        if batch is not None:
            batch = settled(client, batch)
            self._context.remember(batch)
        return batch

    def find(self, client: Client, batch_id: str, stored: StoredJob) -> Batch | None:
        """Return a job as `read` does, but as the service answers it, from this client."""
        if self.end_of(batch_id, stored) is not None:
            return client.find(batch_id)
        self._context.young_runs.created(batch_id, stored.create_time)
        return self._context.young_runs.find(client, batch_id, name_of(stored.inputs))

    def is_young(self, batch_id: str, stored: StoredJob) -> bool:
        """Return whether a run is less than ten minutes old, as far as this process knows its age."""
        self._context.young_runs.created(batch_id, stored.create_time)
        return self._context.young_runs.is_young(self.client_of(stored), batch_id)

    def duplicates(self, batch_id: str, stored: StoredJob, *, may_list: bool) -> list[Batch]:
        """Return the live runs that the service has created beside this one from the same submission.

        Raises DliError if the live jobs cannot be listed.

        Args:
            batch_id: The id of the run.
            stored: The stored job.
            may_list: Whether to list the live jobs if this process has not done so. That takes three calls.
        """
        key, submission = stored_key(stored.inputs), submission_of(stored.submitted_name)
        if key is None or submission is None or stored.inputs.adopt_id:
            return []
        runs: Sequence[Batch] = self._context.listed_runs(submission)
        if may_list:
            runs = self._context.live_listing(self.client_of(stored)).by_submission().get(submission, ())
        return [run for run in runs if run.id != normal_id(batch_id) and self._context.runs.may_adopt(run.id, key)]

    def listed_duplicates(self, batch_id: str, stored: StoredJob) -> list[Batch]:
        """Return the duplicates with a listing. If the live jobs cannot be listed, warn and return none."""
        try:
            return self.duplicates(batch_id, stored, may_list=True)
        except DliError as error:  # the run itself can be read and cancelled without this listing
            self._context.notify(Level.WARNING, "dli", messages.unchecked_duplicates_message(error))
            return []

    def forget_advice(self, stored: StoredJob, error: DliError) -> str:
        """Return the advice to use dli:forget, or an empty string if it cannot help.

        It cannot help with the project in use, nor if the account is missing, because then it is missing everywhere.
        """
        ran_in, current = stored.location.get("projectId"), self._context.location_now()["projectId"]
        is_without_account = current is None and isinstance(error, SettingsError)
        if ran_in in (None, current) or is_without_account:
            return ""
        return messages.forget_advice_message(ran_in)


def name_of(*sources: JobInputs) -> str:
    """Return the logical name of a job from the first source that has it."""
    return next((str(source.resource_name) for source in sources if source.resource_name), "batch job")
