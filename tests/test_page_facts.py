"""The code held against the facts of the API page, row by row and both ways (tests/data/api_page_facts.json)."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from pulumi_dli.account.credential_sources import load_credentials
from pulumi_dli.account.settings import Settings
from pulumi_dli.account.sign_in import SignIn
from pulumi_dli.api.error_codes import RetryClass, classify
from pulumi_dli.api.errors import SettingsError
from pulumi_dli.api.models import Batch, BatchRequest, Group, Resource
from pulumi_dli.api.retry import RetryPolicy
from pulumi_dli.api.sizes import RESOURCE_TYPES, memory_mib
from pulumi_dli.api.states import BatchState
from pulumi_dli.jobs import outputs
from pulumi_dli.jobs.inputs import ARGUMENTS, OPTIONS, WIRE_NAMES, JobInputs
from pulumi_dli.jobs.job_rules import check
from pulumi_dli.jobs.request import canonical, changes, request_body, sizing

Row = dict[str, Any]

HERE = Path(__file__).parent
FACTS = json.loads((HERE / "data" / "api_page_facts.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((HERE.parent / "schema.json").read_text(encoding="utf-8"))
JOB = SCHEMA["resources"]["dli:index:BatchJob"]

URI, REQUEST, RESOURCE_TYPE_ROWS, RESOURCES, GROUPS, RESPONSE, STATES, STATUSES = FACTS["tables"].values()
LATER = FACTS["later"]
PROPERTY_OF = {wire_name: name for name, wire_name in WIRE_NAMES.items()}
OUTPUT_OF = {
    "name": "submittedName",
    "sc_type": "effectiveScType",
    "queue": "effectiveQueue",
    "cluster_name": "effectiveQueue",
}
LATER_IN_REPLIES = {"req_body", "image", "feature", "spark_version"}

each_parameter = pytest.mark.parametrize("row", [*REQUEST, *LATER], ids=lambda row: row["name"])


def rows_with(fact: str, rows: list[Row]) -> Any:
    chosen = [row for row in rows if fact in row]
    assert chosen
    return pytest.mark.parametrize("row", chosen, ids=lambda row: row["name"])


def names(rows: list[Row]) -> list[str]:
    return [row["name"] for row in rows]


def page_type(schema: Row, types: Row) -> str:
    """Say a JSON schema in the words of the page, the first type where there are several."""
    if "$ref" in schema:
        return page_type(types[schema["$ref"].rsplit("/", 1)[1]], types)
    if "anyOf" in schema:
        return page_type(schema["anyOf"][0], types)
    if schema["type"] == "array":
        return f"Array of {page_type(schema['items'], types)}s"
    return {"number": "Long"}.get(schema["type"], str(schema["type"]).capitalize())


def model_types(model: type[BaseModel]) -> dict[str, str]:
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    return {name: page_type(one, schema.get("$defs", {})) for name, one in schema["properties"].items()}


def refusals(**declared: Any) -> list[str]:
    return check(JobInputs.parse({"file": "job.py", "queue": "batch", **declared})).failures


def test_table_1_no_call_is_made_without_the_project() -> None:
    assert names(URI) == ["project_id"]
    key = load_credentials({"dli:accessKey": "ak", "dli:secretKey": "sk"})
    with pytest.raises(SettingsError, match="no project"):
        SignIn(Settings.model_construct(project_id=None, project_name=None), key, RetryPolicy()).project_id(region=None)
    place = SCHEMA["types"]["dli:index:SubmittedTo"]
    assert place["required"] == ["projectId"]
    assert page_type(place["properties"]["projectId"], {}) == URI[0]["type"]


def test_table_2_has_the_fields_of_the_request_in_the_same_order() -> None:
    assert list(WIRE_NAMES.values()) == names([*REQUEST, *LATER])
    assert list(model_types(BatchRequest)) == names([*REQUEST, *LATER])
    assert set(JOB["inputProperties"]) == set(PROPERTY_OF.values()) | set(OPTIONS) - {"replacementTrigger"}


@each_parameter
def test_table_2_a_parameter_has_the_type_of_the_page_in_request_and_schema(row: Row) -> None:
    assert model_types(BatchRequest)[row["name"]] == row["type"]
    for side in ("inputProperties", "properties"):
        assert page_type(JOB[side][PROPERTY_OF[row["name"]]], SCHEMA["types"]) == row["type"]


def test_table_2_what_is_mandatory_is_always_sent_and_nothing_else_but_a_name() -> None:
    body = request_body(JobInputs.parse({"file": "job.py"}), "nightly")
    assert set(body) == {"name"} | {row["name"] for row in [*REQUEST, *LATER] if row["mandatory"]}


def test_table_2_a_main_class_is_mandatory_for_a_jar() -> None:
    assert "className: is missing" in refusals(file="job.jar")[0]
    assert not refusals(file="job.jar", className="org.example.Main")


@rows_with("maxLength", REQUEST)
def test_table_2_a_text_is_as_long_as_the_page_allows(row: Row) -> None:
    longest = "x" * row["maxLength"]
    assert not refusals(**{PROPERTY_OF[row["name"]]: longest})
    assert refusals(**{PROPERTY_OF[row["name"]]: longest + "x"})
    BatchRequest(file="job.py", **{row["name"]: longest})
    with pytest.raises(ValidationError):
        BatchRequest(file="job.py", **{row["name"]: longest + "x"})


@rows_with("maximum", REQUEST)
def test_table_2_a_number_is_as_large_as_the_page_allows(row: Row) -> None:
    most = row["maximum"]
    assert not refusals(**{PROPERTY_OF[row["name"]]: most})
    assert f"from 0 to {most}" in refusals(**{PROPERTY_OF[row["name"]]: most + 1})[0]
    BatchRequest(file="job.py", **{row["name"]: most})
    with pytest.raises(ValidationError):
        BatchRequest(file="job.py", **{row["name"]: most + 1})
    assert f"0 to {most}" in JOB["inputProperties"][PROPERTY_OF[row["name"]]]["description"]


@rows_with("values", [*REQUEST, *LATER])
def test_table_2_a_choice_has_the_values_of_the_page(row: Row) -> None:
    name = PROPERTY_OF[row["name"]]
    assert list(ARGUMENTS[name].choices) == row["values"]
    assert f"must be one of {', '.join(row['values'])}" in refusals(**{name: "D"})[0]
    enumeration = SCHEMA["types"][JOB["inputProperties"][name]["$ref"].rsplit("/", 1)[1]]["enum"]
    assert [one["value"] for one in enumeration] == row["values"]


@rows_with("default", REQUEST)
def test_table_2_a_default_counts_as_not_given_and_is_told(row: Row) -> None:
    name = PROPERTY_OF[row["name"]]
    assert changes(JobInputs.parse({"file": "job.py"}), JobInputs.parse({"file": "job.py", name: row["default"]})) == []
    description = JOB["inputProperties"][name]["description"]
    assert "default" in description
    assert str(row["default"]) in description


def test_table_2_no_other_parameter_has_a_default() -> None:
    defaults = {row["name"]: row["default"] for row in REQUEST if "default" in row}
    filled_in = canonical({"file": "job.py"})
    assert {WIRE_NAMES[name]: value for name, value in filled_in.items()} == {"file": "job.py", **defaults}


@rows_with("excludes", REQUEST)
def test_table_2_what_cannot_coexist_is_refused(row: Row) -> None:
    both = {PROPERTY_OF[row["name"]]: "a", PROPERTY_OF[row["excludes"]]: "b"}
    assert "both are set" in check(JobInputs.parse({"file": "job.py", **both})).failures[0]


@rows_with("queueType", REQUEST)
def test_table_2_the_type_of_the_queue_is_told(row: Row) -> None:
    assert row["queueType"] in JOB["inputProperties"][PROPERTY_OF[row["name"]]]["description"]


@rows_with("examples", REQUEST)
def test_table_2_the_examples_of_the_page_are_accepted(row: Row) -> None:
    name, examples = PROPERTY_OF[row["name"]], row["examples"]
    for value in [examples] if row["type"].startswith("Array") else examples:
        assert not refusals(**{name: value})


@rows_with("unit", REQUEST)
def test_table_2_a_size_needs_its_unit(row: Row) -> None:
    name = PROPERTY_OF[row["name"]]
    for example in row["examples"]:
        assert "with a unit" in refusals(**{name: example.split()[0]})[0]
    assert len({memory_mib(example) for example in row["examples"]}) == 1


@rows_with("overrides", REQUEST)
def test_table_2_a_size_replaces_that_of_the_resource_type(row: Row) -> None:
    name = PROPERTY_OF[row["name"]]
    larger = "64G" if row["type"] == "String" else 64
    default = {row["overrides"]: "A"}
    assert sizing(JobInputs.parse({**default, name: larger})) != sizing(JobInputs.parse(default))
    assert f"`{PROPERTY_OF[row['overrides']]}`" in JOB["inputProperties"][name]["description"]


@rows_with("requires", LATER)
def test_a_later_parameter_needs_what_its_page_says(row: Row) -> None:
    name, needed = PROPERTY_OF[row["name"]], row["requires"]
    assert "is used only with" in refusals(**{name: "x"})[0]
    assert not refusals(**{name: "x"}, **{PROPERTY_OF[key]: value for key, value in needed.items()})


def test_the_later_parameters_name_their_pages() -> None:
    assert names(LATER) == ["feature", "spark_version", "image", "execution_agency_urn"]
    assert all("dli_02_0124" in row["source"] for row in LATER)


def test_table_3_the_resource_types_are_those_of_the_page() -> None:
    assert list(RESOURCE_TYPES) == names(RESOURCE_TYPE_ROWS)


@pytest.mark.parametrize("row", RESOURCE_TYPE_ROWS, ids=lambda row: row["name"])
def test_table_3_a_resource_type_has_the_figures_of_the_page(row: Row) -> None:
    size = RESOURCE_TYPES[row["name"]]
    assert (size.vcpus, size.memory_gb) == (row["vCPUs"], row["memoryGB"])
    assert (size.driver_cores, size.executor_cores) == (row["driverCores"], row["executorCores"])
    assert memory_mib(size.driver_memory) == memory_mib(row["driverMemory"])
    assert memory_mib(size.executor_memory) == memory_mib(row["executorMemory"])
    assert size.num_executors == row["numExecutor"]


@pytest.mark.parametrize(
    ("rows", "model", "type_name"),
    [(RESOURCES, Resource, "dli:index:Package"), (GROUPS, Group, "dli:index:Group")],
    ids=["table 4", "table 5"],
)
def test_tables_4_and_5_nested_objects_are_those_of_the_page(
    rows: list[Row], model: type[BaseModel], type_name: str
) -> None:
    page = {row["name"]: row["type"] for row in rows}
    assert model_types(model) == page
    nested = SCHEMA["types"][type_name]
    assert {name: page_type(one, SCHEMA["types"]) for name, one in nested["properties"].items()} == page
    assert nested["required"] == [row["name"] for row in rows if row["mandatory"]]
    assert model.model_validate({}).model_dump(exclude_unset=True) == {}


def test_table_6_has_the_fields_of_the_reply() -> None:
    assert set(model_types(Batch)) - LATER_IN_REPLIES == set(names(RESPONSE))
    shown = {OUTPUT_OF.get(name, to_camel(name)) for name in names(RESPONSE) if name != "id"}
    in_no_reply = {"submittedTo", "recordExpired", "failureReason", "consoleUrl", "estimatedCuHours", "previousRuns"}
    assert shown == set(outputs.OBSERVED) - in_no_reply


@pytest.mark.parametrize("row", RESPONSE, ids=lambda row: row["name"])
def test_table_6_a_field_has_the_type_of_the_page_and_may_be_absent(row: Row) -> None:
    in_code = {"Integer": "Long"}.get(model_types(Batch)[row["name"]], model_types(Batch)[row["name"]])
    assert in_code.casefold() == row["type"].casefold()
    if row["name"] == "id":
        return
    output = OUTPUT_OF.get(row["name"], to_camel(row["name"]))
    assert page_type(JOB["properties"][output], SCHEMA["types"]).casefold() == row["type"].casefold()
    value = {"String": "text", "Array of strings": ["line"], "Long": 17}[row["type"]]
    shown = outputs.of_job(JobInputs.parse({}), Batch.model_validate({"id": "1", row["name"]: value}), {})
    told = {name for name in outputs.OBSERVED if shown[name]} - {"submittedTo"}
    assert (told, shown[output]) == ({output}, value)


def test_table_7_the_states_are_those_of_the_page() -> None:
    assert {str(state) for state in BatchState} == set(names(STATES))
    assert all(BatchState.parse(row["name"]) == row["name"] for row in STATES)
    assert all(f"`{name}`" in JOB["properties"]["state"]["description"] for name in names(STATES))


def test_table_8_each_status_is_judged() -> None:
    retries = {"400": RetryClass.NEVER, "500": RetryClass.AMBIGUOUS}  # 200 is no error
    assert [*names(STATUSES)] == ["200", *retries]
    assert {status: classify("", int(status)).retry for status in retries} == retries
