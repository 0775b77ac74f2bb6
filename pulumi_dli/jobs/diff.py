"""What to do with a job, decided from what is declared, what is stored and how the last run ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.outputs import place_of
from pulumi_dli.jobs.properties import OPTIONS, WIRE_NAMES, Properties, changes
from pulumi_dli.jobs.validation import is_known


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


def compare(stored: Properties, declared: Properties, *, preview: bool) -> Decision:
    """Decide from the declarations alone. `preview`: unknown values come from a preview.

    Outside a preview an unknown value means that the engine asks whether this job depends on one that is about to be
    replaced. The answer is no change: it asks again once the value is known, which may well be the same.
    """
    if not any(stored.get(name) is not None for name in WIRE_NAMES):
        return Decision(Action.NONE)  # outputs that were lost say nothing about the job
    unknown = tuple(name for name, value in declared.items() if not is_known(value))
    if unknown and not preview:
        return Decision(Action.NONE)
    differing = (*changes(stored, declared), *_moved(stored, declared))
    if differing:
        verb = "is not known yet" if set(differing) <= set(unknown) else "changed"
        return Decision(Action.REPLACE, f"{', '.join(differing)} {verb}", differing)
    options = tuple(
        name
        for name in (*OPTIONS, "redact")  # what is newly marked as secret is to be stored as such
        if name not in _NOT_COMPARED and stored.get(name) != declared.get(name) and name not in unknown
    )
    return Decision(Action.UPDATE, f"{', '.join(options)} changed", options) if options else Decision(Action.NONE)


_NOT_COMPARED = ("region", "projectId", "triggers", "replacementTrigger", "adoptId")
"""Options that the plan does not compare as such: where the job runs, what re-runs it, what it was taken over from."""


def _moved(stored: Properties, declared: Properties) -> list[str]:
    """Name `region` or `projectId` where the declaration wants another place than the one where the job ran."""
    place = place_of(stored)
    return [
        name
        for name in ("region", "projectId")
        if declared.get(name) is not None and place.get(name) is not None and declared[name] != place[name]
    ]


def outcome(declared: Properties, batch_id: str, state: BatchState | None, *, expired: bool) -> Decision:
    """Decide from how the job ended. `state` is the last one known, `expired` that the service has no record of it."""
    if state is not None and state.is_failure and declared.get("rerunOnFailure", True) is not False:
        return Decision(Action.REPLACE, f"the last run, {batch_id}, is dead", ("state",))
    if expired and (state is None or not state.is_final) and declared.get("onRecordExpired") == "rerun":
        reason = f"the record of the last run, {batch_id}, is gone, nobody saw its end, and onRecordExpired is rerun"
        return Decision(Action.REPLACE, reason, ("recordExpired",))
    return Decision(Action.NONE)
