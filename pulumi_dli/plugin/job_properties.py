"""The properties of a job on their way between the engine and the operations, with what the provider adds itself.

The program of the dynamic provider passes hidden inputs: whose job it is, and what of it is secret. Here the identity
comes from the URN, and the secrets from the marks of the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pulumi_dli.api.models import normal_id
from pulumi_dli.jobs.exact_numbers import EXACT_NUMBERS
from pulumi_dli.jobs.inputs import ARGUMENTS, JobInputs, OnRecordExpired
from pulumi_dli.jobs.messages import replace_command
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob, secret_outputs
from pulumi_dli.jobs.secret_paths import SECRET_INPUTS
from pulumi_dli.jobs.validation import UNKNOWN
from pulumi_dli.operations.forced_replacement import RunMarks
from pulumi_dli.plugin.properties import Properties
from pulumi_dli.plugin.secret_texts import secret_texts
from pulumi_dli.plugin.urn import Urn

PROVIDER_KEY = "__provider"
"""The property in which a dynamic resource stores its provider."""
RUN_KEY = "__run"
"""The input with the marks of the run in the state. The engine shows no property whose name begins like this."""
IDENTITY = ("resourceName", "scope")
_ADDED = frozenset(name for name, one in ARGUMENTS.items() if one.is_hidden) | {
    "replacementTrigger",
    PROVIDER_KEY,
    RUN_KEY,
}
"""The names that no program declares."""
_STORED = (*IDENTITY, EXACT_NUMBERS, "sizing")
"""The added properties that are in the outputs."""


def declared_job(urn: Urn, inputs: Properties) -> JobInputs:
    """Return the parsed declaration of a job."""
    return JobInputs.parse(_declared(urn, inputs))


def checked_job(urn: Urn, news: Properties, stored: Properties) -> JobInputs:
    """Return the parsed declaration of a job that is to be checked.

    Args:
        urn: Its URN.
        news: The declared inputs.
        stored: The stored inputs.
    """
    kept = inputs_to_store(urn, {}, stored)
    return declared_job(urn, Properties({**news.values, **kept}, news.secrets))


def _declared(urn: Urn, inputs: Properties) -> dict[str, Any]:
    user = {name: value for name, value in inputs.values.items() if name not in _ADDED}
    return {**user, **_identity(urn, inputs.values), **_secrets_of(urn, inputs)}


def stored_job(urn: Urn, outputs: Properties, inputs: Properties) -> StoredJob:
    """Return a job as it is stored.

    Args:
        urn: Its URN.
        outputs: The stored outputs. They are empty if they were lost.
        inputs: The stored inputs. Their marks tell what was declared as secret: an option may mark outputs only.
    """
    if not outputs.values:
        return StoredJob.parse({})
    kept = {name: value for name, value in outputs.values.items() if name not in _ADDED or name in _STORED}
    declared = inputs if inputs.values else outputs
    return StoredJob.parse({**_identity(urn, outputs.values), **kept, **_secrets_of(urn, declared)})


def texts_of(urn: Urn, *properties: Properties) -> list[str]:
    """Return all secret texts of a job, also those that an earlier declaration or an option has marked."""
    texts = {text for one in properties for text in secret_texts(_arguments(one), urn.name)}
    for one in properties:
        redact = one.values.get("redact")  # a dynamic resource has stored it
        texts |= {text for text in redact if isinstance(text, str)} if isinstance(redact, list) else set()
    return sorted(texts)


def undeclarable(inputs: Properties, stored: Properties) -> list[str]:
    """Return the failures of inputs that only the provider itself adds.

    An option such as `ignoreChanges` puts stored inputs in place of the program's, so these are allowed.
    """
    added = (name for name in inputs.values if name in _ADDED and name != PROVIDER_KEY)
    return [
        f"{name}: there is no such property of a batch job"
        for name in added
        if inputs.values[name] is not None and inputs.values[name] != stored.values.get(name)
    ]


def impossible(declared: JobInputs) -> list[str]:
    """Return the failures of options that only the dynamic provider can follow.

    The engine plans a job before it calls the provider about the job's waits, and the provider cannot read the state.
    So if it ran a job again because its record is deleted, a wait might have seen the success of that job.
    """
    if declared.on_record_expired is not OnRecordExpired.RERUN:
        return []
    return [
        "onRecordExpired: must be keep, because the native provider never learns in time what the waits of a job have "
        "seen, so it could run a job again that has succeeded. Leave onRecordExpired out. If the record of the job is "
        f"deleted and it must run again, run {replace_command(str(declared.resource_name))}."
    ]


def inputs_to_store(
    urn: Urn, checked: Mapping[str, Any], stored: Properties, fingerprint: str | None = None
) -> dict[str, Any]:
    """Return the checked inputs as the state gets them.

    A run that a dynamic resource has submitted has the scope of that resource in its name. So the scope stays with the
    inputs for as long as the resource is the same. The inputs of a native resource have none.

    The marks of a run stay with the inputs for as long as the run is in the state.

    Args:
        urn: The URN of the job.
        checked: The checked inputs.
        stored: The stored inputs. They are empty if a run is to be submitted.
        fingerprint: The fingerprint of the resource in the name of a run that is to be submitted.
    """
    shown = {name: value for name, value in checked.items() if name not in _ADDED or name == "sizing"}
    is_same = stored.values.get("resourceName") == urn.name and stored.values.get("scope")
    identity = {name: stored.values[name] for name in IDENTITY} if is_same else {}
    new = _as_stored(RunMarks(fingerprint, _text(checked.get("adoptId"))))
    run = stored.values.get(RUN_KEY) if stored.values else new
    return {**shown, **identity, **({RUN_KEY: run} if run else {})}


def imported_inputs(batch_id: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a run that is imported: its declaration, and its mark."""
    return {**declared, RUN_KEY: _as_stored(RunMarks(adopted=normal_id(batch_id)))}


def run_marks(stored: Properties) -> RunMarks:
    """Return the marks of the run in the state from the stored inputs."""
    run = stored.values.get(RUN_KEY)
    if not isinstance(run, Mapping):
        return RunMarks()
    return RunMarks(_text(run.get("fingerprint")), _text(run.get("adopted")))


def _as_stored(marks: RunMarks) -> dict[str, str]:
    return {name: value for name, value in asdict(marks).items() if value is not None}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def outputs_to_store(outputs: Mapping[str, Any], secrets: frozenset[str]) -> Properties:
    """Return the outputs as the state gets them.

    Args:
        outputs: The outputs of an operation.
        secrets: The paths of the secrets among the arguments.
    """
    shown = {name: value for name, value in outputs.items() if name not in _ADDED or name in _STORED}
    # An empty log hides nothing. The engine encrypts each secret, and writes it as an object of its own.
    hiding = {name for name in secret_outputs(outputs) if shown.get(name) != []}
    return Properties(shown, secrets | hiding)


def planned_outputs(declared: JobInputs) -> dict[str, Any]:
    """Return the outputs that a job will have, as a plan knows them."""
    observed = dict.fromkeys(OBSERVED, UNKNOWN)
    return {**declared.properties, **observed, "recordExpired": False}


def _identity(urn: Urn, values: Mapping[str, Any]) -> dict[str, Any]:
    if values.get("scope"):
        return {"resourceName": values.get("resourceName") or urn.name, "scope": values["scope"]}
    return {"resourceName": urn.name, "scope": urn.scope}


def _secrets_of(urn: Urn, inputs: Properties) -> dict[str, Any]:
    """Return the hidden inputs about secrets."""
    arguments = _arguments(inputs)
    texts = secret_texts(arguments, urn.name)
    paths = sorted(arguments.secrets)
    return ({SECRET_INPUTS: paths} if paths else {}) | ({"redact": texts} if texts else {})


def _arguments(properties: Properties) -> Properties:
    """Return only the arguments that a program declares, without what the provider adds and observes."""
    names = ARGUMENTS.keys() - _ADDED
    values = {name: value for name, value in properties.values.items() if name in names}
    return Properties(values, frozenset(path for path in properties.secrets if path.partition("[")[0] in names))
