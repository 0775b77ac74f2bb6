"""Submitting a job: never lost, never twice.

The API has no idempotency key, and names may repeat. So each submission has a name of its own (`pulumi_dli.naming`),
by which it is found again where its reply was lost, and by which a later process finds what a killed one left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pulumi_dli.client import Client
from pulumi_dli.clock import Clock
from pulumi_dli.errors import DliError, NoAnswerError, RetryClass, ServiceError, SubmissionError
from pulumi_dli.models import LIVE_STATES, Batch
from pulumi_dli.naming import SubmissionName

Say = Callable[[str, str], None]
"""Tells the user something: the job's logical name, and the message."""

_MOST_REPEATS = 2
_LOOK_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds between looks for a submission without an answer; the last one repeats until the window is over."""


@dataclass(frozen=True)
class Order:
    """A job to be submitted. `fixed_name` is the name that the user gave, if any; `body` makes the request's body."""

    resource_name: str
    scope: str
    spec: str
    fixed_name: str | None
    body: Callable[[str], dict[str, Any]]


class Submitter:
    """Submits jobs in one project, and knows what an interrupted `up` left there. Threads may share it.

    `lookup_window` is the seconds for which a submission without an answer is looked for. `adopt` False: jobs left
    behind are not looked for. `deleted` has the ids that this process has cancelled: they are never taken over.
    """

    def __init__(
        self, client: Client, clock: Clock, *, lookup_window: float, adopt: bool, deleted: Container[str], say: Say
    ) -> None:
        self._client = client
        self._clock = clock
        self._lookup_window = lookup_window
        self._adopt = adopt
        self._deleted = deleted
        self._say = say
        self._lock = threading.Lock()
        self._live: list[Batch] | None = None

    def submit(self, order: Order) -> Batch:
        """Submit a job, or take over the run of it that an interrupted `up` left.

        Raises ServiceError where the service refuses: nothing runs. Raises SubmissionError where nothing was submitted
        because that could run the job twice, or where it is not known whether a job runs; the message says which.
        """
        left = self._left_behind(order) if self._adopt else None
        if left is not None:
            return left
        if order.fixed_name is not None:
            return self._submit_as(order, order.fixed_name, before=self._ids_named(order.fixed_name))
        name = SubmissionName.new(order.resource_name, order.scope, order.spec)
        return self._submit_as(order, str(name), before=frozenset())

    def _left_behind(self, order: Order) -> Batch | None:
        """Find a live run of this very job: only an `up` killed between submission and save leaves one."""
        candidates = []
        for batch in self._live_jobs():
            name = SubmissionName.parse(batch.name)
            if batch.id in self._deleted:
                continue
            if order.fixed_name is not None:
                if batch.name == order.fixed_name and _same_request(batch, order.body(order.fixed_name)) is True:
                    candidates.append(batch)
            elif name is not None and name.scope == order.scope:
                if name.spec == order.spec:
                    candidates.append(batch)
                else:
                    self._say(
                        order.resource_name,
                        f"an earlier run with another declaration still goes on: {_described(batch)}. An interrupted "
                        "`up` left it; cancel it in the console if it must not run beside the new one",
                    )
        again = (self._client.find(candidate.id) for candidate in candidates)
        found = [batch for batch in again if batch is not None]
        if len(found) > 1:
            listed = "; ".join(_described(batch) for batch in found)
            raise SubmissionError(
                f"{order.resource_name}: nothing was submitted. {len(found)} runs of this job go on that no state "
                f"knows: {listed}. Cancel all but one of them, and run `pulumi up` again: it takes over the last one."
            )
        if not found:
            return None
        self._say(order.resource_name, f"took over {_described(found[0])}, which an interrupted `up` had submitted")
        return found[0]

    def _live_jobs(self) -> list[Batch]:
        """List the jobs that have not ended, once, before this process submits anything."""
        with self._lock:
            if self._live is None:
                try:
                    self._live = [
                        batch for state in LIVE_STATES for batch in self._client.batches({"state": state.value})
                    ]
                except ServiceError as error:
                    if error.status != 403:
                        raise
                    raise SubmissionError(
                        f"nothing was submitted. {error} Before a job is submitted, the jobs that run are listed (IAM "
                        "action dli:jobs:list), so that none runs twice after an interrupted `up`. Without that "
                        "permission set dli:adopt to false."
                    ) from None
            return self._live

    def _ids_named(self, name: str) -> frozenset[str]:
        return frozenset(batch.id for batch in self._named(name))

    def _named(self, name: str) -> list[Batch]:
        """List the jobs of exactly this name; the service's filter may match a part of it."""
        return [batch for batch in self._client.batches({"job_name": name}) if batch.name == name]

    def _submit_as(self, order: Order, name: str, before: frozenset[str]) -> Batch:
        body = order.body(name)
        for repeat in range(_MOST_REPEATS + 1):
            answered = self._post(order, name, body)
            if answered is not None and not repeat:
                return answered
            found = self._look_up(order, name, body, before, patient=answered is not None)
            if answered is not None and all(batch.id != answered.id for batch in found):
                found.append(answered)
            if found:
                return self._keep_one(order, found)
        raise SubmissionError(
            f"{order.resource_name}: not submitted. The service gave no usable answer {_MOST_REPEATS + 1} times, and "
            f"it lists no job named {name}. Run `pulumi up` again when the service is well."
        )

    def _post(self, order: Order, name: str, body: dict[str, Any]) -> Batch | None:
        """Send the request; None where it may or may not have been carried out."""
        try:
            return self._client.create(body)
        except NoAnswerError as error:
            self._say(order.resource_name, f"{error}; looking for the job by its name, {name}")
        except ServiceError as error:
            if error.retry is not RetryClass.AMBIGUOUS:
                raise
            self._say(order.resource_name, f"{error} Looking for the job by its name, {name}")
        return None

    def _look_up(
        self, order: Order, name: str, body: dict[str, Any], before: frozenset[str], *, patient: bool
    ) -> list[Batch]:
        """Look for a submission until it is listed or the window is over; `patient`: until the window is over."""
        end = self._clock.now() + self._lookup_window
        looks = 0
        while True:
            pause = _LOOK_PAUSES[min(looks, len(_LOOK_PAUSES) - 1)]
            self._clock.sleep(min(pause, max(end - self._clock.now(), 0)))
            last_look = self._clock.now() >= end
            if last_look or not patient:
                found = self._ours(order, name, body, before)
                if found or last_look:
                    return found
            looks += 1

    def _ours(self, order: Order, name: str, body: dict[str, Any], before: frozenset[str]) -> list[Batch]:
        try:
            found = [batch for batch in self._named(name) if batch.id not in before]
        except DliError as error:
            raise SubmissionError(
                f"{order.resource_name}: a job may run. It was submitted as {name}, there was no usable answer, and "
                f"the jobs cannot be listed either: {error} The next `pulumi up` takes the job over while it runs."
            ) from None
        if order.fixed_name is None:
            return found
        found = [batch for batch in found if _same_request(batch, body) is not False]
        if len(found) > 1:
            raise SubmissionError(
                f"{order.resource_name}: submitted as {name} without a usable answer, and several new jobs have that "
                f"name: {', '.join(batch.id for batch in found)}. Cancel all but one, and give that one as adoptId."
            )
        return found

    def _keep_one(self, order: Order, found: list[Batch]) -> Batch:
        """Keep the first of the jobs that one submission has become, and cancel the others."""
        kept, *others = sorted(found, key=lambda batch: (batch.create_time or 0, batch.id))
        for batch in others:
            try:
                self._client.cancel(batch.id)
                self._say(order.resource_name, f"was accepted more than once; kept {kept.id}, cancelled {batch.id}")
            except DliError as error:
                self._say(
                    order.resource_name,
                    f"was accepted more than once; kept {kept.id}, and {batch.id} could not be cancelled: {error}",
                )
        return kept


def _described(batch: Batch) -> str:
    """Name a job so that a person can find it: id, name, state, owner, time."""
    created = (
        datetime.fromtimestamp(batch.create_time / 1000, UTC).strftime(", submitted %Y-%m-%d %H:%M:%S UTC")
        if batch.create_time
        else ""
    )
    owner = f", owner {batch.owner}" if batch.owner else ""
    return f"batch job {batch.id} ({batch.name}, {batch.state}{owner}{created})"


_REQ_BODY_NAMES = {"auto_recovery": "autoRecovery", "max_retry_times": "maxRetryTimes"}


def _same_request(batch: Batch, body: Mapping[str, Any]) -> bool | None:
    """Tell whether a job was made by this request; None where its `req_body` is not there.

    The service leaves some keys out of it and lower-cases the queue, so only what both have is compared.
    """
    request = batch.request()
    if request is None:
        return None
    for key, value in body.items():
        there = request.get(_REQ_BODY_NAMES.get(key, key))
        if key in ("queue", "cluster_name"):
            if isinstance(there, str) and there.lower() != str(value).lower():
                return False
        elif there is not None and there != value:
            return False
    return True
