"""Reads jobs from the service: one, the jobs of a stack side by side, or those of a project."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TypeVar

from pulumi_dli.api.client import Client
from pulumi_dli.api.console import page_url
from pulumi_dli.api.errors import DliError, ServiceError, SettingsError, SignInError, TransportError
from pulumi_dli.cli.errors import CliError
from pulumi_dli.cli.job_view import Reading
from pulumi_dli.cli.session import Session
from pulumi_dli.cli.targets import Target
from pulumi_dli.jobs.outputs import submitted_to
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.last_lines import reason_of
from pulumi_dli.operations.pollers import live_jobs
from pulumi_dli.operations.stored_jobs import StoredJobs

Item = TypeVar("Item")
Result = TypeVar("Result")

_THREADS = 8


class JobReader:
    """Reads jobs as the provider does. Threads may share it."""

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._jobs = StoredJobs(context)

    def client_of(self, target: Target) -> Client:
        """Return the client of the location where a job was submitted. Raises DliError."""
        return self._jobs.client_of(target.stored)

    def read(self, target: Target) -> Reading:
        """Return a job as the service answers it now. Raises DliError."""
        batch = self._jobs.read(target.batch_id, target.stored)
        client = self.client_of(target)
        age = client.age_of(batch.create_time) if batch is not None else None
        return Reading(
            batch, batch is None, age, submitted_to(client.location), url=page_url(client.location, target.batch_id)
        )

    def known(self, target: Target) -> Reading | None:
        """Return the facts that are known without a call, or None if the service must be asked.

        No call is needed for a job whose end is known, and none is allowed if `dli:forget` names its project.
        """
        has_end = self._jobs.end_of(target.batch_id, target.stored) is not None
        return Reading(location=target.stored.location) if has_end or self.is_forgotten(target) else None

    def is_forgotten(self, target: Target) -> bool:
        """Return whether `dli:forget` names the project of a job, so that nothing may be called for it."""
        return self._context.is_forgotten(target.stored.location)

    def existing(self, target: Target) -> Reading:
        """Return a job as `read` does.

        Raises CliError if the service does not know it, and the stack neither, or if no call for it is allowed.
        """
        if self.is_forgotten(target):
            project = target.stored.location.get("projectId")
            raise CliError(f"{target.words} ran in project {project}, which dli:forget names. Nothing is called there.")
        reading = self.read(target)
        if reading.is_expired and not target.name:
            raise CliError(no_such_job_message(target.batch_id, reading.location))
        return reading

    def duplicates(self, target: Target) -> list[str]:
        """Return the ids of the live runs that the service has created beside this one from the same submission.

        The list is empty if the live jobs cannot be listed. The cancel then cancels no duplicate either. It cancels no
        duplicate of a job that the stack only reads.
        """
        if target.is_read_only:
            return []
        try:
            return [run.id for run in self._jobs.duplicates(target.batch_id, target.stored, may_list=True)]
        except DliError:
            return []

    def with_reason(self, target: Target, reading: Reading) -> Reading:
        """Return the reading with the reason of the failure, if the job is dead.

        A stored reason needs no call. If the service may have started the job again, the log comes first, because the
        stored reason may be that of an earlier attempt.
        """
        if reading.batch is None or not reading.batch.is_failure:
            return reading
        reason = target.failure_reason
        if reason is None or self._jobs.end_of(target.batch_id, target.stored) is None:
            reason = reason_of(self.client_of(target), reading.batch, target.secrets).text or reason
        return replace(reading, failure_reason=reason)


def no_such_job_message(batch_id: str, location: Mapping[str, object]) -> str:
    """Return the error if neither the service nor the stack knows a job."""
    return (
        f"there is no batch job {batch_id} in project {location.get('projectId')}. Check the id, the region and the "
        "project. The service keeps the record of an ended job only for some hours."
    )


def read_stack_jobs(session: Session, targets: Sequence[Target]) -> list[Reading | DliError]:
    """Return each job of a stack, or the error of its call. Only jobs whose end is unknown need a call.

    Raises DliError for an error that all calls would have: the service cannot be reached, or refuses the account. If
    the jobs have several accounts, such an error is that of each job of its account.
    """
    groups: dict[ProviderContext, list[int]] = {}
    for number, target in enumerate(targets):
        groups.setdefault(session.context_of(target), []).append(number)
    found: dict[int, Reading | DliError] = {}
    for context, numbers in groups.items():
        try:
            readings = _read_group(JobReader(context), [targets[number] for number in numbers])
        except DliError as error:
            if len(groups) == 1:
                raise
            readings = [error] * len(numbers)
        found.update(zip(numbers, readings, strict=True))
    return [found[number] for number in range(len(targets))]


def _read_group(reader: JobReader, targets: Sequence[Target]) -> list[Reading | DliError]:
    """Return each of the jobs that have one account, or the error of its call."""
    known = [reader.known(target) for target in targets]
    unknown = [target for target, reading in zip(targets, known, strict=True) if reading is None]
    # Read the first job alone: five calls with a wrong signature lock a key.
    first = [_read_or_error(reader, target) for target in unknown[:1]]
    answers = iter([*first, *_side_by_side(lambda target: _read_or_error(reader, target), unknown[1:])])
    return [next(answers) if reading is None else reading for reading in known]


def _read_or_error(reader: JobReader, target: Target) -> Reading | DliError:
    try:
        return reader.read(target)
    except (SettingsError, SignInError, TransportError):
        raise
    except DliError as error:
        if _is_unauthorized(error):
            raise
        return error


def _is_unauthorized(error: DliError) -> bool:
    """Return whether the service or IAM refused the account. For a job in another location, that is the cause."""
    cause = error if isinstance(error, ServiceError) else error.__cause__
    return isinstance(cause, SignInError) or (
        isinstance(cause, ServiceError) and cause.status == HTTPStatus.UNAUTHORIZED
    )


def read_project_jobs(session: Session, *, with_ended: bool) -> list[tuple[Target, Reading]]:
    """Return the jobs of the project in the settings. Raises DliError."""
    client = session.context.client()
    jobs = {batch.id: batch for batch in client.batches({})} if with_ended else live_jobs(client)
    location = submitted_to(client.location)
    return [
        (Target(batch.id), Reading(batch, age=client.age_of(batch.create_time), location=location))
        for batch in jobs.values()
    ]


def _side_by_side(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return the result of the function for each item, in their order. Raise the first error.

    The calls run in daemon threads, so that ^C and an error end the program at once.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    results: dict[int, Result] = {}
    for number in range(len(items)):
        waiting.put(number)

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                number = waiting.get_nowait()
                try:
                    results[number] = function(items[number])
                    done.put(None)
                except BaseException as error:  # noqa: BLE001  the main thread raises it
                    done.put(error)

    for _ in range(min(_THREADS, len(items))):
        threading.Thread(target=work, daemon=True).start()
    for _ in items:
        if (error := done.get()) is not None:
            raise error
    return [results[number] for number in range(len(items))]
