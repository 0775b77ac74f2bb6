"""The resource `dli:index:BatchJob`: answers the engine's requests about jobs with the operations."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator
from typing import Any

from pulumi.runtime.proto import provider_pb2

from pulumi_dli.api.models import normal_id
from pulumi_dli.jobs.diff import Action, Decision
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs
from pulumi_dli.jobs.messages import foreign_run_kept_message
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob, updated
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS
from pulumi_dli.jobs.submission_messages import twice_in_state_message
from pulumi_dli.operations.notifier import Level
from pulumi_dli.plugin import job_properties, wire
from pulumi_dli.plugin.declaration_of_run import declaration_of_run
from pulumi_dli.plugin.detailed_diff import diff_response
from pulumi_dli.plugin.job_properties import PROVIDER_KEY, declared_job, stored_job
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.property_paths import Change, differences
from pulumi_dli.plugin.replacements import Replacements
from pulumi_dli.plugin.rows import spelled
from pulumi_dli.plugin.session import Session
from pulumi_dli.plugin.urn import Urn

_KEPT_ON_UPDATE = frozenset(name for name, one in ARGUMENTS.items() if one.is_kept_on_update)


class JobResource:
    """Answers the engine's requests about jobs. Threads may share it. Every method raises DliError for the user."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._replacements = Replacements()

    def check(self, request: Any) -> Any:
        """Validate and normalise a declaration, without a call to the service."""
        urn, news, olds = Urn.parse(request.urn), wire.read(request.news), wire.read(request.olds)
        self._replacements.checked(request.urn, olds)
        declared = job_properties.checked_job(urn, news, olds)
        last_adopt_id = olds.values.get("adoptId")
        checked = self._session.jobs.check(declared, last_adopt_id=last_adopt_id, is_new=not olds.values)
        failures = [
            *job_properties.undeclarable(news, olds),
            *job_properties.impossible(declared),
            *checked.failures,
        ]
        if failures:
            texts = job_properties.texts_of(urn, news)
            # The property stays empty: the engine would print its value, even if the value is secret.
            shown = [provider_pb2.CheckFailure(reason=spelled(masked(one, texts))) for one in failures]
            return provider_pb2.CheckResponse(inputs=request.news, failures=shown)
        fingerprint = self._session.resource_fingerprint(urn)
        inputs = job_properties.inputs_to_store(urn, checked.properties, olds, fingerprint)
        return provider_pb2.CheckResponse(inputs=wire.write(inputs, news.secrets))

    def diff(self, request: Any) -> Any:
        """Decide whether the job stays, is updated in place, or is replaced, which runs it again."""
        urn, news = Urn.parse(request.urn), wire.read(request.news)
        olds, old_inputs = wire.read(request.olds), wire.read(request.old_inputs)
        stored, declared = stored_job(urn, olds, old_inputs), declared_job(urn, news)
        self._session.remember_texts(request.id, job_properties.texts_of(urn, olds, old_inputs, news))
        decision = self._session.jobs.plan(request.id, stored, declared)
        if not declared.unknown:  # with an unknown value, the engine only asks what another replacement would mean
            self._replacements.planned(request.urn)
            is_kept = decision.action is not Action.REPLACE
            self._replacements.decided(request.urn, normal_id(request.id) if is_kept else None)
        if decision.action is Action.NONE and not declared.unknown:
            decision = _with_new_marks(decision, olds, old_inputs, news)
        changes = dict(_changes(decision, stored, declared))
        return diff_response(
            changes,
            has_changes=decision.action is not Action.NONE,
            replaces=decision.action is Action.REPLACE,
            observed=OBSERVED,
        )

    def create(self, request: Any) -> Any:
        """Submit the job, and return its id and outputs without waiting for its end."""
        urn, inputs = Urn.parse(request.urn), wire.read(request.properties)
        declared = declared_job(urn, inputs)
        if request.preview:
            planned = job_properties.outputs_to_store(job_properties.planned_outputs(declared), inputs.secrets)
            return provider_pb2.CreateResponse(properties=wire.write(planned.values, planned.secrets))
        self._end_unplanned_run(request.urn, declared)
        self._session.earlier_runs.refuse_beside_live_run(urn, declared)
        with self._session.clock.completing():
            batch_id, outputs = self._session.jobs.create(declared)
        # From here on nothing may raise: the job runs, and its id gets into the state only if this method returns.
        try:
            self._session.remember_texts(batch_id, job_properties.texts_of(urn, inputs))
            stored = job_properties.outputs_to_store(outputs, inputs.secrets)
            return provider_pb2.CreateResponse(id=batch_id, properties=wire.write(stored.values, stored.secrets))
        except Exception:  # noqa: BLE001  a defect, which the user sees, but which must not lose the run
            self._session.rows.notify(Level.WARNING, urn.name, traceback.format_exc())
            return provider_pb2.CreateResponse(id=batch_id, properties=request.properties)

    def _end_unplanned_run(self, urn: str, declared: JobInputs) -> None:
        """End the old run of a job that the engine replaces without a plan, before the new run is submitted."""
        earlier = self._replacements.stored_inputs(urn)
        if earlier is not None:
            marks = job_properties.run_marks(earlier)
            self._session.forced_replacement.end_live_run(declared_job(Urn.parse(urn), earlier), declared, marks)
            self._replacements.planned(urn)

    def read(self, request: Any) -> Any:
        """Refresh a job of the stack, or read a job for `pulumi import` or `get`."""
        urn, stored = Urn.parse(request.urn), wire.read(request.properties)
        inputs = wire.read(request.inputs)
        if "submittedTo" not in stored.values:
            return self._read_foreign(request.id, urn, stored)
        job = _with_texts(stored_job(urn, stored, inputs), job_properties.texts_of(urn, stored, inputs))
        outputs = job_properties.outputs_to_store(self._session.jobs.read(request.id, job), stored.secrets)
        self._session.remember_texts(request.id, job.inputs.redact or ())
        properties = wire.write(outputs.values, outputs.secrets)
        return provider_pb2.ReadResponse(id=request.id, properties=properties, inputs=request.inputs)

    def _read_foreign(self, batch_id: str, urn: Urn, declared: Properties) -> Any:
        """Read a job that this stack does not manage, and the declaration that would have created it."""
        place = {name: declared.values[name] for name in ("region", "projectId") if declared.values.get(name)}
        location = {**place, "resourceName": urn.name, "scope": urn.scope}
        client = self._session.context.client(place.get("region"), place.get("projectId"))
        batch = client.find(batch_id) if batch_id.strip() else None
        inputs = {**(declaration_of_run(batch) if batch is not None else {}), **place}
        outputs = self._session.jobs.get(batch_id, StoredJob.parse({**inputs, **location}))
        found = job_properties.outputs_to_store(outputs, declared.secrets)
        properties = wire.write(found.values, found.secrets)
        stored = wire.write(job_properties.imported_inputs(batch_id, inputs))
        return provider_pb2.ReadResponse(id=batch_id, properties=properties, inputs=stored)

    def update(self, request: Any) -> Any:
        """Store new options of the provider, and cancel duplicates of the run. The run itself does not change."""
        urn, news = Urn.parse(request.urn), wire.read(request.news)
        olds, old_inputs = wire.read(request.olds), wire.read(request.old_inputs)
        texts = job_properties.texts_of(urn, olds, old_inputs, news)
        stored, declared = _with_texts(stored_job(urn, olds, old_inputs), texts), declared_job(urn, news)
        if request.preview:
            outputs = updated(stored, declared)
        else:
            self._session.remember_texts(request.id, texts)
            outputs = self._session.jobs.update(request.id, stored, declared)
        kept = {path for path in olds.secrets if path.partition("[")[0] in _KEPT_ON_UPDATE}
        shown = job_properties.outputs_to_store(outputs, news.secrets | kept)
        return provider_pb2.UpdateResponse(properties=wire.write(shown.values, shown.secrets))

    def delete(self, request: Any) -> None:
        """Cancel the job if it still runs, and wait for its end."""
        self._replacements.planned(request.urn)
        keeper = self._replacements.keeper(normal_id(request.id))
        if keeper is not None:
            name, holder = (Urn.parse(urn).name for urn in (request.urn, keeper))
            is_same = keeper == request.urn
            message = twice_in_state_message(request.id) if is_same else foreign_run_kept_message(request.id, holder)
            self._session.context.notify(Level.WARNING if is_same else Level.INFO, name, message)
            return
        outputs, inputs = wire.read(request.properties), wire.read(request.old_inputs)
        stored = stored_job(Urn.parse(request.urn), outputs, inputs)
        self._session.jobs.delete(request.id, _with_delete_timeout(stored, request.timeout))


def _with_texts(stored: StoredJob, texts: list[str]) -> StoredJob:
    """Return a stored job whose log is masked with these texts."""
    return StoredJob.parse({**stored.properties, "redact": texts}) if texts and stored.properties else stored


def _with_delete_timeout(stored: StoredJob, seconds: float) -> StoredJob:
    """Return a stored job that has the delete timeout of the option customTimeouts, if it declares no cancelTimeout."""
    if seconds <= 0 or not stored.properties or stored.properties.get("cancelTimeout") is not None:
        return stored
    return StoredJob.parse({**stored.properties, "cancelTimeout": math.ceil(seconds)})


def _with_new_marks(decision: Decision, olds: Properties, old_inputs: Properties, news: Properties) -> Decision:
    """Return an update if only the marks of secrets have changed, or if a dynamic resource has made the outputs."""
    changed = sorted(old_inputs.secrets ^ news.secrets) if old_inputs.values else []
    names = {path.partition("[")[0] for path in changed} & ARGUMENTS.keys()
    if PROVIDER_KEY in olds.values:
        names.add(PROVIDER_KEY)
    return Decision(Action.UPDATE, "which values are secret changed", tuple(sorted(names))) if names else decision


def _changes(decision: Decision, stored: StoredJob, declared: JobInputs) -> Iterator[tuple[str, Change]]:
    """Yield the paths that the decision is about, each with what happened there."""
    for name in decision.properties:
        if name in (SECRET_INPUTS, "redact"):
            yield from ((path, Change.UPDATE) for path in _secret_names(stored, declared))
            continue
        if name in OBSERVED:  # what the service reported, which no program declares
            yield name, Change.UPDATE
            continue
        found = [*differences(name, stored.properties.get(name), declared.properties.get(name))]
        yield from found or [(name, Change.UPDATE)]


def _secret_names(stored: StoredJob, declared: JobInputs) -> set[str]:
    """Return the arguments of which a secret has changed."""
    paths = {str(path) for job in (stored.inputs, declared) for path in job.properties.get(SECRET_INPUTS) or ()}
    return {path.partition("[")[0] for path in paths}
