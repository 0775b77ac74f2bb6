"""The tables of the documentation that the code already says: arguments, outputs, settings, error codes.

`generate` calls `pages`. A page has its tables between `<!-- generated NAME -->` and `<!-- end NAME -->`. The rest of
it is written by hand.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_snake

from pulumi_dli.api.error_codes import ERROR_CODES, ErrorCode, RetryClass

Schema = dict[str, Any]

MARK = re.compile(r"<!-- generated ([a-z ]+) -->\n.*?<!-- end \1 -->", re.DOTALL)

WHAT_A_RETRY_DOES = {
    RetryClass.NEVER: "no",
    RetryClass.AFTER_REAUTH: "once, with a new token",
    RetryClass.BACKOFF: "yes, after a pause",
    RetryClass.AMBIGUOUS: "yes, but never a submission",
    RetryClass.GONE: "no",
}


def pages(docs: Path, schema: Schema) -> dict[Path, str]:
    """Return each page that has generated tables, with its tables as the code now says them."""
    tables = {
        "job arguments": arguments_table(schema, "BatchJob"),
        "job outputs": outputs_table(schema, "BatchJob"),
        "wait arguments": arguments_table(schema, "BatchJobWait"),
        "wait outputs": outputs_table(schema, "BatchJobWait"),
        "completion arguments": arguments_table(schema, "BatchJobCompletion", in_python=False),
        "completion outputs": outputs_table(schema, "BatchJobCompletion", in_python=False),
        "resource types": resource_types_table(schema),
        "settings": settings_table(schema),
        "error codes": error_codes_table(),
    }
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(docs.rglob("*.md"))}
    without_page = tables.keys() - {name for text in texts.values() for name in MARK.findall(text)}
    if without_page:
        raise SystemExit(f"No page in {docs} has the mark of: {', '.join(sorted(without_page))}.")
    return {path: with_tables(text, tables) for path, text in texts.items() if MARK.search(text)}


def with_tables(text: str, tables: Mapping[str, str]) -> str:
    return MARK.sub(lambda mark: f"<!-- generated {mark[1]} -->\n{tables[mark[1]]}\n<!-- end {mark[1]} -->", text)


def table_of(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def arguments_table(schema: Schema, resource: str, *, in_python: bool = True) -> str:
    """Give the table of a resource's arguments. `in_python` is false for one that Python programs do not have."""
    declared = schema["resources"][f"dli:index:{resource}"]
    inputs = declared["inputProperties"]
    return table_of(
        ["argument", "type", "default", "what it says"],
        (
            [
                names_of(name, in_python=in_python),
                type_of(one),
                default_of(one),
                described(one, inputs if in_python else {}),
            ]
            for name, one in inputs.items()
        ),
    )


def outputs_table(schema: Schema, resource: str, *, in_python: bool = True) -> str:
    """Give the table of a resource's outputs that are no arguments. `in_python` as above."""
    declared = schema["resources"][f"dli:index:{resource}"]
    outputs = declared["properties"]
    return table_of(
        ["output", "type", "what it says"],
        (
            [names_of(name, in_python=in_python), type_of(one), described(one, outputs if in_python else {})]
            for name, one in outputs.items()
            if name not in declared["inputProperties"]
        ),
    )


def resource_types_table(schema: Schema) -> str:
    values = schema["types"]["dli:index:ScType"]["enum"]
    return table_of(["`sc_type`", "what it gives"], ([f"`{one['value']}`", one["description"]] for one in values))


def settings_table(schema: Schema) -> str:
    variables = schema["config"]["variables"]
    return table_of(
        ["setting", "environment", "default", "what it says"],
        (
            [
                f"`dli:{name}`{' (secret)' if one.get('secret') else ''}",
                ", ".join(f"`{variable}`" for variable in one["defaultInfo"]["environment"]),
                default_of(one),
                one["description"],
            ]
            for name, one in variables.items()
        ),
    )


def error_codes_table() -> str:
    return table_of(
        ["code", "HTTP status", "what it means", "what to do", "repeated", "source"],
        (
            [codes, status, one.meaning, one.hint, WHAT_A_RETRY_DOES[one.retry], sources]
            for codes, status, one, sources in merged(ERROR_CODES)
        ),
    )


def merged(codes: Mapping[str, ErrorCode]) -> Iterable[tuple[str, str, ErrorCode, str]]:
    """Put the two spellings of a code of the gateway (APIGW on Huawei Cloud, APIG on Open Telekom Cloud) in one row."""
    for code, one in codes.items():
        twin = codes.get(code.replace("APIGW.", "APIG.")) if code.startswith("APIGW.") else None
        if code.startswith("APIG.") and code.replace("APIG.", "APIGW.") in codes:
            continue
        both = [one, twin] if twin else [one]
        yield (
            ", ".join(f"`{each.code}`" for each in both),
            ", ".join(dict.fromkeys(str(each.status) for each in both)),
            one,
            "; ".join(dict.fromkeys(each.source for each in both)),
        )


def names_of(name: str, *, in_python: bool) -> str:
    """Give the name in Python, and the name in the other languages where it differs."""
    names = [to_snake(name), name] if in_python else [name]
    return ", ".join(f"`{one}`" for one in dict.fromkeys(names))


def type_of(one: Schema) -> str:
    if "$ref" in one:
        name = str(one["$ref"]).rsplit("/", 1)[1].rsplit(":", 1)[-1]
        return "any" if name == "Any" else name
    if "oneOf" in one:
        return " or ".join(type_of(kind) for kind in one["oneOf"])
    if one["type"] == "array":
        return f"list of {type_of(one['items'])}"
    if one["type"] == "object":
        return f"map of {type_of(one['additionalProperties'])}"
    return str(one["type"])


def default_of(one: Schema) -> str:
    if "default" not in one:
        return ""
    default = one["default"]
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def described(one: Schema, names: Mapping[str, Any]) -> str:
    """Give the description, with the names of arguments as Python spells them."""
    text = str(one["description"])
    return re.sub(r"`(\w+)`", lambda match: f"`{to_snake(match[1])}`" if match[1] in names else match[0], text)
