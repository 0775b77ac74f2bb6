"""Finds and adopts orphaned runs: live runs of a job that are in no state.

A run becomes an orphan if `up` is killed after the submission and before it saves the state. A rename without an alias
and `retain_on_delete` also leave orphans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import ServiceError, SignInError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.jobs import submission_messages as messages
from pulumi_dli.jobs.naming import Relation, SubmissionName, relation_of
from pulumi_dli.jobs.request_matching import is_same_request, unknown_properties
from pulumi_dli.operations.auto_recovery import settled
from pulumi_dli.operations.duplicates import cancel_duplicates, in_order_of_acceptance, runs_by_submission
from pulumi_dli.operations.live_listing import LiveListing
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.run_registry import RunHeldError, RunRegistry
from pulumi_dli.operations.submission_request import SubmissionRequest
from pulumi_dli.operations.young_runs import YoungRuns

_MAX_LISTING_AGE = 60.0
"""Seconds for which a listing of the live jobs counts. An `up` may wait for hours between two submissions."""


class Orphans:
    """Finds the orphaned runs of jobs in one project, and adopts them. Threads may share it.

    If `may_create_first` is true, a run that looks like an orphan may be in the state: the engine may delete it later.
    """

    def __init__(
        self,
        client: Client,
        live: LiveListing,
        young: YoungRuns,
        *,
        runs: RunRegistry,
        notifier: Notifier,
        may_create_first: bool = False,
    ) -> None:
        self._client = client
        self._live = live
        self._young = young
        self._runs = runs
        self._notifier = notifier
        self._may_create_first = may_create_first

    def adopt(self, request: SubmissionRequest) -> Batch | None:
        """Adopt the orphaned run of this job and return it, or return None if no orphaned run of the job still runs.

        If one submission has created several, adopt the first and cancel the others. Raises SubmissionError if several
        submissions have, if another resource is adopting the run right now, or if the account has no permission to list
        jobs. With `may_create_first`, it also raises SubmissionError if a run with another declaration is live and this
        process has not planned the replacement. Raises ServiceError or TransportError if the listing fails otherwise.
        """
        runs = in_order_of_acceptance(self._live_runs(request))
        if len(runs) > 1 and runs not in runs_by_submission(runs).values():
            raise SubmissionError(messages.several_orphans_message(request.resource_name, runs))
        if not runs or not self._claim(request, runs[0].id):
            return None
        self._warn(request, messages.adopted_orphan_message(runs[0]))
        cancel_duplicates(self._client, runs[0].id, runs[1:], lambda message: self._warn(request, message))
        return runs[0]

    def _live_runs(self, request: SubmissionRequest) -> list[Batch]:
        """Return the live runs of this job that no resource holds. Warn about runs that cannot be adopted."""
        runs = []
        for relation, batch in self._candidates(request):
            if relation is Relation.OTHER_DECLARATION:
                if not batch.is_final:
                    self._report_outdated(request, batch)
            elif batch.is_final:
                self._warn(request, messages.ended_orphan_message(batch))
            else:
                runs.append(batch)
        return runs

    def _report_outdated(self, request: SubmissionRequest, batch: Batch) -> None:
        """Warn about a live run with another declaration, or raise SubmissionError if it may be in the state."""
        if self._may_create_first and not self._runs.knows(batch.id):
            raise SubmissionError(messages.unplanned_replacement_message(request.resource_name, batch))
        self._warn(request, messages.outdated_orphan_message(batch))

    def _candidates(self, request: SubmissionRequest) -> Iterator[tuple[Relation, Batch]]:
        """Read and yield each listed run that may belong to this job and that the resource may adopt."""
        for listed in live_jobs_for_submission(self._live, request.resource_name).values():
            relation = relation_of(
                listed.name,
                resource=request.resource_fingerprint,
                requests=request.proving_fingerprints,
                similar_requests=request.open_fingerprints,
                fixed_name=request.fixed_name,
                logical_names=request.logical_names,
            )
            if relation is Relation.NONE or not self._runs.may_adopt(listed.id, request.key):
                continue
            batch = self._young.find_listed(self._client, listed, request.resource_name)
            if batch is None or (relation is Relation.SAME_FIXED_NAME and not _is_same_request(request, batch)):
                continue
            batch = settled(self._client, batch)
            if relation is Relation.SAME_BUT_SECRETS:
                relation = _compared(request, batch, listed.name)
            yield relation, batch

    def _claim(self, request: SubmissionRequest, run: str) -> bool:
        """Let the resource hold a run. Return False if another resource has adopted the run meanwhile.

        Raises SubmissionError if another resource is adopting it right now, because that one may still release the run.
        """
        try:
            with self._runs.claim(run, request.key) as claim:
                claim.keep()
        except RunHeldError as error:
            if error.is_claimed and error.holder is not None:
                raise SubmissionError(
                    messages.claimed_orphan_message(request.resource_name, run, holder=error.holder[0])
                ) from error
            return False
        return True

    def _warn(self, request: SubmissionRequest, message: str) -> None:
        self._notifier.notify(Level.WARNING, request.resource_name, message)


def live_jobs_for_submission(live: LiveListing, job_name: str) -> Mapping[str, Batch]:
    """Return the live jobs by id for a decision before a job is submitted, from a listing that is recent enough.

    Raises SubmissionError if the account may not list jobs, and another DliError if the listing fails.
    """
    try:
        return live.jobs(_MAX_LISTING_AGE)
    except SignInError:
        raise
    except ServiceError as error:
        if error.status != 403:
            raise
        raise SubmissionError(messages.forbidden_listing_message(job_name, error)) from error


def _is_same_request(request: SubmissionRequest, batch: Batch) -> bool:
    return is_same_request(batch, request.body(str(request.fixed_name))) is True


def _compared(request: SubmissionRequest, batch: Batch, run_name: str | None) -> Relation:
    """Return how a run relates to a job if their names agree, but say nothing about properties that may be secret.

    Raises SubmissionError if the run is live and such a property cannot be compared: the run may be the job's.
    """
    name = SubmissionName.parse(run_name)
    left_out = request.open_fingerprints[name.request_fingerprint] if name is not None else ()
    body = request.body(str(run_name))
    if is_same_request(batch, body, exactly=left_out) is False:
        return Relation.OTHER_DECLARATION
    unknown = unknown_properties(batch, body, left_out)
    if unknown and not batch.is_final:
        raise SubmissionError(messages.incomparable_orphan_message(request.resource_name, batch, unknown))
    return Relation.SAME
