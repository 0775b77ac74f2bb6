"""The outputs of a job: what the state stores of it, and what the stored outputs say.

An output is declared or observed:

* Declared ones are the arguments (`jobs.inputs.ARGUMENTS`) under the same names. A refresh keeps them. An update
  replaces them, but for those with `is_kept_on_update`.
* Observed ones are in `OBSERVED`. A refresh replaces them, but for those with `is_kept_on_refresh` that the reply does
  not have. An update keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs, Properties
from pulumi_dli.jobs.redaction import masked_lines


@dataclass(frozen=True)
class StoredJob:
    """What the state has of a job: nothing where its outputs were lost; what nobody knows today is kept."""

    properties: Properties
    inputs: JobInputs
    """What was declared when the job was submitted or updated."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Read stored outputs. Whatever they are, they can be read."""
        return cls(properties, JobInputs.parse({name: properties.get(name) for name in ARGUMENTS}))

    @property
    def is_ours(self) -> bool:
        """True where a refresh follows: not for a job that the program gets, nor where its outputs were lost."""
        return "submittedTo" in self.properties

    @property
    def location(self) -> Mapping[str, Any]:
        """Where the job was submitted, `region` and `projectId`, as far as that is stored."""
        location = self.properties.get("submittedTo")
        return location if isinstance(location, Mapping) else {}

    def is_elsewhere(self, location: Mapping[str, Any]) -> bool:
        """True where the job ran in another region or project than this one, as far as both are known."""
        pairs = ((self.location.get(name), location.get(name)) for name in ("region", "projectId"))
        return any(None not in (there, here) and there != here for there, here in pairs)

    @cached_property
    def state(self) -> BatchState | None:
        """The last state that was stored."""
        state = self.properties.get("state")
        return BatchState.parse(state) if isinstance(state, str) else None

    @property
    def is_expired(self) -> bool:
        """True where a refresh has found that the service has no record of the job."""
        return bool(self.properties.get("recordExpired"))

    def end(self, seen: BatchState | None = None) -> BatchState | None:
        """Return how the job has ended for good: as it is stored, or as `seen` elsewhere. None if it may go on.

        With auto_recovery a dead job may come back.
        """
        states = (state for state in (self.state, seen) if state is not None and state.is_final)
        return next((state for state in states if not (state.is_failure and self.inputs.auto_recovery)), None)


def may_recover(batch: Batch) -> bool:
    """Tell whether a job is dead, but with auto_recovery, so that it may be about to come back."""
    return batch.is_failure and bool((batch.request() or {}).get("autoRecovery"))


def duration(batch: Batch) -> int | None:
    """Give how long a job has run, in milliseconds.

    The details call does not tell (dli_02_0126). There it is the time from the creation to the last change of a job
    that has ended, so it counts what the job waited for capacity.
    """
    if batch.duration is None and batch.is_final and batch.create_time is not None and batch.update_time is not None:
        return max(batch.update_time - batch.create_time, 0)
    return batch.duration


def _state(batch: Batch) -> str | None:
    state = batch.batch_state
    return state.value if state is not None else batch.state


def _app_id(batch: Batch) -> str | None:
    app_ids = batch.app_id if isinstance(batch.app_id, list) else [batch.app_id]
    return next(iter(app_ids), None) or None


@dataclass(frozen=True)
class Output:
    """How an observed output is read from a reply, and what becomes of it."""

    read: Callable[[Batch], Any]
    is_kept_on_refresh: bool = False
    """It stays as it is stored where a reply does not have it."""
    is_verdict: bool = False
    """A wait has it too: the job as it was when the wait ended."""
    is_masked: bool = False
    """The secret texts among the arguments are masked in its lines."""


OBSERVED: dict[str, Output] = {
    # Some replies have no state, and an end that was seen is never forgotten.
    "state": Output(_state, is_kept_on_refresh=True, is_verdict=True),
    "appId": Output(_app_id, is_verdict=True),
    "owner": Output(lambda batch: batch.owner or None),
    "proxyUser": Output(lambda batch: batch.proxy_user or None),
    "kind": Output(lambda batch: batch.kind or None),
    "log": Output(lambda batch: batch.log, is_verdict=True, is_masked=True),
    "createTime": Output(lambda batch: batch.create_time, is_verdict=True),
    "updateTime": Output(lambda batch: batch.update_time, is_verdict=True),
    "duration": Output(duration, is_verdict=True),
    "submittedName": Output(lambda batch: batch.name or None, is_kept_on_refresh=True),
    "effectiveScType": Output(lambda batch: batch.sc_type or None),
    "effectiveQueue": Output(lambda batch: batch.queue or batch.cluster_name or None),
    "submittedTo": Output(lambda _: None, is_kept_on_refresh=True),  # known to who submits the job
    "recordExpired": Output(lambda _: False),
}
"""The outputs in which the service speaks, by name."""

VERDICT: tuple[str, ...] = tuple(name for name, output in OBSERVED.items() if output.is_verdict)
"""The outputs of a wait, by the names of the job's own outputs."""


def observed(batch: Batch, redact: Sequence[str] | None) -> dict[str, Any]:
    """Read the outputs in which the service speaks. `redact` has the texts to be masked in the job's log."""
    return _masked({name: output.read(batch) for name, output in OBSERVED.items()}, redact)


def verdict(batch: Batch, redact: Sequence[str] | None) -> dict[str, Any]:
    """Read the outputs of a wait."""
    return {name: value for name, value in observed(batch, redact).items() if name in VERDICT}


def of_job(declared: JobInputs, batch: Batch, location: Mapping[str, str | None]) -> dict[str, Any]:
    """Make the outputs of a job: what was declared, under the same names, and what the service says, under its own."""
    return {**declared.properties, **observed(batch, declared.redact), "submittedTo": dict(location)}


def refreshed(stored: StoredJob, batch: Batch | None) -> dict[str, Any]:
    """Make the outputs after a refresh. Where the record is gone, what was known stays."""
    if batch is None:
        return {**stored.properties, "recordExpired": True}
    news = observed(batch, stored.inputs.redact)
    kept = {name for name, value in news.items() if value is None and OBSERVED[name].is_kept_on_refresh}
    return {**stored.properties, **{name: value for name, value in news.items() if name not in kept}}


def updated(stored: StoredJob, declared: JobInputs) -> dict[str, Any]:
    """Make the outputs after an update: what is declared now, and what the service has said before."""
    new = {name: value for name, value in declared.properties.items() if not ARGUMENTS[name].is_kept_on_update}
    kept = {name: value for name, value in stored.inputs.properties.items() if ARGUMENTS[name].is_kept_on_update}
    said = {name: stored.properties.get(name) for name in OBSERVED}
    return {**new, **kept, **_masked(said, declared.redact)}


def _masked(outputs: dict[str, Any], redact: Sequence[str] | None) -> dict[str, Any]:
    return {name: masked_lines(value, redact) if OBSERVED[name].is_masked else value for name, value in outputs.items()}
