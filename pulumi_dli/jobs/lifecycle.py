"""What is to be done with a job, decided from what is declared, what is stored and what the service says.

Pure: declared and stored properties in, a decision with its reason in words out. Nothing here makes a call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pulumi_dli.api.clock import format_duration
from pulumi_dli.api.models import Batch, BatchState
from pulumi_dli.jobs.properties import OPTIONS, WIRE_NAMES, Properties, changes
from pulumi_dli.jobs.redaction import masked_lines
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


def place_of(stored: Properties) -> Mapping[str, Any]:
    """Give where a job was submitted, `region` and `projectId`, as far as that is stored."""
    place = stored.get("submittedTo")
    return place if isinstance(place, Mapping) else {}


def stored_state(stored: Properties) -> BatchState | None:
    """Give the last state that was stored."""
    state = stored.get("state")
    return BatchState.parse(state) if isinstance(state, str) else None


def is_final(stored: Properties) -> bool:
    """True where the stored state says that the job has ended for good: with auto_recovery a dead one may come back."""
    state = stored_state(stored)
    return state is BatchState.SUCCESS or (state is BatchState.DEAD and not stored.get("autoRecovery"))


def may_recover(batch: Batch) -> bool:
    """True where a job is dead, but with auto_recovery, so that it may be about to come back."""
    return batch.batch_state is BatchState.DEAD and bool((batch.request() or {}).get("autoRecovery"))


def outcome(declared: Properties, batch_id: str, state: BatchState | None, *, expired: bool) -> Decision:
    """Decide from how the job ended. `state` is the last one known, `expired` that the service has no record of it."""
    if state is BatchState.DEAD and declared.get("rerunOnFailure", True) is not False:
        return Decision(Action.REPLACE, f"the last run, {batch_id}, is dead", ("state",))
    if expired and (state is None or not state.is_final) and declared.get("onRecordExpired") == "rerun":
        reason = f"the record of the last run, {batch_id}, is gone, nobody saw its end, and onRecordExpired is rerun"
        return Decision(Action.REPLACE, reason, ("recordExpired",))
    return Decision(Action.NONE)


def duration(batch: Batch) -> int | None:
    """Give how long a job has run, in milliseconds.

    The details call does not tell (dli_02_0126). There it is the time from the creation to the last change of a job
    that has ended, so it counts what the job waited for capacity.
    """
    if batch.duration is None and batch.is_final and batch.create_time is not None and batch.update_time is not None:
        return max(batch.update_time - batch.create_time, 0)
    return batch.duration


def outputs(declared: Properties, batch: Batch, place: Mapping[str, str | None]) -> dict[str, Any]:
    """Make the outputs of a job: what was declared, under the same names, and what the service says, under its own."""
    return {**declared, **observed(batch, place, declared.get("redact"))}


def observed(batch: Batch, place: Mapping[str, str | None], redact: Sequence[str] | None) -> dict[str, Any]:
    """Make the outputs in which the service speaks. `redact` has the texts to be masked in the job's log."""
    app_id = batch.app_id[:1] if isinstance(batch.app_id, list) else [batch.app_id]
    state = batch.batch_state
    return {
        "state": state.value if state is not None else batch.state,
        "appId": "".join(filter(None, app_id)) or None,
        "owner": batch.owner or None,
        "proxyUser": batch.proxy_user or None,
        "kind": batch.kind or None,
        "log": masked_lines(batch.log, redact),
        "createTime": batch.create_time,
        "updateTime": batch.update_time,
        "duration": duration(batch),
        "submittedName": batch.name or None,
        "effectiveScType": batch.sc_type or None,
        "effectiveQueue": batch.queue or batch.cluster_name or None,
        "submittedTo": dict(place),
        "recordExpired": False,
    }


OBSERVED: tuple[str, ...] = tuple(observed(Batch(id="-"), {}, None))
"""The outputs in which the service speaks, by name."""


def refreshed(stored: Properties, batch: Batch | None) -> dict[str, Any]:
    """Make the outputs after a refresh. Where the record is gone, what was known stays."""
    if batch is None:
        return {**stored, "recordExpired": True}
    news = observed(batch, place_of(stored), stored.get("redact"))
    kept = ("state", "submittedName")  # absent from some replies; an end that was seen is never forgotten
    return {**stored, **{key: value for key, value in news.items() if value is not None or key not in kept}}


class Until(StrEnum):
    """What a wait waits for."""

    SUCCESS = "success"
    RUNNING = "running"
    FINISHED = "finished"

    def is_reached(self, state: BatchState | None) -> bool:
        """True where a job in this state has reached what is waited for."""
        if self is Until.RUNNING:
            return state in (BatchState.RUNNING, BatchState.RECOVERING, BatchState.SUCCESS)
        if self is Until.FINISHED:
            return state is not None and state.is_final
        return state is BatchState.SUCCESS

    def is_missed(self, state: BatchState | None) -> bool:
        """True where a job in this state can no longer reach what is waited for."""
        return state is BatchState.DEAD and self is not Until.FINISHED


def lasted(batch: Batch) -> str:
    """Say how long a job has lasted, as far as the service tells; an empty string where it does not."""
    milliseconds = duration(batch)
    return "" if milliseconds is None else f" after {format_duration(milliseconds / 1000)}"


def dead_message(
    job_name: str, batch: Batch, log: Sequence[str], *, reruns: bool, others: Mapping[str, str] | None = None
) -> str:
    """Write what the person needs who finds a dead job: which, how long, its last words, what to do.

    `others` are the states of the jobs that go on meanwhile, by name.
    """
    lines = [line.rstrip() for line in log if line.strip()]
    at_work = ", ".join(f"{name} ({state})" for name, state in sorted((others or {}).items()))
    last_words = "\n".join(["Last lines of its log:", *(f"  | {line}" for line in lines)])
    what_next = (
        "Mend the cause, then run `pulumi up`: it runs the job again."
        if reruns
        else "`pulumi up` does not run it again by itself: rerunOnFailure is false, or the job is not of this stack. "
        f"For a job of this stack: change its declaration, or `pulumi up --replace '**dli:BatchJob::{job_name}'`."
    )
    return "\n".join(
        [
            f"{job_name}: batch job {batch.id} is dead{lasted(batch)}: it failed, was cancelled, or got no resources.",
            last_words if lines else "The service has no log lines of it.",
            what_next,
            *([f"Still at work: {at_work}. The next `pulumi up` goes on waiting for them."] if at_work else []),
        ]
    )


def unknown_message(job_name: str, batch_id: str) -> str:
    """Write what the person needs whose job's record the service has deleted before anybody saw how it ended."""
    return (
        f"{job_name}: the service has no record of batch job {batch_id} any more, and nobody saw how it ended: outcome "
        "unknown. Look at what the job should have written. To run it again: "
        f"`pulumi up --replace '**dli:BatchJob::{job_name}'`, or set onRecordExpired to rerun."
    )


def timeout_message(job_name: str, batch: Batch, timeout: float) -> str:
    """Write what the person needs whose wait ended before the job."""
    return (
        f"{job_name}: batch job {batch.id} is still {batch.state} after a wait of {format_duration(timeout)}. "
        "It goes on; the next `pulumi up` goes on waiting. A longer timeout, or none, waits longer."
    )
