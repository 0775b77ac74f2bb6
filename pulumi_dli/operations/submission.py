"""Submits a job so that it is never lost and never runs twice.

The API has no idempotency key, and two jobs may have the same name. So each submission has a unique name
(`jobs.naming`). By this name the submitter finds a job whose answer was lost. A later process finds an orphan by it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, NoAnswerError, ServiceError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import LOOKUP_PAUSES, poll
from pulumi_dli.jobs import submission_messages as messages
from pulumi_dli.jobs.naming import is_respelled, is_same_name
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.request_matching import is_same_request
from pulumi_dli.operations.duplicates import cancel_duplicates, in_order_of_acceptance
from pulumi_dli.operations.live_listing import LiveListing
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.orphans import Orphans
from pulumi_dli.operations.run_registry import RunHeldError, RunRegistry
from pulumi_dli.operations.submission_request import SubmissionRequest
from pulumi_dli.operations.young_runs import YoungRuns

_MAX_REPEATS = 2


@dataclass
class _Submission:
    """A request with its name, and what has become of it."""

    request: SubmissionRequest
    name: str
    body: dict[str, Any]
    earlier_ids: frozenset[str]
    """The ids of the jobs that had this name before the submission."""
    posts: int = 0
    """How often the request was sent."""
    unanswered_at: int = 0
    """The number of the step of this process after which the last request had no usable answer."""


@dataclass(frozen=True)
class _AcceptedRun:
    """A run that this process has submitted. `posted_at` is the number of the step in which it sent the request."""

    batch_id: str
    name: str
    posted_at: int


class Submitter:
    """Submits jobs in one project, and adopts orphaned runs instead. Threads may share it.

    Args:
        client: The client of the project.
        clock: Measures the lookup window and sleeps.
        lookup_window: Seconds for which to search for a submission that got no usable answer.
        adopt: Whether to search for orphaned runs and adopt them.
        live: The listing of the live jobs of the project.
        young: The search for runs that the service does not know yet.
        runs: The registry of all runs of this process.
        notifier: Shows messages to the user.
        may_create_first: Whether the engine may submit the replacement of a job before it deletes the old run.
    """

    def __init__(
        self,
        client: Client,
        clock: Clock,
        *,
        lookup_window: float,
        adopt: bool,
        live: LiveListing,
        young: YoungRuns,
        runs: RunRegistry,
        notifier: Notifier,
        may_create_first: bool = False,
    ) -> None:
        self._client = client
        self._clock = clock
        self._lookup_window = lookup_window
        self._adopt = adopt
        self._runs = runs
        self._notifier = notifier
        self._orphans = Orphans(client, live, young, runs=runs, notifier=notifier, may_create_first=may_create_first)
        self._unanswered: dict[str, _Submission] = {}
        """For each resource, by its fingerprint, the last submission whose outcome is unknown."""
        self._steps = itertools.count(1)
        """Numbers the requests and the missing answers of this process in their order."""
        self._accepted: list[_AcceptedRun] = []

    def submit(self, request: SubmissionRequest) -> Batch:
        """Submit a job, or adopt its orphaned run, and return the run.

        Raises ServiceError or TransportError if nothing runs, because the service refused the job or there was no
        connection. Raises SubmissionError if nothing was submitted because the job could run twice, or if nobody knows
        whether the job runs. The message tells which.
        """
        batch = self._find_earlier_submission(request) or (self._orphans.adopt(request) if self._adopt else None)
        if batch is None:
            name, earlier_ids = request.new_name(), frozenset[str]()
            if request.fixed_name is not None:
                name = request.fixed_name
                earlier_ids = frozenset(batch.id for batch in self._list_by_name(name))
            submission = _Submission(request, name, request.body(name), earlier_ids)
            batch = self._register(submission, self._post_until_accepted(submission))
        return batch

    def _register(self, submission: _Submission, batch: Batch) -> Batch:
        """Register a submitted run with its resource. Raises SubmissionError if another resource holds that run."""
        try:
            self._runs.created(batch.id, submission.request.key)
        except RunHeldError as error:
            raise self._uncertain(submission, messages.foreign_run_message(error)) from error
        return batch

    def _find_earlier_submission(self, request: SubmissionRequest) -> Batch | None:
        """Return the run of an earlier submission of the same job in this process, whose outcome was unknown.

        Pulumi may call create again, for example after an error hook. The run counts in any state, because this same
        `up` submitted it. Raises SubmissionError if the earlier submission may still have been accepted.
        """
        submission = self._unanswered.get(request.resource_fingerprint)
        if submission is None:
            return None
        found = self._look_up_or_raise(submission) or self._find_late_job(submission)
        batch = self._register(submission, self._keep_one(submission, found)) if found else None
        self._unanswered.pop(request.resource_fingerprint, None)
        return batch

    def _list_by_name(self, name: str) -> list[Batch]:
        """Return the jobs with exactly this name. The service's filter may also match a part of a name."""
        return [batch for batch in self._client.batches({"job_name": name}) if batch.name == name]

    def _post_until_accepted(self, submission: _Submission) -> Batch:
        """Send the request. Repeat it at most twice while there is no usable answer and it has certainly failed."""
        batch = self._post(submission)
        if batch is not None and self._is_own(submission, batch):
            return batch
        found = self._look_up_or_raise(submission) if batch is None else self._look_up_after_foreign(submission, batch)
        while not found:
            if submission.posts > _MAX_REPEATS:
                raise self._uncertain(submission, messages.never_listed_message(submission.posts))
            found = self._find_late_job(submission) or self._post_again(submission)
        return self._keep_one(submission, found)

    def _find_late_job(self, submission: _Submission) -> list[Batch]:
        """Return the jobs of a submission that are listed by now, or nothing if the service has not accepted it.

        Nothing is a proof only if the list has meanwhile shown a run that this process has submitted later. Without
        that the list may lag behind, so raise SubmissionError: the request must not be sent again.
        """
        try:
            if self._is_list_current(submission):
                return self._list_created(submission)
        except DliError as error:
            raise self._uncertain(submission, messages.failed_lookup_message(error)) from error
        raise self._uncertain(submission, messages.lagging_list_message(submission.posts))

    def _is_list_current(self, submission: _Submission) -> bool:
        """Return whether the list shows the first run that this process has submitted after a missing answer."""
        later = next((run for run in self._accepted if run.posted_at > submission.unanswered_at), None)
        if later is None:
            return False
        return any(batch.id == later.batch_id for batch in self._client.batches({"job_name": later.name}))

    def _post_again(self, submission: _Submission) -> list[Batch]:
        """Repeat a request under the same name, and return the jobs that it and the earlier ones have created.

        The service may accept an earlier request late. So list the jobs again, whatever the service answers now.
        """
        try:
            answered = self._post(submission)
        except DliError as error:
            found = self._look_up_or_raise(submission)
            if not found:
                raise self._uncertain(submission, messages.failed_repetition_message(error)) from error
            return found
        if answered is None:
            return self._look_up_or_raise(submission)
        if not self._is_own(submission, answered):
            return self._look_up_after_foreign(submission, answered)
        return self._with_late_jobs(submission, answered)

    def _with_late_jobs(self, submission: _Submission, answered: Batch) -> list[Batch]:
        """Return the accepted job together with jobs of earlier requests. Never raise, because a job runs now."""
        found = []
        try:
            found = self._look_up(submission)
        except DliError as error:
            self._warn(submission, messages.unchecked_duplicates_message(answered.id, error))
        others = [batch for batch in found if batch.id != answered.id]
        if others and submission.request.fixed_name is not None:
            self._warn(submission, messages.possible_duplicates_message(answered.id, others))
            return [answered]
        return found if len(others) < len(found) else [*others, answered]

    def _look_up_after_foreign(self, submission: _Submission, answered: Batch) -> list[Batch]:
        """Return the jobs of a submission that was answered with another job.

        The service has accepted something. So raise SubmissionError if no job is listed: nothing may be sent again.
        """
        found = self._look_up_or_raise(submission)
        if not found:
            raise self._uncertain(submission, messages.foreign_answer_message(answered))
        return found

    def _is_own(self, submission: _Submission, answered: Batch) -> bool:
        """Return whether an answer is about the job of this request. If the name in it does not fit, read the job."""
        if answered.id in submission.earlier_ids or self._runs.knows(answered.id):
            return False  # the job of this request is new
        if is_respelled(answered.name, submission.name):
            if answered.name and answered.name != submission.name:
                message = messages.changed_name_message(answered.name, submission.name)
                self._notifier.notify(Level.INFO, submission.request.resource_name, message)
            return True
        try:
            described = self._client.details(answered.id)
        except DliError:  # the caller searches for the job by its name
            return False
        return bool(described.name) and is_respelled(described.name, submission.name)

    def _post(self, submission: _Submission) -> Batch | None:
        """Send the request and return the job, or None if nobody knows whether the service accepted it."""
        posted_at = next(self._steps)
        submission.posts += 1
        try:
            batch = self._client.create(submission.body)
        except (NoAnswerError, ServiceError) as error:
            answer = _without_secrets(error, submission.request.redact)
            if isinstance(answer, ServiceError) and answer.retry is not RetryClass.AMBIGUOUS:
                raise answer from None  # without its cause, which may repeat secrets of the request
            submission.unanswered_at = next(self._steps)
            self._warn(submission, messages.lookup_message(answer, submission.name))
            return None
        self._accepted.append(_AcceptedRun(batch.id, submission.name, posted_at))
        return batch

    def _look_up_or_raise(self, submission: _Submission) -> list[Batch]:
        try:
            return self._look_up(submission)
        except DliError as error:
            raise self._uncertain(submission, messages.failed_lookup_message(error)) from error

    def _look_up(self, submission: _Submission) -> list[Batch]:
        """List the jobs of a submission until there is one or the lookup window is over. Only the last call raises.

        After a repeated request the search lasts the whole window, because each request may have created a job.
        """
        found: dict[str, Batch] = {}

        def look() -> bool:
            found.update((batch.id, batch) for batch in self._list_created(submission))
            return bool(found) and submission.posts == 1

        try:
            poll(
                look,
                every=LOOKUP_PAUSES,
                deadline=self._clock.now() + self._lookup_window,
                clock=self._clock,
                tolerate=(DliError,),
            )
        except DliError as error:
            if not found:
                raise
            self._warn(submission, messages.unchecked_duplicates_message(next(iter(found)), error))
        return [*found.values()]

    def _list_created(self, submission: _Submission) -> list[Batch]:
        """Return the listed jobs that a submission has created."""
        if submission.request.fixed_name is None:
            listed = self._client.batches({"job_name": submission.name})
            return [batch for batch in listed if is_same_name(batch.name, submission.name)]
        found = [batch for batch in self._list_by_name(submission.name) if batch.id not in submission.earlier_ids]
        # Other jobs may have the fixed name too.
        return [
            batch
            for batch in found
            if self._runs.holder(batch.id, submission.request.key) is None
            and is_same_request(batch, submission.body) is not False
        ]

    def _keep_one(self, submission: _Submission, found: list[Batch]) -> Batch:
        """Return the first of the jobs that one submission has created, and cancel the others."""
        resource_name = submission.request.resource_name
        kept, *others = in_order_of_acceptance(found)
        if others and submission.request.fixed_name is not None:
            self._unanswered[submission.request.resource_fingerprint] = submission
            raise SubmissionError(messages.ambiguous_name_message(resource_name, submission.name, found))
        self._notifier.notify(Level.INFO, resource_name, messages.accepted_message(kept))
        cancel_duplicates(self._client, kept.id, others, lambda message: self._warn(submission, message))
        return kept

    def _uncertain(self, submission: _Submission, what: str) -> SubmissionError:
        """Return the error for a submission whose outcome is unknown, and remember the submission."""
        self._unanswered[submission.request.resource_fingerprint] = submission
        next_up_adopts = self._adopt and submission.request.fixed_name is None
        return SubmissionError(
            messages.outcome_unknown_message(
                submission.request.resource_name, submission.name, what, next_up_adopts=next_up_adopts
            )
        )

    def _warn(self, submission: _Submission, message: str) -> None:
        self._notifier.notify(Level.WARNING, submission.request.resource_name, message)


def _without_secrets(error: NoAnswerError | ServiceError, redact: Sequence[str]) -> NoAnswerError | ServiceError:
    """Return the error with the secret texts in the service's message masked."""
    if not isinstance(error, ServiceError):
        return error
    return type(error)(
        status=error.status,
        code=error.code,
        message=masked(error.message, redact),
        call=error.call,
        request_id=error.request_id,
        note=error.note,
        name_of=error.name_of,
    )
