"""Decides what a plan does with a job in the state, and tells the user why."""

from __future__ import annotations

from pulumi_dli.api.errors import DliError, JobError, SettingsError
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import diff, messages
from pulumi_dli.jobs.diff import Action, Decision
from pulumi_dli.jobs.inputs import JobInputs, OnRecordExpired, WhenRunning
from pulumi_dli.jobs.job_rules import FILE_MISSING
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.validation import known
from pulumi_dli.operations.context import ProviderContext
from pulumi_dli.operations.notifier import Level
from pulumi_dli.operations.run_registry import declared_key, stored_key
from pulumi_dli.operations.stored_jobs import StoredJobs, name_of


class Planner:
    """Decides whether jobs in the state stay, are updated or run again. Threads may share it."""

    def __init__(self, context: ProviderContext, jobs: StoredJobs) -> None:
        self._context = context
        self._jobs = jobs

    def plan(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> Decision:
        """Return the decision about a job. See `BatchJobs.plan`."""
        name = name_of(declared, stored.inputs)
        self._record(name, batch_id, stored, declared)
        if declared.file is None:
            self._context.notify(Level.WARNING, name, messages.absent_file_message(batch_id))
            # An update, not a replacement: `update` fails, and no run is cancelled.
            return Decision(Action.UPDATE, FILE_MISSING, ("file",))
        decision = self._decide(name, batch_id, stored, declared)
        if decision.action is Action.REPLACE:
            self._context.history.will_be_replaced(declared_key(declared), decision.reason)
        else:
            decision = self._with_duplicates(name, batch_id, stored, declared, decision)
        self._warn_of_move(name, batch_id, stored, declared, decision)
        return decision

    def _decide(self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs) -> Decision:
        decision = diff.compare(stored, declared, preview=self._context.is_preview)
        if decision.action is Action.REPLACE:
            return self._plan_replacement(name, batch_id, stored, declared, decision)
        if declared.unknown or self._context.is_forgotten(stored.location):
            return decision
        rerun = self._plan_rerun(name, batch_id, stored, declared)
        return rerun if rerun.action is Action.REPLACE else decision

    def _plan_rerun(self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs) -> Decision:
        """Decide whether the job must run again because of the end of its last run. Tell the user why."""
        expired, state = stored.is_expired, self._jobs.end_of(batch_id, stored)
        if state is None:
            expired, state = (True, stored.state) if expired else self._read_end(batch_id, stored, declared)
            if expired and declared.rerun_on_failure:
                # The end is unknown: with auto_recovery a dead job may have recovered. Without rerunOnFailure the
                # stored state stays, because neither of the two ends runs the job again.
                state = None
        waits_unread = self._context.ends.is_unread(declared_key(declared))
        rerun = diff.outcome(declared, batch_id, state, expired=expired, waits_unread=waits_unread)
        if not self._context.runs.is_declared(declared_key(declared)):
            # The engine has not called check, so this is a refresh. It runs nothing, and a wait may still know the end.
            return rerun
        if rerun.action is Action.REPLACE:
            is_failure = state is not None and state.is_failure
            # Perhaps nobody waits for the job, and every `up` was green.
            level = Level.WARNING if is_failure else Level.INFO
            message = messages.must_run_again_message(rerun.reason, stored.deaths_in_a_row + is_failure)
            self._context.notify(level, name, message)
            self._context.queue_sizes.warn_if_too_large(name, declared)
        elif rerun.reason:
            self._context.notify(Level.WARNING, name, rerun.reason)
        return rerun

    def _with_duplicates(
        self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs, decision: Decision
    ) -> Decision:
        """Decide on an update, which cancels the duplicates of the run, if the service has created some."""
        is_refresh = not self._context.runs.is_declared(declared_key(declared))
        if is_refresh or declared.unknown or not self._jobs.may_go_on(batch_id, stored):
            return decision
        # Make no call here: a plan without changes must not need more calls than the one that lists dead jobs.
        duplicates = self._jobs.duplicates(batch_id, stored, may_list=False)
        if not duplicates:
            return decision
        self._context.notify(Level.WARNING, name, messages.duplicates_message(batch_id, duplicates))
        return Decision(Action.UPDATE, decision.reason or "the service has accepted the job twice", decision.properties)

    def _warn_of_move(
        self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs, decision: Decision
    ) -> None:
        """Warn if the job ran in another location than the one where the settings would submit it now."""
        if not stored.location or {"region", "projectId"} & set(declared.unknown):
            return
        here = self._context.location_now(known(declared.region), known(declared.project_id))
        if stored.is_elsewhere(here):
            runs_again = decision.action is Action.REPLACE
            message = messages.moved_message(name, batch_id, stored.location, here, runs_again=runs_again)
            self._context.notify(Level.WARNING, name, message)

    def _record(self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs) -> None:
        """Record which resource holds the run, and its stored end. Warn if another resource has adopted the run."""
        self._context.ends.record(batch_id, stored.end())  # the wait needs it if the service has deleted the record
        runs, key = self._context.runs, declared_key(declared)
        if stored.inputs.adopt_id:
            runs.consume_adoption(key, str(stored.inputs.adopt_id))
        elif stored.properties:  # the program declares adoptId only since the last run
            runs.restore_adoption(key, str(declared.adopt_id))
        holder = runs.in_state(batch_id, stored_key=stored_key(stored.inputs), key=key)
        if holder is not None:
            self._context.notify(Level.WARNING, name, messages.shared_run_message(batch_id, holder=holder[0]))

    def _plan_replacement(
        self, name: str, batch_id: str, stored: StoredJob, declared: JobInputs, decision: Decision
    ) -> Decision:
        message = messages.must_run_again_message(decision.reason)
        if self._jobs.may_go_on(batch_id, stored):
            try:
                batch = self._jobs.read(batch_id, stored)
            except DliError as error:
                if declared.when_running is WhenRunning.REFUSE and not isinstance(error, SettingsError):
                    raise JobError(
                        messages.unread_run_refusal_message(name, decision.reason, batch_id, error)
                    ) from error
                self._context.notify(Level.WARNING, name, messages.unread_run_message(batch_id, error))
                batch = None
            if batch is not None and not batch.is_final:
                if declared.when_running is WhenRunning.REFUSE:
                    raise JobError(messages.running_refusal_message(name, decision.reason, batch_id, batch.state))
                message = messages.must_run_again_cancelling_message(decision.reason, batch_id, batch.state)
        self._context.notify(Level.INFO, name, message)
        self._context.queue_sizes.warn_if_too_large(name, declared)
        return decision

    def _read_end(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> tuple[bool, BatchState | None]:
        """Return whether the record of a job is deleted, and its state. None if the job is not dead or unknown."""
        try:
            batch = self._context.recent(batch_id)
            if batch is None and declared.on_record_expired is OnRecordExpired.RERUN:
                batch = self._jobs.read(batch_id, stored)
                if batch is None:
                    return True, stored.state
            if batch is not None:
                return False, batch.batch_state
            state = self._listed_state(batch_id, stored, declared)
        except DliError as error:  # one warning for all jobs, so it names none
            self._context.notify(Level.WARNING, "dli", messages.unread_ends_message(error))
        else:
            return False, state
        return False, None

    def _listed_state(self, batch_id: str, stored: StoredJob, declared: JobInputs) -> BatchState | None:
        """Return the state of a job from the listing of dead jobs, or None if the job is not dead."""
        state = self._context.dead_job_listing(self._jobs.client_of(stored)).state_of(batch_id)
        if state is not None and state.is_failure and declared.auto_recovery:
            batch = self._jobs.read(batch_id, stored)  # read it again: it may recover
            return batch.batch_state if batch is not None else state
        return state
