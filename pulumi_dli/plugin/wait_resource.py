"""The resource `dli:index:BatchJobWait`: answers the engine's requests about waits with the operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pulumi.runtime.proto import provider_pb2

from pulumi_dli.api.errors import JobError
from pulumi_dli.jobs.outputs import VERDICT, secret_outputs
from pulumi_dli.jobs.redaction import masked
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.jobs.wait_inputs import WAIT_ARGUMENTS, WaitInputs
from pulumi_dli.plugin import wire
from pulumi_dli.plugin.detailed_diff import diff_response
from pulumi_dli.plugin.job_properties import PROVIDER_KEY
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.property_paths import Change, differences
from pulumi_dli.plugin.rows import spelled
from pulumi_dli.plugin.secret_texts import secret_texts
from pulumi_dli.plugin.session import Session
from pulumi_dli.plugin.urn import Urn

WAIT_INPUTS = frozenset(WAIT_ARGUMENTS) - {"waited"}
"""The inputs that a program may declare."""
REDACT = "redact"
"""The input with texts to mask. It is secret in the state, even if the program does not mark it."""
_COMPARED = ("jobId", "until", REDACT)


class WaitResource:
    """Answers the engine's requests about waits. Threads may share it. Every method raises DliError for the user.

    It decides. The wait gate waits before, for `create` and for an `update` that `waits_again`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def check(self, request: Any) -> Any:
        """Validate a declaration, without a call to the service."""
        urn, news = Urn.parse(request.urn), wire.read(request.news)
        checked = self._session.waits.check(declared_wait(urn.name, news))
        unknown = [name for name in news.values if name not in WAIT_INPUTS and name != PROVIDER_KEY]
        failures = [*(f"{name}: there is no such property of a wait" for name in unknown), *checked.failures]
        if failures:
            texts = secret_texts(news, urn.name)
            shown = [provider_pb2.CheckFailure(reason=spelled(masked(one, texts))) for one in failures]
            return provider_pb2.CheckResponse(inputs=request.news, failures=shown)
        return provider_pb2.CheckResponse(inputs=wire.write(checked.properties, news.secrets | {REDACT}))

    def diff(self, request: Any) -> Any:
        """Decide whether the wait is updated in place. A wait is never replaced."""
        olds, news = wire.read(request.olds), wire.read(request.news)
        declared = declared_wait(Urn.parse(request.urn).name, news)
        has_changes = self._session.waits.changes(_stored(olds), declared) or PROVIDER_KEY in olds.values
        changes = dict(
            one for name in _COMPARED for one in differences(name, olds.values.get(name), declared.properties.get(name))
        )
        if PROVIDER_KEY in olds.values and not changes:
            changes = {PROVIDER_KEY: Change.DELETE}
        return diff_response(changes, has_changes=has_changes, replaces=False)

    def declared_for_wait(self, request: Any, inputs: Properties) -> WaitInputs:
        """Return the declaration of a wait that is to wait now, with all secret texts that this process knows."""
        declared = declared_wait(Urn.parse(request.urn).name, inputs)
        timeout = request.timeout if declared.timeout is None and request.timeout > 0 else declared.timeout
        return replace(declared, timeout=timeout, redact=self._texts(declared))

    def waits_again(self, request: Any) -> bool:
        """Return whether an update waits: the wait has another job or another goal."""
        olds = wire.read(request.olds).values
        declared = declared_wait(Urn.parse(request.urn).name, wire.read(request.news))
        return any(olds.get(name) != declared.properties.get(name) for name in ("jobId", "until"))

    def planned(self, inputs: Properties) -> Any:
        """Return the outputs that a wait will have, as a plan knows them."""
        secrets = inputs.secrets | {REDACT}
        return wire.write({**inputs.values, **dict.fromkeys(VERDICT, UNKNOWN)}, secrets)

    def outcome(self, declared: WaitInputs, inputs: Properties) -> tuple[str, Any]:
        """Return the id and the outputs of a wait. Wait, if the job has not reached the goal yet.

        A failed wait stores nothing. The engine could store its outputs (`ErrorResourceInitFailed`), but would then
        write `1 error occurred:` before the reason, and update the wait instead of creating it, with another timeout.
        """
        outputs = self._session.waits.wait(declared)
        return f"{outputs['jobId']}-{outputs['until']}", _written(outputs, declared, inputs)

    def update(self, request: Any) -> Any:
        """Return the outputs with new secret texts."""
        olds, news = wire.read(request.olds), wire.read(request.news)
        declared = self.declared_for_wait(request, news)
        outputs = self._session.waits.update(_stored(olds), declared)
        return provider_pb2.UpdateResponse(properties=_written(outputs, declared, news))

    def read(self, request: Any) -> Any:
        """Return the stored outcome, which never changes, without a call to the service."""
        stored = wire.read(request.properties)
        if not stored.values:
            raise JobError(
                f"{Urn.parse(request.urn).name}: a wait cannot be imported or read. Declare it in the program instead."
            )
        self._session.waits.stored(stored.values)
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def delete(self, request: Any) -> None:
        """Record the end that the wait has seen: the delete of its job, which follows, needs it."""
        self._session.waits.stored(wire.read(request.properties).values)

    def _texts(self, declared: WaitInputs) -> list[str] | None:
        """Return the texts to mask: the declared ones, and those of the job's secret inputs."""
        own = declared.redact if isinstance(declared.redact, list) else []
        return sorted({*own, *self._session.texts_of(declared.job_id)}) or None


def declared_wait(name: str, inputs: Properties) -> WaitInputs:
    """Return the parsed declaration of a wait. By default its job has the name of the wait."""
    values = {key: value for key, value in inputs.values.items() if key in WAIT_INPUTS and value is not None}
    return WaitInputs.parse({"jobName": name, **values})


def _stored(outputs: Properties) -> Mapping[str, Any]:
    return {name: value for name, value in outputs.values.items() if name != PROVIDER_KEY}


def _written(outputs: Mapping[str, Any], declared: WaitInputs, inputs: Properties) -> Any:
    """Return the outputs of a wait as the state gets them."""
    secrets = inputs.secrets | {REDACT} | secret_outputs({**outputs, REDACT: declared.redact})
    return wire.write({name: value for name, value in outputs.items() if name != "waited"}, secrets)
