"""What to do with a job, decided from what is declared, what is stored and how the last run ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import messages
from pulumi_dli.jobs.inputs import ARGUMENTS, WIRE_NAMES, JobInputs, OnChange, OnRecordExpired
from pulumi_dli.jobs.outputs import StoredJob
from pulumi_dli.jobs.request import changes


class Action(StrEnum):
    """What a plan does with a job."""

    NONE = "none"
    UPDATE = "update"
    """Only options of the provider change: no call to the service."""
    REPLACE = "replace"
    """The job runs again; the old run is cancelled first if it still runs."""


@dataclass(frozen=True)
class Decision:
    """What to do, why in words for the user, and which properties are the cause."""

    action: Action
    reason: str = ""
    properties: tuple[str, ...] = ()


def compare(stored: StoredJob, declared: JobInputs, *, preview: bool) -> Decision:
    """Decide from the declarations alone. `preview`: unknown values come from a preview.

    Outside a preview an unknown value means that the engine asks whether this job depends on one that is about to be
    replaced. The answer is no change: it asks again once the value is known, which may well be the same.
    """
    is_lost = not any(name in stored.inputs.properties for name in WIRE_NAMES)
    if is_lost or (declared.unknown and not preview):
        return Decision(Action.NONE)  # outputs that were lost say nothing about the job
    differing = (*changes(stored.inputs, declared), *_moved(stored, declared))
    if differing:
        verb = "is not known yet" if set(differing) <= set(declared.unknown) else "changed"
        return Decision(Action.REPLACE, f"{', '.join(differing)} {verb}", differing)
    options = tuple(_updated(stored.inputs, declared))
    return Decision(Action.UPDATE, f"{', '.join(options)} changed", options) if options else Decision(Action.NONE)


def _arguments(on_change: OnChange) -> list[str]:
    return [name for name, argument in ARGUMENTS.items() if argument.on_change is on_change]


def _updated(stored: JobInputs, declared: JobInputs) -> list[str]:
    """Name the arguments of which the new value is only stored."""
    before, after = stored.properties, declared.properties
    known = (name for name in _arguments(OnChange.UPDATE) if name not in declared.unknown)
    return [name for name in known if before.get(name) != after.get(name)]


def _moved(stored: StoredJob, declared: JobInputs) -> list[str]:
    """Name the arguments in which the declaration wants another place than the one where the job ran."""
    there, wanted = stored.location, declared.properties
    return [
        name
        for name in _arguments(OnChange.MOVE)
        if name in wanted and there.get(name) is not None and wanted[name] != there[name]
    ]


def outcome(
    declared: JobInputs, batch_id: str, state: BatchState | None, *, expired: bool, waits_unread: bool = False
) -> Decision:
    """Decide from how the job ended. `state` is the last one known, `expired` that the service has no record of it.

    `waits_unread`: what the waits of the job have seen is not known.
    A decision that changes nothing may have a reason, which is a warning to the user.
    """
    if state is not None and state.is_failure and declared.rerun_on_failure:
        return Decision(Action.REPLACE, f"the last run, {batch_id}, is dead", ("state",))
    was_end_seen = state is not None and state.is_final
    if expired and not was_end_seen and declared.on_record_expired is OnRecordExpired.RERUN:
        if waits_unread:
            # A wait of the job may have seen its success, and the job must not run twice.
            return Decision(Action.NONE, messages.waits_unread_message(str(declared.resource_name), batch_id))
        reason = f"the record of the last run, {batch_id}, is gone, nobody saw its end, and onRecordExpired is rerun"
        return Decision(Action.REPLACE, reason, ("recordExpired",))
    return Decision(Action.NONE)
