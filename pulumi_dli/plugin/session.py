"""What the resources of one configured provider share. Importing this module imports the operations."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.models import normal_id
from pulumi_dli.jobs.naming import resource_fingerprint_of
from pulumi_dli.operations.batch_job import BatchJobs
from pulumi_dli.operations.batch_job_wait import BatchJobWaits
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.forced_replacement import ForcedReplacement
from pulumi_dli.plugin.earlier_runs import EarlierRuns
from pulumi_dli.plugin.interruption import InterruptibleClock
from pulumi_dli.plugin.rows import Rows
from pulumi_dli.plugin.urn import Urn


class Session:
    """The operations, and what this process knows about the runs of jobs. Threads may share it.

    Args:
        configuration: Keys such as `dli:region`, values decrypted.
        rows: Shows messages to the user.
        clock: The clock of all calls and waits.
    """

    def __init__(self, configuration: Mapping[str, str], rows: Rows, clock: InterruptibleClock) -> None:
        self.rows = rows
        self.clock = clock
        self.context = ProviderContext(configuration, rows, clock, may_create_first=True, reruns_expired=False)
        self.jobs = BatchJobs(self.context)
        self.waits = BatchJobWaits(self.context)
        self.forced_replacement = ForcedReplacement(self.context, self.jobs)
        self.earlier_runs = EarlierRuns(self.context)
        self._lock = threading.Lock()
        self._texts: dict[str, tuple[str, ...]] = {}

    def resource_fingerprint(self, urn: Urn) -> str | None:
        """Return the fingerprint in the names of a resource's runs, or None if a setting is not valid."""
        try:
            return resource_fingerprint_of(urn.scope, self.context.settings.scope)
        except SettingsError:  # the first call to the service raises it again
            return None

    def remember_texts(self, batch_id: str, texts: Iterable[str]) -> None:
        """Remember the secret texts of a run: a wait for this run does not get them from the engine."""
        with self._lock:
            self._texts[normal_id(batch_id)] = tuple(texts)

    def texts_of(self, batch_id: object) -> tuple[str, ...]:
        """Return the secret texts of a run, as far as this process knows them."""
        with self._lock:
            return self._texts.get(normal_id(str(batch_id)), ())
