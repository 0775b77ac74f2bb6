"""Cancels a run and its duplicates, and waits for their end."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_dli.api.client import Client
from pulumi_dli.api.errors import JobError, ServiceError
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import poll, steps
from pulumi_dli.jobs import messages, outputs, submission_messages
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.run_registry import stored_key
from pulumi_dli.operations.stored_jobs import StoredJobs, name_of

_PAUSES = steps(0.2, 0.5, 1.0, 2.0, 5.0)


class Cancellation:
    """Cancels runs. Threads may share it. Every method raises DliError with a complete message.

    Args:
        context: The context of the process.
        jobs: Reads the jobs.
        is_in_state: Whether the job is a resource, which stays in the state if the cancel fails.
    """

    def __init__(self, context: ProviderContext, jobs: StoredJobs, *, is_in_state: bool) -> None:
        self._context = context
        self._jobs = jobs
        self._is_in_state = is_in_state

    def end(self, batch_id: str, stored: StoredJob) -> None:
        """Cancel a run and its duplicates, unless they have ended."""
        self.end_duplicates(batch_id, stored, self._jobs.listed_duplicates(batch_id, stored))
        if self._cancel_live(batch_id, stored) and self._is_in_state:  # else the caller says it
            message = messages.run_cancelled_message(batch_id)
            self._context.notify(Level.INFO, name_of(stored.inputs), message)

    def end_duplicates(self, batch_id: str, stored: StoredJob, duplicates: Iterable[Batch]) -> None:
        """Cancel the runs that the service has created beside a run from the same submission."""
        for duplicate in duplicates:
            if self._cancel_live(duplicate.id, stored):
                message = submission_messages.duplicate_cancelled_message(batch_id, duplicate.id)
                self._context.notify(Level.WARNING, name_of(stored.inputs), message)

    def _cancel_live(self, batch_id: str, stored: StoredJob) -> bool:
        """Cancel a run unless it has ended. Return whether the service has cancelled it.

        Send the call also if the service has no record of the run, because one wrong answer must not lose a live run.
        """
        batch = self._jobs.read(batch_id, stored)
        if batch is not None and batch.is_final and not outputs.may_recover(batch):
            return False
        return self._cancel(batch_id, stored)

    def _cancel(self, batch_id: str, stored: StoredJob) -> bool:
        name, client = name_of(stored.inputs), self._jobs.client_of(stored)
        try:
            client.cancel(batch_id)
        except ServiceError as error:
            # The service also refuses to cancel a job that has ended meanwhile.
            batch = self._jobs.find(client, batch_id, stored)
            if batch is None or batch.is_final:
                return False
            if batch.batch_state is None:
                message = messages.unknown_state_cancel_message(
                    name, batch_id, batch.state, error, is_in_state=self._is_in_state
                )
            else:
                message = messages.refused_cancel_message(name, batch_id, error)
            raise JobError(message) from error
        self._context.runs.cancelled(batch_id, stored_key(stored.inputs))
        self._await_end(client, batch_id, stored)
        return True

    def _await_end(self, client: Client, batch_id: str, stored: StoredJob) -> None:
        name, seconds = name_of(stored.inputs), known(stored.inputs.cancel_timeout)
        if not seconds:
            return
        clock = self._context.clock
        # Read each job by itself: Pulumi's host deletes four at a time, so a listing would not save calls.
        batch = poll(
            lambda: self._jobs.find(client, batch_id, stored),
            until=_has_ended,
            every=_PAUSES,
            deadline=clock.now() + seconds,
            clock=clock,
        )
        if batch is not None and not batch.is_final:
            message = messages.slow_cancel_message(name, batch_id, batch.state, seconds, is_in_state=self._is_in_state)
            raise JobError(message)


def _has_ended(batch: Batch | None) -> bool:
    return batch is None or batch.is_final
