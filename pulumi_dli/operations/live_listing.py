"""The listing of the live jobs of one project, which all operations of a process share."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock
from pulumi_dli.api.errors import DliError
from pulumi_dli.api.models import Batch
from pulumi_dli.operations.duplicates import runs_by_submission
from pulumi_dli.operations.pollers import live_jobs


class LiveListing:
    """Lists the live jobs of a project with one call for each live state, and keeps the list. Threads may share it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: Mapping[str, Batch] = {}
        self._by_submission: Mapping[str, Sequence[Batch]] = {}
        self._listed_at: float | None = None
        self._failure: DliError | None = None
        self._failed_at = 0.0

    @property
    def last_by_submission(self) -> Mapping[str, Sequence[Batch]]:
        """The jobs of the last listing by submission (see `runs_by_submission`). Empty if there was no listing."""
        return self._by_submission

    def jobs(self, max_age: float) -> Mapping[str, Batch]:
        """Return the live jobs by id, from a listing that is at most `max_age` seconds old.

        A job may have ended since. Raises DliError if a new listing is needed but fails. If threads ask at once and the
        listing fails, all of them get its error: a service that does not answer costs each the same time.
        """
        asked_at = self._clock.now()
        with self._lock:
            if self._listed_at is None or self._clock.now() - self._listed_at > max_age:
                if self._failure is not None and self._failed_at > asked_at:
                    raise self._failure
                self._list()
            return self._jobs

    def by_submission(self) -> Mapping[str, Sequence[Batch]]:
        """Return the jobs of a listing of any age by submission (see `runs_by_submission`).

        If the last listing failed, raise its error again without a call, so that 200 jobs do not repeat it 200 times.
        """
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._listed_at is None:
                self._list()
            return self._by_submission

    def _list(self) -> None:
        try:
            self._jobs = live_jobs(self._client)
        except DliError as error:
            self._failure, self._failed_at = error, self._clock.now()
            raise
        self._by_submission = runs_by_submission(self._jobs.values())
        self._listed_at, self._failure = self._clock.now(), None
