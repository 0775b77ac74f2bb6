"""Recognises the live run that a dynamic resource has submitted, before its native successor submits a job.

`pulumi up --replace` asks the native provider to create a job, and tells it nothing about the stored one. If a dynamic
resource has submitted the run, its name has another fingerprint, and it looks like a run of another job.
"""

from __future__ import annotations

from pulumi_dli.api.errors import DliError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs.inputs import JobInputs
from pulumi_dli.jobs.naming import SubmissionName, resource_fingerprint_of
from pulumi_dli.jobs.submission_messages import described, not_submitted_message
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.orphans import live_jobs_for_submission
from pulumi_dli.plugin.urn import Urn


class EarlierRuns:
    """Finds the live runs of the dynamic resources that native resources have replaced. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context

    def refuse_beside_live_run(self, urn: Urn, declared: JobInputs) -> None:
        """Raise SubmissionError if a run of the job's dynamic resource is live that this process has not planned.

        It is not adopted: if the state still has the dynamic resource, the dynamic provider cancels it later. The check
        uses the listing of live jobs that the submission also uses. A listing that fails is a SubmissionError too.
        """
        try:
            self._refuse_beside_live_run(urn, declared)
        except SubmissionError:
            raise
        except DliError as error:
            raise SubmissionError(not_submitted_message(urn.name, error, {})) from error

    def _refuse_beside_live_run(self, urn: Urn, declared: JobInputs) -> None:
        scope = urn.dynamic_scope
        if scope is None or not self._context.settings.adopt or known(declared.adopt_id):
            return
        client = self._context.client(known(declared.region), known(declared.project_id))
        fingerprint = resource_fingerprint_of(scope, self._context.settings.scope)
        for listed in live_jobs_for_submission(self._context.live_listing(client), urn.name).values():
            name = SubmissionName.parse(listed.name)
            if name is None or name.resource_fingerprint != fingerprint or self._context.runs.knows(listed.id):
                continue
            batch = client.find(listed.id)  # the listing may be a minute old
            if batch is not None and not batch.is_final:
                raise SubmissionError(live_run_message(urn.name, batch))


def live_run_message(job_name: str, batch: Batch) -> str:
    """Return the error if a run is live that the job's dynamic resource has submitted."""
    return (
        f"{job_name}: nothing was submitted, because {described(batch)}, is live. A dynamic resource of Python has "
        "submitted it for this job. If the stack has this run, and the job is to run again, set its option "
        "deleteBeforeReplace to true: then the run is cancelled first. If an interrupted `up` left this run, set "
        f"adoptId to {batch.id} to adopt it, or cancel it."
    )
