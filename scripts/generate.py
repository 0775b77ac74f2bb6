"""Writes what is generated: `schema.json`, the Pulumi package schema, and the tables of the documentation.

With `--check` it tells whether they are up to date.

No property is listed here. Names, types and texts come from the resources, their nested types and the settings, so what
is declared there is in the schema. A default is in the schema only where it is the provider's: one of the service is
the service's to change, and stands in the text.
"""

import ast
import difflib
import inspect
import itertools
import json
import re
import sys
import textwrap
import tomllib
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

import pulumi
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from pulumi_dli import BatchJob, BatchJobWait, Group, Package, PreviousRun, SubmittedTo
from pulumi_dli.account.configuration_place import NAMESPACE
from pulumi_dli.account.credentials import CREDENTIALS
from pulumi_dli.account.settings import Settings, variables
from pulumi_dli.api.sizes import RESOURCE_TYPES
from pulumi_dli.jobs.inputs import ARGUMENTS, OnChange
from pulumi_dli.jobs.wait_goals import Until
from pulumi_dli.plugin.completion import BATCH_JOB
from pulumi_dli.plugin.types import COMPLETION
from scripts import reference_pages

ROOT = Path(__file__).resolve().parent.parent

REPOSITORY = "github.com/pulumi-dli/pulumi-dli"
"""A placeholder until the repository is public. Pulumi looks there for the plugin where it is not installed."""

Schema = dict[str, Any]

ALL_CHOICES = {name: one.choices for name, one in ARGUMENTS.items() if one.choices} | {"until": tuple(Until)}
JOB_DEFAULTS = {name: one.default for name, one in ARGUMENTS.items() if one.default is not None}
WAIT_DEFAULTS = {"until": Until.SUCCESS}
REPLACING = {name for name, one in ARGUMENTS.items() if one.on_change in (OnChange.RERUN, OnChange.MOVE)}
LONG = ("createTime", "updateTime", "duration")  # milliseconds: more than an integer of every language holds
SECRET = ("redact",)
COMPLETION_TEXT = """\
The completion of a batch job. What depends on it starts when the job has reached the state that `until` names.

Use it to wait for jobs. It does the same as `BatchJobWait`, but it waits before the engine creates the wait, which is \
its child. A plain `BatchJobWait` occupies one of the engine's slots while it waits. By default there are 4 slots for \
each CPU. If waits occupy all slots, nothing else starts."""
PLAIN_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def package_schema() -> Schema:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    settings = {key: setting for model in (Settings, *CREDENTIALS) for key, setting in settings_of(model).items()}
    return {
        "name": NAMESPACE,
        "displayName": "Data Lake Insight",
        "version": project["version"],
        "description": project["description"],
        "keywords": project["keywords"],
        "meta": {"moduleFormat": "(.*)", "supportPack": True},  # the SDKs get a version, and Go's gets a go.mod
        "license": project["license"],
        "repository": f"https://{REPOSITORY}",
        "pluginDownloadURL": f"github://api.{REPOSITORY}",
        "language": languages(),
        "config": {"variables": settings},
        "provider": {
            "description": "The addresses of the service, the credentials, timeouts and retries.",
            "inputProperties": {name: provider_argument(setting) for name, setting in settings.items()},
        },
        "types": {
            **{token(nested.__name__): object_type(nested) for nested in (Package, Group, SubmittedTo, PreviousRun)},
            **{token(enum_name(name)): enum_type(values) for name, values in ALL_CHOICES.items()},
        },
        "resources": {
            token("BatchJob"): resource(BatchJob, JOB_DEFAULTS, REPLACING),
            token("BatchJobWait"): resource(BatchJobWait, WAIT_DEFAULTS, set()),
            COMPLETION: completion(),
        },
    }


def languages() -> Schema:
    """Name the generated SDKs. Each has the version of the schema, and none is called like this package."""
    return {
        "nodejs": {"packageName": "@pulumi-dli/dli", "respectSchemaVersion": True},
        "python": {"packageName": "pulumi_dli_native", "respectSchemaVersion": True, "pyproject": {"enabled": True}},
        "go": {"importBasePath": f"{REPOSITORY}/sdk/go/dli", "respectSchemaVersion": True},
    }


def token(name: str) -> str:
    return f"{NAMESPACE}:index:{name}"


def provider_argument(setting: Schema) -> Schema:
    """Make an argument of an explicit provider from a configuration variable.

    An SDK fills in each `default` and `defaultInfo` by itself. It would mix the credentials of two accounts.
    The provider itself reads the environment, and takes complete sets only. So the description tells both.
    """
    argument = {name: value for name, value in setting.items() if name not in ("default", "defaultInfo")}
    default = f" The default is `{str(setting['default']).lower()}`." if "default" in setting else ""
    variables = ", ".join(f"`{name}`" for name in setting["defaultInfo"]["environment"])
    return {**argument, "description": f"{setting['description']}{default} Environment: {variables}."}


def settings_of(model: type[BaseModel]) -> Schema:
    """Make the configuration variables of a settings class. Its numbers with fractions are durations."""
    texts, schemas = attribute_texts(model), model.model_json_schema(by_alias=False)["properties"]
    settings = {}
    for name, info in model.model_fields.items():
        key = info.validation_alias.choices[0]  # type: ignore[union-attr]
        kind = next(kind for kind in schemas[name].get("anyOf", [schemas[name]]) if kind["type"] != "null")
        is_duration = kind["type"] == "number"
        setting = {"type": "string" if is_duration else kind["type"], "description": texts[name]}
        if info.default not in (None, ""):
            setting["default"] = f"{info.default:g}s" if is_duration else info.default
        setting["defaultInfo"] = {"environment": variables(info)}
        if kind.get("writeOnly"):
            setting["secret"] = True
        settings[str(key).removeprefix(f"{NAMESPACE}:")] = setting
    return settings


def resource(cls: type[pulumi.CustomResource], defaults: Mapping[str, Any], replacing: set[str]) -> Schema:
    outputs = object_type(cls)
    hints = get_type_hints(cls.__init__, localns={"Output": pulumi.Output, "T": Any})
    texts = argument_texts(cls)
    parameters = inspect.signature(cls).parameters
    outside = ("resource_name", "opts", "stream_log")  # what the program needs itself, and no provider is sent
    arguments = [name for name in parameters if name not in outside]
    inputs = {}
    for name in arguments:
        wire_name = to_camel(name)
        inputs[wire_name] = property_schema(wire_name, hints[name], texts[name])
        if wire_name in defaults:
            inputs[wire_name]["default"] = defaults[wire_name]
        if wire_name in replacing:
            inputs[wire_name]["willReplaceOnChanges"] = True
    return {
        **outputs,
        "inputProperties": inputs,
        "requiredInputs": [to_camel(name) for name in arguments if parameters[name].default is inspect.Parameter.empty],
    }


def completion() -> Schema:
    """Make the component that waits outside the engine's slots: what a wait has, with the job under another name."""
    wait = resource(BatchJobWait, WAIT_DEFAULTS, set())
    for properties in ("inputProperties", "properties"):
        wait[properties] = {BATCH_JOB if name == "jobId" else name: one for name, one in wait[properties].items()}
    for names in ("requiredInputs", "required"):
        wait[names] = [BATCH_JOB if name == "jobId" else name for name in wait[names]]
    wait["inputProperties"]["jobName"]["description"] = (
        "The job's logical name, for messages. The default is the name of the job whose id `batchJob` is."
    )
    return {**wait, "isComponent": True, "description": COMPLETION_TEXT}


def object_type(cls: type) -> Schema:
    """Make the schema of a class of getters with texts: an output type, or the outputs of a resource."""
    texts = attribute_texts(cls)
    hints = {name: getattr(cls, name).fget.__annotations__["return"] for name in texts}
    return {
        "description": in_wire_names(re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(cls) or ""), hints),
        "type": "object",
        "properties": {
            to_camel(name): property_schema(to_camel(name), hint, in_wire_names(texts[name], hints))
            for name, hint in hints.items()
        },
        "required": [to_camel(name) for name, hint in hints.items() if NoneType not in members(hint)],
    }


def property_schema(wire_name: str, hint: Any, text: str) -> Schema:
    if wire_name in ALL_CHOICES:
        return {**reference(enum_name(wire_name)), "description": text}
    if wire_name in LONG:
        return {"type": "number", "description": text}
    return {**type_schema(hint), "description": text, **({"secret": True} if wire_name in SECRET else {})}


def type_schema(hint: Any) -> Schema:
    kinds = [kind for kind in members(hint) if kind is not NoneType]
    if len(kinds) > 1:
        return {"oneOf": [type_schema(kind) for kind in kinds]}
    kind = kinds[0]
    if get_origin(kind) is Sequence:
        return {"type": "array", "items": type_schema(get_args(kind)[0])}
    if get_origin(kind) is Mapping:
        return {"type": "object", "additionalProperties": type_schema(get_args(kind)[1])}
    if kind is Any:
        return {"$ref": "pulumi.json#/Any"}
    if kind in PLAIN_TYPES:
        return {"type": PLAIN_TYPES[kind]}
    return reference(kind.__name__.removesuffix("ArgsDict") if is_typeddict(kind) else kind.__name__)


def members(hint: Any) -> list[Any]:
    """Give the types that a value may have: an Output's is inside, an Input's is beside what promises it."""
    if get_origin(hint) is pulumi.Output:
        return members(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        # A program sends the seconds of a timedelta.
        kinds = (kind for kind in get_args(hint) if kind is not timedelta)
        return [kind for kind in kinds if get_origin(kind) not in (Awaitable, pulumi.Output)]
    return [hint]


def reference(name: str) -> Schema:
    return {"$ref": f"#/types/{token(name)}"}


def enum_name(property_name: str) -> str:
    return property_name[0].upper() + property_name[1:]


def enum_type(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": [{"value": value} | meaning(value) for value in values]}


def meaning(value: str) -> Schema:
    """Say what a compute resource type gives; other words speak for themselves."""
    size = RESOURCE_TYPES.get(value)
    if size is None:
        return {}
    driver = f"a driver of {size.driver_cores} vCPU and {size.driver_memory}"
    executors = f"{size.num_executors} executors of {size.executor_cores} vCPU and {size.executor_memory}"
    return {"description": f"{size.vcpus} vCPUs and {size.memory_gb} GB: {driver}, {executors}."}


def attribute_texts(cls: type) -> dict[str, str]:
    """Read the docstrings of a class's annotated attributes."""
    source = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    definition = next(node for node in ast.walk(source) if isinstance(node, ast.ClassDef))
    return {
        attribute.target.id: " ".join(text.value.value.split())
        for attribute, text in itertools.pairwise(definition.body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def argument_texts(cls: type) -> dict[str, str]:
    """Read the section `Args` of a class's constructor."""
    _, section = (inspect.getdoc(cls.__init__) or "").split("\nArgs:\n")
    texts = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", section, re.MULTILINE)
    return {name: in_wire_names(" ".join(text.split()), [name for name, _ in texts]) for name, text in texts}


def in_wire_names(text: str, names: Sequence[str] | Mapping[str, Any]) -> str:
    return re.sub(r"`(\w+)`", lambda match: f"`{to_camel(match[1])}`" if match[1] in names else match[0], text)


def generated_files(folder: Path) -> dict[Path, str]:
    """Return the text of each generated file of the repository in this folder."""
    schema = package_schema()
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return {
        folder / "schema.json": text,
        # The native provider answers with this one, from a wheel and from an editable install alike.
        folder / "pulumi_dli" / "plugin" / "schema.json": text,
        **reference_pages.pages(folder / "docs", schema),
    }


def main(arguments: Sequence[str], folder: Path = ROOT) -> int:
    stale = 0
    for path, wanted in generated_files(folder).items():
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        if found == wanted:
            continue
        if "--check" not in arguments:
            path.write_text(wanted, encoding="utf-8")
            continue
        stale = 1
        name = path.relative_to(folder)
        lines = found.splitlines(True), wanted.splitlines(True)
        sys.stderr.writelines(difflib.unified_diff(*lines, str(name), f"{name}, generated"))
        print(f"{name} is not what the code says; `make schema` fixes it.", file=sys.stderr)
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
