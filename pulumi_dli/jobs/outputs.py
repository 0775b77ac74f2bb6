"""The outputs of a job: what the state stores of it, and what the stored outputs say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.properties import Properties
from pulumi_dli.jobs.redaction import masked_lines


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
    return state is not None and state.is_final and not (state.is_failure and stored.get("autoRecovery"))


def may_recover(batch: Batch) -> bool:
    """True where a job is dead, but with auto_recovery, so that it may be about to come back."""
    return batch.is_failure and bool((batch.request() or {}).get("autoRecovery"))


def duration(batch: Batch) -> int | None:
    """Give how long a job has run, in milliseconds.

    The details call does not tell (dli_02_0126). There it is the time from the creation to the last change of a job
    that has ended, so it counts what the job waited for capacity.
    """
    if batch.duration is None and batch.is_final and batch.create_time is not None and batch.update_time is not None:
        return max(batch.update_time - batch.create_time, 0)
    return batch.duration


def of_job(declared: Properties, batch: Batch, place: Mapping[str, str | None]) -> dict[str, Any]:
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
