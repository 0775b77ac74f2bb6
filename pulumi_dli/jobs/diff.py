"""Decides what a plan does with a job: from its declaration, its stored outputs and the end of its last run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES, JobInputs, OnChange, OnRecordExpired, Properties
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob, is_repeated_secret
from pulumi_dli.jobs.request import changes, rewritten
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS


class Action(StrEnum):
    """What a plan does with a job."""

    NONE = "none"
    UPDATE = "update"
    """Store new options of the provider, without a call to the service."""
    REPLACE = "replace"
    """Run the job again. The old run is cancelled first if it still runs."""


@dataclass(frozen=True)
class Decision:
    """The action, the reason in words for the user, and the properties that are the reason."""

    action: Action
    reason: str = ""
    properties: tuple[str, ...] = ()


def compare(stored: StoredJob, declared: JobInputs, *, preview: bool) -> Decision:
    """Return the decision that follows from the declaration and the stored outputs, without the state of the run.

    Outside a preview, an unknown value means that another resource is about to be replaced, and that the engine wants
    to know whether to replace this job before it. The decision is then no change. The engine calls diff again when the
    value is known, and the value may be the old one.

    Args:
        stored: The stored outputs. If they are lost, they tell nothing, and the decision is no change.
        declared: The declaration.
        preview: Whether unknown values come from a preview.
    """
    is_lost = not any(name in stored.inputs.properties for name in WIRE_NAMES)
    if is_lost or (declared.unknown and not preview):
        return Decision(Action.NONE)
    differing = (*changes(stored.inputs, declared), *_moved(stored, declared))
    if differing:
        verb = "is not known yet" if set(differing) <= set(declared.unknown) else "changed"
        return Decision(Action.REPLACE, f"{', '.join(differing)} {verb}", differing)
    options = tuple(_changed_options(stored.inputs, declared))
    return Decision(Action.UPDATE, f"{', '.join(options)} changed", options) if options else Decision(Action.NONE)


def _arguments(on_change: OnChange) -> list[str]:
    return [name for name, argument in ARGUMENTS.items() if argument.on_change is on_change]


def _changed_options(stored: JobInputs, declared: JobInputs) -> list[str]:
    """Return the changed arguments that need only an update."""
    before, after = stored.properties, declared.properties
    options = (name for name in _arguments(OnChange.UPDATE) if before.get(name) != after.get(name))
    changed = (*options, *rewritten(stored, declared), *_newly_secret(before, after))
    return [name for name in changed if name not in declared.unknown]


def _newly_secret(before: Properties, after: Properties) -> list[str]:
    """Return the hidden input of secret paths if it changes which outputs are secret."""
    outputs = [output for output in OBSERVED.values() if output.repeats]
    is_new = any(is_repeated_secret(output, before) != is_repeated_secret(output, after) for output in outputs)
    return [SECRET_INPUTS] if is_new else []


def _moved(stored: StoredJob, declared: JobInputs) -> list[str]:
    """Return the arguments that name another location than the one where the job ran."""
    ran_in, wanted = stored.location, declared.properties
    return [
        name
        for name in _arguments(OnChange.MOVE)
        if name in wanted and ran_in.get(name) is not None and wanted[name] != ran_in[name]
    ]


def outcome(
    declared: JobInputs, batch_id: str, state: BatchState | None, *, expired: bool, waits_unread: bool = False
) -> Decision:
    """Return the decision that follows from the end of the last run.

    A decision to do nothing may have a reason, which is a warning for the user.

    Args:
        declared: The declaration.
        batch_id: The id of the last run.
        state: Its last known state.
        expired: Whether the service has deleted its record.
        waits_unread: Whether a wait of the job may have seen the end, but the program could not read the state.
    """
    if state is not None and state.is_failure and declared.rerun_on_failure:
        return Decision(Action.REPLACE, f"the last run, {batch_id}, is dead", ("state",))
    was_end_seen = state is not None and state.is_final
    if expired and not was_end_seen and declared.on_record_expired is OnRecordExpired.RERUN:
        if waits_unread:
            # A wait of the job may have seen its success, and the job must not run twice.
            return Decision(Action.NONE, messages.waits_unread_message(str(declared.resource_name), batch_id))
        reason = (
            f"the service has deleted the record of the last run, {batch_id}, nobody saw its end, and onRecordExpired "
            "is rerun"
        )
        return Decision(Action.REPLACE, reason, ("recordExpired",))
    return Decision(Action.NONE)
