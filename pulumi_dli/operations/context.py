"""What one process knows while it works for one stack: settings, connections, and what it has already seen and said."""

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
from pulumi_dli.api.errors import DliError, SettingsError
from pulumi_dli.api.http_session import HttpCall, log_call
from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.jobs.messages import forget_refusal, let_go_message
from pulumi_dli.operations.notifier import Level, Notifier
from pulumi_dli.operations.pollers import DeadJobListing
from pulumi_dli.operations.run_registry import RunRegistry
from pulumi_dli.operations.seen_ends import SeenEnds
from pulumi_dli.operations.submission import Submitter


class ProviderContext:
    """Settings, clients by place, and the memory of one process. Threads may share it.

    `stack_configuration` has keys as in `dli:region`, values decrypted. Nothing is read or called before it is needed:
    the settings and the credentials are resolved at the first call, which raises SettingsError.
    """

    _RECENT = 30.0

    def __init__(self, stack_configuration: Mapping[str, str], notifier: Notifier, clock: Clock | None = None) -> None:
        debug_log.turn_on()
        self.clock = clock or SystemClock()
        self.is_preview = False
        """True once an unknown value was met where only a preview has one."""
        self.runs = RunRegistry()
        """Which resource of the program holds which run."""
        self.ends = SeenEnds()
        """How runs have ended."""
        self._configuration = stack_configuration
        self._notifier = notifier
        self._notified: set[tuple[str, str]] = set()
        self._lock = threading.RLock()
        self._settings: Settings | None = None
        self._sign_in: SignIn | None = None
        self._clients: dict[Location, Client] = {}
        self._submitters: dict[Location, Submitter] = {}
        self._dead_jobs: dict[Location, DeadJobListing] = {}
        self._seen: dict[str, tuple[float, Batch]] = {}
        self._has_asked_for_project = False

    @property
    def settings(self) -> Settings:
        """The settings."""
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
        """The account with which this process works."""
        with self._lock:
            if self._sign_in is None:
                self._sign_in = SignIn(
                    self.settings, load_credentials(self._configuration), self._retry_policy, self._report_call
                )
            return self._sign_in

    def client(self, region: str | None = None, project_id: str | None = None) -> Client:
        """Give the client of a place; what is not given comes from the settings, or is asked of IAM."""
        sign_in = self.sign_in
        region = region or sign_in.region
        location = self.settings.location(project_id or sign_in.project_id(region), region)
        with self._lock:
            if location not in self._clients:
                auth = sign_in.auth(location.project_id, region)
                self._clients[location] = Client(
                    location, auth, self._retry_policy, verify=sign_in.verify, observe=self._report_call
                )
            return self._clients[location]

    def location_now(self, region: str | None = None, project_id: str | None = None) -> dict[str, str | None]:
        """Return the `region` and `projectId` where a job with these arguments would be submitted now.

        None for what is not known. Only the first call may ask IAM for the project, and only once, also if that fails:
        what is compared with it must not slow a plan down.
        """
        try:
            region = region or self.sign_in.region
            return {"region": region, "projectId": project_id or self._known_project_id(region)}
        except DliError:  # the first call that a job needs fails too, and tells why
            return {"region": region, "projectId": project_id}

    def _known_project_id(self, region: str | None) -> str | None:
        with self._lock:
            project_id = self.sign_in.known_project_id(region)
            if project_id is None and not self._has_asked_for_project:
                self._has_asked_for_project = True
                project_id = self.sign_in.project_id(region)
            return project_id

    def lets_go_of(self, location: Mapping[str, Any]) -> bool:
        """Tell whether `dli:forget` names the project of a place, so that nothing may be called there.

        Raises SettingsError if that is the project where jobs are submitted now: a job that must run again would then
        run beside its old run.
        """
        project_id = location.get("projectId")
        if project_id is None or project_id != self.settings.forget:
            return False
        if self.location_now()["projectId"] == project_id:
            raise SettingsError(forget_refusal(project_id))
        self.notify(Level.WARNING, "dli", let_go_message(str(project_id)))
        return True

    def client_of(self, submitted_to: Mapping[str, Any] | None) -> Client:
        """Give the client of the place where a job was submitted (`region`, `projectId`)."""
        location = submitted_to or {}
        return self.client(location.get("region"), location.get("projectId"))

    def submitter(self, client: Client) -> Submitter:
        """Give what submits with this client; one for all jobs, since it lists what is left behind only once."""
        with self._lock:
            if client.location not in self._submitters:
                self._submitters[client.location] = Submitter(
                    client,
                    self.clock,
                    lookup_window=self.settings.lookup_window,
                    adopt=self.settings.adopt,
                    runs=self.runs,
                    notifier=self,
                )
            return self._submitters[client.location]

    def dead_job_listing(self, client: Client) -> DeadJobListing:
        """Give the listing of dead jobs that all plans of this process share."""
        with self._lock:
            return self._dead_jobs.setdefault(client.location, DeadJobListing(client, self.clock))

    def remember(self, batch: Batch) -> None:
        """Remember a job as it was read just now."""
        self._seen[batch.id] = (self.clock.now(), batch)
        self.ends.record(batch.id, batch.batch_state)

    def recent(self, batch_id: str) -> Batch | None:
        """Give a job as it was read in the last 30 seconds."""
        seen_at, batch = self._seen.get(batch_id, (0.0, None))
        return batch if self.clock.now() - seen_at <= self._RECENT else None

    def notify(self, level: Level, resource: str, message: str) -> None:
        """Show the user a message about a job, once: the engine may ask the same thing twice."""
        with self._lock:
            is_new = (resource, message) not in self._notified
            self._notified.add((resource, message))
        if is_new:
            self._notifier.notify(level, resource, message)

    def _report_call(self, call: HttpCall) -> None:
        """Report a call to the debug log, and to the engine, which shows it with `pulumi --debug`."""
        log_call(call)
        self._notifier.notify(Level.DEBUG, "dli", str(call))
