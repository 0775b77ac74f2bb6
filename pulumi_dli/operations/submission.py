"""Submitting a job: never lost, never twice.

The API has no idempotency key, and names may repeat. So each submission has a name of its own (`jobs.naming`), by which
it is found again where its reply was lost, and by which a later process finds what a killed one left behind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.error_codes import RetryClass
from pulumi_dli.api.errors import DliError, NoAnswerError, ServiceError, SubmissionError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import poll, steps
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.request_matching import is_same_request
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.orphans import Orphans, described
from pulumi_dli.operations.run_registry import RunHeldError, RunRegistry
from pulumi_dli.operations.submission_request import SubmissionRequest

_MOST_REPEATS = 2
_LOOKUP_PAUSES = steps(1.0, 2.0, 5.0, 10.0)
"""Seconds between two lookups of a submission without an answer."""


@dataclass(frozen=True)
class _Submission:
    """A request under its name. `before` has the jobs that had this name already."""

    request: SubmissionRequest
    name: str
    body: dict[str, Any]
    before: frozenset[str]


class Submitter:
    """Submits jobs in one project, and knows what an interrupted `up` left there. Threads may share it.

    `lookup_window` is the seconds for which a submission without an answer is looked for. `adopt` False: jobs left
    behind are not looked for. `runs` says which run belongs to which resource.
    """

    def __init__(
        self, client: Client, clock: Clock, *, lookup_window: float, adopt: bool, runs: RunRegistry, notifier: Notifier
    ) -> None:
        self._client = client
        self._clock = clock
        self._lookup_window = lookup_window
        self._adopt = adopt
        self._runs = runs
        self._notifier = notifier
        self._orphans = Orphans(client, clock, runs=runs, notifier=notifier)
        self._unanswered: dict[str, _Submission] = {}
        """The last submission of each resource of which nobody knows whether it runs."""

    def submit(self, request: SubmissionRequest) -> Batch:
        """Submit a job, or adopt the run of it that an interrupted `up` left.

        Raises ServiceError or TransportError where nothing runs: the service refuses, or was never reached. Raises
        SubmissionError where nothing was submitted because that could run the job twice, or where it is not known
        whether a job runs; the message says which.
        """
        batch = self._submitted_before(request) or (self._orphans.adopt(request) if self._adopt else None)
        if batch is None:
            name, before = request.new_name(), frozenset[str]()
            if request.fixed_name is not None:
                name, before = request.fixed_name, frozenset(batch.id for batch in self._named(request.fixed_name))
            submission = _Submission(request, name, request.body(name), before)
            batch = self._hold(submission, self._submit_as(submission))
        return batch

    def _hold(self, submission: _Submission, batch: Batch) -> Batch:
        """Note whose run a submission has become. Raises SubmissionError where another resource has that run."""
        try:
            self._runs.created(batch.id, submission.request.key)
        except RunHeldError as error:
            raise self._uncertain(submission, f"The service answered with another job's run: {error}.") from error
        return batch

    def _submitted_before(self, request: SubmissionRequest) -> Batch | None:
        """Look for what this process has submitted for the same job without an answer: a hook may have it repeated.

        It counts in any state, since it was submitted in this very `up`.
        """
        submission = self._unanswered.get(request.resource_fingerprint)
        if submission is None:
            return None
        found = self._look_up_or_raise(submission)
        batch = self._hold(submission, self._keep_one(submission, found)) if found else None
        self._unanswered.pop(request.resource_fingerprint, None)
        return batch

    def _named(self, name: str) -> list[Batch]:
        """List the jobs of exactly this name; the service's filter may match a part of it."""
        return [batch for batch in self._client.batches({"job_name": name}) if batch.name == name]

    def _submit_as(self, submission: _Submission) -> Batch:
        batch = self._post(submission)
        if batch is not None:
            return batch
        found = self._look_up_or_raise(submission)
        for _ in range(_MOST_REPEATS):
            if found:
                break
            found = self._submit_again(submission)
        if not found:
            raise self._uncertain(
                submission, f"The service gave no usable answer {_MOST_REPEATS + 1} times, and lists no such job."
            )
        return self._keep_one(submission, found)

    def _submit_again(self, submission: _Submission) -> list[Batch]:
        """Send a request again that nothing has been heard of, under the same name; give what it has become.

        The first one may only have been late. So whatever the service says now, it is looked at once more.
        """
        try:
            answered = self._post(submission)
        except DliError as error:
            found = self._look_up_or_raise(submission)
            if not found:
                raise self._uncertain(
                    submission, f"There was no usable answer; it was sent again, and then: {_sentence(error)}"
                ) from error
            return found
        return self._look_up_or_raise(submission) if answered is None else self._look_beside(submission, answered)

    def _look_beside(self, submission: _Submission, answered: Batch) -> list[Batch]:
        """Look whether an earlier request has been accepted too. This one is, so nothing may raise."""
        resource_name, found = submission.request.resource_name, []
        try:
            self._clock.sleep(self._lookup_window)  # it has until the end of the window to be listed
            found = self._found(submission)
        except DliError as error:
            self._notifier.notify(
                Level.WARNING,
                resource_name,
                f"submitted as {answered.id} in the end. Whether an earlier request was accepted too could not be "
                f"asked: {error}",
            )
        others = [batch for batch in found if batch.id != answered.id]
        if others and submission.request.fixed_name is not None:
            self._notifier.notify(
                Level.WARNING,
                resource_name,
                f"submitted as {answered.id}; new jobs of the same name are there too, and may be the same request: "
                f"{_ids(others)}. Cancel them if nobody else submitted them",
            )
            return [answered]
        return found if len(others) < len(found) else [*others, answered]

    def _post(self, submission: _Submission) -> Batch | None:
        """Send the request; None where it may or may not have been carried out."""
        try:
            return self._client.create(submission.body)
        except (NoAnswerError, ServiceError) as error:
            answer = _without_secrets(error, submission.request.redact)
            if isinstance(answer, ServiceError) and answer.retry is not RetryClass.AMBIGUOUS:
                raise answer from None  # the cause repeats secrets of the request
            self._notifier.notify(
                Level.WARNING,
                submission.request.resource_name,
                f"{_sentence(answer)} Looking for the job by its name, {submission.name}",
            )
        return None

    def _look_up_or_raise(self, submission: _Submission) -> list[Batch]:
        try:
            return self._look_up(submission)
        except DliError as error:
            raise self._uncertain(
                submission, f"There was no usable answer, and the jobs cannot be listed: {_sentence(error)}"
            ) from error

    def _look_up(self, submission: _Submission) -> list[Batch]:
        """Look for a submission until it is listed or the window is over. Only the last lookup raises."""
        return poll(
            lambda: self._found(submission),
            every=_LOOKUP_PAUSES,
            deadline=self._clock.now() + self._lookup_window,
            clock=self._clock,
            tolerate=(DliError,),
        )

    def _found(self, submission: _Submission) -> list[Batch]:
        """List the jobs that a submission has become."""
        found = [batch for batch in self._named(submission.name) if batch.id not in submission.before]
        if submission.request.fixed_name is None:
            return found
        # The user's name may be that of other jobs too.
        return [
            batch
            for batch in found
            if self._runs.holder(batch.id, submission.request.key) is None
            and is_same_request(batch, submission.body) is not False
        ]

    def _keep_one(self, submission: _Submission, found: list[Batch]) -> Batch:
        """Keep the first of the jobs that one submission has become, and cancel the others."""
        resource_name = submission.request.resource_name
        kept, *others = sorted(found, key=lambda batch: (batch.create_time or math.inf, batch.id))
        if others and submission.request.fixed_name is not None:
            self._unanswered[submission.request.resource_fingerprint] = submission
            raise SubmissionError(
                f"{resource_name}: submitted as {submission.name} without a usable answer, and several new jobs have "
                f"that name: {_ids(found)}. Cancel all but one, and give that one as adoptId."
            )
        self._notifier.notify(Level.INFO, resource_name, f"was accepted: {described(kept)}")
        for batch in others:
            twice = f"was accepted more than once; kept {kept.id}"
            if batch.is_final:
                self._notifier.notify(
                    Level.WARNING,
                    resource_name,
                    f"{twice}, but {batch.id} is {batch.state} already: the job has run twice",
                )
                continue
            try:
                self._client.cancel(batch.id)
                self._notifier.notify(Level.WARNING, resource_name, f"{twice}, cancelled {batch.id}")
            except DliError as error:
                self._notifier.notify(
                    Level.WARNING, resource_name, f"{twice}, and {batch.id} could not be cancelled: {error}"
                )
        return kept

    def _uncertain(self, submission: _Submission, what: str) -> SubmissionError:
        """Make the error for a submission of which nobody knows whether it runs."""
        self._unanswered[submission.request.resource_fingerprint] = submission
        what_next = (
            "The next `pulumi up` takes the job over while it runs."
            if self._adopt and submission.request.fixed_name is None
            else "Look for it in the console before the next `pulumi up`; adoptId takes it over."
        )
        return SubmissionError(
            f"{submission.request.resource_name}: a job may run, submitted as {submission.name}. {what} {what_next}"
        )


def _without_secrets(error: NoAnswerError | ServiceError, redact: Sequence[str]) -> NoAnswerError | ServiceError:
    """Make the error anew with the service's message masked."""
    if not isinstance(error, ServiceError):
        return error
    return type(error)(
        status=error.status,
        code=error.code,
        message=masked(error.message, redact),
        call=error.call,
        request_id=error.request_id,
        note=error.note,
    )


def _sentence(error: DliError) -> str:
    return f"{str(error).rstrip('.')}."


def _ids(batches: Iterable[Batch]) -> str:
    return ", ".join(batch.id for batch in batches)
