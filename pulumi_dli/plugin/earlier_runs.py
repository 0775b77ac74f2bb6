"""Recognises the live run of a job that the engine may be about to replace, before a job is submitted.

`pulumi up --replace` asks the native provider to create a job, and tells it nothing about the stored one. The
submission adopts the live run of the resource. Two kinds of runs are not adopted, and must not get a second run beside
them:

* A run that a dynamic resource has submitted. Its name has another fingerprint, so it looks like a run of another job.
* Every run, if `dli:adopt` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import DliError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.naming import SubmissionName, resource_fingerprint_of
from pulumi_dli.jobs.submission_messages import described, live_run_message, not_submitted_message
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.auto_recovery import settled
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.orphans import live_jobs_for_submission
from pulumi_dli.plugin.urn import Urn


class EarlierRuns:
    """Finds the live runs that must not get a second run beside them. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._may_list = True

    def refuse_beside_live_run(self, urn: Urn, declared: JobInputs) -> None:
        """Raise SubmissionError if a run is live that is not adopted, and that this process has not planned to replace.

        A run of a dynamic resource is not adopted: if the state still has this resource, the dynamic provider cancels
        the run later. The check uses the listing of live jobs that the submission also uses. A listing that fails is a
        SubmissionError too. But with `dli:adopt` false, an account that may not list jobs can submit jobs.
        """
        try:
            self._refuse_beside_live_run(urn, declared)
        except SubmissionError:
            raise
        except DliError as error:
            raise SubmissionError(not_submitted_message(urn.name, error, {})) from error

    def _refuse_beside_live_run(self, urn: Urn, declared: JobInputs) -> None:
        messages = self._messages(urn)
        if not messages or known(declared.adopt_id):
            return
        client = self._context.client(known(declared.region), known(declared.project_id))
        for listed in self._live_jobs(client, urn.name).values():
            name = SubmissionName.parse(listed.name)
            message = messages.get(name.resource_fingerprint) if name is not None else None
            if message is None or self._context.runs.knows(listed.id):
                continue
            if self._is_live(client, listed, urn.name):
                raise SubmissionError(message(urn.name, listed))

    def _messages(self, urn: Urn) -> Mapping[str, Callable[[str, Batch], str]]:
        """Return the errors about the runs that are not adopted, by the fingerprints in their names."""
        settings = self._context.settings
        messages: dict[str, Callable[[str, Batch], str]] = {}
        if urn.dynamic_scope is not None:
            messages[resource_fingerprint_of(urn.dynamic_scope, settings.scope)] = dynamic_run_message
        if not settings.adopt:
            messages[resource_fingerprint_of(urn.scope, settings.scope)] = live_run_message
        return messages

    def _live_jobs(self, client: Client, job_name: str) -> Mapping[str, Batch]:
        """Return the live jobs by id, or nothing if `dli:adopt` is false and the account may not list jobs."""
        if not self._may_list:
            return {}
        try:
            return live_jobs_for_submission(self._context.live_listing(client), job_name)
        except SubmissionError:
            if self._context.settings.adopt:
                raise
            self._may_list = False
            return {}

    def _is_live(self, client: Client, listed: Batch, job_name: str) -> bool:
        """Return whether a listed run is live now."""
        batch = self._context.young_runs.find_listed(client, listed, job_name)
        return batch is not None and not settled(client, batch).is_final


def dynamic_run_message(job_name: str, batch: Batch) -> str:
    """Return the error if a run is live that the job's dynamic resource has submitted."""
    return (
        f"{job_name}: nothing was submitted, because {described(batch)}, is live. A dynamic resource of Python has "
        "submitted it for this job. If the stack has this run, and the job is to run again, set its option "
        "deleteBeforeReplace to true: then the run is cancelled first. If an interrupted `up` left this run, set "
        f"adoptId to {batch.id} to adopt it, or cancel it."
    )
