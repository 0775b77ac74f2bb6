"""The generated package schema: up to date, true to the code, and good in the eyes of the real CLI."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from pulumi_dli.account.credentials import configuration_keys, declared
from pulumi_dli.api.models import BatchRequest
from pulumi_dli.jobs import diff
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, WIRE_NAMES, JobInputs
from pulumi_dli.jobs.outputs import OBSERVED, StoredJob
from scripts.generate import ROOT, main, package_schema

SCHEMA = json.loads((ROOT / "schema.json").read_text(encoding="utf-8"))
JOB = SCHEMA["resources"]["dli:index:BatchJob"]
WAIT = SCHEMA["resources"]["dli:index:BatchJobWait"]

PYTHON_WORD = re.compile(r"\b([a-z]+_[a-z_]+|opts|timedelta|dict|None)\b")


def make_folders(root: Path) -> None:
    shutil.copytree(ROOT / "docs", root / "docs")
    (root / "pulumi_dli" / "plugin").mkdir(parents=True)


def test_the_schema_is_what_the_code_says() -> None:
    assert package_schema() == SCHEMA
    assert main(["--check"]) == 0


def test_the_texts_have_no_word_that_only_python_programs_know() -> None:
    texts = re.findall(r'"description": "(.*)"', (ROOT / "schema.json").read_text(encoding="utf-8"))
    assert [text for text in texts if PYTHON_WORD.search(text)] == []


def test_a_stale_schema_is_named_shown_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = json.dumps(SCHEMA, indent=2).replace("BatchJobWait", "BatchJobPause")
    (tmp_path / "schema.json").write_text(stale)
    make_folders(tmp_path)
    assert main(["--check"], tmp_path) == 1
    said = capsys.readouterr().err
    assert '-    "dli:index:BatchJobPause": {\n' in said
    assert '+    "dli:index:BatchJobWait": {\n' in said
    assert "schema.json is not what the code says; `make schema` fixes it" in said
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


def test_a_stale_table_of_a_page_is_named_and_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folders(tmp_path)
    assert main([], tmp_path) == 0
    page = tmp_path / "docs" / "batch-job.md"
    page.write_text(page.read_text(encoding="utf-8").replace("| `driver_cores`, `driverCores` |", "| `cores` |"))
    assert main(["--check"], tmp_path) == 1
    assert "docs/batch-job.md is not what the code says; `make schema` fixes it" in capsys.readouterr().err
    assert main([], tmp_path) == 0
    assert page.read_bytes() == (ROOT / "docs" / "batch-job.md").read_bytes()


def test_a_table_without_a_page_is_named(tmp_path: Path) -> None:
    make_folders(tmp_path)
    (tmp_path / "docs" / "error-codes.md").unlink()
    with pytest.raises(SystemExit, match="has the mark of: error codes"):
        main(["--check"], tmp_path)


def test_a_schema_that_is_not_there_is_stale(tmp_path: Path) -> None:
    make_folders(tmp_path)
    assert main(["--check"], tmp_path) == 1


def test_the_real_cli_finds_no_fault_in_the_schema(tmp_path: Path) -> None:
    environment = {**os.environ, "PULUMI_HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    command = ["pulumi", "schema", "check", ROOT / "schema.json", "--color=never"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_version_is_that_of_the_package() -> None:
    assert f'version = "{SCHEMA["version"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_inputs_of_a_job_are_its_declared_properties() -> None:
    declared = {*WIRE_NAMES, *OPTIONS} - {"replacementTrigger"}
    assert set(JOB["inputProperties"]) == declared
    assert JOB["requiredInputs"] == ["file"]
    assert set(JOB["properties"]) == declared | {*OBSERVED, "sizing"}


@pytest.mark.parametrize("name", WIRE_NAMES)
def test_an_input_has_the_type_that_the_request_has(name: str) -> None:
    fields = BatchRequest.model_json_schema(mode="serialization")["properties"]
    wanted = fields[WIRE_NAMES[name]]
    kinds = [kind["type"] for kind in wanted.get("anyOf", [wanted]) if kind["type"] != "null"]
    assert [kind_of(JOB["inputProperties"][name])] == kinds
    assert kind_of(JOB["properties"][name]) == kind_of(JOB["inputProperties"][name])


def kind_of(schema: dict[str, Any]) -> str:
    """Give the JSON type, of an enumeration too."""
    reference = schema.get("$ref", "").removeprefix("#/types/")
    return str(SCHEMA["types"][reference]["type"] if reference else schema["type"])


def another_value(name: str) -> Any:
    """Give a value that is not the default."""
    if ARGUMENTS[name].choices:
        return ARGUMENTS[name].choices[-1]
    schema = JOB["inputProperties"][name]
    others = {"string": "3G", "integer": 3, "array": ["other"], "object": {"other": "1"}}
    return others.get(kind_of(schema), not schema.get("default", False))


@pytest.mark.parametrize("name", JOB["inputProperties"])
def test_what_the_schema_calls_replacing_is_what_the_plan_replaces(name: str) -> None:
    stored = {"file": "job.py", "submittedTo": {"region": "eu-de", "projectId": "5e1c"}}
    decision = diff.compare(
        StoredJob.parse(stored), JobInputs.parse({"file": "job.py", name: another_value(name)}), preview=False
    )
    replaces = JOB["inputProperties"][name].get("willReplaceOnChanges", False)
    assert (decision.action == "replace") is replaces


@pytest.mark.parametrize(("name", "words"), [(name, one.choices) for name, one in ARGUMENTS.items() if one.choices])
def test_choices_are_enumerations_of_the_words_that_the_plan_accepts(name: str, words: tuple[str, ...]) -> None:
    reference = JOB["inputProperties"][name]["$ref"].removeprefix("#/types/")
    assert [choice["value"] for choice in SCHEMA["types"][reference]["enum"]] == list(words)


def test_only_the_defaults_of_the_provider_are_defaults_of_the_schema() -> None:
    defaults = {name: one["default"] for name, one in JOB["inputProperties"].items() if "default" in one}
    nothing_given = JobInputs.parse({})
    assert {to_camel(name): getattr(nothing_given, name) for name in map(to_snake, OPTIONS)} == {
        **dict.fromkeys(OPTIONS),
        **defaults,
    }
    assert {name: one["default"] for name, one in WAIT["inputProperties"].items() if "default" in one} == {
        "until": "success"
    }


def test_every_setting_is_a_variable_and_the_secret_ones_are_secret() -> None:
    variables = SCHEMA["config"]["variables"]
    assert [f"dli:{name}" for name in variables] == configuration_keys()
    secret = {name for name, info in declared().items() if "SecretStr" in str(info.annotation)}
    assert secret == {"token", "secret_key", "security_token", "password", "application_credential_secret"}
    assert {name for name, one in variables.items() if one.get("secret")} == {to_camel(name) for name in secret}
    arguments = SCHEMA["provider"]["inputProperties"]
    told = ("type", "secret")
    assert {name: [one.get(fact) for fact in told] for name, one in arguments.items()} == {
        name: [one.get(fact) for fact in told] for name, one in variables.items()
    }


def test_an_sdk_fills_in_no_argument_of_an_explicit_provider() -> None:
    """It would take each one alone from the environment, and so mix the credentials of two accounts."""
    arguments = SCHEMA["provider"]["inputProperties"]
    assert all("default" not in one and "defaultInfo" not in one for one in arguments.values())
    assert arguments["requestTimeout"]["description"].endswith(
        "The default is `60s`. Environment: `DLI_REQUEST_TIMEOUT`."
    )


@pytest.mark.parametrize(
    ("key", "kind", "default", "variables"),
    [
        ("region", "string", None, ["DLI_REGION", "OS_REGION_NAME", "HW_REGION_NAME"]),
        ("requestTimeout", "string", "60s", ["DLI_REQUEST_TIMEOUT"]),
        ("maxRetries", "integer", 5, ["DLI_MAX_RETRIES"]),
        ("adopt", "boolean", True, ["DLI_ADOPT"]),
        ("insecure", "boolean", False, ["OS_INSECURE", "HW_INSECURE"]),
        ("token", "string", None, ["OS_TOKEN", "OS_AUTH_TOKEN", "HW_AUTH_TOKEN"]),
    ],
)
def test_a_variable_tells_type_default_and_environment(key: str, kind: str, default: Any, variables: list[str]) -> None:
    variable = SCHEMA["config"]["variables"][key]
    assert (variable["type"], variable.get("default")) == (kind, default)
    assert variable["defaultInfo"]["environment"] == variables


def test_everything_is_described_by_the_names_of_the_wire() -> None:
    described = [*SCHEMA["config"]["variables"].values(), JOB, WAIT]
    for one in (JOB, WAIT, *SCHEMA["types"].values()):
        described += [*one.get("inputProperties", {}).values(), *one.get("properties", {}).values()]
    for one in described:
        assert one["description"].endswith(".")
        assert not [name for name in BatchRequest.model_fields if "_" in name and f"`{name}`" in one["description"]]


def test_the_generated_sdks_have_names_of_their_own_and_the_version_of_the_schema() -> None:
    languages = SCHEMA["language"]
    assert languages["python"]["packageName"] != "pulumi_dli", "a generated SDK would overwrite this package"
    assert all(one["respectSchemaVersion"] for one in languages.values())
    assert languages["go"]["importBasePath"].startswith(SCHEMA["repository"].removeprefix("https://") + "/")
    assert SCHEMA["pluginDownloadURL"] == SCHEMA["repository"].replace("https://", "github://api.")
