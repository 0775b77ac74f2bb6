"""The context of one process that works for one stack: settings, clients, the run registry and shared listings."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from pulumi_dli.account import debug_log
from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.settings import Settings
from pulumi_dli.account.sign_in import SignIn
from pulumi_dli.api.client import Client
from pulumi_dli.api.clock import Clock, SystemClock
from pulumi_dli.api.errors import DliError, NoCredentialsError, SettingsError
from pulumi_dli.api.http_session import HttpCall, log_call
from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.jobs.messages import forget_message, forget_refusal_message
from pulumi_dli.operations.failure_summary import FailureSummary
from pulumi_dli.operations.live_listing import LiveListing
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.pollers import DeadJobListing
from pulumi_dli.operations.queue_sizes import QueueSizes
from pulumi_dli.operations.run_history import RunHistory
from pulumi_dli.operations.run_registry import RunRegistry
from pulumi_dli.operations.seen_ends import SeenEnds
from pulumi_dli.operations.submission import Submitter
from pulumi_dli.operations.young_runs import YoungRuns


class ProviderContext:
    """Holds the settings, the clients and the memory of one process. Threads may share it.

    It reads the settings and the credentials when they are first needed. That call raises SettingsError if they are
    missing or not valid.

    Args:
        stack_configuration: Keys such as `dli:region`, values decrypted.
        notifier: Shows messages to the user.
        clock: The clock of all calls and waits.
        may_create_first: Whether the engine may submit the replacement of a job before it deletes the old run.
        reruns_expired: Whether `onRecordExpired` can run a job again.
    """

    _MAX_AGE = 30.0

    def __init__(
        self,
        stack_configuration: Mapping[str, str],
        notifier: Notifier,
        clock: Clock | None = None,
        *,
        may_create_first: bool = False,
        reruns_expired: bool = True,
    ) -> None:
        debug_log.turn_on()
        self.clock = clock or SystemClock()
        self.is_preview = False
        """True if a check has seen an unknown value, which exists only in a preview."""
        self.runs = RunRegistry()
        """The registry of all runs of this process."""
        self.history = RunHistory()
        """The earlier runs of the resources that are being replaced."""
        self.summary = FailureSummary(self)
        """The outcomes of the waits."""
        self.ends = SeenEnds()
        """The final states of runs that this process knows."""
        self.young_runs = YoungRuns(self.clock, lambda: self.settings.lookup_window, self)
        """The search for runs that the service does not know yet."""
        self.queue_sizes = QueueSizes(self)
        """The sizes of the queues in the location of the settings."""
        self._configuration = stack_configuration
        self.may_create_first = may_create_first
        """Whether the engine may submit the replacement of a job before it deletes the old run."""
        self.reruns_expired = reruns_expired
        """Whether `onRecordExpired` can run a job again."""
        self._notifier = notifier
        self._notified: set[tuple[str, str]] = set()
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._sign_in: SignIn | None = None
        self._clients: dict[Location, Client] = {}
        self._submitters: dict[Location, Submitter] = {}
        self._dead_jobs: dict[Location, DeadJobListing] = {}
        self._live_jobs: dict[Location, LiveListing] = {}
        self._recent: dict[str, tuple[float, Batch]] = {}
        self._has_asked_for_project = False

    @property
    def settings(self) -> Settings:
        """The settings of the stack. Raises SettingsError if one of them is not valid."""
        with self._lock:
            if self._settings is None:
                self._settings = Settings.load(self._configuration)
            return self._settings

    @property
    def _retry_policy(self) -> RetryPolicy:
        settings = self.settings
        return RetryPolicy(settings.request_timeout, settings.max_retries, settings.retry_pause, self.clock)

    @property
    def sign_in(self) -> SignIn:
        """The account that this process uses. Raises SettingsError if there are no credentials."""
        with self._lock:
            if self._sign_in is None:
                self._sign_in = SignIn(
                    self.settings,
                    load_credentials(self._configuration),
                    self._retry_policy,
                    observe=self._report_call,
                    warn=lambda message: self.notify(Level.WARNING, "dli", message),
                )
            return self._sign_in

    def has_credentials(self) -> bool:
        """Return False if there are no credentials in any place. An incomplete set counts: the first call explains."""
        try:
            return self.sign_in is not None
        except NoCredentialsError:
            return False
        except SettingsError:
            return True

    def client(self, region: str | None = None, project_id: str | None = None) -> Client:
        """Return the client of a location. By default the location comes from the settings and from IAM.

        Raises SettingsError if the location or the credentials are missing, and the errors of a call to IAM.
        """
        sign_in = self.sign_in
        region = region or sign_in.region
        location = sign_in.location(project_id or sign_in.project_id(region), region)
        with self._lock:
            if location not in self._clients:
                auth = sign_in.auth(location.project_id, region)
                self._clients[location] = Client(
                    location,
                    auth,
                    self._retry_policy,
                    verify=sign_in.verify,
                    observe=self._report_call,
                    name_of=self.settings.place.name_with_owner,
                )
            return self._clients[location]

    def location_now(self, region: str | None = None, project_id: str | None = None) -> dict[str, str | None]:
        """Return the `region` and `projectId` where a job with these arguments would be submitted now.

        A value is None if it is unknown. Only the first use may ask IAM for the project, and asks only once, even if
        that fails, so that a plan stays fast.
        """
        try:
            region = region or self.sign_in.region
            return {"region": region, "projectId": project_id or self._known_project_id(region)}
        except DliError:  # the first call that a job needs raises it again
            return {"region": region, "projectId": project_id}

    def _known_project_id(self, region: str | None) -> str | None:
        with self._lock:
            project_id = self.sign_in.known_project_id(region)
            if project_id is None and not self._has_asked_for_project:
                self._has_asked_for_project = True
                project_id = self.sign_in.project_id(region)
            return project_id

    def is_forgotten(self, location: Mapping[str, Any]) -> bool:
        """Return whether `dli:forget` names the project of a location. Nothing may then be called there.

        Raises SettingsError if it is the project where jobs are submitted now, because a job that must run again would
        then run beside its old run.
        """
        project_id = location.get("projectId")
        if project_id is None or project_id != self.settings.forget:
            return False
        if self.location_now()["projectId"] == project_id:
            raise SettingsError(forget_refusal_message(project_id))
        self.notify(Level.WARNING, "dli", forget_message(str(project_id)))
        return True

    def client_of(self, submitted_to: Mapping[str, Any] | None) -> Client:
        """Return the client of the location where a job was submitted (`region`, `projectId`). Raises as `client`."""
        location = submitted_to or {}
        return self.client(location.get("region"), location.get("projectId"))

    def submitter(self, client: Client) -> Submitter:
        """Return the submitter for a client. All jobs share it, so that it lists orphaned runs only once a minute."""
        with self._lock:
            if client.location not in self._submitters:
                self._submitters[client.location] = Submitter(
                    client,
                    self.clock,
                    lookup_window=self.settings.lookup_window,
                    adopt=self.settings.adopt,
                    live=self.live_listing(client),
                    young=self.young_runs,
                    runs=self.runs,
                    notifier=self,
                    may_create_first=self.may_create_first,
                )
            return self._submitters[client.location]

    def dead_job_listing(self, client: Client) -> DeadJobListing:
        """Return the listing of dead jobs for a client. All plans of this process share it."""
        with self._lock:
            return self._dead_jobs.setdefault(client.location, DeadJobListing(client, self.clock))

    def live_listing(self, client: Client) -> LiveListing:
        """Return the listing of live jobs for a client. All operations of this process share it."""
        with self._lock:
            return self._live_jobs.setdefault(client.location, LiveListing(client, self.clock))

    def listed_runs(self, submission: str) -> list[Batch]:
        """Return the live runs of a submission in the listings that this process has made, without a call."""
        with self._lock:
            return [
                run for listing in self._live_jobs.values() for run in listing.last_by_submission.get(submission, ())
            ]

    def remember(self, batch: Batch) -> None:
        """Remember a job that was just read: for `recent`, and its end."""
        self._recent[batch.id] = (self.clock.now(), batch)
        self.young_runs.created(batch.id, batch.create_time)
        self.ends.record(batch.id, batch.batch_state)

    def recent(self, batch_id: str) -> Batch | None:
        """Return a job if it was read in the last 30 seconds, or else None."""
        read_at, batch = self._recent.get(batch_id, (0.0, None))
        return batch if self.clock.now() - read_at <= self._MAX_AGE else None

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show a message about a job, but each message only once, because the engine may call an operation twice."""
        with self._lock:
            is_new = (resource, message) not in self._notified
            self._notified.add((resource, message))
        if is_new:
            self._notifier.notify(level, resource, message)

    def _report_call(self, call: HttpCall) -> None:
        """Report a call to the debug log, and to the engine, which shows it with `pulumi --debug`."""
        log_call(call)
        self._notifier.notify(Level.DEBUG, "dli", str(call))
