"""The outputs of a job in the state: how to make them from a reply, and how to read them.

An output is declared or observed:

* The declared outputs are the arguments (`jobs.inputs.ARGUMENTS`), under the same names. A refresh keeps them. An
  update replaces them, except those with `is_kept_on_update`.
* The observed outputs are in `OBSERVED`. A refresh replaces them, except those with `is_kept_on_refresh` that the reply
  does not have. An update keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from types import MappingProxyType
from typing import Any, Self

from pulumi_dli.api.location import Location
from pulumi_dli.api.models import Batch
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS, is_number
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs, Properties
from pulumi_dli.jobs.redaction import masked as masked_text
from pulumi_dli.jobs.redaction import masked_lines
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS, SIZES, is_secret


@dataclass(frozen=True)
class StoredJob:
    """The stored outputs of a job."""

    properties: Properties
    """All stored outputs, also those that this version does not know. Empty if the outputs were lost."""
    inputs: JobInputs
    """The declaration at the time of the submission or of the last update."""

    @classmethod
    def parse(cls, properties: Properties) -> Self:
        """Parse stored outputs. It never fails."""
        return cls(properties, JobInputs.parse({name: properties.get(name) for name in ARGUMENTS}))

    @property
    def is_ours(self) -> bool:
        """True if this stack manages the job. False for `BatchJob.get`, and if the outputs were lost."""
        return "submittedTo" in self.properties

    @property
    def location(self) -> Mapping[str, Any]:
        """The stored `region` and `projectId` of the submission, or an empty map."""
        location = self.properties.get("submittedTo")
        return location if isinstance(location, Mapping) else {}

    def is_elsewhere(self, location: Mapping[str, Any]) -> bool:
        """Return whether the job ran in another region or project than `location`, as far as both are known."""
        pairs = ((self.location.get(name), location.get(name)) for name in ("region", "projectId"))
        return any(None not in (stored, current) and stored != current for stored, current in pairs)

    @cached_property
    def state(self) -> BatchState | None:
        """The stored state of the job, or None if it is absent or unknown."""
        state = self.properties.get("state")
        return BatchState.parse(state) if isinstance(state, str) else None

    @property
    def create_time(self) -> int | None:
        """The time when the service accepted the run, in milliseconds since 1970, or None if it is unknown."""
        value = self.properties.get("createTime")
        return int(value) if is_number(value) and math.isfinite(value) else None

    @property
    def submitted_name(self) -> str | None:
        """The name of the run at the service, or None if it is unknown."""
        name = self.properties.get("submittedName")
        return name if isinstance(name, str) else None

    @property
    def is_expired(self) -> bool:
        """True if a refresh has found that the service has no record of the job."""
        return bool(self.properties.get("recordExpired"))

    @property
    def deaths_in_a_row(self) -> int:
        """How many of the earlier runs were dead one after another, up to the last one. At most ten are stored."""
        runs = self.properties.get(PREVIOUS_RUNS)
        states = [run.get("state") for run in runs if isinstance(run, Mapping)] if isinstance(runs, list) else []
        known = (BatchState.parse(state) for state in reversed(states))
        return sum(1 for _ in takewhile(lambda state: state is not None and state.is_failure, known))

    def end(self, seen: BatchState | None = None) -> BatchState | None:
        """Return the final state of the job, or None if the job may go on. With auto_recovery a dead job may recover.

        `seen` is a final state that somebody else has seen. It counts if no final state is stored.
        """
        states = (state for state in (self.state, seen) if state is not None and state.is_final)
        return next((state for state in states if not (state.is_failure and self.inputs.auto_recovery)), None)


def may_recover(batch: Batch) -> bool:
    """Return whether a job is dead but has auto_recovery, so that the service may start it again."""
    return batch.is_failure and bool((batch.request() or {}).get("autoRecovery"))


def duration(batch: Batch) -> int | None:
    """Return the duration of a job in milliseconds, or None if it is unknown.

    For a job that has ended this is the time from the submission to the last change, with the wait for capacity. Only
    a list says how long a job ran (dli_02_0125, dli_02_0126), and one job must not have two durations.
    """
    if batch.is_final and batch.create_time is not None and batch.update_time is not None:
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
    """The facts about an observed output."""

    read: Callable[[Batch], Any] = lambda _: None
    """Returns the value from a reply, or None. By default it is in no reply: an operation knows it."""
    is_kept_on_refresh: bool = False
    """A refresh keeps the stored value if the reply does not have it."""
    is_verdict: bool = False
    """It is an output of a wait too."""
    is_masked: bool = False
    """It is a text or a list of lines in which secret texts are masked."""
    repeats: tuple[str, ...] = ()
    """The arguments that it repeats under another name. It is secret if one of them is secret."""


FAILURE_REASON, CONSOLE_URL, ESTIMATED_CU_HOURS = "failureReason", "consoleUrl", "estimatedCuHours"
PREVIOUS_RUNS = "previousRuns"

OBSERVED: dict[str, Output] = {
    # Some replies have no state, and the state must not lose an end that was seen.
    "state": Output(_state, is_kept_on_refresh=True, is_verdict=True),
    "appId": Output(_app_id, is_verdict=True),
    "owner": Output(lambda batch: batch.owner or None),
    "proxyUser": Output(lambda batch: batch.proxy_user or None),
    "kind": Output(lambda batch: batch.kind or None),
    "log": Output(lambda batch: batch.log, is_verdict=True, is_masked=True),
    FAILURE_REASON: Output(is_verdict=True, is_masked=True),
    "createTime": Output(lambda batch: batch.create_time, is_verdict=True),
    "updateTime": Output(lambda batch: batch.update_time, is_verdict=True),
    "duration": Output(duration, is_verdict=True),
    "submittedName": Output(lambda batch: batch.name or None, is_kept_on_refresh=True, repeats=("name",)),
    "effectiveScType": Output(lambda batch: batch.sc_type or None, repeats=("scType",)),
    "effectiveQueue": Output(lambda batch: batch.queue or batch.cluster_name or None, repeats=("queue", "clusterName")),
    "submittedTo": Output(is_kept_on_refresh=True, repeats=("region", "projectId")),
    CONSOLE_URL: Output(is_kept_on_refresh=True),
    ESTIMATED_CU_HOURS: Output(is_kept_on_refresh=True, repeats=SIZES),
    PREVIOUS_RUNS: Output(is_kept_on_refresh=True),
    "recordExpired": Output(lambda _: False),
}
"""The observed outputs, by name."""

VERDICT: tuple[str, ...] = tuple(name for name, output in OBSERVED.items() if output.is_verdict)
"""The names of a wait's outputs. The job has outputs with the same names."""


_BY_THIS_VERSION: Properties = {EXACT_NUMBERS: {}}
"""What tells the outputs from those of 0.1.0, in which a text may be what is left of a number."""


def observed(batch: Batch, redact: Sequence[str] | None) -> dict[str, Any]:
    """Return the observed outputs of a job. `redact` has the texts to mask in its log."""
    return masked({name: output.read(batch) for name, output in OBSERVED.items()}, redact)


def verdict(batch: Batch, redact: Sequence[str] | None) -> dict[str, Any]:
    """Return the outputs of a wait. `redact` has the texts to mask in the job's log."""
    return {name: value for name, value in observed(batch, redact).items() if name in VERDICT}


def submitted_to(location: Location) -> dict[str, str | None]:
    """Return the output that tells where a run was submitted."""
    return {"region": location.region, "projectId": location.project_id}


def of_job(declared: JobInputs, batch: Batch, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a new job. `found` has the observed outputs that are in no reply, by name."""
    return {**_BY_THIS_VERSION, **declared.properties, **observed(batch, declared.redact), **found}


def secret_outputs(outputs: Properties) -> set[str]:
    """Return the names of the outputs that must be secret, although no input of the same name is.

    They repeat a secret input under another name. A log may contain the arguments and the configuration in any form.
    """
    names = {name for name, output in OBSERVED.items() if is_repeated_secret(output, outputs)}
    return names | ({"log", FAILURE_REASON} if any(map(outputs.get, ("redact", "args", "conf"))) else set())


def is_repeated_secret(output: Output, properties: Properties) -> bool:
    """Return whether an output repeats an input that is secret by the hidden input of these properties."""
    secret_inputs = properties.get(SECRET_INPUTS)
    return secret_inputs is not None and any(is_secret(name, secret_inputs) for name in output.repeats)


def refreshed(
    stored: StoredJob, batch: Batch | None, found: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the outputs after a refresh. If the service has deleted the record, the stored outputs stay.

    Args:
        stored: The stored job.
        batch: The job, or None if the service has no record of it.
        found: The observed outputs that are in no reply, by name.
    """
    if batch is None:
        return {**stored.properties, "recordExpired": True}
    current = {**observed(batch, stored.inputs.redact), **found}
    kept = {name for name, value in current.items() if value is None and OBSERVED[name].is_kept_on_refresh}
    return {**stored.properties, **{name: value for name, value in current.items() if name not in kept}}


def updated(stored: StoredJob, declared: JobInputs) -> dict[str, Any]:
    """Return the outputs after an update: the new declaration, and the stored observed outputs."""
    new = {name: value for name, value in declared.properties.items() if not ARGUMENTS[name].is_kept_on_update}
    kept = {name: value for name, value in stored.inputs.properties.items() if ARGUMENTS[name].is_kept_on_update}
    last_observed = {name: stored.properties.get(name) for name in OBSERVED}
    return {**_BY_THIS_VERSION, **new, **kept, **masked(last_observed, declared.redact)}


def masked(outputs: Mapping[str, Any], redact: Sequence[str] | None) -> dict[str, Any]:
    """Return observed outputs with the texts of `redact` masked in the log and in the reason of a failure."""
    return {name: _masked(value, redact) if OBSERVED[name].is_masked else value for name, value in outputs.items()}


def _masked(value: Any, redact: Sequence[str] | None) -> Any:
    return masked_text(value, redact) if isinstance(value, str) else masked_lines(value, redact)
