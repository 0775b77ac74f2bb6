"""Tells a run that the service does not know yet from a run whose record the service has deleted.

The service deletes the record of a run some hours after its end. So if it does not know a run that is only minutes
old, a part of the service lags behind, and the run goes on.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.models import Batch, normal_id
from pulumi_dli.api.retry import LOOKUP_PAUSES, poll
from pulumi_dli.jobs.messages import unknown_young_run_message
from pulumi_dli.operations.notifier import Level, Notifier

_MAX_AGE = 600.0
"""Seconds after the submission for which a run is young."""


class YoungRuns:
    """Searches patiently for young runs. Threads may share it.

    All young runs of a process share one lookup window, because one cause makes all of them unknown.

    Args:
        clock: Measures the lookup window and sleeps.
        lookup_window: Returns the seconds for which to search.
        notifier: Shows messages to the user.
    """

    def __init__(self, clock: Clock, lookup_window: Callable[[], float], notifier: Notifier) -> None:
        self._clock = clock
        self._lookup_window = lookup_window
        self._notifier = notifier
        self._lock = threading.Lock()
        self._created: dict[str, int] = {}
        self._submitted: dict[str, float] = {}
        self._first_missing: float | None = None

    def created(self, batch_id: str, create_time: int | None) -> None:
        """Record the `create_time` of a run, in milliseconds since 1970."""
        if create_time is not None:
            self._created[normal_id(batch_id)] = create_time

    def submitted(self, batch_id: str) -> None:
        """Record that this process has just submitted a run."""
        self._submitted[normal_id(batch_id)] = self._clock.now()

    def is_young(self, client: Client, batch_id: str) -> bool:
        """Return whether a run is less than ten minutes old. A run of unknown age is not young."""
        submitted = self._submitted.get(normal_id(batch_id), -math.inf)
        age = client.age_of(self._created.get(normal_id(batch_id)))
        return self._clock.now() - submitted < _MAX_AGE or (age is not None and age < _MAX_AGE)

    def may_appear(self, client: Client, batch_id: str, job_name: str) -> bool:
        """Return whether to ask again for a run that the service has just said it does not know. Tell the user."""
        if not self.is_young(client, batch_id) or self._clock.now() >= self._end_of_window(batch_id):
            return False
        self._notifier.notify(Level.INFO, job_name, unknown_young_run_message(batch_id, self._lookup_window()))
        return True

    def _end_of_window(self, batch_id: str) -> float:
        """Return the time until which to search for a young run. The window begins with the first one that is missing.

        For a run that is submitted later, the window begins with the submission.
        """
        with self._lock:
            self._first_missing = self._clock.now() if self._first_missing is None else self._first_missing
            start = max(self._first_missing, self._submitted.get(normal_id(batch_id), -math.inf))
        return start + self._lookup_window()

    def find_listed(self, client: Client, listed: Batch, job_name: str) -> Batch | None:
        """Return a listed run as it is now, as `find` does: a listing may be a minute old."""
        self.created(listed.id, listed.create_time)
        return self.find(client, listed.id, job_name)

    def find(self, client: Client, batch_id: str, job_name: str) -> Batch | None:
        """Return a run, or None if the service has no record of it. Search for a young run in the lookup window.

        Raises as `Client.find` does.
        """
        batch = client.find(batch_id)
        if batch is not None or not self.may_appear(client, batch_id, job_name):
            return batch
        return poll(
            lambda: client.find(batch_id),
            every=LOOKUP_PAUSES,
            deadline=self._end_of_window(batch_id),
            clock=self._clock,
        )
